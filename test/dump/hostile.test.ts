import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeDump } from "../../samples/writer/dump.mjs";
import { Machine } from "../../samples/writer/machine.mjs";
import { PAGE_SIZE } from "../../src/core/address.ts";
import { FormatError } from "../../src/core/errors.ts";
import { type CrashDump, readCrashDump } from "../../src/dump/crash-dump.ts";
import { NOT_IN_DUMP, TRUNCATED } from "../../src/dump/page-map.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import type { ByteSource } from "../../src/source/source.ts";
import { dumpBytes, patch } from "../fixtures/dump-bytes.ts";

function written(
  mode: "pae" | "x64",
  type: "full" | "summary" | "bitmap-kernel" | "rdmp" | "rdmp-full",
): Uint8Array {
  const machine = new Machine({ mode, physicalPages: 0x400, chunkFrames: 8 });
  machine.map(machine.is64 ? 0xfffff80640000000n : 0x80800000n, 0x8000);
  return writeDump(machine, { type, header: { minor: 3790 } });
}

const triage = (bits: 32 | 64) =>
  dumpBytes(bits, 0x4000, bits === 64 ? { 0xf98: 4, 0x1038: 0xfff } : { 0xf88: 4, 0xf8c: 0xfff });

const DUMPS: readonly (readonly [string, Uint8Array])[] = [
  ["full, 32 bits", written("pae", "full")],
  ["full, 64 bits", written("x64", "full")],
  ["summary, 32 bits", written("pae", "summary")],
  ["summary, 64 bits", written("x64", "summary")],
  ["bitmap", written("x64", "bitmap-kernel")],
  ["rdmp", written("x64", "rdmp")],
  ["rdmp of all memory", written("x64", "rdmp-full")],
  ["triage, 32 bits", triage(32)],
  ["triage, 64 bits", triage(64)],
];

/** What any dump that opens must keep to. */
function check(dump: CrashDump, asked: readonly number[]): void {
  const size = dump.source.size;
  expect(dump.notes.every((note) => !note.includes("\n"))).toBe(true);
  if ("triage" in dump.body) {
    for (const { length, fileOffset } of dump.body.triage.blocks) {
      expect(length > 0 && fileOffset >= 0 && fileOffset + length <= size).toBe(true);
    }
  }
  if (!("pages" in dump.body)) return;
  const { pages } = dump.body;
  expect(pages.present).toBeLessThanOrEqual(size / PAGE_SIZE);
  for (const pfn of [...asked, pages.highestPfn]) {
    const offset = pages.locate(pfn);
    const run = pages.runLength(pfn, 1000);
    if (offset === NOT_IN_DUMP || offset === TRUNCATED) expect(run).toBe(0);
    else expect(run >= 1 && offset >= 0 && offset + run * PAGE_SIZE <= size).toBe(true);
  }
  let runs = 0;
  for (const { count } of pages.runs()) {
    expect(count).toBeGreaterThan(0);
    if (++runs > 100) break;
  }
}

describe("a dump whose words are anything", () => {
  /** Numbers that break sums: signs, wraps, PAGE, and small ones. */
  const word = fc.oneof(
    fc.constantFrom(0, 1, 0x45474150, 0x7fffffff, 0x80000000, 0xffffffff, 0x1000, 0x2000),
    fc.nat(0x8000),
    fc.nat(0xffffffff),
  );
  const place = fc.oneof(fc.nat(0x60), fc.nat(0x1100), fc.nat(0x2100)).map((at) => at * 4);
  const patches = fc.array(fc.tuple(place, word), { minLength: 1, maxLength: 30 });
  /** Bodies are where the counts stand: half of the patches go there. */
  const bodies = fc.array(
    fc.tuple(
      fc.nat(0x20).map((at) => at * 4),
      word,
    ),
    { maxLength: 12 },
  );

  it.each(DUMPS)("gives a result or a FormatError: %s", (_name, bytes) => {
    const headerSize = bytes[7] === 0x34 ? 0x2000 : 0x1000;
    fc.assert(
      fc.property(
        patches,
        bodies,
        fc.nat(bytes.length),
        fc.array(fc.nat(0x3fffffff), { maxLength: 8 }),
        (changes, body, cut, asked) => {
          const copy = bytes.slice();
          for (const [at, value] of [
            ...changes.filter(([at]) => at >= 8),
            ...body.map(([at, value]) => [at + headerSize, value] as const),
          ]) {
            if (at + 4 <= copy.length) patch(copy, { [at]: value });
          }
          const file = cut % 3 === 0 ? copy.subarray(0, cut) : copy;
          let dump: CrashDump;
          try {
            dump = readCrashDump(new BytesSource(file, "x.dmp"));
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
            expect(error).toHaveProperty("message", expect.stringMatching(/^x\.dmp\+0x[^\n]*$/));
            return;
          }
          check(dump, asked);
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** A file of any size that is not there: a head, then zeros. */
function sparse(head: Uint8Array, size: number): ByteSource {
  const bytes = new BytesSource(head);
  return {
    name: "sparse.dmp",
    size,
    read(offset, into) {
      into.fill(0);
      bytes.read(offset, into);
      return Math.max(0, Math.min(into.length, size - offset));
    },
    [Symbol.dispose]: () => undefined,
  };
}

describe("a huge file with a hostile head", () => {
  const size = 2 ** 42;
  it("cannot make the bitmap larger than any memory (MAX_BITMAP_BYTES)", () => {
    // one word of bits more than 256 MB
    const head = patch(dumpBytes(64, 0x3000, { 0xf98: 6 }), {
      0x2000: "SDMPDUMP",
      0x2020: 2n ** 41n,
      0x2028: 0n,
      0x2030: 0x8000_0020n,
    });
    expect(() => readCrashDump(sparse(head, size))).toThrow(
      expect.objectContaining({
        name: "FormatError",
        expected: "in front of the first page, and as long as memory has pages",
        found: "268435460 bytes, with the first page at 2199023255552",
      }),
    );
  });

  it("cannot make the table of ranges larger than its cap (MAX_PAGE_RANGES)", () => {
    // the table ends behind its 4,194,305th range
    const head = patch(dumpBytes(64, 0x3000, { 0xf98: 8 }), {
      0x2000: 0x40,
      0x2004: "RDMPDUMP",
      0x2018: 0x2030n + 0x400_0010n,
      0x2030: 5n,
      0x2038: 1n,
    });
    const { body, notes } = readCrashDump(sparse(head, size));
    expect("pages" in body && body.pages.present).toBe(1);
    expect(notes).toContain("only the first 4194304 ranges of pages are read");
  });

  const triage = readCrashDump(
    sparse(
      patch(dumpBytes(64, 0x3000, { 0xf98: 4, 0x1038: 0xfff }), {
        0x2004: 0xfffffff0,
        0x2018: 0x2100,
        0x2100: 0xffffffff,
        0x2030: 0x3000,
        0x2034: 0xffffffff,
        0x2078: 0x3000,
        0x207c: 0xffffffff,
      }),
      size,
    ),
  );

  it("cannot make a triage dump's list of drivers larger than its cap", () => {
    expect(triage.body).toMatchObject({ kind: "triage", triage: { drivers: { claimed: 0xffffffff } } });
    expect(triage.notes).toContain("4096 of 4294967295 drivers could be read");
  });

  it("cannot make a triage dump's list of unloaded drivers larger than its cap (MAX_UNLOADED)", () => {
    expect(triage.body).toMatchObject({ triage: { unloaded: { items: { length: 256 } } } });
    expect(triage.notes).toContain("256 of 4294967295 unloaded drivers could be read");
  });

  it("cannot make a triage dump's table of data blocks larger than its cap (MAX_DATA_BLOCKS)", () => {
    expect(triage.body).toMatchObject({ triage: { dataBlocks: { blocks: [], missing: 131_072 } } });
    expect(triage.notes).toContain("4294836223 entries of the data block table are not read");
  });
});
