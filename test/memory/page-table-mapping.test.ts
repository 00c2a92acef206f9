import { describe, expect, it } from "vitest";
import { type Va, va } from "../../src/core/address.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { PageTableMapping } from "../../src/memory/page-table-mapping.ts";
import type { PhysicalMemory } from "../../src/memory/physical-memory.ts";
import { x64 } from "../../src/memory/x64.ts";
import { ownAddresses, type SyntheticOptions, syntheticMemory } from "../fixtures/synthetic-memory.ts";

const BUILD = 19041;
const space = (memory: PhysicalMemory, levels: 4 | 5 = 4, root = 0x1000n, build = BUILD): AddressSpace =>
  new AddressSpace(new PageTableMapping(memory, x64(levels, build), root));

/** PML4 at 0x1000, PDPT at 0x2000, PD at 0x3000, and a PT at 0x4000 for the first 2 MiB. */
const TABLES = { 0x1000: 0x2003n, 0x2000: 0x3003n, 0x3000: 0x4003n };
const withPages = (
  entries: Record<number, bigint>,
  options?: SyntheticOptions,
  build = BUILD,
): AddressSpace =>
  space(syntheticMemory(0x20000, { ...emptyTables(), ...TABLES, ...entries }, options), 4, 0x1000n, build);

/** Synthetic memory holds its own addresses, tables included: these are emptied first. */
function emptyTables(): Record<number, bigint> {
  const empty: Record<number, bigint> = {};
  for (let at = 0x1000; at < 0x5000; at += 8) empty[at] = 0n;
  return empty;
}

const faultAt = (from: AddressSpace, at: bigint): unknown => {
  const found = from.mapping.locate(va(at), 1);
  return "fault" in found ? found.fault : found;
};
const holeLength = (from: AddressSpace, at: bigint, want: number): number => {
  const found = from.mapping.locate(va(at), want);
  if (!("fault" in found)) throw new Error(`0x${at.toString(16)} can be read`);
  return found.length;
};

describe("AddressSpace.read over page tables", () => {
  // two 2 MiB pages: va 0 -> pa 0x200000, va 0x200000 -> pa 0x400000
  const memory = syntheticMemory(0x600000, {
    ...emptyTables(),
    0x1000: 0x2003n,
    0x2000: 0x3003n,
    0x3000: 0x200083n,
    0x3008: 0x400083n,
  });
  const large = space(memory);

  it("says which page is missing, and how far it got", () => {
    expect(() => large.read(va(0x3ffff0n), 0x20)).toThrow(
      expect.objectContaining({
        bytesRead: 0x10,
        fault: { kind: "not-mapped", va: 0x400000n, level: "PDE" },
      }),
    );
  });

  it("reads across the end of a large page, from far before it", () => {
    const read = large.read(va(0x100001n), 0x200000);
    expect(Buffer.compare(read, ownAddresses(0x300001, 0x200000))).toBe(0);
  });

  it("gives two large pages as one extent where they follow each other in the file too", () => {
    expect(large.mapping.locate(va(0x1234n), 0x1000000)).toMatchObject({
      offset: 0x201234,
      length: 0x3fedcc,
    });
  });

  it("reads unaligned over three pages that stand apart", () => {
    const scattered = withPages({ 0x4000: 0x9003n, 0x4008: 0x7003n, 0x4010: 0x8003n });
    const expected = Uint8Array.from([
      ...ownAddresses(0x9ffd, 3),
      ...ownAddresses(0x7000, 0x1000),
      ...ownAddresses(0x8000, 5),
    ]);
    expect(scattered.read(va(0xffdn), 0x1008)).toEqual(expected);
  });

  it("reads nothing when asked for nothing, even where nothing is", () => {
    expect(large.read(va(0x400000n), 0)).toHaveLength(0);
  });

  it("refuses more than is read into one array (MAX_READ)", () => {
    const refusal = new RangeError("a read takes 0 to 1073741824 bytes, not 1073741825");
    expect(() => large.read(va(0x400000n), 0x4000_0001)).toThrow(refusal);
    expect(() => large.tryRead(va(0x400000n), 0x4000_0001)).toThrow(refusal);
    expect(() => large.readSparse(va(0x400000n), 0x4000_0001)).toThrow(refusal);
  });

  it("joins pages that follow each other in the file although they do not in physical memory", () => {
    const moved = withPages({ 0x4000: 0x9003n, 0x4008: 0x7003n }, { moved: { 9: 0x10, 7: 0x11 } });
    expect(moved.mapping.locate(va(0x10n), 0x5000)).toMatchObject({ offset: 0x10010, length: 0x1ff0 });
    expect(moved.read(va(0x1000n), 4)).toEqual(ownAddresses(0x7000, 4));
  });

  it("reads each table once for the whole run of pages in it", () => {
    const entries: Record<number, bigint> = {};
    for (let i = 0; i < 16; i++) entries[0x4000 + i * 8] = BigInt(0x10000 + i * 0x1000) | 3n;
    const counting = syntheticMemory(0x20000, { ...emptyTables(), ...TABLES, ...entries });
    expect(space(counting).mapping.locate(va(0n), 0x10000)).toMatchObject({ length: 0x10000 });
    // 4 levels of 2 words, then the 16 entries
    expect(counting.counted.words).toBe(8 + 32);
  });
});

describe("x64 entries", () => {
  it("take no address bit from a large page's PAT bit", () => {
    const memory = syntheticMemory(0x600000, {
      ...emptyTables(),
      0x1000: 0x2003n,
      0x2000: 0x3003n,
      0x3000: 0x401083n,
    });
    expect(space(memory).readU32(va(0x10n))).toBe(0x400010);
  });

  it("map 1 GiB in a PDPTE", () => {
    const memory = syntheticMemory(0x20000, { ...emptyTables(), 0x1000: 0x2003n, 0x2000: 0x83n });
    expect(space(memory).readU32(va(0x9008n))).toBe(0x9008);
    expect(space(memory).mapping.locate(va(0x5000n), 0x40000000)).toMatchObject({ length: 0x1b000 });
    expect(faultAt(space(memory), 0x20000n)).toEqual({ kind: "not-in-dump", va: 0x20000n, pa: 0x20000 });
  });

  it("ignore the no-execute bit, and the flags in the directory table base", () => {
    const memory = syntheticMemory(0x20000, {
      ...emptyTables(),
      ...TABLES,
      0x4000: 0x8000_0000_0000_9003n,
    });
    expect(space(memory, 4, 0x8000_0000_0000_1802n).readU32(va(0x20n))).toBe(0x9020);
  });

  it("follow five levels with LA57", () => {
    // index 256 of the PML5, 255 of the PML4: 0xff00'7f80'0000'0000
    const memory = syntheticMemory(0x20000, {
      ...emptyTables(),
      0x1800: 0x2003n,
      0x27f8: 0x3003n,
      0x3000: 0x4003n,
      0x4000: 0x5003n,
      0x5000: 0x9003n,
    });
    const deep = space(memory, 5);
    expect(deep.readU32(va(0xff00_7f80_0000_0ff0n))).toBe(0x9ff0);
    expect(faultAt(deep, 0xfeff_ffff_ffff_f000n)).toEqual({
      kind: "not-canonical",
      va: 0xfeff_ffff_ffff_f000n,
    });
  });

  it("are read through a table that sees itself", () => {
    // PML4[0x1ed] is the PML4: its own address in the old fixed place
    const memory = syntheticMemory(0x20000, { ...emptyTables(), 0x1f68: 0x1003n });
    const self = space(memory);
    expect(self.readU64(va(0xffff_f6fb_7dbe_df68n))).toBe(0x1003n);
    expect(self.mapping.locate(va(0xffff_f6fb_7dbe_d000n), 0x2000)).toMatchObject({ length: 0x1000 });
  });
});

describe("pages that are not valid but still in memory", () => {
  it("reads a transition page", () => {
    expect(withPages({ 0x4000: 0x9880n }).readU32(va(0x30n))).toBe(0x9030);
  });

  it("reads through a transition PDE", () => {
    expect(withPages({ 0x3000: 0x4880n, 0x4000: 0x9003n }).readU32(va(0x30n))).toBe(0x9030);
  });

  it("clears bit 45 of a transition page that lies past the last page of the dump", () => {
    expect(withPages({ 0x4000: 0x2000_0000_9880n }).readU32(va(0x30n))).toBe(0x9030);
  });

  it("keeps bit 45 where a page of that number can be", () => {
    const high = withPages({ 0x4000: 0x2000_0000_9880n }, { highestPfn: 0x3_0000_0000 });
    expect(faultAt(high, 0n)).toEqual({ kind: "not-in-dump", va: 0n, pa: 0x2000_0000_9000 });
  });

  it("takes 28 bits of a transition page's number from Vista's first release, 36 later", () => {
    const entries = { 0x4000: 0x0100_0000_9880n };
    expect(withPages(entries, {}, 6000).readU32(va(0x30n))).toBe(0x9030);
    expect(faultAt(withPages(entries, {}, 6001), 0n)).toMatchObject({ pa: 0x0100_0000_9000 });
  });

  // the prototype PTE stands at va 0x1008, in the page at pa 0xa000
  const shared = (prototype: bigint, entry = 0x1008_0400n): AddressSpace =>
    withPages({ 0x4000: entry, 0x4008: 0xa003n, 0xa008: prototype });

  it("follows a prototype PTE to a valid page", () => {
    expect(shared(0x9003n).readU32(va(0x30n))).toBe(0x9030);
  });

  it("follows a prototype PTE to a transition page", () => {
    expect(shared(0x9880n).readU32(va(0x30n))).toBe(0x9030);
  });

  it("sign-extends the prototype's address", () => {
    // va 0xffff'8000'0000'1008 through PML4[256]
    const memory = syntheticMemory(0x20000, {
      ...emptyTables(),
      ...TABLES,
      0x1800: 0x2003n,
      0x4000: 0x8000_0000_1008_0400n,
      0x4008: 0xa003n,
      0xa008: 0x9003n,
    });
    expect(space(memory).readU32(va(0x30n))).toBe(0x9030);
  });

  it("names a prototype PTE that was written to the page file, or was never touched", () => {
    expect(faultAt(shared(0x1a01_0000_0080n), 0n)).toEqual({ kind: "paged-out", va: 0n, level: "PTE" });
    expect(faultAt(shared(0x80n), 0n)).toEqual({ kind: "demand-zero", va: 0n, level: "PTE" });
  });

  it.each([
    ["is a subsection again", shared(0x1008_0400n)],
    ["is zero", shared(0n)],
    ["points at itself", withPages({ 0x4000: 0x0400n, 0x4008: 0xa003n })],
    ["stands at an address that is not mapped", shared(0x9003n, 0x5008_0400n)],
    ["stands at an odd address", shared(0x9003n, 0x1004_0400n)],
    ["is the marker of user memory", shared(0x9003n, 0xffff_ffff_0000_0400n)],
    ["stands at an address that is not canonical", shared(0x9003n, 0x0400n | (0x7fff_ffff_f000n << 16n))],
  ])("gives up one level deep when the prototype PTE %s", (_, from) => {
    expect(faultAt(from, 0n)).toEqual({ kind: "prototype", va: 0n, level: "PTE" });
  });

  it("does not follow a prototype bit above the last level", () => {
    expect(faultAt(withPages({ 0x3000: 0x1008_0400n, 0x4008: 0xa003n }), 0n)).toEqual({
      kind: "prototype",
      va: 0n,
      level: "PDE",
    });
  });
});

describe("holes", () => {
  it.each([
    ["a zero PML4E", { 0x1000: 0n }, { kind: "not-mapped", level: "PML4E" }],
    ["a zero PDPTE", { 0x2000: 0n }, { kind: "not-mapped", level: "PDPTE" }],
    ["a zero PDE", { 0x3000: 0n }, { kind: "not-mapped", level: "PDE" }],
    ["a zero PTE", {}, { kind: "not-mapped", level: "PTE" }],
    ["a page file offset", { 0x4000: 0x1a01_0000_0080n }, { kind: "paged-out", level: "PTE" }],
    ["a page table in the page file", { 0x3000: 0x1a01_0000_0080n }, { kind: "paged-out", level: "PDE" }],
    ["a protection and nothing else", { 0x4000: 0x80n }, { kind: "demand-zero", level: "PTE" }],
    [
      "a page file offset of all ones",
      { 0x4000: 0xffff_ffff_0000_0080n },
      { kind: "prototype", level: "PTE" },
    ],
    ["a page past the dump", { 0x4000: 0x7_7000_3003n }, { kind: "not-in-dump", pa: 0x7_7000_3000 }],
    ["a table past the dump", { 0x3000: 0x77003n }, { kind: "not-in-dump", pa: 0x77000, level: "PTE" }],
  ])("are named: %s", (_, entries, fault) => {
    expect(faultAt(withPages(entries), 0n)).toEqual({ va: 0n, ...fault });
  });

  it("are named where the file was cut off", () => {
    const cut = withPages({ 0x4000: 0x9003n }, { truncated: [9] });
    expect(faultAt(cut, 0x10n)).toEqual({ kind: "truncated", va: 0x10n, pa: 0x9000 });
    const cutTable = withPages({ 0x4000: 0x9003n }, { truncated: [4] });
    expect(faultAt(cutTable, 0x10n)).toEqual({ kind: "truncated", va: 0x10n, pa: 0x4000, level: "PTE" });
  });

  it("read the page file's number where the build keeps it", () => {
    // bits 12..15 from 17763 on, bits 1..4 before; there the same bits mean nothing
    expect(faultAt(withPages({ 0x4000: 0x2080n }, {}, 17763), 0n)).toMatchObject({ kind: "paged-out" });
    expect(faultAt(withPages({ 0x4000: 0x2080n }, {}, 17134), 0n)).toMatchObject({ kind: "demand-zero" });
    expect(faultAt(withPages({ 0x4000: 0x84n }, {}, 17763), 0n)).toMatchObject({ kind: "demand-zero" });
    expect(faultAt(withPages({ 0x4000: 0x84n }, {}, 17134), 0n)).toMatchObject({ kind: "paged-out" });
  });

  it("reach to the next entry that says something else", () => {
    const from = withPages({ 0x4010: 0x1a01_0000_0080n, 0x4018: 0x1b01_0000_0080n, 0x4020: 0x9003n });
    expect(holeLength(from, 0x10n, 0x10000)).toBe(0x1ff0);
    expect(holeLength(from, 0x2000n, 0x10000)).toBe(0x2000);
  });

  it("of a missing PML4E are crossed in one step, and end where the next half begins", () => {
    const from = withPages({ 0x4000: 0x9003n });
    const want = 2 ** 52;
    // PML4[1] to PML4[255] are zero
    expect(holeLength(from, 0x80_0000_0000n, want)).toBe(255 * 2 ** 39);
    expect(holeLength(from, 0x80_0000_0000n, 0x1234)).toBe(0x1234);
  });

  it("go on over a table that is missing as a whole", () => {
    const from = withPages({ 0x3008: 0x77003n });
    expect(holeLength(from, 0x20_1000n, 2 ** 30)).toBe(0x1ff000);
  });

  it("between the canonical halves end where an address begins to mean something", () => {
    const from = withPages({});
    expect(faultAt(from, 0x8000_0000_0000n)).toEqual({ kind: "not-canonical", va: 0x8000_0000_0000n });
    const before = 0xffff_7fff_ffff_f000n;
    expect(faultAt(from, before)).toEqual({ kind: "not-canonical", va: before });
    expect(holeLength(from, before, 0x10000)).toBe(0x1000);
  });

  it("never make a read longer than what was asked for", () => {
    const from = withPages({ 0x4000: 0x9003n, 0x4008: 0xa003n });
    expect(from.mapping.locate(va(0xfffn), 2)).toMatchObject({ offset: 0x9fff, length: 2 });
  });
});

describe("the end of the address space", () => {
  // PML4[511] .. PT[511]: the last page
  const memory = syntheticMemory(0x20000, {
    ...emptyTables(),
    0x1ff8: 0x2003n,
    0x2ff8: 0x3003n,
    0x3ff8: 0x4003n,
    0x4ff8: 0x9003n,
  });

  it("gives the last byte, and no more", () => {
    const top = 0xffff_ffff_ffff_fffcn as Va;
    expect(space(memory).readU32(top)).toBe(0x9ffc);
    expect(space(memory).mapping.locate(top, 0x100)).toMatchObject({ offset: 0x9ffc, length: 4 });
  });
});

describe("PageTableMapping.locate, of what is not there", () => {
  const mapping = (entries: Record<number, bigint>): PageTableMapping =>
    new PageTableMapping(
      syntheticMemory(0x20000, { ...emptyTables(), ...TABLES, ...entries }),
      x64(4, BUILD),
      0x1000n,
    );

  it("gives the page's physical address where the dump does not hold it", () => {
    expect(mapping({ 0x4000: 0x9003n }).locate(va(0x123n), 1)).toMatchObject({ offset: 0x9123, length: 1 });
    expect(mapping({ 0x4000: 0x7_7000_3003n }).locate(va(0x123n), 1)).toMatchObject({
      fault: { kind: "not-in-dump", va: 0x123n, pa: 0x7_7000_3000 },
    });
  });

  it("says why there is none", () => {
    expect(mapping({}).locate(va(0x123n), 1)).toMatchObject({
      fault: { kind: "not-mapped", va: 0x123n, level: "PTE" },
    });
    expect(mapping({ 0x3000: 0x77003n }).locate(va(0x123n), 1)).toMatchObject({
      fault: { kind: "not-in-dump", va: 0x123n, pa: 0x77000, level: "PTE" },
    });
  });
});
