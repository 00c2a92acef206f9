import { advance, type Va } from "../core/address.ts";
import { indexOfBytes, standsAt } from "../core/byte-search.ts";
import { wordBytes } from "../core/bytes.ts";
import { addTo, groupBy } from "../core/search.ts";
import type { AddressSpace } from "./address-space.ts";
import { type SearchCoverage, sweep } from "./sweep.ts";

/**
 * Finds byte patterns at every address of a range, aligned or not, across pages and chunks but never
 * across a hole. Hits come in order of address; `onHit` returns `false` to end the search.
 *
 * @param length in bytes; cut at the end of the address space
 * @throws {RangeError} a pattern shorter than two bytes
 */
export function findPatterns(
  space: AddressSpace,
  start: Va,
  length: number,
  needles: readonly Uint8Array[],
  onHit: (at: Va, needle: number) => unknown,
): SearchCoverage {
  const groups = groupByPrefix(needles);
  const reach = Math.max(1, ...needles.map((needle) => needle.length)) - 1;
  return sweep(space, start, length, reach, ({ buffer, from, to, known, origin }) =>
    findIn(buffer, from, to, known, groups, (offset, needle) => onHit(advance(origin, offset), needle)),
  );
}

/** Needles that differ in their last byte only are looked for with one pass. */
interface Group {
  /** What is searched for: begins at the rarest byte of what the needles share. */
  readonly rare: Uint8Array;
  /** Where `rare` stands in each needle. */
  readonly skip: number;
  readonly needles: readonly { readonly bytes: Uint8Array; readonly index: number }[];
}

function groupByPrefix(needles: readonly Uint8Array[]): readonly Group[] {
  const groups = groupBy(
    needles.map((bytes, index) => ({ bytes, index })),
    ({ bytes }) => {
      if (bytes.length < 2) throw new RangeError(`a pattern has two bytes or more, not ${bytes.length}`);
      return `${bytes.length}:${(bytes.length < 3 ? bytes : bytes.subarray(0, -1)).join()}`;
    },
  );
  return [...groups.values()].map((group) => {
    const first = group[0]?.bytes ?? new Uint8Array(2);
    const shared = group.length > 1 && first.length > 2 ? first.subarray(0, -1) : first;
    const skip = rarestByte(shared);
    return { rare: shared.subarray(skip), skip, needles: group };
  });
}

/** Where a pattern is best looked for from: two bytes of it stay behind. */
function rarestByte(pattern: Uint8Array): number {
  let rarest = 0;
  for (let at = 1; at < pattern.length - 1; at++) {
    if (commonness(pattern[at] ?? 0) < commonness(pattern[rarest] ?? 0)) rarest = at;
  }
  return rarest;
}

/**
 * How often a byte stands in kernel images, roughly. `indexOf` looks for a short needle's first byte,
 * and is nine times slower where that byte is everywhere.
 */
function commonness(byte: number): number {
  if (byte === 0) return 9;
  if (byte === 0xff || byte === 0xcc) return 6;
  if (byte === 0x48 || byte === 0x8b || byte === 0x20) return 4;
  if (byte === 0x89 || byte === 0x24 || byte === 0x44 || byte === 0x0f) return 3;
  return byte < 0x10 ? 3 : 1;
}

/**
 * Searches `buffer` from `from` to `to`, where the first `known` bytes were searched before: only hits
 * that reach past them count.
 *
 * @returns whether to go on
 */
function findIn(
  buffer: Uint8Array,
  from: number,
  to: number,
  known: number,
  groups: readonly Group[],
  onHit: (offset: number, needle: number) => unknown,
): boolean {
  const bytes = buffer.subarray(from, to);
  const next = groups.map((group) => findGroup(bytes, group, 0));
  for (;;) {
    let best = -1;
    let at = Number.POSITIVE_INFINITY;
    for (let g = 0; g < next.length; g++) {
      const candidate = next[g] ?? -1;
      if (candidate >= 0 && candidate < at) {
        at = candidate;
        best = g;
      }
    }
    const group = groups[best];
    if (group === undefined) return true;
    for (const needle of group.needles) {
      if (at + needle.bytes.length <= known || !standsAt(bytes, at, needle.bytes)) continue;
      if (onHit(from + at, needle.index) === false) return false;
    }
    next[best] = findGroup(bytes, group, at + 1);
  }
}

function findGroup(bytes: Uint8Array, group: Group, from: number): number {
  for (
    let at = indexOfBytes(bytes, group.rare, from + group.skip);
    at >= 0;
    at = indexOfBytes(bytes, group.rare, at + 1)
  ) {
    if (group.needles.some((needle) => standsAt(bytes, at - group.skip, needle.bytes)))
      return at - group.skip;
  }
  return -1;
}

/** Up to here one pass a word costs less than looking at each byte once in JavaScript. */
const FEW = 4;

/** Tells of the words in a part of a buffer. */
type Scan = (
  buffer: Uint8Array,
  from: number,
  to: number,
  onWord: (at: number, word: number) => void,
) => void;

/**
 * Searches a range for the words that it was made for. A word that reaches into a hole is not found.
 *
 * @param onHit told the address and the index of the word
 */
export type WordSearch = (
  space: AddressSpace,
  start: Va,
  length: number,
  onHit: (at: Va, word: number) => void,
) => SearchCoverage;

/**
 * A search for any of many 32-bit little-endian words, at every alignment, in one pass however many they are. To make one
 * takes as long as to search a driver: whoever searches many makes one for all.
 *
 * @param upper the 32 bits that follow each word: pointers to one part of memory share them, and are found faster
 */
export function wordSearch(words: readonly number[], upper?: number): WordSearch {
  if (words.length <= (upper === undefined ? FEW : 1)) {
    const patterns = words.map((word) =>
      Uint8Array.of(...wordBytes(word), ...(upper === undefined ? [] : wordBytes(upper))),
    );
    return (space, start, length, onHit) => findPatterns(space, start, length, patterns, onHit);
  }
  const wanted = new Map<number, number[]>();
  words.forEach((word, i) => {
    addTo(wanted, word >>> 0, i);
  });
  const scan = upper === undefined ? scanForAll(words) : scanBefore(upper);
  const reach = upper === undefined ? 3 : 7;
  return (space, start, length, onHit) =>
    sweep(space, start, length, reach, ({ buffer, from, to, origin }) => {
      scan(buffer, from, to, (at, word) => {
        for (const index of wanted.get(word) ?? []) onHit(advance(origin, at), index);
      });
      return true;
    });
}

/** Looks at each place for what begins as one of the words does, and ends as one. */
function scanForAll(words: readonly number[]): Scan {
  const low = new Uint8Array(0x10000);
  const ends = new Uint8Array(0x10000);
  for (const word of words) {
    low[word & 0xffff] = 1;
    ends[word >>> 16] = 1;
  }
  return (buffer, from, to, onWord) => {
    let byte = buffer[from] as number;
    for (let i = from; i + 4 <= to; i++) {
      const next = buffer[i + 1] as number;
      if (low[byte | (next << 8)] === 1) {
        const high = (buffer[i + 2] as number) | ((buffer[i + 3] as number) << 8);
        if (ends[high] === 1) onWord(i, (byte | (next << 8) | (high << 16)) >>> 0);
      }
      byte = next;
    }
  };
}

/** Looks for what follows the words, and then at what stands in front of it. */
function scanBefore(upper: number): Scan {
  const pattern = wordBytes(upper);
  const skip = rarestByte(pattern);
  const rare = pattern.subarray(skip);
  return (buffer, from, to, onWord) => {
    const bytes = buffer.subarray(0, to);
    const view = new DataView(buffer.buffer, buffer.byteOffset, to);
    for (
      let at = indexOfBytes(bytes, rare, from + 4 + skip);
      at >= 0;
      at = indexOfBytes(bytes, rare, at + 1)
    ) {
      const word = at - skip - 4;
      if (view.getUint32(word + 4, true) === upper) onWord(word, view.getUint32(word, true));
    }
  };
}
