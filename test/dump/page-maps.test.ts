import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BitmapMap } from "../../src/dump/bitmap-map.ts";
import { NOT_IN_DUMP, type PageMap, TRUNCATED } from "../../src/dump/page-map.ts";
import { RunMap } from "../../src/dump/run-map.ts";

type Run = readonly [pfn: number, count: number, fileOffset: number];

const WHOLE = Number.MAX_SAFE_INTEGER;

function runMap(runs: readonly Run[], fileSize = WHOLE): RunMap {
  const pick = (i: 0 | 1 | 2) => Float64Array.from(runs, (run) => run[i]);
  return new RunMap({ pfns: pick(0), counts: pick(1), fileOffsets: pick(2) }, fileSize);
}

function bitmapMap(pfns: readonly number[], bits: number, firstPage = 0x3000, fileSize = WHOLE): BitmapMap {
  const words = new Int32Array(Math.ceil(bits / 32));
  for (const pfn of pfns) words[pfn >> 5]! |= 1 << (pfn & 31);
  return new BitmapMap(words, bits, firstPage, fileSize);
}

const runsOf = (map: PageMap) =>
  [...map.runs()].map(({ pfn, count, fileOffset }) => [pfn, count, fileOffset]);

/** The same questions answered by counting. */
function naive(pfns: readonly number[], firstPage: number, fileSize: number) {
  const order = [...new Set(pfns)].sort((a, b) => a - b);
  const locate = (pfn: number) => {
    const rank = order.indexOf(pfn);
    if (rank < 0) return NOT_IN_DUMP;
    const offset = firstPage + rank * 0x1000;
    return offset + 0x1000 <= fileSize ? offset : TRUNCATED;
  };
  const runLength = (pfn: number, max: number) => {
    let length = 0;
    while (length < max && locate(pfn + length) >= 0) length++;
    return length;
  };
  return { locate, runLength, present: order.filter((pfn) => locate(pfn) >= 0).length, all: order.length };
}

describe("BitmapMap", () => {
  it("finds the page of the n-th set bit at the n-th place", () => {
    const map = bitmapMap([0, 5, 31, 32, 511, 512, 1000], 1001);
    expect([0, 5, 31, 32, 511, 512, 1000].map((pfn) => map.locate(pfn))).toEqual([
      0x3000, 0x4000, 0x5000, 0x6000, 0x7000, 0x8000, 0x9000,
    ]);
    expect([map.present, map.missing, map.highestPfn]).toEqual([7, 0, 1000]);
  });

  it.each([1, 30, 33, 999, 1001, -1, 2 ** 31, 2 ** 32, 2 ** 40, Number.NaN])(
    "does not hold page %s",
    (pfn) => {
      expect(bitmapMap([0, 5, 31, 32, 511, 512, 1000], 1001).locate(pfn)).toBe(NOT_IN_DUMP);
    },
  );

  it("takes no bit past the last for a page", () => {
    const map = new BitmapMap(Int32Array.of(-1, -1, -1), 33, 0, WHOLE);
    expect([map.present, map.highestPfn, map.locate(32), map.locate(33)]).toEqual([
      33,
      32,
      0x20000,
      NOT_IN_DUMP,
    ]);
  });

  it("tells a page past the end of the file from one that was never written", () => {
    const map = bitmapMap([1, 2, 3], 8, 0x3000, 0x4fff);
    expect([0, 1, 2, 3].map((pfn) => map.locate(pfn))).toEqual([NOT_IN_DUMP, 0x3000, TRUNCATED, TRUNCATED]);
    expect([map.present, map.missing, map.runLength(1, 9), map.runLength(2, 9)]).toEqual([1, 2, 1, 0]);
  });

  it("is empty without a set bit", () => {
    const map = bitmapMap([], 64);
    expect([map.present, map.missing, map.highestPfn, runsOf(map)]).toEqual([0, 0, -1, []]);
  });

  it("lists runs across words without an end at their borders", () => {
    const pages = [...Array(100).keys()].map((i) => i + 30);
    expect(runsOf(bitmapMap([...pages, 200], 256))).toEqual([
      [30, 100, 0x3000],
      [200, 1, 0x3000 + 100 * 0x1000],
    ]);
  });

  it("answers as counting does", () => {
    const inputs = fc.record({
      stretches: fc.array(fc.tuple(fc.nat(1600), fc.integer({ min: 1, max: 120 })), { maxLength: 12 }),
      cut: fc.nat(900 * 0x1000),
      asked: fc.array(fc.nat(1800), { maxLength: 60 }),
      max: fc.integer({ min: 1, max: 700 }),
    });
    fc.assert(
      fc.property(inputs, ({ stretches, cut, asked, max }) => {
        const pfns = stretches.flatMap(([start, count]) => [...Array(count).keys()].map((i) => start + i));
        const map = bitmapMap(pfns, 1721, 0x2038, 0x2038 + cut);
        const counted = naive(pfns, 0x2038, 0x2038 + cut);
        expect([map.present, map.present + map.missing]).toEqual([counted.present, counted.all]);
        for (const pfn of [...asked, ...pfns.slice(0, 20)]) {
          expect([pfn, map.locate(pfn), map.runLength(pfn, max)]).toEqual([
            pfn,
            counted.locate(pfn),
            counted.runLength(pfn, max),
          ]);
        }
        const listed = [...map.runs()].flatMap(({ pfn, count, fileOffset }) =>
          [...Array(count).keys()].map((i) => [pfn + i, fileOffset + i * 0x1000]),
        );
        const order = [...new Set(pfns)].sort((a, b) => a - b);
        expect(listed).toEqual(order.map((pfn, i) => [pfn, 0x2038 + i * 0x1000]));
      }),
    );
  });
});

describe("RunMap", () => {
  // 86 runs is the most that a header holds; here are three, not in order
  const three: readonly Run[] = [
    [0x100, 0x10, 0x1000],
    [0x1, 0x9e, 0x11000],
    [0x120000, 2, 0xaf000],
  ];

  it("finds pages of runs in any order, and past 4 GiB", () => {
    const map = runMap(three);
    expect([0x1, 0x9e, 0x100, 0x10f, 0x120001].map((pfn) => map.locate(pfn))).toEqual([
      0x11000, 0xae000, 0x1000, 0x10000, 0xb0000,
    ]);
    expect([map.present, map.highestPfn]).toEqual([0x10 + 0x9e + 2, 0x120001]);
  });

  it.each([0, 0x9f, 0xff, 0x110, 0x11ffff, 0x120002, -1, Number.NaN])("does not hold page %s", (pfn) => {
    const map = runMap(three);
    expect([map.locate(pfn), map.runLength(pfn, 4)]).toEqual([NOT_IN_DUMP, 0]);
  });

  it("knows how far the pages go on", () => {
    const map = runMap(three);
    expect([map.runLength(0x105, 100), map.runLength(0x105, 4), map.runLength(0x120001, 9)]).toEqual([
      11, 4, 1,
    ]);
  });

  it("tells a page past the end of the file from one that was never written", () => {
    const map = runMap([[1, 4, 0x1000]], 0x3800);
    expect([1, 2, 3, 4, 5].map((pfn) => map.locate(pfn))).toEqual([
      0x1000,
      0x2000,
      TRUNCATED,
      TRUNCATED,
      NOT_IN_DUMP,
    ]);
    expect([map.present, map.missing, map.runLength(1, 9)]).toEqual([2, 2, 2]);
  });

  it("reads a page that two runs name from the one that starts first", () => {
    const map = runMap([
      [10, 10, 0x100000],
      [5, 10, 0x1000],
      [11, 2, 0x200000],
      [12, 0, 0x300000],
    ]);
    expect(map.overlaps).toBe(3);
    expect(runsOf(map)).toEqual([
      [5, 10, 0x1000],
      [15, 5, 0x105000],
    ]);
    expect(map.present).toBe(15);
  });

  it("is empty without runs", () => {
    const map = runMap([]);
    expect([map.present, map.missing, map.highestPfn, map.locate(0), runsOf(map)]).toEqual([
      0,
      0,
      -1,
      NOT_IN_DUMP,
      [],
    ]);
  });
});
