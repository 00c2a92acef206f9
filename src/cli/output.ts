import { closeSync, openSync, renameSync, rmSync, type Stats, statSync, writeSync } from "node:fs";
import { FileError } from "../source/file-error.ts";

/**
 * Before anything is asked: a long answer should not end with nowhere to go.
 *
 * @param force a file may be there already
 * @throws {FileError} something is there already
 */
export function refuseExisting(path: string, force: boolean): void {
  const there = statusOf(path);
  if (there === undefined) return;
  if (!there.isFile())
    throw new FileError(path, "not-a-file", "this is no file, and nothing is written there");
  if (!force)
    throw new FileError(
      path,
      "unreadable",
      "it is there already, and stays as it is; --force writes over it",
    );
}

/** @throws {FileError} the path leads through a file, in a circle, or is too long for one */
function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw notWritten(path, cause);
  }
}

function notWritten(path: string, cause: unknown): FileError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FileError(path, "unreadable", `the answer could not be written: ${reason}`, { cause });
}

/**
 * Writes an answer to a file, whole or not at all: what was there stays until all is written.
 *
 * @param force something may be there already
 * @throws {FileError} it cannot be written
 */
export function writeAnswer(path: string, text: string, force: boolean): void {
  const part = force ? `${path}.part` : path;
  let made = false;
  try {
    const descriptor = openSync(part, "wx");
    made = true;
    try {
      for (const some of partsOf(text)) {
        const bytes = new TextEncoder().encode(some);
        for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
      }
    } finally {
      closeSync(descriptor);
    }
    if (force) renameSync(part, path);
  } catch (cause) {
    if (made) rmSync(part, { force: true });
    throw notWritten(path, cause);
  }
}

/** UTF-16 units that are written at once. */
const AT_ONCE = 0x10_0000;

/** A text in parts, none of which ends within a character: the bytes of all of a long one take as much memory as it does. */
export function* partsOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const end = at + AT_ONCE;
    const next = end + (isLowSurrogate(text.charCodeAt(end)) ? 1 : 0);
    yield text.slice(at, next);
    at = next;
  }
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
