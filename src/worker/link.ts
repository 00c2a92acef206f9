import { errorOf } from "./errors.ts";
import type { Reply, Request } from "./messages.ts";
import { onFailure, onMessage, type WorkerLike } from "./ports.ts";

/** How one question is watched, and ended. */
export interface WorkerWork {
  /** Told the module that is looked at next, and how many of how many are done. */
  readonly onProgress?: ((module: string, done: number, of: number) => void) | undefined;
  /** Ends the question at once, whatever the worker does at the time. */
  readonly signal?: AbortSignalLike | undefined;
}

/** An AbortSignal, as far as it is looked at. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(event: "abort", listener: () => void): void;
  removeEventListener(event: "abort", listener: () => void): void;
}

/** A worker, and the one request that it is at. */
export class Link {
  readonly #worker: WorkerLike;
  #onReply: ((reply: Reply) => void) | undefined;
  #onEnd: ((reason: unknown) => void) | undefined;
  #ended = false;

  constructor(worker: WorkerLike) {
    this.#worker = worker;
    // what sends the messages is serve.ts
    onMessage(worker, (message) => this.#onReply?.(message as Reply));
    onFailure(worker, (error) => void this.end(error));
  }

  /** Whether the worker is gone. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Sends a request and waits for what ends it. While it does, the worker keeps the program running. */
  async exchange(request: Request, { onProgress, signal }: WorkerWork): Promise<object> {
    const abort = (): void => void this.end(signal?.reason);
    signal?.addEventListener("abort", abort);
    this.#worker.ref?.();
    try {
      return await new Promise((resolve, reject) => {
        this.#onEnd = reject;
        this.#onReply = (reply) => {
          if ("progress" in reply) onProgress?.(...reply.progress);
          else if ("failed" in reply) reject(errorOf(reply.failed));
          else resolve(reply.done);
        };
        this.#worker.postMessage(request);
      });
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#onEnd = undefined;
      this.#onReply = undefined;
      this.#worker.unref?.();
    }
  }

  /** Ends the worker, and with `reason` what it is at. */
  async end(reason: unknown): Promise<void> {
    this.#ended = true;
    this.#onEnd?.(reason);
    await this.#worker.terminate();
  }
}
