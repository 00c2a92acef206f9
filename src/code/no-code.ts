import { BitSet } from "../core/bit-set.ts";
import type { ModuleCode } from "./module-code.ts";

/** Shorter words are no proof: code that saves its registers reads `SVWj@`. */
const MIN_LETTERS = 6;
const MIN_UTF16_LETTERS = 4;
/** No code goes on so long with nothing but letters and signs. */
const SURE_LENGTH = 20;
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
    eachUtf16Text(bytes, (from, to) => texts.addRange(start + from, start + to));
  }
  return texts;
}

/** What is printable or zero goes on without a break: nothing beyond tells what is text in it. */
function eachText(bytes: Uint8Array, found: (from: number, to: number) => void): void {
  // of so many places a word has a letter at one
  for (let at = MIN_LETTERS - 1; at < bytes.length; at += MIN_LETTERS) {
    if (PRINTABLE[bytes[at] as number] !== 1) continue;
    let from = at;
    while (from > 0 && PRINTABLE[bytes[from - 1] as number] === 1) from--;
    while (at < bytes.length && PRINTABLE[bytes[at] as number] === 1) at++;
    if (at - from < MIN_LETTERS || bytes[at] !== 0 || !readsAsWords(bytes, from, at)) continue;
    while (from > 0 && TEXT_OR_ZERO[bytes[from - 1] as number] === 1) from--;
    while (at < bytes.length && TEXT_OR_ZERO[bytes[at] as number] === 1) at++;
    eachTextAmongZeros(bytes, from, at, found);
  }
}

/** The texts of a piece that has nothing but printable bytes and zeros in it. */
function eachTextAmongZeros(
  bytes: Uint8Array,
  start: number,
  end: number,
  found: (from: number, to: number) => void,
): void {
  /** Words that are no text for themselves, since the last byte that ends all text: pairs of start and end. */
  const waiting: number[] = [];
  /** Up to where text goes on: a short word behind it is text as well. */
  let reach = -1;
  let from = start;
  for (let at = start; at < end; at++) {
    if (bytes[at] !== 0) continue;
    const length = at - from;
    if (length === 0) {
      const last = reach >= 0 ? reach : (waiting.at(-1) ?? at);
      if (at - last >= MAX_ALIGNMENT) {
        reach = -1;
        waiting.length = 0;
      }
    } else if (reach >= 0 || (length >= MIN_LETTERS && readsAsWords(bytes, from, at))) {
      for (let i = 0; i < waiting.length; i += 2) found(waiting[i] ?? 0, waiting[i + 1] ?? 0);
      waiting.length = 0;
      found(from, at + 1);
      reach = at + 1;
    } else if (length >= MIN_NEIGHBOUR) waiting.push(from, at + 1);
    else waiting.length = 0;
    from = at + 1;
  }
}

function eachUtf16Text(bytes: Uint8Array, found: (from: number, to: number) => void): void {
  const last = bytes.length - 2 * MIN_UTF16_LETTERS - 1;
  for (let at = 0; at < last; at++) {
    if (bytes[at + 1] !== 0 || bytes[at + 3] !== 0 || PRINTABLE[bytes[at] as number] !== 1) continue;
    const from = at;
    while (bytes[at + 1] === 0 && PRINTABLE[bytes[at] as number] === 1) at += 2;
    const ended = bytes[at] === 0 && bytes[at + 1] === 0;
    // `push 0` in a row reads as one letter over and over.
    if (ended && at - from >= 2 * MIN_UTF16_LETTERS && new Set(bytes.subarray(from, at)).size > 3)
      found(from, at + 2);
    else at--;
  }
}

/** Words have small letters that instructions seldom start with, or capitals beyond those of `push` and `pop`. */
export function readsAsWords(bytes: Uint8Array, from: number, to: number): boolean {
  let small = 0;
  let capitals = 0;
  let common = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x61 && byte <= 0x7a && CODE_LETTERS[byte] === 0) small++;
    else if (byte >= 0x41 && byte <= 0x4f) capitals++;
    if (COMMON[byte] === 1) common++;
  }
  const length = to - from;
  if (length >= SURE_LENGTH) return true;
  if (endsInPushes(bytes, from, to)) return false;
  if (common < length * 0.75 && (length < 12 || small < 3)) return false;
  return (small >= 3 && small >= length * 0.3) || (length >= 8 && capitals >= 4);
}

/** Whether 32-bit code that gives a tag to a call reads as such a word: `push "Drvg"; push ebx; push 0`. */
function endsInPushes(bytes: Uint8Array, from: number, to: number): boolean {
  // mov reg, "Drvg"
  if (((bytes[from - 1] ?? 0) & 0xf8) === 0xb8 && arePushes(bytes, from + 4, to)) return true;
  for (let at = from; at + 5 < to; at++)
    if (bytes[at] === PUSH_WORD && arePushes(bytes, at + 5, to)) return true;
  return false;
}

/** Pushes of registers and constants, the last of them of a constant that has the zero behind the word in it. */
function arePushes(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from;
  while (at < to) {
    const byte = bytes[at] as number;
    if (byte === PUSH_WORD) at += 5;
    else if (byte === PUSH_BYTE) at += 2;
    else if (byte >= 0x50 && byte <= 0x57) at++;
    else return false;
  }
  return at > to;
}

const PUSH_WORD = 0x68;
const PUSH_BYTE = 0x6a;

/** A letter, digit or sign of ASCII, a blank, or what ends a line. */
export function isPrintable(byte: number): boolean {
  return PRINTABLE[byte] === 1;
}

const PRINTABLE = new Uint8Array(256);
for (let byte = 0x20; byte < 0x7f; byte++) PRINTABLE[byte] = 1;
for (const byte of [9, 10, 13]) PRINTABLE[byte] = 1;
const TEXT_OR_ZERO = PRINTABLE.with(0, 1);
/** d, f, h, j, t and u: prefixes, `push` of constants, and short branches. */
const CODE_LETTERS = new Uint8Array(256);
for (const letter of "dfhjtu") CODE_LETTERS[letter.charCodeAt(0)] = 1;
/** What texts of programs are made of. */
const COMMON = new Uint8Array(256);
for (const letter of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.,:%\\/\r\n")
  COMMON[letter.charCodeAt(0)] = 1;

/** What in the executable sections is no code, as far as the headers tell. */
export interface KnownData {
  /** Directories that linkers put there. */
  readonly sure: BitSet;
  /**
   * What follows the import descriptors, usually to the end of INIT: the names, whose places nothing but the
   * descriptors tells. Code may follow them.
   */
  readonly likely: BitSet;
}

export function knownData(code: ModuleCode): KnownData {
  const sure = new BitSet(code.image.size);
  const likely = new BitSet(code.image.size);
  for (const { name, rva, size } of code.image.directories) {
    if (rva === 0 || name === "security" || !code.isCode(rva)) continue;
    const section = code.sections.find(({ start, end }) => rva >= start && rva < end);
    if (section === undefined) continue;
    sure.addRange(rva, Math.min(rva + size, section.end));
    if (name === "import") likely.addRange(rva, section.end);
  }
  return { sure, likely };
}
