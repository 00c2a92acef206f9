import { describe, expect, it } from "vitest";
import { readCrashDump } from "../../src/dump/crash-dump.ts";
import { NOT_IN_DUMP, TRUNCATED } from "../../src/dump/page-map.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { dumpBytes, type Patch, patch } from "../fixtures/dump-bytes.ts";

function open(bytes: Uint8Array) {
  return readCrashDump(new BytesSource(bytes, "x.dmp"));
}

/** The page map of a dump that has one. */
function pagesOf(bytes: Uint8Array) {
  const { body } = open(bytes);
  if (!("pages" in body)) throw new Error(`a ${body.kind} dump has no pages`);
  return body.pages;
}

/** RequiredDumpSpace as it should be, so that notes are about something else. */
const space = (bits: 32 | 64, size: number): Readonly<Record<number, Patch>> => ({
  0xfa0: BigInt(size),
  [bits === 32 ? 0xf88 : 0xf98]: 1,
});

describe("a full dump", () => {
  // 2 + 1 pages: pfn 1 and 2, then pfn 0x100005, which is past 4 GiB
  const runs32 = { 0x64: 2, 0x68: 3, 0x6c: 1, 0x70: 2, 0x74: 0x100005, 0x78: 1 };
  const runs64 = { 0x88: 2, 0x90: 3n, 0x98: 1n, 0xa0: 2n, 0xa8: 0x100005n, 0xb0: 1n };

  it("of 32 bits has its pages behind 0x1000, run after run", () => {
    const bytes = dumpBytes(32, 0x4000, { ...space(32, 0x4000), ...runs32 });
    expect(open(bytes)).toMatchObject({ body: { kind: "full" }, notes: [] });
    expect([1, 2, 3, 0x100005].map((pfn) => pagesOf(bytes).locate(pfn))).toEqual([
      0x1000,
      0x2000,
      NOT_IN_DUMP,
      0x3000,
    ]);
  });

  it("of 64 bits has its pages behind 0x2000", () => {
    const bytes = dumpBytes(64, 0x5000, { ...space(64, 0x5000), ...runs64 });
    expect(open(bytes)).toMatchObject({ body: { kind: "full" }, notes: [] });
    expect([1, 2, 0x100005].map((pfn) => pagesOf(bytes).locate(pfn))).toEqual([0x2000, 0x3000, 0x4000]);
  });

  it("that was cut off opens, and says how much is missing", () => {
    const bytes = dumpBytes(64, 0x3800, { ...space(64, 0x5000), ...runs64 });
    expect(open(bytes).notes).toEqual([
      "the header says that the dump takes 20480 bytes, and the file has 14336",
      "the file ends early: 2 of 3 pages (0.0 MB) are missing; copy the dump again",
    ]);
    expect(pagesOf(bytes).locate(0x100005)).toBe(TRUNCATED);
  });

  it("without runs is a header only, and says so", () => {
    for (const runs of [{}, { 0x88: 0, 0x90: 0n }]) {
      const found = open(dumpBytes(64, 0x3000, { ...space(64, 0x3000), ...runs }));
      expect(found).toMatchObject({
        body: { kind: "header-only" },
        notes: ["the header has no table of physical memory, so that no page can be placed"],
      });
    }
  });

  it("with more runs than the header has room for reads those that are there", () => {
    const filled = Object.fromEntries(
      [...Array(42).keys()].flatMap((i) => [
        [0x98 + 16 * i, BigInt(2 * i)],
        [0xa0 + 16 * i, 1n],
      ]),
    );
    const bytes = dumpBytes(64, 0x2000 + 42 * 0x1000, {
      ...space(64, 0x2c000),
      ...filled,
      0x88: 60,
      0x90: 42n,
    });
    expect(open(bytes).notes).toEqual([
      "the header says 60 runs of pages and has room for 42: the others are not known",
    ]);
    expect([pagesOf(bytes).present, pagesOf(bytes).locate(82)]).toEqual([42, 0x2000 + 41 * 0x1000]);
  });

  it("leaves out a run beyond every physical address, with what follows it", () => {
    const bytes = dumpBytes(64, 0x5000, { ...space(64, 0x5000), ...runs64, 0xa0: 0xffffffffffffffffn });
    expect([open(bytes).notes.length, pagesOf(bytes).present]).toEqual([2, 0]);
  });

  it("has no page above those that physical addresses reach (MAX_PFN)", () => {
    const withRunAt = (pfn: bigint) => dumpBytes(64, 0x5000, { ...space(64, 0x5000), ...runs64, 0xa8: pfn });
    const [last, behind] = [withRunAt(2n ** 40n - 1n), withRunAt(2n ** 40n)];
    expect([open(last).notes, pagesOf(last).locate(2 ** 40 - 1)]).toEqual([[], 0x4000]);
    expect([open(behind).notes, pagesOf(behind).present, pagesOf(behind).locate(2 ** 40)]).toEqual([
      [
        "run 2 of pages is outside every physical address: it and what follows it are left out",
        "the header says 3 pages, and its runs have 2",
      ],
      2,
      NOT_IN_DUMP,
    ]);
  });

  it("says where its count of pages and its runs disagree", () => {
    const bytes = dumpBytes(32, 0x4000, { ...space(32, 0x4000), ...runs32, 0x68: 7 });
    expect(open(bytes).notes).toEqual(["the header says 7 pages, and its runs have 3"]);
  });
});

// pages 1, 2 and 35 of 40: bits 06 00 00 00 08
const BITS = Uint8Array.of(0x06, 0, 0, 0, 0x08);
const PAGES = [1, 2, 3, 35];

/** SUMMARY_DUMP32/64. */
function summary(bits: 32 | 64, size: number, patches: Readonly<Record<number, Patch>> = {}): Uint8Array {
  const start = bits === 32 ? 0x1000 : 0x2000;
  const body = { 0: "SDMPDUMP", 8: 1, 0xc: start + 0x1000, 0x10: 40, 0x14: 3, 0x18: 40 };
  const bytes = dumpBytes(bits, size, { [bits === 32 ? 0xf88 : 0xf98]: 2, 0xfa0: BigInt(start + 0x4000) });
  patch(bytes.subarray(start), { ...body, [bits === 32 ? 0x20 : 0x28]: BITS, ...patches });
  return bytes;
}

/** BITMAP_DUMP, its unused words filled as Windows leaves them. */
function bitmap(bits: 32 | 64, size: number, patches: Readonly<Record<number, Patch>> = {}): Uint8Array {
  const start = bits === 32 ? 0x1000 : 0x2000;
  const body = {
    0: "SDMPDUMPPAGEPAGEPAGEPAGEPAGEPAGE",
    0x20: BigInt(start + 0x1000),
    0x28: 3n,
    0x30: 40n,
    0x38: BITS,
  };
  const bytes = dumpBytes(bits, size, { [bits === 32 ? 0xf88 : 0xf98]: 6, 0xfa0: BigInt(start + 0x4000) });
  patch(bytes.subarray(start), { ...body, ...patches });
  return bytes;
}

describe.each([32, 64] as const)("a kernel dump of %s bits", (bits) => {
  const start = bits === 32 ? 0x1000 : 0x2000;
  const size = start + 0x4000;
  const places = [start + 0x1000, start + 0x2000, NOT_IN_DUMP, start + 0x3000];

  it("of Windows 2000 to 7", () => {
    expect(open(summary(bits, size))).toMatchObject({ body: { kind: "summary" }, notes: [] });
    expect(PAGES.map((pfn) => pagesOf(summary(bits, size)).locate(pfn))).toEqual(places);
  });

  it("of Windows 8 and later", () => {
    expect(open(bitmap(bits, size))).toMatchObject({ body: { kind: "bitmap-kernel" }, notes: [] });
    expect(PAGES.map((pfn) => pagesOf(bitmap(bits, size)).locate(pfn))).toEqual(places);
  });

  it("is told by its numbers, whatever DumpType says", () => {
    const type = bits === 32 ? 0xf88 : 0xf98;
    expect(open(patch(summary(bits, size), { [type]: 6 })).body.kind).toBe("summary");
    expect(open(patch(bitmap(bits, size), { [type]: 2 })).body.kind).toBe("bitmap-kernel");
    expect(open(patch(bitmap(bits, size, { 0: "FDMPDUMP" }), { [type]: 1 })).body.kind).toBe("bitmap-full");
  });

  it.each([
    ["summary", summary],
    ["bitmap", bitmap],
  ])("that was cut off in a page opens, and says how much is missing: %s", (_layout, build) => {
    const cut = build(bits, size).subarray(0, start + 0x2800);
    expect(open(cut).notes[1]).toBe(
      "the file ends early: 2 of 3 pages (0.0 MB) are missing; copy the dump again",
    );
    expect(PAGES.map((pfn) => pagesOf(cut).locate(pfn))).toEqual([
      places[0],
      TRUNCATED,
      NOT_IN_DUMP,
      TRUNCATED,
    ]);
  });

  it.each([
    ["summary", summary(bits, size), (bits === 32 ? 0x20 : 0x28) + 4],
    ["bitmap", bitmap(bits, size), 0x38 + 4],
    ["in its head", bitmap(bits, size), 0x30],
  ])("that ends in the bitmap is refused: %s", (_layout, bytes, length) => {
    expect(() => open(bytes.subarray(0, start + length))).toThrow(
      expect.objectContaining({
        name: "FormatError",
        file: "x.dmp",
        found: expect.stringContaining("the end"),
      }),
    );
  });

  it("says which of bitmap and count of pages it goes by", () => {
    expect(open(bitmap(bits, size, { 0x28: 4n })).notes).toEqual([
      "the dump says 4 pages, and its bitmap has 3: the bitmap is read",
    ]);
  });
});

describe("a bitmap", () => {
  // rizin's bmp.dmp: HeaderSize a038, BitmapSize 40000: the first page follows the bits at once
  it("may end where the first page starts, which need not be a page's multiple", () => {
    const bytes = dumpBytes(64, 0xa038 + 0x2000, { 0xf98: 6 });
    patch(bytes.subarray(0x2000), {
      0: "SDMPDUMP",
      0x20: 0xa038n,
      0x28: 2n,
      0x30: 0x40000n,
      0x38: Uint8Array.of(2),
      0x8037: Uint8Array.of(0x80),
    });
    expect([1, 0x3ffff].map((pfn) => pagesOf(bytes).locate(pfn))).toEqual([0xa038, 0xb038]);
  });

  it.each([
    ["ends past the first page", { 0x30: 0x40000n }],
    ["is larger than the file", { 0x30: 0xffffffffffn, 0x20: 0xffffffffffn }],
    ["is larger than any memory", { 0x30: 0xffffffffffffffffn, 0x20: 0xffffffffffffffffn }],
    ["has no bits", { 0x30: 0n, 0x28: 0n }],
    ["starts in the header", { 0x20: 0n }],
  ])("that %s is refused", (_what, patches) => {
    expect(() => open(bitmap(64, 0x6000, patches))).toThrow(
      expect.objectContaining({ name: "FormatError", field: "the page bitmap" }),
    );
  });
});

/** An RDMP dump with the ranges 5–6 and 9. */
function rdmp(type: number, size: number, patches: Readonly<Record<number, Patch>> = {}): Uint8Array {
  const bytes = dumpBytes(64, size, { 0xf98: type, 0xfa0: 0x6000n });
  const body = {
    0: 0x40,
    4: "RDMPDUMP",
    0x10: 0x0fe0n,
    0x18: 0x3000n,
    0x30: 5n,
    0x38: 2n,
    0x40: 9n,
    0x48: 1n,
  };
  patch(bytes.subarray(0x2000), { ...body, ...patches });
  return bytes;
}

describe("an RDMP dump", () => {
  it.each([
    [8, "rdmp-kernel", {}],
    [9, "rdmp-kernel-user", {}],
    [10, "rdmp-full", { 0x20: 2, 0x28: 3n }],
  ])("of type %s is %s", (type, kind, patches) => {
    const bytes = rdmp(type, 0x6000, patches);
    expect(open(bytes)).toMatchObject({ body: { kind }, notes: [] });
    expect([4, 5, 6, 7, 9].map((pfn) => pagesOf(bytes).locate(pfn))).toEqual([
      NOT_IN_DUMP,
      0x3000,
      0x4000,
      NOT_IN_DUMP,
      0x5000,
    ]);
  });

  it("of all memory may hold page 0, one of the kernel's pages ends there", () => {
    const zero = { 0x30: 0n, 0x20: 2, 0x28: 3n };
    expect([pagesOf(rdmp(10, 0x6000, zero)).locate(0), pagesOf(rdmp(8, 0x6000, zero)).present]).toEqual([
      0x3000, 0,
    ]);
  });

  it("that was cut off in a page opens", () => {
    expect(open(rdmp(8, 0x6000).subarray(0, 0x4800)).notes.at(-1)).toMatch(/2 of 3 pages .* missing/);
  });

  it("that was cut off in its table is refused", () => {
    expect(() => open(rdmp(8, 0x6000).subarray(0, 0x2800))).toThrow(
      /the table of pages should be 4048 bytes, found the end/,
    );
    expect(() => open(rdmp(8, 0x6000).subarray(0, 0x2020))).toThrow(
      expect.objectContaining({ name: "FormatError" }),
    );
  });

  it("has no page above those that physical addresses reach (MAX_PFN)", () => {
    expect(open(rdmp(8, 0x6000, { 0x40: 2n ** 40n - 1n })).notes).toEqual([]);
    expect(open(rdmp(8, 0x6000, { 0x40: 2n ** 40n })).notes).toEqual([
      "range 2 of pages is outside every physical address: it and what follows it are left out",
    ]);
  });

  it("says where its numbers disagree", () => {
    expect(open(rdmp(10, 0x6000, { 0x28: 5n })).notes).toEqual([
      "the dump says 5 pages, and its ranges have 3",
    ]);
    expect(open(rdmp(8, 0x6000, { 0x10: 1n })).notes).toEqual([
      "the sizes in the RDMP header disagree: the pages may be misplaced",
    ]);
    expect(open(rdmp(8, 0x6000, { 0x40: 6n })).notes).toEqual([
      "ranges of pages that overlap another: 1; the lower one is read",
    ]);
    expect(open(rdmp(8, 0x6000, { 0x40: 2n ** 63n })).notes[0]).toMatch(/range 2 .* left out/);
  });
});

describe("a dump without memory", () => {
  it.each([
    [3, "this dump is a header only: it holds no memory"],
    [6, "no body of a dump of type 6 follows the header, so that no memory can be read"],
    [11, "no body of a dump of type 11 follows the header, so that no memory can be read"],
    [0x45474150, "the header has no table of physical memory, so that no page can be placed"],
  ])("of type %s opens and says so", (type, note) => {
    expect(open(dumpBytes(64, 0x2000, { 0xf98: type }))).toMatchObject({
      body: { kind: "header-only" },
      notes: [note],
    });
  });

  it("says when the header gives more processors than Windows takes (MAX_PROCESSORS)", () => {
    const [most, more] = [2048, 2049].map((count) => open(dumpBytes(64, 0x2000, { 0xf98: 3, 0x34: count })));
    expect([most?.header.processors, more?.header.processors]).toEqual([2048, undefined]);
    expect(most?.notes).not.toContain("the header gives no number of processors");
    expect(more?.notes).toContain("the header gives no number of processors");
  });

  it("says when the header gives no number of processors", () => {
    expect(open(dumpBytes(64, 0x2000, { 0xf98: 3, 0x34: 0 })).notes).toContain(
      "the header gives no number of processors",
    );
  });
});
