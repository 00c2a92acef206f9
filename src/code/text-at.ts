import type { Image } from "../pe/image.ts";
import { isPrintable, readsAsWords } from "./texts.ts";

/** Bytes looked at on either side. */
const REACH = 96;
const MIN_TEXT = 6;

/**
 * The printable text that four bytes are a part of, cut at 96 bytes on either side: a message, or the name of an export
 * or import. `undefined` where they stand alone, as a tag does, or in a row of tags.
 */
export function textAt(image: Image, rva: number): string | undefined {
  const from = Math.max(0, rva - REACH);
  const { bytes } = image.readSparse(from, rva + 4 + REACH - from);
  const here = rva - from;
  let start = here;
  while (start > 0 && isPrintable(bytes[start - 1] ?? 0)) start--;
  let end = here;
  while (end < bytes.length && isPrintable(bytes[end] ?? 0)) end++;
  const whole = bytes[end] === 0 || end - start > REACH;
  if (end < here + 4 || end - start < MIN_TEXT || !whole || !readsAsWords(bytes, start, end))
    return undefined;
  if (isRowOfTags(bytes, from, start, end, here)) return undefined;
  return String.fromCharCode(...bytes.subarray(start, end)).trim();
}

/** Aligned words of four letters, each with a capital in front or no more than two of them. */
function isRowOfTags(bytes: Uint8Array, from: number, start: number, end: number, here: number): boolean {
  if ((from + start) % 4 !== 0 || (end - start) % 4 !== 0 || (here - start) % 4 !== 0) return false;
  if (end - start === 8) return true;
  for (let at = start; at < end; at += 4) {
    const first = bytes[at] ?? 0;
    if (first < 0x41 || first > 0x5a) return false;
  }
  return true;
}
