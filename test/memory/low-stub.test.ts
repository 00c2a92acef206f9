import { expect, it } from "vitest";
import { Area } from "../../samples/writer/bytes.mjs";
import { mapOf } from "../../src/dump/run-map.ts";
import { lowStubRoots } from "../../src/memory/low-stub.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { CachedSource } from "../../src/source/page-cache.ts";

/** Low memory with a block at 0x13000, as MemProcFS and others describe it. */
function memory(change: (block: Area) => void): Parameters<typeof lowStubRoots>[0] {
  const block = new Area(0x1000).u64(0, 0x00000001000600e9n | 0x4500n).u64(0x70, 0xfffff8047bc01230n);
  block.u64(0xa0, 0x1ae000n);
  change(block);
  const bytes = new Uint8Array(0x20_0000);
  bytes.set(block.bytes, 0x13000);
  const source = new CachedSource(new BytesSource(bytes, "low"));
  return { source, pages: mapOf([{ pfn: 0, count: 0x200, offset: 0 }], bytes.length) };
}

it("reads the root of the kernel's tables out of the block that wakes processors", () => {
  expect(lowStubRoots(memory(() => {}))).toEqual([0x1ae000n]);
});

it.each([
  ["another start", (block: Area) => void block.u64(0, 0x00000001000700e9n)],
  ["an entry that is no kernel's", (block: Area) => void block.u64(0x70, 0x7ff800001230n)],
  ["a CR3 that is no page's", (block: Area) => void block.u64(0xa0, 0x1ae123n)],
  ["no CR3", (block: Area) => void block.u64(0xa0, 0n)],
])("takes no block with %s for one", (_, change) => {
  expect(lowStubRoots(memory(change))).toEqual([]);
});
