import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openDump } from "../../../src/api/open-dump.ts";
import { type Va, va } from "../../../src/core/address.ts";
import { readBigPages } from "../../../src/pool/big-pages.ts";
import { poolKernelOf } from "../../../src/pool/pool-kernel.ts";
import { parseTag } from "../../../src/pool/tag.ts";
import { findBlockContents } from "../../../src/trail/blocks/find-contents.ts";
import { poolMachine, poolPage, repeatedPage, segmentPage, walkPool } from "../../fixtures/pool-pages.ts";

const KEY = parseTag("Leak").key;

const image = (name: string, base: bigint, size: number): { name: string; base: Va; end: Va } => ({
  name,
  base: va(base),
  end: va(base + BigInt(size)),
});

describe.each([
  [4, 0x8080_0000n, 0xb8f0_4000n],
  [8, 0xfffff804_7ba0_0000n, 0xfffff805_0000_1000n],
] as const)("findBlockContents with pointers of %i bytes", (pointerSize, nt, driver) => {
  const modules = [image("leaky", driver, 0x9000), image("nt", nt, 0x10_0000)];
  const unit = 2 * pointerSize;

  it("counts blocks of the tag that lead into images, and shows where", () => {
    const pages = [
      poolPage(pointerSize, 7601, [
        { tag: "Leak", bytes: 0x60, pointers: { 0: driver + 0x123n, 8: driver, 16: nt } },
        { tag: "Othr", bytes: 0x60, pointers: { 0: driver } },
        { tag: "Leak", bytes: 0x40 },
        { tag: "Leak", bytes: 0x20, pointers: { 0: driver + 0x8fffn } },
      ]),
      undefined,
      poolPage(pointerSize, 7601, [{ tag: "Leak", bytes: 0x60, type: 0, pointers: { 0: driver } }]),
    ];
    const { kernel, start } = poolMachine(pointerSize, 7601, pages);
    const found = findBlockContents(kernel, KEY, modules);
    expect(found).toMatchObject({
      basis: "kdbg",
      searched: 0x2000,
      readable: 0x2000,
      blocks: 3,
      bytes: 0xc0 - 3 * unit,
      followed: 3,
      sizes: [0x20, 0x40, 0x60].map((bytes) => ({ bytes, blocks: 1 })),
      bigSizes: [],
      billed: [],
      notes: [],
    });
    expect(
      found.byModule.map(({ module, direct, unknown }) => [module.name, direct.blocks, unknown]),
    ).toEqual([
      ["leaky", 2, 2],
      ["nt", 1, 1],
    ]);
    expect(found.byModule[0]?.direct.examples).toEqual([
      { at: start + BigInt(unit), target: driver + 0x123n },
      { at: start + 0x100n + BigInt(unit), target: driver + 0x8fffn },
    ]);
  });

  it("takes no address beside an image for one", () => {
    const near = { 0: driver - 1n, 8: driver + 0x9000n, 16: nt - 8n, 24: driver + (1n << 20n) };
    const { kernel } = poolMachine(pointerSize, 7601, [
      poolPage(pointerSize, 7601, [{ tag: "Leak", bytes: 0x60, pointers: near }]),
    ]);
    expect(findBlockContents(kernel, KEY, modules)).toMatchObject({ blocks: 1, byModule: [] });
  });

  it("knows a protected tag", () => {
    const blocks = [{ tag: "Leak", bytes: 0x40, protected: true, pointers: { 0: driver } }];
    const { kernel } = poolMachine(pointerSize, 7601, [poolPage(pointerSize, 7601, blocks)]);
    expect(findBlockContents(kernel, KEY, modules)).toMatchObject({ blocks: 1 });
  });

  it("takes the tag's letters in data for no block, where blocks follow one another", () => {
    const page = poolPage(pointerSize, 7601, [{ tag: "Othr", bytes: 0x100, pointers: {} }]);
    page.set(Buffer.from("Leak"), 0x44);
    page.set([0, 0, 4, 3], 0x40);
    const { kernel } = poolMachine(pointerSize, 7601, [page, new Uint8Array(0x1000).fill(0x4c)]);
    expect(findBlockContents(kernel, KEY, modules)).toMatchObject({ blocks: 0, byModule: [] });
  });

  it("reads large allocations too, as far as they can be read", () => {
    const { kernel, start, memory } = poolMachine(pointerSize, 7601, [undefined]);
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
    const found = findBlockContents(kernel, KEY, modules, { big: [...big, { ...big[0]!, key: KEY + 1 }] });
    expect(found).toMatchObject({
      blocks: 1,
      bytes: 0x2000,
      sizes: [],
      bigSizes: [{ bytes: 0x3000, blocks: 2 }],
      byModule: [{ direct: { blocks: 1, examples: [{ at: start + 0x2ff8n }] } }],
    });
    expect(found.notes).toContainEqual({ kind: "big-unread", blocks: 1, of: 2 });
  });

  it("tells code from data by the image's sections", () => {
    const sections = [
      { rva: 0x1000, virtualSize: 0x2000, executable: true },
      { rva: 0x4000, virtualSize: 0x800, executable: false },
    ];
    const pointers = { 0: driver + 0x2fffn, 8: driver + 0x4000n, 16: driver + 0x47ffn, 24: driver + 0x4800n };
    const { kernel } = poolMachine(pointerSize, 7601, [
      poolPage(pointerSize, 7601, [{ tag: "Leak", bytes: 0x60, pointers }]),
    ]);
    const leaky = { ...image("leaky", driver, 0x9000), image: { sections } };
    expect(findBlockContents(kernel, KEY, [leaky]).byModule).toMatchObject([
      { code: 1, data: 1, unknown: 1 },
    ]);
  });
});

describe("a pool that is not there", () => {
  it("is said, and not taken for an empty one", () => {
    const { kernel } = poolMachine(8, 7601, []);
    expect(findBlockContents({ ...kernel, triage: true }, KEY, [])).toMatchObject({
      basis: undefined,
      byModule: [],
      blocks: 0,
      readable: 0,
      notes: [{ kind: "not-searched", why: "triage" }],
    });
  });
});

/** As many blocks of 0x60 bytes as there shall be, on as many pages as they take; the last seven hold no pointer. */
function leakedPages(
  pointerSize: 4 | 8,
  build: number,
  count: number,
  pointer: bigint,
): readonly Uint8Array[] {
  const perPage = build < 18362 ? 40 : 36;
  return Array.from({ length: Math.ceil(count / perPage) }, (_, page) => {
    const blocks = Array.from({ length: Math.min(perPage, count - page * perPage) }, (__, i) => ({
      tag: "Leak",
      bytes: 0x60,
      pointers: page * perPage + i < count - 7 ? { 0x10: pointer } : {},
    }));
    return build < 18362
      ? poolPage(pointerSize, build, blocks)
      : segmentPage(pointerSize, build, blocks, 0x10);
  });
}

describe.each([
  ["Server 2003, x86", 4, 3790, 0xb8f0_4000n],
  ["Windows 7, x64", 8, 7601, 0xffff_f880_0100_0000n],
  ["Windows 10 before segment heaps, x64", 8, 15063, 0xffff_f80c_0100_0000n],
  ["Windows 10 with segment heaps, x64", 8, 19041, 0xffff_f80c_0100_0000n],
  ["Windows 10 with segment heaps, x86", 4, 19041, 0x8f00_4000n],
] as const)("40,007 leaked blocks of %s", (_, pointerSize, build, driver) => {
  const modules = [image("leaky", driver, 0x9000)];
  const pages = leakedPages(pointerSize, build, 40_007, driver + 0x2340n);
  const { kernel, memory } = poolMachine(pointerSize, build, pages);
  const freed = build < 18362 ? [] : [{ kind: "freed-too" }];
  const followed = { kind: "followed", of: 40_007 };

  it("are counted, with the 40,000 that lead to their driver (MAX_FOLLOWED_BLOCKS)", () => {
    const found = findBlockContents(kernel, KEY, modules, { outstanding: 40_007 });
    expect(found).toMatchObject({
      basis: "kdbg",
      blocks: 40_007,
      sizes: [{ bytes: 0x60, blocks: 40_007 }],
      byModule: [
        {
          module: { name: "leaky" },
          direct: { blocks: 40_000 },
          places: [{ offset: 0x10, target: driver + 0x2340n, blocks: 40_000 }],
          oneStep: { blocks: 0 },
        },
      ],
    });
    expect(found.byModule[0]?.direct.examples.length).toBeGreaterThan(8);
    expect(found.notes).toMatchObject([...freed, followed]);
    // of 4,096 at most, every sixteenth
    expect(found.followed).toBe(2501);
  });

  it("are found where nothing says where the pools stand", () => {
    const found = findBlockContents({ ...kernel, variables: undefined }, KEY, modules);
    expect(found).toMatchObject({
      basis: "kernel-space",
      blocks: 40_007,
      byModule: [{ direct: { blocks: 40_000 } }],
    });
    expect(found.notes).toMatchObject([{ kind: "whole-kernel-space" }, ...freed, followed]);
  });

  it("are found where what KDBG names is another part of the pool", () => {
    const wrong = {
      ...kernel.variables!,
      mmPagedPoolStart: undefined,
      mmNonPagedPoolStart: va(0x8088_0100n),
    };
    memory.pointer(0x8088_0100n, 0xffff_e000n).pointer(0x8088_0110n, 0xffff_f000n);
    const elsewhere = {
      ...kernel,
      variables: { ...wrong, mmNonPagedPoolEnd: va(0x8088_0110n) } as typeof kernel.variables,
    };
    expect(findBlockContents(elsewhere, KEY, modules, { outstanding: 40_007 })).toMatchObject({
      basis: "kernel-space",
      blocks: 40_007,
    });
  });
});

describe("a segment heap", () => {
  const driver = 0xffff_f80c_0100_0000n;
  const modules = [image("leaky", driver, 0x9000)];
  const block = { tag: "Leak", bytes: 0x60, pointers: { 0: driver } };

  it("is searched where large allocations stand, in their slots of the address space", () => {
    const { kernel, start } = poolMachine(8, 19041, [segmentPage(8, 19041, [block, block, block])]);
    const big = [
      { at: va(start + 0x10_0000_0000n), tag: "Othr", key: 1, bytes: 0x2000, pool: "paged" as const },
    ];
    const found = findBlockContents({ ...kernel, variables: undefined }, KEY, modules, { big });
    expect(found).toMatchObject({ basis: "big-pages", blocks: 3, byModule: [{ direct: { blocks: 3 } }] });
  });

  it("takes a header that nothing confirms for data, and says so", () => {
    const lone = segmentPage(8, 19041, [block], 0x20);
    // the same letters where no header can be: its size leads out of the page
    lone.set(Buffer.from("Leak"), 0xff4);
    lone[0xff2] = 0x60;
    lone[0xff3] = 3;
    const { kernel } = poolMachine(8, 19041, [lone]);
    expect(findBlockContents(kernel, KEY, modules)).toMatchObject({
      blocks: 0,
      notes: [{ kind: "doubtful", blocks: 1 }],
    });
  });

  it("confirms a header by the one behind it, with the heap's own between", () => {
    for (const gap of [0, 0x10]) {
      const page = segmentPage(8, 19041, [block, { tag: "Othr", bytes: 0x40 }], gap);
      const { kernel } = poolMachine(8, 19041, [page]);
      expect(findBlockContents(kernel, KEY, modules)).toMatchObject({ blocks: 1 });
    }
  });
});

describe("a sample", () => {
  const driver = 0xffff_f880_0100_0000n;
  const modules = [image("leaky", driver, 0x9000)];
  const full = poolPage(8, 7601, [
    { tag: "Leak", bytes: 0x400, pointers: { 0: driver } },
    { tag: "Leak", bytes: 0x400, pointers: { 0: driver } },
  ]);
  const other = poolPage(8, 7601, [{ tag: "Othr", bytes: 0x60 }]);

  it("is even over the whole pool, not its start", () => {
    // the leaker's pages are the last quarter
    const pages = Array.from({ length: 4096 }, (_, i) => (i < 3072 ? other : full));
    const { kernel } = poolMachine(8, 7601, pages);
    const found = findBlockContents(kernel, KEY, modules, { roundBytes: 0x20_0000, maxBytes: 0x20_0000 });
    expect(found.searched).toBeLessThanOrEqual(0x20_0000);
    // an eighth of 2,048 blocks
    expect(found.blocks).toBeGreaterThan(230);
    expect(found.blocks).toBeLessThan(280);
    expect(found.byModule[0]?.direct.blocks).toBe(found.blocks);
    expect(found.notes).toContainEqual({ kind: "sampled", one: 8 });
  });

  it("ends with what is outstanding", () => {
    const pages = Array.from({ length: 4096 }, () => other);
    const { kernel } = poolMachine(8, 7601, pages);
    const options = { roundBytes: 0x20_0000, maxBytes: 0x200_0000, outstanding: 0 };
    expect(findBlockContents(kernel, KEY, modules, options)).toMatchObject({
      basis: "kdbg",
      searched: 0x20_0000,
    });
  });

  it("grows while it finds few blocks, up to the budget", () => {
    const pages = Array.from({ length: 4096 }, (_, i) => (i === 2900 ? full : other));
    const { kernel } = poolMachine(8, 7601, pages);
    const found = findBlockContents(kernel, KEY, modules, { roundBytes: 0x20_0000, maxBytes: 0x200_0000 });
    expect(found).toMatchObject({ blocks: 2, searched: 0x100_0000, readable: 0x100_0000, notes: [] });
  });
});

describe("a search of a large pool", () => {
  const other = poolPage(8, 7601, [{ tag: "Othr", bytes: 0x60 }]);

  it("ends after 32 MB where those show enough (MAX_POOL_ROUND)", () => {
    const { kernel } = repeatedPage(8, 7601, poolPage(8, 7601, [{ tag: "Leak", bytes: 0x60 }]), 3 * 0x2000);
    const found = findBlockContents(kernel, KEY, []);
    expect(found).toMatchObject({ blocks: 0x2000, searched: 0x200_0000, readable: 0x600_0000 });
    expect(found.notes).toContainEqual({ kind: "sampled", one: 3 });
  });

  it("ends after 128 MB, whatever those show (MAX_POOL_SEARCH)", () => {
    const { kernel } = repeatedPage(8, 7601, other, 0x1_0000);
    expect(findBlockContents(kernel, KEY, [])).toMatchObject({
      blocks: 0,
      searched: 0x800_0000,
      readable: 0x1000_0000,
      notes: [{ kind: "sampled", one: 2 }],
    });
  });

  it("looks at 64 MB of allocations of a page and more, and counts the others (MAX_BIG_CONTENT)", () => {
    const count = 0x4001;
    const { kernel, start } = repeatedPage(8, 7601, other, count);
    const big = Array.from({ length: count }, (_, i) => ({
      at: va(start + BigInt(i) * 0x1000n),
      tag: "Leak",
      key: KEY,
      bytes: 0x1000,
      pool: "paged" as const,
    }));
    const found = findBlockContents(kernel, KEY, [], { big });
    expect(found).toMatchObject({ blocks: 0x4000, bytes: 0x400_0000 });
    expect(found.notes).toContainEqual({ kind: "big-unread", blocks: 1, of: 0x4001 });
  });

  it("keeps 32 examples of what leads to a module, and counts all (MAX_CONTENT_EXAMPLES)", () => {
    const driver = 0xffff_f880_0100_0000n;
    const object = 0xffff_f8a0_0000_0000n + 33n * 0x40n + 0x10n;
    const blocks = Array.from({ length: 33 }, () => ({
      tag: "Leak",
      bytes: 0x40,
      pointers: { 0: driver, 8: object },
    }));
    const page = poolPage(8, 7601, [...blocks, { tag: "Obj1", bytes: 0x40, pointers: { 0: driver } }]);
    const { kernel } = poolMachine(8, 7601, [page]);
    const [leaky] = findBlockContents(kernel, KEY, [image("leaky", driver, 0x9000)]).byModule;
    expect([leaky?.direct, leaky?.oneStep].map((way) => [way?.blocks, way?.examples.length])).toEqual([
      [33, 32],
      [33, 32],
    ]);
  });
});

describe("the samples", () => {
  const contentOf = (name: string) => {
    using dump = openDump(fileURLToPath(new URL(`../../../samples/${name}`, import.meta.url)));
    const kernel = poolKernelOf(dump.kernel, dump.space);
    const table = readBigPages(kernel);
    const big = "missing" in table ? [] : table.allocations;
    const content = findBlockContents(kernel, parseTag("Se").key, dump.modules.items, { big });
    return { content, walked: walkPool(kernel, parseTag("Se").key) };
  };

  it("leak-x64: the leaked SIDs of twelve pages lead into no image", () => {
    // leak-x64.mjs: 42 blocks a page, of 0x50 bytes each, which begin with a pointer to the SID behind it
    expect(contentOf("leak-x64.dmp").content).toMatchObject({
      byModule: [],
      blocks: 504,
      bytes: 504 * 0x50,
      sizes: [{ bytes: 0x60, blocks: 504 }],
      billed: [],
      notes: [{ kind: "freed-too" }, { kind: "big-unread", blocks: 24, of: 24 }],
    });
  });

  it("article-2003: looks at each block that a walk of the pool's headers finds", () => {
    const { content, walked } = contentOf("article-2003.dmp");
    expect(content.blocks).toBe(walked.blocks.length);
    expect(content.bytes).toBe(walked.blocks.reduce((sum, { bytes }) => sum + bytes - 8, 0));
    expect(content.blocks).toBeGreaterThan(20);
    expect(content.byModule).toEqual([]);
  });
});
