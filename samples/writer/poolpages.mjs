import { Area, tagKey } from "./bytes.mjs";

/**
 * Pool pages with walkable headers, in the form of the 32-bit builds before Vista and of the 64-bit ones alike.
 * @typedef {{ tag: string, bytes: number, free?: boolean, content?: Uint8Array }} Block bytes: with its header, a multiple of 8 (16 on 64 bits)
 */

/**
 * @param {import("./machine.mjs").Machine} machine @param {bigint} va of the page, mapped
 * @param {readonly Block[]} blocks the rest of the page becomes one free block
 * @param {{ paged: boolean, index?: number }} options
 */
export function writePoolPage(machine, va, blocks, { paged, index = 0 }) {
  const unit = machine.is64 ? 16 : 8;
  const used = blocks.reduce((n, b) => n + b.bytes, 0);
  if (used > 0x1000) throw new RangeError(`0x${used.toString(16)} bytes of blocks in one page`);
  const all = used === 0x1000 ? blocks : [...blocks, { tag: "Free", bytes: 0x1000 - used, free: true }];
  // before Vista the type is stored plus one, so paged is even; from Vista on paged is odd
  const type = machine.build < 6000 ? (paged ? 2 : 1) : paged ? 3 : 2;
  const page = new Area(0x1000);
  let at = 0;
  let previous = 0;
  for (const block of all) {
    if (block.bytes % unit !== 0) throw new RangeError(`${block.bytes} is no block size`);
    const size = block.bytes / unit;
    const kind = block.free === true ? 0 : type;
    if (machine.is64)
      page
        .u8(at, previous)
        .u8(at + 1, index)
        .u8(at + 2, size & 0xff)
        .u8(at + 3, kind);
    else page.u16(at, previous | (index << 9)).u16(at + 2, (size & 0x1ff) | (kind << 9));
    page.u32(at + 4, tagKey(block.tag));
    if ("content" in block && block.content !== undefined)
      page.put(
        at + (machine.is64 ? 16 : 8),
        block.content.subarray(0, block.bytes - (machine.is64 ? 16 : 8)),
      );
    previous = size;
    at += block.bytes;
  }
  machine.write(va, page.bytes);
}
