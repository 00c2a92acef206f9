import { Area, tagKey } from "./bytes.mjs";

/**
 * Pool of 64-bit builds from 18362 on: pieces of segment heaps, by their public layouts. A block here is a pool's, with its
 * header.
 * @typedef {Pick<import("./machine.mjs").Machine, "build"> & { write(va: bigint, bytes: Uint8Array): unknown }} Target
 * @typedef {{ tag: string, bytes: number, free?: boolean, paged?: boolean }} HeapBlock bytes: with its 16-byte header, a multiple of 16
 */

/** POOL_HEADER. @param {Area} area @param {number} at @param {HeapBlock} block */
function poolHeader(area, at, { tag, bytes, paged = true, free = false }) {
  area
    .u8(at, 0x5a)
    .u8(at + 2, bytes / 16)
    .u8(at + 3, free ? 0 : paged ? 3 : 2)
    .u32(at + 4, tagKey(tag));
}

/**
 * A HEAP_VS_SUBSEGMENT: chunks of any size, each with a header that is combined with the heap's key and its own address.
 * @param {Target} machine @param {bigint} va page-aligned, mapped
 * @param {{ key: bigint, pages: number, blocks: readonly HeapBlock[] }} options what is left becomes one free chunk
 * @returns {bigint[]} where each block has its header
 */
export function writeVsSubsegment(machine, va, { key, pages, blocks }) {
  const area = new Area(pages * 0x1000);
  const units = (pages * 0x1000) / 16;
  area.u16(0x20, units).u16(0x22, (units ^ 0x2bed) & 0x7fff);
  let at = 0x30;
  let previous = 0;
  const chunk = (/** @type {number} */ bytes, /** @type {boolean} */ free) => {
    const bits =
      (BigInt(bytes / 16) << 16n) | (BigInt(previous / 16) << 32n) | ((free ? 0n : 1n) << 48n) | 0x20n;
    area.u64(at, bits ^ key ^ (va + BigInt(at)));
    previous = bytes;
    at += bytes;
  };
  const headers = blocks.map((block) => {
    const here = at + 16;
    const toNext = 0x1000 - (here % 0x1000);
    // a block that would run into the next page starts there
    const skip = toNext < block.bytes ? toNext : 0;
    poolHeader(area, here + skip, block);
    chunk(16 + skip + block.bytes, block.free === true);
    return va + BigInt(here + skip);
  });
  if (at < pages * 0x1000) chunk(pages * 0x1000 - at, true);
  machine.write(va, area.bytes);
  return headers;
}

/**
 * A HEAP_LFH_SUBSEGMENT: blocks of one size behind a map with two bits for each.
 * @param {Target} machine @param {bigint} va page-aligned, mapped
 * @param {{ key: bigint, pages: number, block: HeapBlock, busy: (index: number) => boolean }} options key: the one of such subsegments
 * @returns {bigint[]} where each block has its header
 */
export function writeLfhSubsegment(machine, va, { key, pages, block, busy }) {
  const area = new Area(pages * 0x1000);
  // the map takes room itself: with the most blocks that could fit it is surely large enough
  const room = pages * 0x1000 - 0x30;
  const count = Math.floor(room / (block.bytes + 0.25)) - 1;
  const first = Math.ceil((0x30 + Math.ceil(count / 4)) / 16) * 16;
  const indices = Array.from({ length: count }, (_, index) => index);
  area.u16(0x20, indices.filter((index) => !busy(index)).length).u16(0x22, count);
  const low = Number(BigInt.asUintN(32, machine.build >= 26100 ? va >> 12n : BigInt.asUintN(32, va) >> 12n));
  area.u32(0x28, (block.bytes | (first << 16)) ^ Number(BigInt.asUintN(32, key)) ^ low);
  for (const index of indices) {
    if (!busy(index)) continue;
    const at = 0x30 + (index >> 2);
    area.u8(at, (area.bytes[at] ?? 0) | (1 << ((index & 3) * 2)));
  }
  const headers = indices.map((index) => {
    const at = first + index * block.bytes;
    // what was freed keeps its header
    poolHeader(area, at, block);
    return va + BigInt(at);
  });
  machine.write(va, area.bytes);
  return headers;
}
