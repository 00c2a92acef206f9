import { expect, it } from "vitest";
import { Area } from "../../samples/writer/bytes.mjs";
import { readDump } from "../../src/dump/open.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";

it("says how many segments of an ELF core it reads, where there are more than any has (MAX_SEGMENTS)", () => {
  const segments = 1_048_577;
  const sectionsAt = 0x40 + segments * 0x38;
  const memoryAt = sectionsAt + 0x40;
  const file = new Area(memoryAt + 0x2000)
    .ascii(0, "\x7fELF\x02\x01")
    .u16(0x10, 4)
    .u64(0x20, 0x40)
    .u64(0x28, sectionsAt)
    .u16(0x36, 0x38)
    // the count stands in sh_info of the first section
    .u16(0x38, 0xffff)
    .u32(sectionsAt + 0x2c, segments);
  // a page of memory in each of the first segment, the last that is read and the one behind it
  for (const [segment, page] of [
    [0, 1],
    [1_048_575, 2],
    [1_048_576, 3],
  ] as const) {
    const at = 0x40 + segment * 0x38;
    file
      .u32(at, 1)
      .u64(at + 8, memoryAt)
      .u64(at + 0x18, page * 0x1000)
      .u64(at + 0x20, 0x1000);
  }
  const { memory, notes } = readDump(new BytesSource(file.bytes, "x.elf"));
  expect(notes).toEqual([
    "the core has 1048577 segments, of which 1048576 are read: pages of the others are missing",
  ]);
  expect("pages" in memory && [1, 2, 3].map((pfn) => memory.pages.locate(pfn))).toEqual([
    memoryAt,
    memoryAt,
    -1,
  ]);
});
