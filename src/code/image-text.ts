import { advance, type Va } from "../core/address.ts";
import type { MemoryFault } from "../core/errors.ts";
import { asciiZ } from "../core/text.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { Image } from "../pe/image.ts";
import { isPrintable, readsAsWords } from "./no-code.ts";

/** Text that stands at a place. */
export interface StringAt {
  readonly encoding: "ascii" | "utf-16";
  readonly text: string;
  /** It goes on behind what is given. */
  readonly cut: boolean;
  /** A UNICODE_STRING or ANSI_STRING stands at the place, and this is what it counts. */
  readonly counted: boolean;
}

/** Characters of a text that are given. */
const MOST_CHARACTERS = 64;
/** Fewer characters are as likely a number. */
const LEAST_ASCII = 4;
const LEAST_UTF16 = 3;

/**
 * The text at a place of an image: ASCII or UTF-16 with a zero behind it, or what a counted string there points to.
 * Undefined where there is none, the fault where the first byte cannot be read.
 */
export function stringAt(image: Image, rva: number): StringAt | MemoryFault | undefined {
  const { space } = image;
  const at = image.addressOf(rva);
  const found = space.readSparse(at, Math.max(0, Math.min(MOST_CHARACTERS * 2 + 2, image.size - rva)));
  const [hole] = found.holes;
  if (hole?.offset === 0) return hole.fault;
  const bytes = hole === undefined ? found.bytes : found.bytes.subarray(0, hole.offset);
  return plainText(bytes) ?? countedText(image, space, at, bytes);
}

function plainText(bytes: Uint8Array): StringAt | undefined {
  const ascii = run(bytes, 1);
  if (ascii.length >= LEAST_ASCII && (ascii.ended || ascii.full))
    return { encoding: "ascii", text: ascii.text, cut: !ascii.ended, counted: false };
  const utf16 = run(bytes, 2);
  if (utf16.length >= LEAST_UTF16 && (utf16.ended || utf16.full))
    return { encoding: "utf-16", text: utf16.text, cut: !utf16.ended, counted: false };
  return undefined;
}

/** Printable characters from the start, up to a zero. */
function run(
  bytes: Uint8Array,
  width: 1 | 2,
): { readonly text: string; readonly length: number; readonly ended: boolean; readonly full: boolean } {
  let text = "";
  let at = 0;
  for (; at + width <= bytes.length && text.length < MOST_CHARACTERS; at += width) {
    const code = width === 1 ? (bytes[at] ?? 0) : (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
    if (!isPrintable(code)) break;
    text += String.fromCharCode(code);
  }
  const ended = at + width <= bytes.length && bytes[at] === 0 && (width === 1 || bytes[at + 1] === 0);
  return { text, length: text.length, ended, full: text.length >= MOST_CHARACTERS };
}

/** UNICODE_STRING and ANSI_STRING: Length, MaximumLength, and the buffer, aligned as a pointer. */
function countedText(image: Image, space: AddressSpace, at: Va, bytes: Uint8Array): StringAt | undefined {
  const length = (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
  const room = (bytes[2] ?? 0) | ((bytes[3] ?? 0) << 8);
  if (bytes.length < image.pointerSize * 2 || length === 0 || room < length) return undefined;
  const buffer = space.tryReadPointer(advance(at, image.pointerSize));
  const rva = buffer === undefined ? undefined : image.rvaOf(buffer);
  if (buffer === undefined || rva === undefined) return undefined;
  const text = space.tryRead(buffer, Math.min(length, MOST_CHARACTERS * 2, image.size - rva));
  if (text === undefined) return undefined;
  for (const [encoding, width] of [
    ["utf-16", 2],
    ["ascii", 1],
  ] as const) {
    const characters = run(text, width);
    const wanted = Math.min(Math.floor(length / width), MOST_CHARACTERS);
    if (length % width === 0 && characters.length === wanted)
      return { encoding, text: characters.text, cut: length / width > characters.length, counted: true };
  }
  return undefined;
}

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
  return asciiZ(bytes.subarray(start, end)).trim();
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
