import { advance, type Va } from "../core/address.ts";
import type { AddressSpace } from "./address-space.ts";
import { findPatterns, type SearchCoverage, type SearchOptions } from "./find.ts";

/** Up to here one pass a word costs less than looking at each byte once in JavaScript. */
const FEW = 4;
const CHUNK = 0x10_0000;

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
  options: SearchOptions = {},
): SearchCoverage {
  if (words.length <= FEW) {
    return findPatterns(space, start, length, words.map(bytesOf), onHit, options);
  }
  const indexOf = new Map<number, number[]>();
  const low = new Uint8Array(0x10000);
  words.forEach((word, i) => {
    low[word & 0xffff] = 1;
    const same = indexOf.get(word >>> 0);
    if (same === undefined) indexOf.set(word >>> 0, [i]);
    else same.push(i);
  });

  let unreadable = 0;
  const holes: { start: Va; length: number; fault: SearchCoverage["holes"][number]["fault"] }[] = [];
  const buffer = new Uint8Array(CHUNK + 3);
  let carried = 0;
  for (let done = 0; done < length; ) {
    options.signal?.throwIfAborted();
    const size = Math.min(CHUNK, length - done);
    const filled = carried + size;
    const origin = done - carried;
    let from = 0;
    const search = (to: number): void => {
      for (let i = from; i + 4 <= to; i++) {
        if (low[(buffer[i] as number) | ((buffer[i + 1] as number) << 8)] === 0) continue;
        const word =
          ((buffer[i] as number) |
            ((buffer[i + 1] as number) << 8) |
            ((buffer[i + 2] as number) << 16) |
            ((buffer[i + 3] as number) << 24)) >>>
          0;
        for (const index of indexOf.get(word) ?? []) onHit(advance(start, origin + i), index);
      }
    };
    space.readSparseInto(advance(start, done), buffer.subarray(carried, filled), (offset, gap, fault) => {
      search(carried + offset);
      from = carried + offset + gap;
      unreadable += gap;
      holes.push({ start: advance(start, done + offset), length: gap, fault });
    });
    search(filled);
    carried = Math.min(3, filled - from);
    buffer.copyWithin(0, filled - carried, filled);
    done += size;
    options.onProgress?.(done);
  }
  return { readable: length - unreadable, unreadable, holes, stopped: false };
}

function bytesOf(word: number): Uint8Array {
  return Uint8Array.of(word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24);
}
