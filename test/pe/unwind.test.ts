import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { Image } from "../../src/pe/image.ts";
import { patch } from "../fixtures/dump-bytes.ts";
import { loadPe, type PeSpec, peSource } from "../fixtures/pe.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

const PDATA = 0x2000;
const XDATA = 0x3000;
const PLAIN = XDATA;

/** RUNTIME_FUNCTION[]: begin, end, unwind data. */
function rows(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

/** UNWIND_INFO of version 1 with `codes` codes, chained to a row. */
function chained(codes: number, begin: number, end: number, unwind: number): Uint8Array {
  const slots = codes + (codes & 1);
  const info = new Uint8Array(4 + slots * 2 + 12);
  info.set([0x21, 0, codes, 0]);
  info.set(rows(begin, end, unwind), 4 + slots * 2);
  return info;
}

function spec(pdata: Uint8Array, xdata: Uint8Array, more: Partial<PeSpec> = {}): PeSpec {
  return {
    bits: 64,
    directories: { 3: [PDATA, pdata.length] },
    sections: [
      { name: ".text", rva: 0x1000, data: new Uint8Array(0x1000), use: "rx" },
      { name: ".pdata", rva: PDATA, data: pdata },
      { name: ".xdata", rva: XDATA, data: xdata },
    ],
    ...more,
  };
}

/** Plain data at +0; chained data at +0x10 (to 1000), +0x30 (to the row of +0x10), +0x60 (to itself). */
const INFOS = patch(new Uint8Array(0x100), {
  0: 0x0000_0001,
  0x10: chained(1, 0x1000, 0x1040, PLAIN),
  0x30: chained(2, 0x1100, 0x1120, XDATA + 0x10),
  0x60: chained(0, 0x1300, 0x1310, XDATA + 0x60),
  0x80: rows(0x1000, 0x1040, PLAIN),
});

describe("the unwind table of x64", () => {
  const table = rows(
    ...[0x1000, 0x1040, PLAIN],
    ...[0x1040, 0x1060, XDATA + 0x10], // goes on where 1000 ends
    ...[0x1080, 0x1090, PLAIN],
    ...[0x1100, 0x1120, XDATA + 0x10], // far away
    ...[0x1200, 0x1210, XDATA + 0x30], // by way of 1100
    ...[0x1220, 0x1230, XDATA + 0x81], // the unwind data is another row
  );
  const { unwind } = Image.fromFile(peSource(spec(table, INFOS)));

  it("joins fragments that are chained, also over two steps, to the function they belong to", () => {
    expect(unwind.functions()).toEqual([
      {
        entry: 0x1000,
        entryKnown: true,
        fragments: [
          { start: 0x1000, end: 0x1060 },
          { start: 0x1100, end: 0x1120 },
          { start: 0x1200, end: 0x1210 },
          { start: 0x1220, end: 0x1230 },
        ],
      },
      { entry: 0x1080, entryKnown: true, fragments: [{ start: 0x1080, end: 0x1090 }] },
    ]);
  });

  it("ends a chain that leads to itself, and says that the entry is not known", () => {
    const loop = Image.fromFile(peSource(spec(rows(0x1300, 0x1310, XDATA + 0x60), INFOS))).unwind;
    expect(loop.functions()).toEqual([
      { entry: 0x1300, entryKnown: false, fragments: [{ start: 0x1300, end: 0x1310 }] },
    ]);
  });

  it("says that the entry is not known where the chain leads into a hole", () => {
    const memory = loadPe(new VirtualMemory(8), spec(table, INFOS), 0x10000n).pageOut(
      0x10000n + BigInt(XDATA),
      1,
    );
    const holed = Image.at(memory.space, va(0x10000n)).unwind;
    expect(holed.functions()).toContainEqual({
      entry: 0x1100,
      entryKnown: false,
      fragments: [{ start: 0x1100, end: 0x1120 }],
    });
  });

  it("counts the rows in a hole and reads the others", () => {
    const long = new Uint8Array(0x1008 * 3);
    for (let at = 0; at + 12 <= long.length; at += 12)
      long.set(rows(0x1000 + at, 0x1004 + at, PLAIN + 0x4000), at);
    const big = spec(long, INFOS, { imageSize: 0x10000 });
    const moved: PeSpec = {
      ...big,
      sections: [big.sections![1]!, { name: ".xdata", rva: XDATA + 0x4000, data: INFOS }],
    };
    const memory = loadPe(new VirtualMemory(8), moved, 0x10000n).pageOut(0x13000n, 1);
    const { unwind } = Image.at(memory.space, va(0x10000n));
    // 0x3018 bytes are 1,026 rows; the page in the middle holds 341 whole ones and the halves of one.
    expect([unwind.count, unwind.unreadable]).toEqual([1026 - 342, 342]);
    expect(unwind.stopped).toEqual({ kind: "paged-out", va: 0x13000n, level: "PTE" });
  });

  it("counts what cannot be, and puts a table without order in order", () => {
    const garbage = rows(
      ...[0x1080, 0x1090, PLAIN],
      ...[0x1040, 0x1000, PLAIN], // ends before it starts
      ...[0x1000, 0xfffffff0, PLAIN], // outside the image
      ...[0x1000, 0x1070, PLAIN],
      ...[0x1060, 0x1068, PLAIN], // inside the one before
      ...[0, 0, 0], // padding
    );
    const { unwind } = Image.fromFile(peSource(spec(garbage, INFOS)));
    expect([unwind.count, unwind.rejected, unwind.overlapping]).toEqual([3, 2, 1]);
    expect(unwind.functions()).toEqual([
      { entry: 0x1000, entryKnown: true, fragments: [{ start: 0x1000, end: 0x1070 }] },
      { entry: 0x1060, entryKnown: true, fragments: [{ start: 0x1060, end: 0x1068 }] },
      { entry: 0x1080, entryKnown: true, fragments: [{ start: 0x1080, end: 0x1090 }] },
    ]);
  });

  it("has as many rows as the largest kernel has six times, and says that it ends there (MAX_UNWIND_ROWS)", () => {
    const count = 262_145;
    const long = new Uint32Array(count * 3);
    for (let i = 0; i < count; i++) long.set([0x1000 + i, 0x1001 + i, 0], i * 3);
    const many = spec(new Uint8Array(long.buffer), INFOS);
    const { unwind } = Image.fromFile(peSource({ ...many, sections: many.sections!.slice(0, 2) }));
    expect([unwind.count, unwind.rows.at(-3), unwind.stopped]).toEqual([262_144, 0x1000 + 262_143, "limit"]);
  });

  it("follows no chain further than compilers write, and says that the entry is not known (MAX_UNWIND_CHAIN)", () => {
    // one chained piece after the other: row 1 leads to the function in 31 steps and its last look, row 2 needs one more
    const chain = patch(new Uint8Array(0x300), { 0: 0x0000_0001 });
    for (let i = 1; i <= 32; i++) chain.set(chained(0, 0x1000, 0x1010, XDATA + (i - 1) * 0x10), i * 0x10);
    const table = rows(0x1100, 0x1110, XDATA + 0x1f0, 0x1200, 0x1210, XDATA + 0x200);
    const { unwind } = Image.fromFile(peSource(spec(table, chain)));
    expect(unwind.functions().map(({ entry, entryKnown }) => [entry, entryKnown])).toEqual([
      [0x1000, true],
      [0x1200, false],
    ]);
  });

  it("of x86 is empty", () => {
    const { unwind } = Image.fromFile(peSource({ ...spec(rows(0x1000, 0x1010, 0), INFOS), bits: 32 }));
    expect([unwind.count, unwind.functions()]).toEqual([0, []]);
  });
});

describe("the unwind table of ARM64", () => {
  // Microsoft's "ARM64 exception handling": flag 1 is a packed function, 2 a packed fragment, both with
  // their length in words at bits 2 to 12; else .xdata, with its length in words at bits 0 to 17.
  const xdata = patch(new Uint8Array(0x80), {
    0: (1 << 27) | (1 << 21) | 0x20, // 0x80 bytes, one code word, one epilog in the head
    4: 0xe4e4_e4d6, // codes
    0x10: (1 << 27) | (2 << 22) | 0x8, // 0x20 bytes, two epilog scopes, one code word
    0x1c: 0xe4e4_e4e5, // end_c comes first: a fragment
    0x30: 0x4, // 0x10 bytes, both counts in the next word
    0x34: (1 << 16) | 1,
    0x3c: 0xe4e4_e4e5,
  });
  const table = rows(
    ...[0x1000, (0x10 << 2) | 1],
    ...[0x1040, (0x4 << 2) | 2],
    ...[0x1100, XDATA],
    ...[0x1200, XDATA + 0x10],
    ...[0x1300, XDATA + 0x30],
    ...[0x1400, 3],
  );
  const { unwind } = Image.fromFile(peSource(spec(table, xdata, { machine: 0xaa64 })));

  it("has lengths from both forms, and tells fragments from functions", () => {
    expect(
      unwind.functions().map(({ entry, entryKnown, fragments }) => [entry, entryKnown, fragments[0]!.end]),
    ).toEqual([
      [0x1000, true, 0x1040],
      [0x1040, false, 0x1050],
      [0x1100, true, 0x1180],
      [0x1200, false, 0x1220],
      [0x1300, false, 0x1310],
    ]);
    expect(unwind.rejected).toBe(1);
  });

  it("counts rows whose .xdata cannot be read", () => {
    const memory = loadPe(new VirtualMemory(8), spec(table, xdata, { machine: 0xaa64 }), 0x10000n).pageOut(
      0x13000n,
      1,
    );
    const holed = Image.at(memory.space, va(0x10000n)).unwind;
    expect([holed.count, holed.unreadable]).toEqual([2, 3]);
  });
});
