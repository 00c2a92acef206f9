import { describe, expect, it } from "vitest";
import { writeLfhSubsegment, writeVsSubsegment } from "../../samples/writer/segment-heap.mjs";
import { type Va, va } from "../../src/core/address.ts";
import { blockAt, type FoundBlock } from "../../src/pool/block-at.ts";
import type { PoolKernel } from "../../src/pool/pool-kernel.ts";
import { findHeapKeys } from "../../src/pool/segment-heap.ts";
import { variables } from "../fixtures/pool-machine.ts";
import { poolMachine, poolPage, segmentPage } from "../fixtures/pool-pages.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

type Target = Parameters<typeof writeVsSubsegment>[0];

function found(kernel: PoolKernel, address: bigint): FoundBlock {
  const answer = blockAt(kernel, va(address));
  if ("missing" in answer) throw new Error(`no block: ${answer.missing}`);
  return answer;
}

describe("blockAt in pools before 18362", () => {
  it.each([
    [4, 3790],
    [4, 9600],
    [8, 7601],
  ] as const)("finds the block and its page, with pointers of %i bytes on build %i", (size, build) => {
    const page = poolPage(size, build, [
      { tag: "Ntff", bytes: 0x40 },
      { tag: "Se", bytes: 0x60 },
      { tag: "Toke", bytes: 0x100, protected: true },
    ]);
    const { kernel, start } = poolMachine(size, build, [page]);
    expect(found(kernel, start + 0x58n)).toMatchObject({
      basis: "page",
      offset: 0x18,
      block: { start: start + 0x40n, bytes: 0x60, tag: "Se  ", pool: "paged", free: false, protected: false },
    });
    const toke = found(kernel, start + 0xa0n);
    expect(toke.block).toMatchObject({ tag: "Toke", protected: true });
    expect(toke.page.map(({ tag, bytes }) => [tag, bytes])).toEqual([
      ["Ntff", 0x40],
      ["Se  ", 0x60],
      ["Toke", 0x100],
      ["Free", 0xe60],
    ]);
    expect(found(kernel, start + 0xfffn).block).toMatchObject({ tag: "Free", free: true, pool: undefined });
  });

  it("gives none for a page that is no pool's, one that is not there, and a triage dump", () => {
    const { kernel, start } = poolMachine(8, 7601, [new Uint8Array(0x1000).fill(0x11), undefined]);
    expect(blockAt(kernel, va(start + 0x20n))).toEqual({ missing: "no-block" });
    expect(blockAt(kernel, va(start + 0x1020n))).toEqual({ missing: "not-in-dump" });
    expect(blockAt({ ...kernel, triage: true }, va(start))).toEqual({ missing: "triage" });
  });
});

const DATA = 0xffff_f804_7ba8_0000n;
const POOL = 0xffff_d70b_4020_0000n;
const KEYS = { heap: 0x9d3f_51c2_77ab_e019n, lfh: 0x1b44_8e6a_c05d_7733n };

/** A kernel with segment heaps: the keys stand in nt's data among other numbers. */
function segmented(
  build: number,
  keys = KEYS,
): { memory: VirtualMemory; kernel: PoolKernel; target: Target } {
  const memory = new VirtualMemory(8);
  memory.map(DATA, 0x2000);
  for (let at = 0n; at < 0x2000n; at += 8n)
    memory.u64(DATA + at, (0x9e37_79b9_7f4a_7c15n * (at + 1n)) & (2n ** 64n - 1n));
  memory.u64(DATA + 0xb28n, keys.heap).u64(DATA + 0xb30n, keys.lfh);
  const range = { start: va(DATA), length: 0x2000 };
  const kernel: PoolKernel = {
    space: memory.space,
    build,
    processors: 4,
    nt: { base: va(DATA), size: 0x10_0000, writable: [range], code: [] },
    variables: variables({}),
    triage: false,
  };
  return { memory, kernel, target: { build, write: (at, bytes) => memory.write(at, bytes) } };
}

const BLOCKS: Parameters<typeof writeVsSubsegment>[2]["blocks"] = [
  { tag: "Ntff", bytes: 0x240 },
  { tag: "MmSt", bytes: 0xb00 },
  { tag: "Se  ", bytes: 0x690 },
  { tag: "Gone", bytes: 0x200, free: true },
  { tag: "Mdl ", bytes: 0xe0, paged: false },
];

describe("blockAt in segment heaps", () => {
  it.each([19041, 26100])(
    "finds chunks of any size, by the key that makes sense of them (build %i)",
    (build) => {
      const { kernel, target } = segmented(build);
      const headers = writeVsSubsegment(target, POOL, { key: KEYS.heap, pages: 4, blocks: BLOCKS });
      expect(findHeapKeys(kernel, va(POOL + 0x400n))).toEqual(KEYS);
      headers.forEach((header, i) => {
        const { tag, bytes, free = false, paged = true } = BLOCKS[i]!;
        const pool = free ? undefined : paged ? "paged" : "nonPaged";
        expect(found(kernel, header + 0x48n)).toMatchObject({
          basis: "heap",
          offset: 0x48,
          block: { start: header, bytes, tag, free, pool },
        });
      });
      // one of them would have run into the next page, and stands on it
      expect(headers.some((header) => header % 0x1000n === 0n)).toBe(true);
    },
  );

  it.each([19041, 26100])("finds blocks of one size, and which of them are free (build %i)", (build) => {
    const { kernel, target } = segmented(build);
    // the key is known only by a subsegment of the other kind nearby
    writeVsSubsegment(target, POOL, { key: KEYS.heap, pages: 4, blocks: BLOCKS });
    const headers = writeLfhSubsegment(target, POOL + 0x1_0000n, {
      key: KEYS.lfh,
      pages: 2,
      block: { tag: "Even", bytes: 0x80, paged: false },
      busy: (index) => index % 3 !== 1,
    });
    expect(headers.length).toBeGreaterThan(50);
    for (const index of [0, 1, 2, 40]) {
      expect(found(kernel, headers[index]! + 0x33n)).toMatchObject({
        basis: "heap",
        offset: 0x33,
        block: { start: headers[index], bytes: 0x80, tag: "Even", free: index % 3 === 1 },
      });
    }
  });

  it("does not take a number for the key under which nothing follows", () => {
    const { memory, kernel, target } = segmented(19041);
    writeVsSubsegment(target, POOL, { key: KEYS.heap, pages: 4, blocks: BLOCKS });
    memory.u64(DATA + 0xb28n, KEYS.heap ^ (0x10n ** 9n));
    expect(findHeapKeys(kernel, va(POOL + 0x400n))).toBeUndefined();
  });

  it("goes by a header alone where the heap's key is not to be had, and says so", () => {
    const { memory, kernel } = segmented(19041);
    const page = segmentPage(
      8,
      19041,
      [
        { tag: "Ntff", bytes: 0x240 },
        { tag: "Leak", bytes: 0x150 },
      ],
      0x10,
    );
    memory.write(POOL, page);
    expect(found(kernel, POOL + 0x2f0n)).toMatchObject({
      basis: "header",
      offset: 0x90,
      block: { start: POOL + 0x260n, bytes: 0x150, tag: "Leak", pool: "paged" },
    });
    // behind the last block nothing reaches
    expect(blockAt(kernel, va(POOL + 0x800n))).toEqual({ missing: "no-block" });
  });

  it("is bounded by hostile subsegments: sizes that prove nothing, chunks of no size", () => {
    const { memory, kernel } = segmented(19041);
    for (let page = 0n; page < 64n; page++) {
      const at = POOL + page * 0x1000n;
      memory.map(at, 0x1000).u32(at + 0x20n, 0xffff | (((0xffff ^ 0x2bed) & 0x7fff) << 16));
    }
    expect(blockAt(kernel, va(POOL + 0x2_0400n) as Va)).toEqual({ missing: "no-block" });
  });
});
