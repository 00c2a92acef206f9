import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { readDump } from "../../src/dump/open.ts";
import { readKernel } from "../../src/kernel/kernel.ts";
import { parsePoolPage } from "../../src/pool/block-page.ts";
import { type NoPoolBlocks, type PoolBlocks, readPoolBlocks } from "../../src/pool/blocks.ts";
import { type PoolKernel, poolKernelOf } from "../../src/pool/pool-kernel.ts";
import { parseTag } from "../../src/pool/tag.ts";
import { openFile } from "../../src/source/file-source.ts";

const open: Disposable[] = [];
afterAll(() => {
  for (const source of open) source[Symbol.dispose]();
});

function sample(name: string): PoolKernel {
  const source = openFile(fileURLToPath(new URL(`../../samples/${name}`, import.meta.url)));
  open.push(source);
  return poolKernelOf(readKernel(readDump(source)));
}

function found(blocks: PoolBlocks | NoPoolBlocks): PoolBlocks {
  if ("missing" in blocks) throw new Error(blocks.reason);
  return blocks;
}

/** A page of blocks: sizes with their headers, in bytes; type as the header stores it. */
function pageOf(
  pointerSize: 4 | 8,
  blocks: readonly { bytes: number; type: number; tag: string }[],
): Uint8Array {
  const page = new Uint8Array(0x1000);
  const view = new DataView(page.buffer);
  const unit = pointerSize * 2;
  let at = 0;
  let previous = 0;
  for (const { bytes, type, tag } of blocks) {
    const size = bytes / unit;
    const bits = pointerSize === 4 ? 9 : 8;
    view.setUint16(at, previous, true);
    view.setUint16(at + 2, size | (type << bits), true);
    view.setUint32(at + 4, parseTag(tag).key, true);
    previous = size;
    at += bytes;
  }
  return page;
}

describe("parsePoolPage", () => {
  it.each([
    [3790, 4, 2, "paged"],
    [3790, 4, 1, "nonPaged"],
    [3790, 4, 0, undefined],
    [6000, 4, 1, "paged"],
    [7601, 8, 3, "paged"],
    [7601, 8, 2, "nonPaged"],
  ] as const)("build %d, %d-byte pointers: type %d is %s", (build, pointerSize, type, pool) => {
    const page = pageOf(pointerSize, [
      { bytes: 0x800, type, tag: "Se" },
      { bytes: 0x800, type: 0, tag: "Free" },
    ]);
    expect(parsePoolPage(page, pointerSize, build)).toMatchObject([
      { offset: 0, bytes: 0x800, key: parseTag("Se").key, pool },
      { offset: 0x800, bytes: 0x800, key: parseTag("Free").key, pool: undefined },
    ]);
  });

  it("refuses a page where one block does not know the size of the one before", () => {
    const page = pageOf(8, [
      { bytes: 0x800, type: 2, tag: "Se" },
      { bytes: 0x800, type: 2, tag: "Se" },
    ]);
    page[0x800] = (page[0x800] ?? 0) ^ 1;
    expect(parsePoolPage(page, 8, 7601)).toBeUndefined();
  });

  it("ends on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4096, maxLength: 4096 }), (page) => {
        const blocks = parsePoolPage(page, 8, 7601) ?? [];
        expect(blocks.length).toBeLessThanOrEqual(256);
      }),
    );
  });
});

describe("readPoolBlocks", () => {
  it("gives the sizes of the article's leaking blocks", () => {
    const blocks = found(readPoolBlocks(sample("article-2003.dmp")));
    // 24 pages: every eighth holds no `Se  `, and two that do are paged out
    expect(blocks.usage.find(({ tag }) => tag === "Se  ")).toMatchObject({
      pool: "paged",
      blocks: 57,
      sizes: [
        { bytes: 0x18, blocks: 4 },
        { bytes: 0x40, blocks: 15 },
        { bytes: 0x550, blocks: 19 },
        { bytes: 0x558, blocks: 19 },
      ],
    });
    expect(blocks.pages.walked).toBe(22);
    expect(blocks.stopped).toBe(false);
  });

  it("stops at its budget, and says so", () => {
    const blocks = found(readPoolBlocks(sample("article-2003.dmp"), { maxPages: 3 }));
    expect(blocks.stopped).toBe(true);
    expect(blocks.pages.walked + blocks.pages.other).toBe(3);
    expect(blocks.notes.join()).toContain("only 3 readable pages");
  });

  it("says that a segment heap has no such chain", () => {
    expect(readPoolBlocks(sample("leak-x64.dmp"))).toEqual({
      missing: "segment-heap",
      reason:
        "the pool of build 19041 is a segment heap: its blocks do not follow one another by their headers",
    });
  });

  it("says that it does not know where the pools stand", () => {
    const kernel = sample("article-2003.dmp");
    expect(readPoolBlocks({ ...kernel, kdbg: undefined })).toMatchObject({ missing: "no-ranges" });
    expect(readPoolBlocks({ ...kernel, triage: true })).toMatchObject({ missing: "triage" });
  });
});
