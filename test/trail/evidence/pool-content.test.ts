import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openDump } from "../../../src/api/dump.ts";
import { type Va, va } from "../../../src/core/address.ts";
import { readBigPages } from "../../../src/pool/big-pages.ts";
import { readPoolBlocks } from "../../../src/pool/blocks.ts";
import { type PoolKernel, poolKernelOf } from "../../../src/pool/pool-kernel.ts";
import { parseTag } from "../../../src/pool/tag.ts";
import { ImageRanges } from "../../../src/trail/evidence/image-ranges.ts";
import { findPoolContent } from "../../../src/trail/evidence/pool-content.ts";
import { variables } from "../../fixtures/pool-machine.ts";
import { VirtualMemory } from "../../fixtures/virtual-memory.ts";

const KEY = parseTag("Leak").key;
const VARIABLES = 0x8088_0000n;

/** A block of a made pool page: its tag, its bytes with the header, and the pointers that it holds. */
interface Made {
  readonly tag: string;
  readonly bytes: number;
  /** Of the header; 0: free. */
  readonly type?: number;
  /** By offset in the contents. */
  readonly pointers?: Readonly<Record<number, bigint>>;
  readonly protected?: boolean;
}

/** Windows 7: paged blocks have odd types. */
function poolPage(pointerSize: 4 | 8, blocks: readonly Made[]): Uint8Array {
  const page = new Uint8Array(0x1000);
  const view = new DataView(page.buffer);
  const unit = 2 * pointerSize;
  let at = 0;
  let previous = 0;
  const used = blocks.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { tag, bytes, type = 3, pointers = {}, ...more } of [
    ...blocks,
    { tag: "Free", bytes: 0x1000 - used, type: 0 },
  ]) {
    if (bytes === 0) continue;
    if (pointerSize === 4) view.setUint32(at, previous | (((bytes / unit) | (type << 9)) << 16), true);
    else view.setUint32(at, previous | ((bytes / unit) << 16) | (type << 24), true);
    const isProtected = "protected" in more && more.protected === true;
    view.setUint32(at + 4, parseTag(tag).key | (isProtected ? 0x8000_0000 : 0), true);
    for (const [offset, pointer] of Object.entries(pointers)) {
      const place = at + unit + Number(offset);
      if (pointerSize === 4) view.setUint32(place, Number(pointer), true);
      else view.setBigUint64(place, pointer, true);
    }
    previous = bytes / unit;
    at += bytes;
  }
  return page;
}

/** A kernel whose paged pool has the given pages. */
function machine(pointerSize: 4 | 8, build: number, pages: readonly (Uint8Array | undefined)[]) {
  const memory = new VirtualMemory(pointerSize);
  const start = pointerSize === 4 ? 0xe100_0000n : 0xffff_f8a0_0000_0000n;
  pages.forEach((page, i) => {
    if (page !== undefined) memory.write(start + BigInt(i) * 0x1000n, page);
  });
  memory.pointer(VARIABLES, start).pointer(VARIABLES + 0x10n, start + BigInt(pages.length) * 0x1000n - 1n);
  const kernel: PoolKernel = {
    space: memory.space,
    build,
    processors: 1,
    nt: undefined,
    kdbg: variables({ mmPagedPoolStart: VARIABLES, mmPagedPoolEnd: VARIABLES + 0x10n }),
    triage: false,
  };
  return { kernel, start, memory };
}

const image = (name: string, base: bigint, size: number): { name: string; base: Va; end: Va } => ({
  name,
  base: va(base),
  end: va(base + BigInt(size)),
});

describe.each([
  [4, 0x8080_0000n, 0xb8f0_4000n],
  [8, 0xfffff804_7ba0_0000n, 0xfffff805_0000_1000n],
] as const)("findPoolContent with pointers of %i bytes", (pointerSize, nt, driver) => {
  const modules = [image("leaky", driver, 0x9000), image("nt", nt, 0x10_0000)];
  const unit = 2 * pointerSize;

  it("counts blocks of the tag that lead into images, and shows where", () => {
    const pages = [
      poolPage(pointerSize, [
        { tag: "Leak", bytes: 0x60, pointers: { 0: driver + 0x123n, 8: driver, 16: nt } },
        { tag: "Othr", bytes: 0x60, pointers: { 0: driver } },
        { tag: "Leak", bytes: 0x40 },
        { tag: "Leak", bytes: 0x20, pointers: { 0: driver + 0x8fffn } },
      ]),
      undefined,
      poolPage(pointerSize, [{ tag: "Leak", bytes: 0x60, type: 0, pointers: { 0: driver } }]),
    ];
    const { kernel, start } = machine(pointerSize, 7601, pages);
    const found = findPoolContent(kernel, KEY, modules);
    expect(found).toMatchObject({ blocks: 3, bytes: 0xc0 - 3 * unit, notes: [] });
    expect(found.modules.map(({ module, blocks, pointers }) => [module.name, blocks, pointers])).toEqual([
      ["leaky", 2, 3],
      ["nt", 1, 1],
    ]);
    expect(found.modules[0]?.examples).toEqual([
      { at: start + BigInt(unit), target: driver + 0x123n },
      { at: start + BigInt(unit) + 8n, target: driver },
      { at: start + 0x100n + BigInt(unit), target: driver + 0x8fffn },
    ]);
    expect(found.modules[0]?.evidence).toMatchObject({
      kind: "pool-content",
      address: start + BigInt(unit),
      detail: expect.stringMatching(
        /^2 of 3 blocks of the tag that were looked at hold a pointer into leaky, such as /,
      ),
    });
  });

  it("takes no address beside an image for one", () => {
    const near = { 0: driver - 1n, 8: driver + 0x9000n, 16: nt - 8n, 24: driver + (1n << 20n) };
    const { kernel } = machine(pointerSize, 7601, [
      poolPage(pointerSize, [{ tag: "Leak", bytes: 0x60, pointers: near }]),
    ]);
    expect(findPoolContent(kernel, KEY, modules)).toMatchObject({ blocks: 1, modules: [] });
  });

  it("knows a protected tag", () => {
    const blocks = [{ tag: "Leak", bytes: 0x40, protected: true, pointers: { 0: driver } }];
    const { kernel } = machine(pointerSize, 7601, [poolPage(pointerSize, blocks)]);
    expect(findPoolContent(kernel, KEY, modules)).toMatchObject({ blocks: 1 });
  });

  it("takes the tag's letters in data for no block, where blocks follow one another", () => {
    const page = poolPage(pointerSize, [{ tag: "Othr", bytes: 0x100, pointers: {} }]);
    page.set(Buffer.from("Leak"), 0x44);
    page.set([0, 0, 4, 3], 0x40);
    const { kernel } = machine(pointerSize, 7601, [page, new Uint8Array(0x1000).fill(0x4c)]);
    expect(findPoolContent(kernel, KEY, modules)).toMatchObject({ blocks: 0, modules: [] });
  });

  it("takes each block's own header for it in a segment heap", () => {
    const page = poolPage(pointerSize, [{ tag: "Leak", bytes: 0x60, pointers: { 8: driver } }]);
    // what stands before it says nothing there
    page[0] = 0x7f;
    const { kernel } = machine(pointerSize, 19041, [page]);
    expect(findPoolContent(kernel, KEY, modules)).toMatchObject({ blocks: 1, modules: [{ blocks: 1 }] });
  });

  it("reads large allocations too, as far as they can be read", () => {
    const { kernel, start, memory } = machine(pointerSize, 7601, [undefined]);
    const big = [0n, 0x10_0000n].map((offset) => ({
      at: va(start + offset),
      tag: "Leak",
      key: KEY,
      bytes: 0x3000,
      pool: "paged" as const,
    }));
    memory
      .map(start, 0x3000)
      .pageOut(start + 0x1000n, 0x1000)
      .pointer(start + 0x2ff8n, driver);
    const found = findPoolContent(kernel, KEY, modules, { big: [...big, { ...big[0]!, key: KEY + 1 }] });
    expect(found).toMatchObject({
      blocks: 1,
      bytes: 0x2000,
      modules: [{ blocks: 1, examples: [{ at: start + 0x2ff8n }] }],
    });
    expect(found.notes.at(-1)).toBe("1 of 2 allocations of a page and more could not be looked at");
  });

  it("takes an even sample of more than the budget, and says so", () => {
    const full = poolPage(pointerSize, [{ tag: "Leak", bytes: 0x60, pointers: { 0: driver } }]);
    const { kernel } = machine(
      pointerSize,
      7601,
      Array.from({ length: 256 }, () => full),
    );
    const found = findPoolContent(kernel, KEY, modules, { maxBytes: 0x4_0000 });
    expect(found.blocks).toBeLessThan(256);
    expect(found.blocks).toBeGreaterThanOrEqual(64);
    expect(found.notes).toEqual([expect.stringMatching(/^one in \d+ pieces of the pool was looked at$/)]);
  });
});

describe("a pool that is not there", () => {
  it("is said, and not taken for an empty one", () => {
    const { kernel } = machine(8, 7601, []);
    for (const without of [
      { ...kernel, triage: true },
      { ...kernel, kdbg: undefined },
    ]) {
      expect(findPoolContent(without, KEY, [])).toEqual({
        modules: [],
        blocks: 0,
        bytes: 0,
        notes: ["where the pools stand is not known, so that no small block could be looked at"],
      });
    }
  });
});

describe("ImageRanges", () => {
  it("finds images on both sides of a multiple of 4 GB", () => {
    const ranges = new ImageRanges([
      image("across", 0xfffff804_ffff_f000n, 0x3000),
      image("below", 0xfffff804_0000_0000n, 0x1000),
      image("empty", 0xfffff806_0000_0000n, 0),
    ]);
    expect(ranges.at(0xffff_f000, 0xfffff804)?.name).toBe("across");
    expect(ranges.at(0x1fff, 0xfffff805)?.name).toBe("across");
    expect(ranges.at(0x2000, 0xfffff805)).toBeUndefined();
    expect(ranges.at(0xfff, 0xfffff804)?.name).toBe("below");
    expect(ranges.at(0xfff, 0)).toBeUndefined();
    expect(new ImageRanges([]).at(0, 0)).toBeUndefined();
  });
});

describe("the samples", () => {
  const contentOf = (name: string) => {
    using dump = openDump(fileURLToPath(new URL(`../../../samples/${name}`, import.meta.url)));
    const kernel = poolKernelOf(dump.kernel, dump.space);
    const table = readBigPages(kernel);
    const big = "missing" in table ? [] : table.allocations;
    const content = findPoolContent(kernel, parseTag("Se").key, dump.modules.items, { big });
    return { content, walked: readPoolBlocks(kernel) };
  };

  it("leak-x64: the leaked SIDs of twelve pages lead into no image", () => {
    // leak-x64.mjs: 42 blocks a page, of 0x50 bytes each, which begin with a pointer to the SID behind it
    expect(contentOf("leak-x64.dmp").content).toEqual({
      modules: [],
      blocks: 504,
      bytes: 504 * 0x50,
      notes: ["24 of 24 allocations of a page and more could not be looked at"],
    });
  });

  it("article-2003: looks at each block that a walk of the pool's headers finds", () => {
    const { content, walked } = contentOf("article-2003.dmp");
    const usage = "missing" in walked ? [] : walked.usage.filter(({ tag }) => tag === "Se  ");
    expect(content.blocks).toBe(usage.reduce((sum, { blocks }) => sum + blocks, 0));
    expect(content.bytes).toBe(usage.reduce((sum, { bytes, blocks }) => sum + bytes - 8 * blocks, 0));
    expect(content.blocks).toBeGreaterThan(20);
    expect(content.modules).toEqual([]);
  });
});
