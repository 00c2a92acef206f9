import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openDump } from "../../../src/api/open-dump.ts";
import { va } from "../../../src/core/address.ts";
import { parseTag } from "../../../src/pool/tag.ts";
import type { PoolCounts } from "../../../src/pool/tag-table.ts";
import {
  allocatedBytes,
  type KnownSizes,
  matchSizes,
  sizedSites,
} from "../../../src/trail/evidence/size-match.ts";

describe("allocatedBytes", () => {
  // 8-byte headers and units in 32-bit pools, 16-byte ones in 64-bit pools; a page holds 0xff0 or 0xfe0 at most
  it.each([
    [4, 0, 0x10],
    [4, 1, 0x10],
    [4, 0xc, 0x18],
    [4, 0x10, 0x18],
    [4, 0x38, 0x40],
    [4, 0xff0, 0xff8],
    [4, 0xff1, 0x1000],
    [4, 0x1001, 0x2000],
    [8, 1, 0x20],
    [8, 0x10, 0x20],
    [8, 0x11, 0x30],
    [8, 0x50, 0x60],
    [8, 0xfe0, 0xff0],
    [8, 0xfe1, 0x1000],
    [8, 0x1801, 0x2000],
  ] as const)("with pointers of %i bytes gives %i bytes a block of %i", (pointerSize, size, block) => {
    expect(allocatedBytes(size, pointerSize)).toBe(block);
  });
});

describe("matchSizes", () => {
  const pool = (outstanding: number, bytes: number): PoolCounts => ({
    allocations: outstanding,
    frees: 0,
    outstanding,
    bytes,
    bytesPerAllocation: outstanding === 0 ? null : bytes / outstanding,
  });
  const site = (size: number, address = 0x1000n) => ({ module: "leaky", address: va(address), size });
  const used = (outstanding: number, bytes: number): KnownSizes => ({
    pointerSize: 8,
    usage: { paged: pool(outstanding, bytes), nonPaged: pool(0, 0) },
  });

  it("matches exactly when every allocation has the size", () => {
    const [match, ...others] = matchSizes([site(0x20), site(0x50, 0x2000n)], used(50_000, 50_000 * 0x60));
    expect(others).toEqual([]);
    expect(match).toEqual({
      site: site(0x50, 0x2000n),
      block: 0x60,
      strength: "all",
      by: { kind: "average", pool: "paged", outstanding: 50_000, average: 0x60 },
      sharing: [],
    });
  });

  it("matches nearly when a few other allocations carry the tag, and not beyond", () => {
    expect(matchSizes([site(0x50)], used(1000, 97_000))).toMatchObject([{ strength: "most" }]);
    expect(matchSizes([site(0x50)], used(1000, 98_000))).toEqual([]);
    expect(matchSizes([site(0x50)], used(1000, 94_000))).toEqual([]);
  });

  it("leaves out a pool that has next to nothing of the tag", () => {
    const usage = { paged: pool(50_000, 50_000 * 0x60), nonPaged: pool(44, 44 * 0x30) };
    expect(matchSizes([site(0x18)], { pointerSize: 8, usage })).toEqual([]);
  });

  it("takes no average of a few allocations, and none of counts that are in doubt", () => {
    expect(matchSizes([site(0x50)], used(15, 15 * 0x60))).toEqual([]);
    const known = used(1000, 96_000);
    expect(matchSizes([site(0x50)], { ...known, usage: { ...known.usage!, doubt: "partial" } })).toEqual([]);
    expect(matchSizes([site(0x50)], { pointerSize: 8 })).toEqual([]);
  });

  it("matches by the blocks where the average is that of a mixture", () => {
    const blocks = [
      {
        pool: "nonPaged" as const,
        blocks: 1000,
        sizes: [
          { bytes: 0x20, blocks: 50 },
          { bytes: 0x60, blocks: 700 },
          { bytes: 0x100, blocks: 250 },
        ],
      },
    ];
    const sites = [site(0x10), site(0x50, 0x2000n), site(0x48, 0x3000n), site(0xf0, 0x4000n)];
    const found = matchSizes(sites, { ...used(1000, 150_000), blocks });
    expect(found.map(({ site: { address }, strength }) => [address, strength])).toEqual([
      [0x2000n, "most"],
      [0x3000n, "most"],
      [0x4000n, "some"],
    ]);
    expect(found[0]).toMatchObject({
      by: { kind: "blocks", pool: "nonPaged", same: 700, of: 1000 },
      sharing: [site(0x48, 0x3000n)],
    });
  });

  it("compares large sizes with the table of big pages, in bytes or in whole pages", () => {
    const asked = Array.from({ length: 20 }, () => ({ bytes: 0x1801 }));
    const pages = Array.from({ length: 20 }, () => ({ bytes: 0x2000 }));
    for (const big of [asked, pages]) {
      expect(matchSizes([site(0x1801)], { pointerSize: 8, big })).toMatchObject([
        { block: 0x2000, strength: "all" },
      ]);
    }
    expect(matchSizes([site(0x1801)], { pointerSize: 8, big: asked.slice(0, 15) })).toEqual([]);
  });
});

describe("the samples", () => {
  const matched = (name: string, tag: string) => {
    using dump = openDump(fileURLToPath(new URL(`../../../samples/${name}`, import.meta.url)));
    const usage = dump.tags().get(parseTag(tag).key);
    const sites = sizedSites(dump.scan(tag).references);
    return { sites, matches: matchSizes(sites, { pointerSize: dump.pointerSize, usage }) };
  };

  it("leak-x64: SepBuildInformation's 0x50 bytes are what leaks", () => {
    // leak-x64.md: 412,000 of the paged allocations are blocks of 0x60 bytes, SepBuildInformation asks for 0x50
    const { matches } = matched("leak-x64.dmp", "Se");
    expect(matches.map(({ site, block, strength }) => [site.module, site.size, block, strength])).toEqual([
      ["nt", 0x50, 0x60, "most"],
    ]);
    expect(matches[0]?.site.address).toBeGreaterThanOrEqual(0xfffff8047bc01120n);
    expect(matches[0]?.site.address).toBeLessThan(0xfffff8047bc01279n);
  });

  it("article-2003: what leaks has a computed size, so that no constant matches", () => {
    const { sites, matches } = matched("article-2003.dmp", "Se");
    expect(sites.map(({ size }) => size)).toEqual(expect.arrayContaining([0xc, 0x10, 4, 0x38]));
    expect(matches).toEqual([]);
  });
});
