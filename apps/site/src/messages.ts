/** Files by what they are to a question. */
export interface GivenFiles {
  /** The dump, or the files that it consists of; none where drivers stand for themselves. */
  readonly dump: readonly File[];
  readonly drivers: readonly File[];
  readonly hive: File | undefined;
  readonly tags: File | undefined;
}

/** Answers that need nothing but the dump. */
export type Report = "trace" | "tags" | "modules" | "info" | "memory" | "processes" | "handles";

/** To the worker. What is open stays open from one question to the next, so that the files are those of the first. */
export interface Request {
  readonly files: GivenFiles;
  readonly report: Report;
  /** Of `trace`: none where those that look like leaks are looked for. */
  readonly tags: readonly string[];
}

/** From the worker; `html` and `failed` end a question. */
export type Reply =
  | { readonly progress: readonly [module: string, done: number, of: number] }
  | { readonly html: string }
  | { readonly failed: string };
