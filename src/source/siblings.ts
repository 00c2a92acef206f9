import { openSibling } from "./file-source.ts";
import type { ByteSource } from "./source.ts";

/** The files beside one, each opened when it is first asked for, and all closed together. */
export class Siblings implements Disposable {
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
