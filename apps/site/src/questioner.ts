import type { Reply, Request } from "./messages.ts";

/** The worker's program, put here by the build. */
declare const WORKER_PROGRAM: string;

/**
 * Puts questions to a worker, one at a time. The worker is made from a Blob, since such a worker is bound by the page's
 * policy, which forbids it every connection; one from a file of its own would be bound by that file's alone.
 */
export class Questioner {
  #worker: Worker | undefined;
  #onReply: (reply: Reply) => void = () => undefined;

  /** @param onReply called for each reply, until `html` or `failed`; never again after another question, or an end */
  ask(request: Request, onReply: (reply: Reply) => void): void {
    this.#onReply = onReply;
    this.#worker ??= this.#start();
    this.#worker.postMessage(request);
  }

  /** Ends what is under way, and closes the files. */
  end(): void {
    this.#onReply = () => undefined;
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start(): Worker {
    const url = URL.createObjectURL(new Blob([WORKER_PROGRAM], { type: "text/javascript" }));
    const worker = new Worker(url);
    worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => this.#onReply(data));
    worker.addEventListener("error", ({ message }) => {
      const onReply = this.#onReply;
      this.end();
      onReply({ failed: `the worker ended: ${message}` });
    });
    return worker;
  }
}
