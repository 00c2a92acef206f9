import { ArgumentRangeError, ArgumentTypeError } from "../core/argument-error.ts";

import { wordBytes } from "../core/bytes.ts";
import { addAll } from "../core/search.ts";
/** A pool tag: four bytes, read as a little-endian number, shown in memory order. */
export interface Tag {
  /** The four bytes as an unsigned number: the first character is the low byte. */
  readonly key: number;
  /** All four characters; what a terminal cannot show is `\xNN`, and so is a backslash. */
  readonly text: string;
}

/** Set in the tag that a driver passes for a protected allocation; clear in every tag table. */
const PROTECTED = 0x8000_0000;

/**
 * Reads a tag as people write it: `Se` is `Se  `, and `ABC\x00` is what a driver that pads with a zero has.
 *
 * @throws {RangeError} empty, more than four characters, or a character that is not one byte
 * @throws {TypeError} no string
 */
export function parseTag(text: string): Tag {
  checkText(text);
  const bytes = bytesOf(text);
  if (bytes.length === 0) throw new ArgumentRangeError("a tag has one to four characters, found none");
  if (bytes.length > 4)
    throw new ArgumentRangeError(`a tag has one to four characters, found ${bytes.length}: ${text}`);
  while (bytes.length < 4) bytes.push(0x20);
  return tagOf(bytes.reduceRight((key, byte) => key * 0x100 + byte, 0));
}

function checkText(text: unknown): void {
  if (typeof text !== "string")
    throw new ArgumentTypeError(`a tag is a string of one to four characters, not ${String(text)}`);
}

/** The tag of a key. */
function tagOf(key: number): Tag {
  return { key: key >>> 0, text: tagText(key) };
}

/** All four characters of a key, in a form that `parseTag` reads back. */
export function tagText(key: number): string {
  let text = "";
  for (let shift = 0; shift < 32; shift += 8) {
    const byte = (key >>> shift) & 0xff;
    const shown = byte >= 0x20 && byte < 0x7f && byte !== 0x5c;
    text += shown ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return text;
}

/** The key as tag tables hold it: without the protected bit. */
export function tableKey(key: number): number {
  return (key & ~PROTECTED) >>> 0;
}

/** The key in both forms in which code and pool headers hold it: plain, then protected. */
export function keyForms(key: number): readonly [plain: number, protectedKey: number] {
  const plain = tableKey(key);
  return [plain, (plain | PROTECTED) >>> 0];
}

/** How many of a key's four characters can be printed, the protected bit left out. */
export function printableCount(key: number): number {
  let count = 0;
  for (let shift = 0; shift < 32; shift += 8) {
    const byte = (tableKey(key) >>> shift) & 0xff;
    if (byte >= 0x20 && byte < 0x7f) count++;
  }
  return count;
}

/**
 * Reads a pattern: `*` is any run of characters, `?` any one, all else is itself, case included.
 * Without `*` it is padded with spaces to four, as a tag is.
 *
 * @returns whether a key matches; the protected bit is left out of it
 * @throws {RangeError} empty, or a character that is not one byte
 */
export function parseTagPattern(pattern: string): (key: number) => boolean {
  checkText(pattern);
  const parts: (number | "*" | "?")[] = [];
  for (const piece of pattern.split(/([*?])/)) {
    if (piece === "?") parts.push(piece);
    else if (piece === "*") {
      if (parts.at(-1) !== "*") parts.push(piece);
    } else addAll(parts, bytesOf(piece));
  }
  if (parts.length === 0)
    throw new ArgumentRangeError("a tag pattern has at least one character, found none");
  const open = parts.includes("*");
  if (!open && parts.length > 4) {
    throw new ArgumentRangeError(`a tag has one to four characters, found ${parts.length}: ${pattern}`);
  }
  while (!open && parts.length < 4) parts.push(0x20);
  return (key) => matches(parts, 0, wordBytes(tableKey(key)), 0);
}

/** Whether two tags, or a pattern and a tag, are one but for their case. */
export function sameButForCase(one: string, other: string): boolean {
  return one !== other && one.trimEnd().toLowerCase() === other.trimEnd().toLowerCase();
}

function matches(
  parts: readonly (number | "*" | "?")[],
  part: number,
  bytes: Uint8Array,
  at: number,
): boolean {
  const wanted = parts[part];
  if (wanted === undefined) return at === bytes.length;
  if (wanted === "*") {
    for (let skip = at; skip <= bytes.length; skip++) if (matches(parts, part + 1, bytes, skip)) return true;
    return false;
  }
  if (at === bytes.length || (wanted !== "?" && wanted !== bytes[at])) return false;
  return matches(parts, part + 1, bytes, at + 1);
}

function bytesOf(text: string): number[] {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; ) {
    const escaped = /^\\x([0-9a-f]{2})/i.exec(text.slice(at, at + 4))?.[1];
    if (escaped !== undefined) {
      bytes.push(Number.parseInt(escaped, 16));
      at += 4;
      continue;
    }
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e) {
      throw new ArgumentRangeError(
        `a tag is made of printable ASCII characters; write any other byte as \\xNN: ${text}`,
      );
    }
    bytes.push(code);
    at++;
  }
  return bytes;
}
