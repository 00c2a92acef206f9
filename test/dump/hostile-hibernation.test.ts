import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeHibernation } from "../../samples/writer/hibernation.mjs";
import { writeHibernation7 } from "../../samples/writer/hibernation-7.mjs";
import { Machine } from "../../samples/writer/machine.mjs";
import { PAGE_SIZE } from "../../src/core/address.ts";
import { FormatError } from "../../src/core/errors.ts";
import type { OpenedDump } from "../../src/dump/format.ts";
import { indexTables } from "../../src/dump/hibernation-tables.ts";
import { readDump } from "../../src/dump/open.ts";
import { DAMAGED, NOT_IN_DUMP, TRUNCATED } from "../../src/dump/page-map.ts";
import { PIECE_PAGES, PieceIndex } from "../../src/dump/piece-index.ts";
import { indexSets } from "../../src/dump/restoration-sets.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import type { ByteSource } from "../../src/source/source.ts";
import { patch } from "../fixtures/dump-bytes.ts";

function machine(mode: "pae" | "x64"): Machine {
  const made = new Machine({ mode, physicalPages: 0x400, chunkFrames: 8 });
  const base = made.is64 ? 0xfffff80640000000n : 0x80800000n;
  made.map(base, 0x30 * PAGE_SIZE);
  for (let at = 0; at < 0x30 * PAGE_SIZE; at += 0x40) made.u32(base + BigInt(at), at * 2654435761);
  return made;
}

const FILES: readonly (readonly [string, Uint8Array])[] = [
  ["8.1, plain", writeHibernation(machine("x64"), { form: "8.1", packing: "plain" })],
  ["10, Huffman codes", writeHibernation(machine("x64"), { form: "10", packing: "huffman" })],
  ["11, mixed", writeHibernation(machine("x64"), { form: "11", packing: "mixed" })],
  ["10 of 32 bits", writeHibernation(machine("pae"), { form: "10-x86", packing: "mixed" })],
  ["7 of 64 bits", writeHibernation7(machine("x64"), { single: true })],
  ["7 of 32 bits", writeHibernation7(machine("pae"))],
];

/** What any file that opens must keep to. */
function check(dump: OpenedDump, size: number, asked: readonly number[]): void {
  if ("blocks" in dump.memory) throw new Error("no pages");
  const { pages, source } = dump.memory;
  // a piece has its head, and at least one byte
  expect(pages.present).toBeLessThanOrEqual((size / 8) * PIECE_PAGES);
  const bytes = new Uint8Array(3 * PAGE_SIZE);
  const first = [...pages.runs()].slice(0, 40).map(({ pfn }) => pfn);
  for (const pfn of [...asked, ...first, pages.highestPfn]) {
    const offset = pages.locate(pfn);
    const run = pages.runLength(pfn, 3);
    if ([NOT_IN_DUMP, TRUNCATED, DAMAGED].includes(offset)) expect(run).toBe(0);
    else {
      expect(run >= 1 && run <= 3 && offset >= 0 && offset + run * PAGE_SIZE <= source.size).toBe(true);
      const part = bytes.subarray(0, run * PAGE_SIZE);
      expect(source.read(offset, part)).toBe(part.length);
    }
  }
  expect(dump.notes.every((note) => !note.includes("\n"))).toBe(true);
}

describe("a hibernation file whose words are anything", () => {
  const word = fc.oneof(
    fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff, PAGE_SIZE, 0x200),
    fc.nat(0x20),
    fc.nat(0xffffffff),
  );
  /** Headers, tables and heads of sets stand in the first pages, at any byte. */
  const place = fc.oneof(
    fc.nat(0x60).map((at) => at * 4),
    fc.nat(0x4000).map((at) => 0x3000 + at),
    fc.nat(0x10000),
  );
  const patches = fc.array(fc.tuple(place, word), { minLength: 1, maxLength: 12 });

  it.each(FILES)("gives a result or a FormatError: %s", (_name, bytes) => {
    fc.assert(
      fc.property(
        patches,
        fc.nat(bytes.length),
        fc.array(fc.nat(0x3ff), { maxLength: 8 }),
        (changes, cut, asked) => {
          const copy = bytes.slice();
          for (const [at, value] of changes)
            if (at >= 4 && at + 4 <= copy.length) patch(copy, { [at]: value });
          const file = cut % 3 === 0 ? copy.subarray(0, cut) : copy;
          let dump: OpenedDump;
          try {
            dump = readDump(new BytesSource(file, "hiberfil.sys"));
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
            expect(error).toHaveProperty("message", expect.stringMatching(/^hiberfil\.sys\+0x[^\n]*$/));
            return;
          }
          check(dump, file.length, asked);
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** A file of any size in which the same bytes stand again and again. */
function endless(piece: Uint8Array, size: number): ByteSource {
  return {
    name: "hiberfil.sys",
    size,
    read(offset, into) {
      const length = Math.max(0, Math.min(into.length, size - offset));
      for (let i = 0; i < length; i++) into[i] = piece[(offset + i) % piece.length] ?? 0;
      return length;
    },
    [Symbol.dispose]: () => undefined,
  };
}

describe("a huge hibernation file", () => {
  // a set of one page, which is packed in 4 bytes
  const set = Uint8Array.of(1, 4, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const file = endless(set, 4 * set.length);

  it("cannot make the index of sets larger than its cap (MAX_PACKED_PIECES)", () => {
    const index = new PieceIndex(2 ** 42);
    for (let i = 0; i < 4_194_302; i++) index.addPiece(i);
    const end = indexSets(file, { start: 0, most: 2 ** 50, bits: 64 }, index);
    expect(end).toEqual({ why: "limit", at: 2 * set.length, pages: 2 });
    expect(index.count).toBe(4_194_304);
  });

  it("cannot make the list of runs larger than its cap (MAX_PAGE_RANGES)", () => {
    const index = new PieceIndex(2 ** 42);
    for (let i = 0; i < 4_194_304 / PIECE_PAGES; i++) {
      index.addPiece(i);
      for (let k = 0; k < PIECE_PAGES; k++) index.addPages((i * PIECE_PAGES + k) * 2, 1);
    }
    const end = indexSets(file, { start: 0, most: 2 ** 50, bits: 64 }, index);
    expect(end).toEqual({ why: "limit", at: 0, pages: 0 });
    expect(index.runs.pfns.length).toBe(4_194_304);
  });

  it("cannot unpack to more than unpacks in a second: a bomb of sets of 16 pages (MIN_UNPACK_BYTES)", () => {
    const bomb = endless(
      Uint8Array.from(set, (byte, i) => (i === 4 ? 0x1f : byte)),
      0x10_0000,
    );
    const index = new PieceIndex(bomb.size);
    const end = indexSets(bomb, { start: 0, most: 2 ** 50, bits: 64 }, index);
    expect(end).toEqual({ why: "limit", at: 0x1000 * set.length, pages: 65_536 });
  });

  it("cannot unpack to more than memory ever packs to (MAX_UNPACK_RATIO)", () => {
    const index = new PieceIndex(0x100_0000);
    const end = indexSets(endless(set, 2 ** 42), { start: 0, most: 2 ** 50, bits: 64 }, index);
    expect(end).toMatchObject({ why: "limit", pages: 262_144 });
    expect(index.count).toBe(262_144);
  });

  it("is read to the end of its blocks, where a range of Windows 7 has no end", () => {
    // one table with a range of 2^52 pages, and two blocks
    const bytes = new Uint8Array(4 * PAGE_SIZE);
    patch(bytes, { 8: 1, 0x10: 5n, 0x18: 2n ** 52n });
    for (const at of [PAGE_SIZE, PAGE_SIZE + 0x28]) {
      patch(bytes, { [at]: 0x70788181, [at + 4]: "ress", [at + 8]: 0x0000_0000 });
    }
    const index = new PieceIndex(2 ** 42);
    const end = indexTables(new BytesSource(bytes), 0, 64, index);
    expect(end).toEqual({ why: "no-set", at: PAGE_SIZE + 2 * 0x28, pages: 2 });
    expect([...index.runs.pfns]).toEqual([5, 6]);
  });
});
