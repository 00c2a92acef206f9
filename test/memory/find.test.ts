import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Va, va } from "../../src/core/address.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { findPatterns } from "../../src/memory/find.ts";
import type { Mapping } from "../../src/memory/mapping.ts";

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

function find(
  space: AddressSpace,
  start: bigint,
  length: number,
  needles: readonly Uint8Array[],
  chunk?: number,
) {
  const hits: { at: Va; needle: number }[] = [];
  const coverage = findPatterns(
    space,
    va(start),
    length,
    needles,
    (at, needle) => void hits.push({ at, needle }),
    chunk === undefined ? {} : { chunk },
  );
  return { hits, coverage };
}

describe("findPatterns", () => {
  it("finds an unaligned tag that crosses the end of a chunk, once", () => {
    const space = memoryOf([{ at: 0x1000n, bytes: ascii("........Se  ....") }]);
    for (let chunk = 1; chunk <= 16; chunk++) {
      expect(find(space, 0x1000n, 16, [ascii("Se  ")], chunk).hits).toEqual([{ at: 0x1008n, needle: 0 }]);
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
    expect(coverage).toMatchObject({ readable: 12, unreadable: 20, stopped: false });
    expect(coverage.holes.map(({ start, length }) => [start, length])).toEqual([
      [0x4n, 12],
      [0x18n, 8],
    ]);
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
    const coverage = findPatterns(space, va(0n), 100, [new Uint8Array(4)], () => ++seen < 5);
    expect([seen, coverage.stopped]).toEqual([5, true]);
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
        fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), bytesOf(1, 30)), { maxLength: 5 }),
        fc.array(bytesOf(2, 6), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 40 }),
        (parts, needles, chunk) => {
          const blocks: { at: bigint; bytes: Uint8Array }[] = [];
          let at = 0x8000n;
          for (const [gap, bytes] of parts) {
            at += BigInt(gap);
            blocks.push({ at, bytes });
            at += BigInt(bytes.length);
          }
          const expected: { at: bigint; needle: number }[] = [];
          for (const block of blocks) {
            for (let i = 0; i < block.bytes.length; i++) {
              needles.forEach((needle, index) => {
                const same = needle.every((value, k) => block.bytes[i + k] === value);
                if (same) expected.push({ at: block.at + BigInt(i), needle: index });
              });
            }
          }
          const { hits } = find(memoryOf(blocks), 0x8000n, 0x100, needles, chunk);
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
