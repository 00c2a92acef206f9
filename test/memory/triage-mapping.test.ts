import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import type { TriageBlock } from "../../src/dump/triage-blocks.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { BlockMapping } from "../../src/memory/triage-mapping.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";

/** Byte n of the file is n. */
const file = new BytesSource(
  Uint8Array.from({ length: 0x100 }, (_, i) => i),
  "triage",
);
const block = (start: bigint, length: number, fileOffset: number): TriageBlock => ({
  start: va(start),
  length,
  fileOffset,
});
const over = (...blocks: TriageBlock[]): AddressSpace => new AddressSpace(new BlockMapping(file, blocks, 8));

describe("BlockMapping", () => {
  it("reads across blocks that abut in memory but stand apart in the file, whatever their order", () => {
    const memory = over(block(0x1010n, 0x10, 0x20), block(0x1000n, 0x10, 0x80));
    expect([...memory.read(va(0x100en), 4)]).toEqual([0x8e, 0x8f, 0x20, 0x21]);
  });

  it("gives blocks that abut in the file too as one extent", () => {
    const memory = over(block(0x1010n, 0x10, 0x30), block(0x1000n, 0x10, 0x20), block(0x1020n, 0x10, 0x50));
    expect(memory.mapping.locate(va(0x1004n), 0x100)).toMatchObject({ offset: 0x24, length: 0x1c });
    expect(memory.mapping.locate(va(0x1004n), 6)).toMatchObject({ offset: 0x24, length: 6 });
  });

  it("reads blocks that overlap, nested ones too, without a byte lost or twice", () => {
    const memory = over(
      block(0x1008n, 0x10, 0x48),
      block(0x1000n, 0x10, 0x40),
      block(0x1002n, 4, 0x90),
      block(0x1000n, 4, 0x40),
    );
    expect([...memory.read(va(0x1000n), 0x18)]).toEqual(Array.from({ length: 0x18 }, (_, i) => 0x40 + i));
    expect(memory.spans(va(0x1000n), 0x20)).toEqual([
      { start: 0x1000n, length: 0x18, content: "dump" },
      { start: 0x1018n, length: 8, content: { kind: "not-mapped", va: 0x1018n, level: "block" } },
    ]);
  });

  it("says how far it is to the next block", () => {
    const memory = over(block(0x1000n, 0x10, 0x40), block(0x3000n, 0x10, 0x50));
    const hole = { fault: { kind: "not-mapped", va: 0x1010n, level: "block" }, length: 0x1ff0 };
    expect(memory.mapping.locate(va(0x1010n), 0x10000)).toEqual(hole);
    expect(memory.mapping.locate(va(0x0n), 0x10000)).toMatchObject({ length: 0x1000 });
    expect(memory.mapping.locate(va(0x3010n), 0x10000)).toMatchObject({ length: 0x10000 });
  });

  it("leaves out what a block claims past the end of the file or of the address space", () => {
    const memory = over(
      block(0x1000n, 0x10, 0xf8),
      block(0x2000n, 0x10, 0x1000),
      block(-0x8n + 2n ** 64n, 0x10, 0),
    );
    expect(memory.readableBytes(va(0x1000n), 0x2000)).toBe(8);
    expect(memory.mapping.locate(va(2n ** 64n - 8n), 0x100)).toMatchObject({ offset: 0, length: 8 });
  });

  it("reads nothing from no blocks", () => {
    expect(over().tryRead(va(0n), 1)).toBeUndefined();
  });
});
