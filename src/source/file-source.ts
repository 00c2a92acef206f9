import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, type Stats } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type ByteSource, checkOffset } from "./source.ts";

/** Why a path could not be opened or read. */
export type FileProblem = "missing" | "denied" | "directory" | "not-a-file" | "unreadable";

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

/** A regular file of any size, read where it is asked for. */
export class FileSource implements ByteSource {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  #descriptor: number | undefined;

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
   * @throws {FileError} the disk or the network refused
   * @throws {RangeError} the file was closed, or `offset` is no offset
   */
  read(offset: number, into: Uint8Array): number {
    if (this.#descriptor === undefined) throw new RangeError(`${this.name} was closed`);
    const want = Math.min(into.length, this.size - checkOffset(offset));
    let done = 0;
    while (done < want) {
      const part = this.#readOnce(this.#descriptor, into, done, want - done, offset + done);
      if (part === 0) break;
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
