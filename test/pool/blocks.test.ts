import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupBy } from "../../src/core/search.ts";
import { readDump } from "../../src/dump/open.ts";
import { readKernel } from "../../src/kernel/kernel.ts";
import { parsePoolPage } from "../../src/pool/blocks.ts";
import { poolKernelOf } from "../../src/pool/pool-kernel.ts";
import { parseTag } from "../../src/pool/tag.ts";
import { openFile } from "../../src/source/node-files.ts";
import { walkPool } from "../fixtures/pool-pages.ts";

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

describe("the pages of a sample's pool", () => {
  it("have blocks of the sizes that the article's leak has", () => {
    using source = openFile(fileURLToPath(new URL("../../samples/article-2003.dmp", import.meta.url)));
    const { pages, blocks } = walkPool(poolKernelOf(readKernel(readDump(source))), parseTag("Se").key);
    // 24 pages: every eighth holds no `Se  `, and two that do are paged out; objects and their tables have others
    expect(pages).toBeGreaterThanOrEqual(22);
    expect(new Set(blocks.map(({ pool }) => pool))).toEqual(new Set(["paged"]));
    const sizes = [...groupBy(blocks, ({ bytes }) => bytes)].map(([bytes, alike]) => [bytes, alike.length]);
    expect(sizes.sort(([a], [b]) => a! - b!)).toEqual([
      [0x18, 4],
      [0x40, 15],
      [0x550, 19],
      [0x558, 19],
    ]);
  });
});
