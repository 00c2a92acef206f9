import { BitSet } from "./bit-set.ts";
import type { ModuleCode } from "./module-code.ts";

/** Shorter words are no proof: code that saves its registers reads `SVWj@`. */
const MIN_LETTERS = 6;
const MIN_WIDE_LETTERS = 4;
/** Words this long are text where only zeros part them from text. */
const MIN_NEIGHBOUR = 2;
/** Zeros that align the next text. */
const MAX_ALIGNMENT = 8;

/**
 * The bytes of executable sections that are printable text, with the zeros that end it. Linkers put constants there
 * when sections are merged. Only what no code reads like is told: words in ASCII, and UTF-16.
 */
export function findTexts(code: ModuleCode): BitSet {
  const texts = new BitSet(code.image.size);
  for (const { start, bytes } of code.runs) {
    eachText(bytes, (from, to) => texts.addRange(start + from, start + to));
    eachWideText(bytes, (from, to) => texts.addRange(start + from, start + to));
  }
  return texts;
}

function eachText(bytes: Uint8Array, found: (from: number, to: number) => void): void {
  /** Words that are no text for themselves, since the last byte that ends all text. */
  let waiting: [from: number, to: number][] = [];
  /** Up to where text goes on: a short word behind it is text as well. */
  let reach = -1;
  let from = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (PRINTABLE[byte] === 1) continue;
    const length = at - from;
    if (byte !== 0) {
      waiting = [];
      reach = -1;
    } else if (length > 0) {
      if (reach >= 0 || (length >= MIN_LETTERS && readsAsWords(bytes, from, at))) {
        for (const [start, end] of waiting) found(start, end);
        found(from, at + 1);
        waiting = [];
        reach = at + 1;
      } else if (length >= MIN_NEIGHBOUR) waiting.push([from, at + 1]);
      else waiting = [];
    } else if (reach >= 0 && at - reach >= MAX_ALIGNMENT) reach = -1;
    else if (reach < 0 && at - (waiting.at(-1)?.[1] ?? at) >= MAX_ALIGNMENT) waiting = [];
    from = at + 1;
  }
}

function eachWideText(bytes: Uint8Array, found: (from: number, to: number) => void): void {
  for (let at = 0; at + 2 * MIN_WIDE_LETTERS < bytes.length; at++) {
    if (bytes[at + 1] !== 0 || PRINTABLE[bytes[at] as number] !== 1) continue;
    const from = at;
    const met = new Set<number>();
    for (; at + 1 < bytes.length && bytes[at + 1] === 0 && PRINTABLE[bytes[at] as number] === 1; at += 2)
      met.add(bytes[at] as number);
    // `push 0` in a row reads as one letter over and over.
    const ended = at + 1 < bytes.length && bytes[at] === 0 && bytes[at + 1] === 0;
    if (ended && at - from >= 2 * MIN_WIDE_LETTERS && met.size >= 3) found(from, at + 2);
    else at--;
  }
}

/** Words have small letters that no instruction starts with, or capitals beyond those of `push` and `pop`. */
export function readsAsWords(bytes: Uint8Array, from: number, to: number): boolean {
  let small = 0;
  let capitals = 0;
  let common = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x61 && byte <= 0x7a) small++;
    else if (byte >= 0x41 && byte <= 0x4f) capitals++;
    if (COMMON[byte] === 1) common++;
  }
  const length = to - from;
  if (common < length * 0.75) return false;
  return (small >= 4 && small >= length * 0.4) || (length >= 8 && capitals >= 4);
}

/** A letter, digit or sign of ASCII, a blank, or what ends a line. */
export function isPrintable(byte: number): boolean {
  return PRINTABLE[byte] === 1;
}

const PRINTABLE = new Uint8Array(256);
for (let byte = 0x20; byte < 0x7f; byte++) PRINTABLE[byte] = 1;
for (const byte of [9, 10, 13]) PRINTABLE[byte] = 1;
/** What texts of programs are made of. */
const COMMON = new Uint8Array(256);
for (const letter of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.,:%\\/\r\n")
  COMMON[letter.charCodeAt(0)] = 1;
