import type { Asked } from "../api/ask.ts";
import { answer } from "../report/answer.ts";
import type { Documents } from "../report/blocks.ts";
import { type FileUrl, isUrl } from "../source/given.ts";
import { type AbortSignalLike, Link, type WorkerWork } from "./link.ts";
import type { OpenedDump, Opening, Request, SentFile, SentQuestion } from "./messages.ts";
import { startWorker } from "./node-threads.ts";
import type { WorkerLike } from "./ports.ts";

/** How a dump is opened in a worker. */
export interface DumpWorkerOptions {
  /** Folders with PE files, where the worker has a file system; and single files, with their names. */
  readonly images?: Opening["images"];
  /** A copy of the machine's SYSTEM hive: it says when each driver starts. */
  readonly systemHive?: SentFile | undefined;
  /** A file in pooltag.txt's format: what tags mean, for `tags`. */
  readonly pooltags?: SentFile | undefined;
  /** Ends the opening. */
  readonly signal?: AbortSignalLike | undefined;
  /**
   * Starts a worker that runs `pooltrail/worker-thread`, for bundles, in which that is another file. Called again after a
   * question was aborted.
   */
  readonly worker?: (() => WorkerLike) | undefined;
}

/**
 * Opens a dump in a worker, and answers questions as promises, so that the thread that asks goes on meanwhile.
 *
 * @param input of several files that belong together all, the one to open first
 * @returns the open dump; `await using` or `close()` ends its worker
 * @throws what `openDump` of `pooltrail` throws; the signal's reason where it was aborted
 */
export async function openDump(
  input: SentFile | readonly SentFile[],
  options: DumpWorkerOptions = {},
): Promise<DumpWorker> {
  const { images = [], systemHive, pooltags, signal, worker = startWorker } = options;
  const opening: Opening = {
    input: isList(input) ? input.map(sendable) : sendable(input),
    images: images.map(sendable),
    systemHive: sendable(systemHive),
    pooltags: sendable(pooltags),
  };
  const dump = new DumpWorker(opening, worker);
  await dump.open({ signal });
  return dump;
}

/** A dump that is open in a worker. Made by `openDump`. */
export class DumpWorker implements AsyncDisposable {
  readonly #opening: Opening;
  readonly #start: () => WorkerLike;
  /** Settled when the worker is free. */
  #turn: Promise<unknown> = Promise.resolve();
  #link: Link | undefined;
  #opened: OpenedDump = { file: "", pointerSize: 8 };
  #closed = false;

  /** Use `openDump`. */
  constructor(opening: Opening, start: () => WorkerLike) {
    this.#opening = opening;
    this.#start = start;
  }

  /** The file's name. */
  get file(): string {
    return this.#opened.file;
  }

  /** In bytes; what the renderers ask for. */
  get pointerSize(): 4 | 8 {
    return this.#opened.pointerSize;
  }

  /** @internal */
  open(work: WorkerWork): Promise<object> {
    return this.#inTurn(() => this.#linked(work), work);
  }

  /**
   * Answers one question, after those that were asked before it. The document is that of `ask`.
   *
   * @throws what `ask` throws; the signal's reason where it was aborted; an Error where the worker ended by itself
   */
  async ask<C extends Asked>(question: SentQuestion<C>, work: WorkerWork = {}): Promise<Documents[C]> {
    const request: Request = { ask: question as SentQuestion };
    const document = await this.#inTurn(
      async () => (await this.#linked({ signal: work.signal })).exchange(request, work),
      work,
    );
    // the worker gives the document of the command that it was asked for
    return answer(document as Documents[C]);
  }

  /** Ends the worker; what was asked and is not answered fails with a RangeError. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#link?.end(closed());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Runs `work` when what was asked before it is done; fails at once where it is aborted before that. */
  async #inTurn<T>(run: () => Promise<T>, { signal }: WorkerWork): Promise<T> {
    const turn = this.#turn.then(() => {
      if (this.#closed) throw closed();
      if (signal?.aborted === true) throw signal.reason;
      return run();
    });
    this.#turn = turn.catch(() => undefined);
    if (signal === undefined) return turn;
    let abort = (): void => undefined;
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal.reason);
      signal.addEventListener("abort", abort);
    });
    try {
      return await Promise.race([turn, aborted]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** A worker with the dump open; a new one where the last was ended. */
  async #linked(work: WorkerWork): Promise<Link> {
    if (this.#link?.ended === false) return this.#link;
    const link = new Link(this.#start());
    this.#link = link;
    try {
      this.#opened = (await link.exchange({ open: this.#opening }, work)) as OpenedDump;
      return link;
    } catch (error) {
      await link.end(error);
      throw error;
    }
  }
}

function isList(input: SentFile | readonly SentFile[]): input is readonly SentFile[] {
  return Array.isArray(input);
}

/** A URL loses what it is when it is sent; the rest is as it was. */
function sendable<T>(file: T): T | FileUrl {
  return isUrl(file) ? { href: file.href, protocol: file.protocol } : file;
}

function closed(): RangeError {
  return new RangeError("the dump was closed");
}
