/** Why a path could not be opened or read. */
export type FileProblem =
  | "missing"
  | "denied"
  | "directory"
  | "not-a-folder"
  | "not-a-file"
  | "changed"
  | "unreadable";

/** A path that leads to no readable file. The message says what to do. */
export class FileError extends Error {
  override readonly name = "FileError";
  readonly path: string;
  readonly problem: FileProblem;

  constructor(path: string, problem: FileProblem, advice: string, options?: ErrorOptions) {
    super(`${path}: ${advice}`, options);
    this.path = path;
    this.problem = problem;
  }
}
