import { type Dirent, lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, parse, relative, resolve, sep } from "node:path";

/** A path that leads out of the folders that may be read. */
export class OutsideError extends Error {
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

/** A file that may be opened, as the assistant is told of it. */
export interface ListedFile {
  readonly path: string;
  readonly size: number;
  /** ISO 8601, UTC. */
  readonly modified: string;
}

/** Folders and files looked at in one walk; more are for a person. */
const MOST_ENTRIES = 200_000;

/** The folders that may be read, and nothing outside of them, whatever links say. */
export class Folders {
  readonly #given: readonly string[];
  readonly #real: readonly string[];

  /** @throws {TypeError} one of them is no folder */
  constructor(folders: readonly string[]) {
    for (const folder of folders) {
      if (!isFolder(folder)) throw new TypeError(`${folder} is no folder`);
    }
    this.#given = folders.map((folder) => resolve(folder));
    this.#real = this.#given.map((folder) => realpathSync(folder));
  }

  /**
   * The true path of a file or folder. It need not be there.
   *
   * @param path absolute, or from one of the folders
   * @throws {OutsideError} it leads out of the folders, by itself or by a link
   */
  within(path: string): string {
    const candidates = isAbsolute(path)
      ? [resolve(path)]
      : this.#given.map((folder) => resolve(folder, path));
    const named = candidates.filter((one) =>
      [...this.#given, ...this.#real].some((root) => isBelow(root, one)),
    );
    const found = named.find((one) => lstatSync(one, { throwIfNoEntry: false }) !== undefined) ?? named[0];
    if (found === undefined)
      throw new OutsideError(
        path,
        `${path} is not below the folders that may be read; \`files\` lists what is`,
      );
    const real = endOf(found);
    if (real !== undefined && this.#holds(real)) return real;
    throw new OutsideError(
      path,
      `${path} is a link that leads out of the folders that may be read, or nowhere`,
    );
  }

  /**
   * The true path of a folder whose files are read without being named one by one.
   *
   * @throws {OutsideError} it, or a link to a file below it, leads out of the folders; or there is too much in it to tell
   */
  allWithin(path: string): string {
    const folder = this.within(path);
    const tooMany = (): never => {
      throw new OutsideError(path, `${path} holds more than ${MOST_ENTRIES} files and folders`);
    };
    for (const { path: below, entry } of this.#walk([folder], tooMany)) {
      // the library follows no others
      if (entry.isSymbolicLink() && isFile(below)) this.within(below);
    }
    return folder;
  }

  /**
   * The true path of a dump, whose further files stand beside it under the same name, as a `.vmem` has its `.vmss`; or of a
   * folder of PE files.
   *
   * @throws {OutsideError} it, or a file that would be read with it, leads out of the folders
   */
  withOthers(path: string): string {
    const found = this.within(path);
    if (isFolder(found)) return this.allWithin(found);
    const { dir, name } = parse(found);
    for (const other of isFolder(dir) ? readdirSync(dir) : []) {
      const beside = join(dir, other);
      if (parse(other).name.toLowerCase() === name.toLowerCase() && isFile(beside)) this.within(beside);
    }
    return found;
  }

  /** All files, and what was not looked at. */
  list(): { readonly files: readonly ListedFile[]; readonly notes: readonly string[] } {
    const notes: string[] = [];
    const files: ListedFile[] = [];
    const tooMany = (): unknown =>
      notes.push(`only the first ${MOST_ENTRIES} files and folders were looked at`);
    const unread = (folder: string): unknown => notes.push(`${folder} could not be listed`);
    for (const { path } of this.#walk(this.#real, tooMany, unread)) {
      const real = endOf(path);
      if (real === undefined || !this.#holds(real) || !isFile(path)) continue;
      const { size, mtime } = statSync(path);
      files.push({ path, size, modified: mtime.toISOString() });
    }
    return { files, notes };
  }

  #holds(real: string): boolean {
    return this.#real.some((root) => isBelow(root, real));
  }

  *#walk(
    roots: readonly string[],
    tooMany: () => unknown,
    unread: (folder: string) => unknown = () => undefined,
  ): Iterable<{ readonly path: string; readonly entry: Dirent }> {
    const pending = [...roots];
    let seen = 0;
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      const entries = entriesOf(folder);
      if (entries === undefined) unread(folder);
      for (const entry of entries ?? []) {
        if (++seen > MOST_ENTRIES) return void tooMany();
        const path = join(folder, entry.name);
        if (entry.isDirectory()) pending.push(path);
        yield { path, entry };
      }
    }
  }
}

function entriesOf(folder: string): readonly Dirent[] | undefined {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return undefined;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Whether there is a file, at the end of all links. */
export function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Where a path ends when all links are followed; of what is not there, as far as it is; `undefined`: a link to nothing. */
function endOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) return undefined;
    const above = dirname(path);
    const end = above === path ? path : endOf(above);
    return end === undefined ? undefined : join(end, basename(path));
  }
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
