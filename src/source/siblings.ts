import { openSibling } from "./node-files.ts";
import type { ByteSource } from "./source.ts";

/** Files that belong together, by their names. */
export interface FileSet extends Disposable {
  /**
   * @param name in capitals or not
   * @returns `undefined` where there is none
   */
  named(name: string): ByteSource | undefined;
}

/** The files that were given with one: by name, else by what the name ends with, else the one that has no such ending. */
export class GivenFiles implements FileSet {
  readonly #files: readonly ByteSource[];
  readonly #own: readonly Disposable[];

  /** @param own those of them that are closed with the set */
  constructor(files: readonly ByteSource[], own: readonly Disposable[]) {
    this.#files = files;
    this.#own = own;
  }

  named(name: string): ByteSource | undefined {
    const wanted = name.toLowerCase();
    const names = this.#files.map((file) => file.name.toLowerCase());
    const at =
      [
        names.indexOf(wanted),
        names.findIndex((other) => endingOf(other) === endingOf(wanted)),
        names.findIndex((other) => endingOf(other) === ""),
      ].find((index) => index >= 0) ?? -1;
    return this.#files[at];
  }

  [Symbol.dispose](): void {
    for (const file of this.#own) file[Symbol.dispose]();
  }
}

function endingOf(name: string): string {
  return /\.[^.]*$/.exec(name)?.[0] ?? "";
}

/** The files beside one, each opened when it is first asked for, and all closed together. */
export class Siblings implements FileSet {
  readonly #path: string;
  readonly #opened = new Map<string, ByteSource | undefined>();

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * A file in the same folder.
   *
   * @param name in capitals or not; one that leads out of the folder names no file
   * @throws {FileError} it is there and cannot be read
   */
  named(name: string): ByteSource | undefined {
    const known = this.#opened.get(name);
    if (known !== undefined || this.#opened.has(name)) return known;
    const opened = openSibling(this.#path, name);
    this.#opened.set(name, opened);
    return opened;
  }

  [Symbol.dispose](): void {
    for (const source of this.#opened.values()) source?.[Symbol.dispose]();
    this.#opened.clear();
  }
}
