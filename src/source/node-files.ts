import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FileError } from "./file-error.ts";
import { type ByteSource, checkOffset } from "./source.ts";

// All that the library asks of the file system; in a bundle for browsers no-files.ts stands in its place.

const WINDOW = 0x1000;

/** A regular file of any size, read where it is asked for. */
class FileSource implements ByteSource {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  #descriptor: number | undefined;
  /** What the last small reads were taken from, and where in the file it starts: headers and names are read a few bytes at a time. */
  #window: Uint8Array | undefined;
  #windowAt = 0;

  /**
   * Opens `path` for reading.
   *
   * @throws {FileError} nothing there, no permission, a directory, a device
   */
  constructor(path: string) {
    this.path = path;
    this.name = basename(path);
    const descriptor = openForReading(path);
    try {
      this.size = sizeOfFile(path, fstatSync(descriptor));
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    this.#descriptor = descriptor;
  }

  /**
   * @throws {FileError} the disk or the network refused, or the file is shorter than it was when it was opened
   * @throws {RangeError} the file was closed, or `offset` is no offset
   */
  read(offset: number, into: Uint8Array): number {
    if (this.#descriptor === undefined) throw new RangeError(`${this.name} was closed`);
    const want = Math.min(into.length, this.size - checkOffset(offset));
    const start = Math.floor(offset / WINDOW) * WINDOW;
    if (want <= 0 || offset + want > start + WINDOW || want === WINDOW)
      return this.#readAll(this.#descriptor, into, want, offset);
    const window = this.#windowFrom(this.#descriptor, start);
    into.set(window.subarray(offset - start, offset - start + want));
    return want;
  }

  #windowFrom(descriptor: number, start: number): Uint8Array {
    if (this.#window !== undefined && this.#windowAt === start) return this.#window;
    const window = this.#window ?? new Uint8Array(WINDOW);
    this.#window = undefined;
    this.#readAll(descriptor, window, Math.min(WINDOW, this.size - start), start);
    this.#window = window;
    this.#windowAt = start;
    return window;
  }

  #readAll(descriptor: number, into: Uint8Array, want: number, offset: number): number {
    let done = 0;
    while (done < want) {
      const part = this.#readOnce(descriptor, into, done, want - done, offset + done);
      if (part === 0)
        throw new FileError(this.path, "changed", "it was cut off while it was open; copy it first");
      done += part;
    }
    return done;
  }

  /** Closes the file. Closing twice is harmless. */
  [Symbol.dispose](): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #readOnce(descriptor: number, into: Uint8Array, at: number, length: number, position: number): number {
    try {
      return readSync(descriptor, into, at, length, position);
    } catch (cause) {
      throw new FileError(this.path, "unreadable", `reading failed: ${reason(cause)}`, { cause });
    }
  }
}

/**
 * Opens a file of any size.
 *
 * @throws {FileError} nothing there, no permission, a directory, a device
 */
export function openFile(path: string): FileSource {
  return new FileSource(path);
}

/**
 * Opens a file that stands beside another one.
 *
 * @param name a file's name and no path, in capitals or not, as on Windows
 * @returns `undefined` where the folder has no such file, or cannot be listed
 * @throws {FileError} no permission, a directory, a device
 */
export function openSibling(path: string, name: string): FileSource | undefined {
  const folder = dirname(path);
  const names = namesIn(folder);
  const found = names.find((other) => other === name) ?? names.find((other) => isSameName(other, name));
  return found === undefined ? undefined : openFile(join(folder, found));
}

/** The path that a `file:` URL means. @throws {TypeError} none on this machine */
export function pathOfUrl(href: string): string {
  return fileURLToPath(href);
}

/** Whether a path leads to a folder; what leads nowhere is none, and whoever opens it learns why. */
export function isFolder(path: string): boolean {
  return endOfLink(path)?.kind === "folder";
}

/** What stands in a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly path: string;
  readonly kind: "folder" | "file" | "link" | "other";
}

/** @throws {FileError} the folder cannot be listed */
export function entriesOf(folder: string): readonly FolderEntry[] {
  let entries: readonly Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    throw notListed(folder, cause);
  }
  return entries.map((entry) => ({ name: entry.name, path: join(folder, entry.name), kind: kindOf(entry) }));
}

function notListed(folder: string, cause: unknown): FileError {
  const code = codeOf(cause);
  if (code === "ENOENT") return new FileError(folder, "missing", "there is no such folder", { cause });
  if (code === "ENOTDIR")
    return new FileError(folder, "not-a-folder", "this is no folder; name the one it is in", { cause });
  const why = code === "EACCES" || code === "EPERM" ? "no permission" : reason(cause);
  return new FileError(folder, "unreadable", `the folder cannot be listed: ${why}`, { cause });
}

function kindOf(entry: Dirent | Stats): FolderEntry["kind"] {
  if (entry.isDirectory()) return "folder";
  if (entry.isFile()) return "file";
  return entry.isSymbolicLink() ? "link" : "other";
}

/** What a link leads to, and where that stands; `undefined`: to nothing, or into a circle. */
export function endOfLink(path: string): Pick<FolderEntry, "path" | "kind"> | undefined {
  try {
    return { path: realpathSync(path), kind: kindOf(statSync(path)) };
  } catch {
    return undefined;
  }
}

function isSameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Windows has no `O_NONBLOCK`; elsewhere it keeps a pipe without a writer from waiting for ever. */
const READING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

function openForReading(path: string): number {
  try {
    return openSync(path, READING);
  } catch (cause) {
    const code = codeOf(cause);
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new FileError(path, "missing", "there is no such file", { cause });
    }
    if (code === "EACCES" || code === "EPERM") {
      const advice = "no permission to read it; C:\\Windows\\MEMORY.DMP needs an administrator";
      throw new FileError(path, "denied", advice, { cause });
    }
    if (code === "EISDIR") throw directory(path, { cause });
    throw new FileError(path, "unreadable", `opening failed: ${reason(cause)}`, { cause });
  }
}

function sizeOfFile(path: string, stats: Stats): number {
  if (stats.isFile()) return stats.size;
  if (stats.isDirectory()) throw directory(path);
  throw new FileError(path, "not-a-file", "this is a device or a pipe; copy it to a file first");
}

function directory(path: string, options?: ErrorOptions): FileError {
  return new FileError(path, "directory", "this is a directory; name the file in it", options);
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
