import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Va, va } from "../../src/core/address.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import type { Mapping } from "../../src/memory/mapping.ts";
import { findPatterns } from "../../src/memory/search.ts";
import { SEARCH_CHUNK } from "../../src/memory/sweep.ts";

/** Memory of `blocks`; what lies between them is not mapped. */
function memoryOf(
  blocks: readonly { at: bigint; bytes: Uint8Array }[],
  pointerSize: 4 | 8 = 8,
): AddressSpace {
  const mapping: Mapping = {
    pointerSize,
    locate(at, want) {
      for (const { at: start, bytes } of blocks) {
        if (at >= start && at < start + BigInt(bytes.length)) {
          const offset = Number(at - start);
          const source = {
            name: "block",
            size: bytes.length,
            read: (from: number, into: Uint8Array) => {
              const part = bytes.subarray(from, from + into.length);
              into.set(part);
              return part.length;
            },
            [Symbol.dispose]() {
              /* holds nothing */
            },
          };
          return { source, offset, length: Math.min(want, bytes.length - offset), origin: "dump" };
        }
      }
      const next = blocks.find((block) => block.at > at)?.at;
      const length = next === undefined ? want : Number(next - at);
      return { fault: { kind: "not-mapped", va: at, level: "PTE" }, length };
    },
  };
  return new AddressSpace(mapping);
}

const ascii = (text: string): Uint8Array => new Uint8Array([...text].map((c) => c.charCodeAt(0)));

function find(space: AddressSpace, start: bigint, length: number, needles: readonly Uint8Array[]) {
  const hits: { at: Va; needle: number }[] = [];
  const coverage = findPatterns(
    space,
    va(start),
    length,
    needles,
    (at, needle) => void hits.push({ at, needle }),
  );
  return { hits, coverage };
}

describe("findPatterns", () => {
  it("finds an unaligned tag that crosses the end of a chunk, once", () => {
    const bytes = new Uint8Array(SEARCH_CHUNK + 8);
    for (let before = 0; before <= 5; before++) {
      bytes.fill(0).set(ascii("Se  "), SEARCH_CHUNK - before);
      const at = 0x1000n + BigInt(SEARCH_CHUNK - before);
      const { hits } = find(memoryOf([{ at: 0x1000n, bytes }]), 0x1000n, bytes.length, [ascii("Se  ")]);
      expect(hits).toEqual([{ at, needle: 0 }]);
    }
  });

  it("finds both forms of a protected tag, in order of address", () => {
    const space = memoryOf([
      { at: 0n, bytes: new Uint8Array([0x54, 0x6f, 0x6b, 0xe5, 0x54, 0x6f, 0x6b, 0x65]) },
    ]);
    const { hits } = find(space, 0n, 8, [ascii("Toke"), new Uint8Array([0x54, 0x6f, 0x6b, 0xe5])]);
    expect(hits).toEqual([
      { at: 0n, needle: 1 },
      { at: 4n, needle: 0 },
    ]);
  });

  it("does not join the bytes on both sides of a hole", () => {
    const space = memoryOf([
      { at: 0x0n, bytes: ascii("..Se") },
      { at: 0x10n, bytes: ascii("  ..Se  ") },
    ]);
    const { hits, coverage } = find(space, 0n, 0x20, [ascii("Se  ")]);
    expect(hits).toEqual([{ at: 0x14n, needle: 0 }]);
    expect(coverage).toEqual({ readable: 12, unreadable: 20 });
  });

  it("passes over an empty terabyte at once", () => {
    const space = memoryOf([{ at: 0x100_0000_0000n, bytes: ascii("Se  ") }]);
    expect(find(space, 0n, 0x200_0000_0000, [ascii("Se  ")]).hits).toEqual([
      { at: 0x100_0000_0000n, needle: 0 },
    ]);
  });

  it("ends at the end of a 32-bit address space", () => {
    const space = memoryOf([{ at: 0xffff_fffcn, bytes: ascii("Se  ") }], 4);
    const { hits, coverage } = find(space, 0xffff_fff0n, 0x100, [ascii("Se  ")]);
    expect(hits).toEqual([{ at: 0xffff_fffcn, needle: 0 }]);
    expect(coverage.readable + coverage.unreadable).toBe(16);
  });

  it("stops when the caller has seen enough", () => {
    const space = memoryOf([{ at: 0n, bytes: new Uint8Array(100) }]);
    let seen = 0;
    findPatterns(space, va(0n), 100, [new Uint8Array(4)], () => ++seen < 5);
    expect(seen).toBe(5);
  });

  it("gives what a byte-by-byte comparison gives, whatever the holes, chunks and patterns", () => {
    const byte = fc.constantFrom(0, 0x20, 0x53, 0x65, 0xff);
    const bytesOf = (minLength: number, maxLength: number) =>
      fc
        .uint8Array({ minLength, maxLength })
        .chain((a) =>
          fc.array(byte, { minLength: a.length, maxLength: a.length }).map((list) => new Uint8Array(list)),
        );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), bytesOf(1, 30)), { maxLength: 5 }),
        fc.array(bytesOf(2, 6), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 40 }),
        (parts, needles, before) => {
          // the first chunk ends that many bytes behind the filling, which no pattern holds
          const filling = new Uint8Array(SEARCH_CHUNK - before).fill(0x77);
          const blocks = [{ at: 0x8000n, bytes: filling }];
          let at = 0x8000n + BigInt(filling.length);
          for (const [gap, bytes] of parts) {
            at += BigInt(gap);
            blocks.push({ at, bytes });
            at += BigInt(bytes.length);
          }
          const byteAt = (place: bigint): number | undefined => {
            const block = blocks.find((one) => place >= one.at && place < one.at + BigInt(one.bytes.length));
            return block?.bytes[Number(place - block.at)];
          };
          const expected: { at: bigint; needle: number }[] = [];
          for (let place = 0x8000n + BigInt(filling.length) - 6n; place < at; place++) {
            needles.forEach((needle, index) => {
              if (needle.every((value, k) => byteAt(place + BigInt(k)) === value)) {
                expected.push({ at: place, needle: index });
              }
            });
          }
          const { hits } = find(memoryOf(blocks), 0x8000n, filling.length + 0x100, needles);
          const order = (a: { at: bigint; needle: number }, b: typeof a) =>
            Number(a.at - b.at) || a.needle - b.needle;
          expect([...hits].sort(order)).toEqual(expected);
          expect(hits.map((hit) => hit.at)).toEqual(expected.map((hit) => hit.at));
        },
      ),
      { numRuns: 500 },
    );
  });
});
