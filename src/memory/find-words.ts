import type { Buffer } from "node:buffer";
import { advance, type Va } from "../core/address.ts";
import type { AddressSpace } from "./address-space.ts";
import { findPatterns, rarestByte, type SearchCoverage, type SearchOptions } from "./find.ts";
import { giveScratch, SEARCH_CHUNK, takeScratch } from "./scratch.ts";

export interface WordOptions extends SearchOptions {
  /** The 32 bits that follow each word: pointers to one part of memory share them, and are found faster. */
  readonly upper?: number | undefined;
}

/** Up to here one pass a word costs less than looking at each byte once in JavaScript. */
const FEW = 4;

/** Tells of the words in a part of a buffer. */
type Scan = (buffer: Buffer, from: number, to: number, onWord: (at: number, word: number) => void) => void;

/**
 * Finds any of many 32-bit little-endian words at every alignment of a range, in one pass however many
 * they are. A word that reaches into a hole is not found.
 *
 * @param onHit told the address and the index of the word in `words`
 */
export function findWords(
  space: AddressSpace,
  start: Va,
  length: number,
  words: readonly number[],
  onHit: (at: Va, word: number) => void,
  options: WordOptions = {},
): SearchCoverage {
  const { upper } = options;
  if (words.length <= (upper === undefined ? FEW : 1)) {
    const patterns = words.map((word) =>
      Uint8Array.of(...bytesOf(word), ...(upper === undefined ? [] : bytesOf(upper))),
    );
    return findPatterns(space, start, length, patterns, onHit, options);
  }
  const wanted = new Map<number, number[]>();
  words.forEach((word, i) => {
    const same = wanted.get(word >>> 0);
    if (same === undefined) wanted.set(word >>> 0, [i]);
    else same.push(i);
  });
  const scan = upper === undefined ? scanForAll(words) : scanBefore(upper);
  const reach = upper === undefined ? 3 : 7;

  let unreadable = 0;
  const holes: { start: Va; length: number; fault: SearchCoverage["holes"][number]["fault"] }[] = [];
  const buffer = takeScratch(Math.min(SEARCH_CHUNK, length) + reach);
  try {
    let carried = 0;
    for (let done = 0; done < length; ) {
      options.signal?.throwIfAborted();
      const size = Math.min(SEARCH_CHUNK, length - done);
      const filled = carried + size;
      const origin = done - carried;
      let from = 0;
      const onWord = (at: number, word: number): void => {
        for (const index of wanted.get(word) ?? []) onHit(advance(start, origin + at), index);
      };
      space.readSparseInto(advance(start, done), buffer.subarray(carried, filled), (offset, gap, fault) => {
        scan(buffer, from, carried + offset, onWord);
        from = carried + offset + gap;
        unreadable += gap;
        holes.push({ start: advance(start, done + offset), length: gap, fault });
      });
      scan(buffer, from, filled, onWord);
      carried = Math.min(reach, filled - from);
      buffer.copyWithin(0, filled - carried, filled);
      done += size;
      options.onProgress?.(done);
    }
  } finally {
    giveScratch(buffer);
  }
  return { readable: length - unreadable, unreadable, holes, stopped: false };
}

/** Looks at each place for what begins as one of the words does. */
function scanForAll(words: readonly number[]): Scan {
  const low = new Uint8Array(0x10000);
  for (const word of words) low[word & 0xffff] = 1;
  return (buffer, from, to, onWord) => {
    let byte = buffer[from] as number;
    for (let i = from; i + 4 <= to; i++) {
      const next = buffer[i + 1] as number;
      if (low[byte | (next << 8)] === 1) {
        const high = (buffer[i + 2] as number) | ((buffer[i + 3] as number) << 8);
        onWord(i, (byte | (next << 8) | (high << 16)) >>> 0);
      }
      byte = next;
    }
  };
}

/** Looks for what follows the words, and then at what stands in front of it. */
function scanBefore(upper: number): Scan {
  const pattern = bytesOf(upper);
  const skip = rarestByte(pattern);
  const rare = pattern.subarray(skip);
  return (buffer, from, to, onWord) => {
    const bytes = buffer.subarray(0, to);
    for (let at = bytes.indexOf(rare, from + 4 + skip); at >= 0; at = bytes.indexOf(rare, at + 1)) {
      const word = at - skip - 4;
      if (bytes.readUInt32LE(word + 4) === upper) onWord(word, bytes.readUInt32LE(word));
    }
  };
}

function bytesOf(word: number): Uint8Array {
  return Uint8Array.of(word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24);
}
