import { Buffer } from "node:buffer";

/** A chunk stays in a core's cache between reading and searching; past 256 KB both take three times as long. */
export const SEARCH_CHUNK = 0x4_0000;
/** What is carried from one chunk to the next. */
const MARGIN = 64;

let spare: Buffer | undefined;

/**
 * A buffer of `size` bytes or more for one search: the last search's, since a new one's pages cost more to
 * touch than a driver's bytes to search. A search that runs inside another gets its own.
 */
export function takeScratch(size: number): Buffer {
  const taken = spare;
  spare = undefined;
  if (taken !== undefined && taken.length >= size) return taken;
  return Buffer.allocUnsafeSlow(Math.max(size, SEARCH_CHUNK + MARGIN));
}

/** For the next search, when this one has ended. */
export function giveScratch(buffer: Buffer): void {
  spare = buffer;
}
