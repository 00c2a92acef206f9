import { closeSync, openSync, readSync, statSync } from "node:fs";
import { type Asked, ask, openFolder, openImageFile } from "pooltrail";
import { openDump, type SentQuestion, type WorkerWork } from "pooltrail/worker";
import { isFile } from "./folders.ts";
import type { Json } from "./page.ts";

/** What a question takes: a dump, or a folder of PE files in its place, or one of them as well. */
export type Takes = "dump" | "folder" | "image";

/** What is opened together, and so kept together. */
export interface Opening {
  readonly file: string;
  readonly images: readonly string[];
  readonly systemHive?: string | undefined;
  readonly pooltags?: string | undefined;
}

/** What is open: a dump in a worker, which an abort ends; PE files in this thread. */
interface Opened {
  ask(question: SentQuestion, work: WorkerWork): Promise<object>;
  close(): unknown;
}

interface Kept {
  readonly opened: Promise<Opened>;
  /** Questions that are under way. */
  busy: number;
  /** The last answers, so that a next page is not asked for anew. */
  readonly answers: Map<string, Json>;
}

/** Dumps that stay open between calls. */
const MOST_OPEN = 3;
/** Answers that are kept of each. */
const MOST_ANSWERS = 4;

/** Files that stay open between calls, the last used last. */
export class OpenFiles {
  readonly #kept = new Map<string, Kept>();

  /**
   * Answers a question from a file that is open already, or is opened for it. A file that changed is opened anew.
   *
   * @throws what `openDump` and `ask` throw; the signal's reason where it was aborted
   */
  async ask(opening: Opening, takes: Takes, question: SentQuestion, work: WorkerWork): Promise<Json> {
    const kept = this.#take(opening, takes);
    kept.busy++;
    try {
      const key = JSON.stringify(question);
      const known = kept.answers.get(key);
      if (known !== undefined) return known;
      const answer = await (await kept.opened).ask(question, work);
      const json: Json = JSON.parse(JSON.stringify(answer));
      kept.answers.set(key, json);
      for (const oldest of kept.answers.keys()) {
        if (kept.answers.size > MOST_ANSWERS) kept.answers.delete(oldest);
      }
      return json;
    } finally {
      kept.busy--;
      this.#closeUnused();
    }
  }

  /** Closes all, and ends what they are at. */
  async close(): Promise<void> {
    const all = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.all(all.map(closed));
  }

  #take(opening: Opening, takes: Takes): Kept {
    const kind = kindOf(opening.file, takes);
    const { size, mtimeMs } = statSync(opening.file, { throwIfNoEntry: false }) ?? {};
    const key = JSON.stringify([kind, opening, size, mtimeMs]);
    const kept = this.#kept.get(key) ?? { opened: open(opening, kind), busy: 0, answers: new Map() };
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    // what cannot be opened now may be there the next time
    kept.opened.catch(() => this.#kept.delete(key));
    return kept;
  }

  #closeUnused(): void {
    for (const [key, kept] of this.#kept) {
      if (this.#kept.size <= MOST_OPEN) return;
      if (kept.busy > 0) continue;
      this.#kept.delete(key);
      void closed(kept);
    }
  }
}

async function closed({ opened }: Kept): Promise<void> {
  // what was never open has nothing to close
  await opened.then((one) => one.close()).catch(() => undefined);
}

/** What a path is opened as. What a question does not take is opened as a dump, which says what is wrong. */
function kindOf(path: string, takes: Takes): Takes {
  if (takes !== "dump" && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return "folder";
  return takes === "image" && isImageFile(path) ? "image" : "dump";
}

async function open({ file, ...others }: Opening, kind: Takes): Promise<Opened> {
  if (kind === "dump") return await openDump(file, others);
  const opened = kind === "folder" ? openFolder(file) : openImageFile(file);
  return {
    ask: async (question, { onProgress }) => {
      if (question.command === "growth") throw new TypeError("only dumps can be compared");
      return ask<Asked>(opened, question, { onProgress });
    },
    close: () => opened.close(),
  };
}

/** Whether a file starts as PE files do. */
function isImageFile(path: string): boolean {
  if (!isFile(path)) return false;
  const start = Buffer.alloc(2);
  const descriptor = openSync(path, "r");
  try {
    return readSync(descriptor, start, 0, 2, 0) === 2 && start.toString("latin1") === "MZ";
  } finally {
    closeSync(descriptor);
  }
}
