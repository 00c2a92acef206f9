import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { wordSearch } from "../../src/memory/search.ts";
import { SEARCH_CHUNK } from "../../src/memory/sweep.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

const BASE = 0x10000n;

function find(memory: VirtualMemory, length: number, words: readonly number[], upper?: number) {
  const hits: [at: bigint, word: number][] = [];
  const search = wordSearch(words, upper);
  const coverage = search(memory.space, va(BASE), length, (at, word) => hits.push([at - BASE, word]));
  return { hits, coverage };
}

/** Five words, so that they are looked for in one pass. */
const OTHERS = [0x01010101, 0x02020202, 0x03030303, 0x04040404];

describe("wordSearch", () => {
  it.each([[undefined], [0xfffff804]])(
    "finds a word over the end of a chunk, once (followed by %s)",
    (upper) => {
      for (let before = 0; before <= 8; before++) {
        const bytes = new Uint8Array(SEARCH_CHUNK + 0x1000);
        const at = SEARCH_CHUNK - before;
        new DataView(bytes.buffer).setUint32(at, 0x2a03_8174, true);
        new DataView(bytes.buffer).setUint32(at + 4, 0xffff_f804, true);
        const memory = new VirtualMemory(8).write(BASE, bytes);
        const { hits } = find(memory, bytes.length, [0x2a03_8174, ...OTHERS], upper);
        expect(hits).toEqual([[BigInt(at), 0]]);
      }
    },
  );

  it("does not take a word that another upper half follows", () => {
    const memory = new VirtualMemory(8).write(BASE, Uint8Array.of(1, 1, 1, 1, 4, 0xf8, 0xff, 0xfe));
    expect(find(memory, 8, [0x01010101], 0xfffff804).hits).toEqual([]);
    expect(find(memory, 8, [0x01010101, ...OTHERS], 0xfffff804).hits).toEqual([]);
    expect(find(memory, 8, [0x01010101, ...OTHERS], 0xfefff804).hits).toEqual([
      [0n, 0],
      [0n, 1],
    ]);
  });

  it("gives what a byte-by-byte comparison gives, also beside a hole", () => {
    const byte = fc.constantFrom(0, 1, 0xf8, 0xff);
    const word = fc.array(byte, { minLength: 4, maxLength: 4 }).map(u32);
    fc.assert(
      fc.property(
        fc.array(byte, { minLength: 16, maxLength: 64 }),
        fc.array(byte, { minLength: 16, maxLength: 64 }),
        fc.array(word, { minLength: 1, maxLength: 8 }),
        fc.option(word, { nil: undefined }),
        (first, second, words, upper) => {
          // the first ends where its page ends, and a page that is missing follows
          const memory = new VirtualMemory(8).write(
            BASE + 0x1000n - BigInt(first.length),
            Uint8Array.from(first),
          );
          memory.write(BASE + 0x2000n, Uint8Array.from(second));
          const expected: [bigint, number][] = [];
          for (const start of [0, 0x2000]) {
            const bytes = memory.space.read(va(BASE + BigInt(start)), 0x1000);
            const last = bytes.length - (upper === undefined ? 4 : 8);
            for (let at = 0; at <= last; at++) {
              const value = u32(bytes.subarray(at));
              words.forEach((wanted, index) => {
                if (value === wanted && (upper === undefined || u32(bytes.subarray(at + 4)) === upper))
                  expected.push([BigInt(start + at), index]);
              });
            }
          }
          const { hits, coverage } = find(memory, 0x3000, words, upper);
          const order = (a: [bigint, number], b: [bigint, number]) => Number(a[0] - b[0]) || a[1] - b[1];
          expect(hits.sort(order)).toEqual(expected);
          expect([coverage.readable, coverage.unreadable]).toEqual([0x2000, 0x1000]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

function u32(bytes: ArrayLike<number>): number {
  return ((bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8) | ((bytes[2] ?? 0) << 16) | ((bytes[3] ?? 0) << 24)) >>> 0;
}
