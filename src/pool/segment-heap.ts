import { advance, type Va } from "../core/address.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { PoolKernel } from "./pool-kernel.ts";

/** A piece of a segment heap that an address lies in, as the heap divides its memory. */
export interface HeapPiece {
  /** `vs`: pieces of any size, one behind the other; `lfh`: pieces of one size. */
  readonly form: "vs" | "lfh";
  /** Behind the heap's own header, where it has one: there the pool's header stands. */
  readonly start: Va;
  /** Without the heap's own header. */
  readonly bytes: number;
  readonly free: boolean;
}

/**
 * Keys that the heaps' own data are combined with: numbers that the kernel draws as it starts.
 *
 * @see the layouts of HEAP_VS_SUBSEGMENT and HEAP_LFH_SUBSEGMENT in the public symbols of builds 18362 to 22621
 */
export interface HeapKeys {
  readonly heap: bigint;
  readonly lfh: bigint;
}

const PAGE = 0x1000;
const VS = { size: 0x20, first: 0x30, header: 0x10, magic: 0x2bed, unit: 0x10, pages: 256 } as const;
const LFH = { counts: 0x20, offsets: 0x28, bitmap: 0x30, pages: 64, most: 0x1000, slack: 0x100 } as const;
/** Pages on either side that subsegments are looked for in: 16 MB, the larger kind of segment. */
const PAGES_AROUND = 4096;
/** Subsegments that nt's data are looked through for the key of. */
const MOST_TRIED = 8;
/** Chunks that have to follow one another for a number to be the key. */
const PROVING = 4;

/** Subsegments are found by the page that they start on, at or below an address. */
function* pagesBelow(address: Va, most: number): Generator<Va> {
  const page = advance(address, -Number(address & 0xfffn));
  for (let back = 0; back < most; back++) yield advance(page, -back * PAGE);
}

/** Where a run of chunks of any size begins that holds an address: its size stands there twice, once with bits turned over. */
function vsSubsegmentOf(
  space: AddressSpace,
  address: Va,
  pages: number = VS.pages,
): { at: Va; end: Va } | undefined {
  for (const at of pagesBelow(address, pages)) {
    const bytes = space.tryRead(advance(at, VS.size), 4);
    if (bytes === undefined) continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset, 4);
    const units = view.getUint16(0, true);
    if (units === 0 || (units ^ VS.magic) % 0x8000 !== view.getUint16(2, true) % 0x8000) continue;
    const end = advance(at, units * VS.unit);
    if (address < end && address >= advance(at, VS.first)) return { at, end };
  }
  return undefined;
}

/** One chunk's header with the key taken out. */
interface Chunk {
  readonly at: Va;
  /** With the header. */
  readonly bytes: number;
  readonly previous: number;
  readonly free: boolean;
}

function chunkOf(word: bigint, at: Va, key: bigint): Chunk | undefined {
  const bits = word ^ key ^ at;
  const bytes = Number((bits >> 16n) & 0xffffn) * VS.unit;
  if (bytes < 2 * VS.header || bits >> 56n !== 0n) return undefined;
  const previous = Number((bits >> 32n) & 0xffffn) * VS.unit;
  return { at, bytes, previous, free: ((bits >> 48n) & 0xffn) === 0n };
}

/** Follows chunks from a subsegment's first one; ends where one does not know the size of the one before it. */
function* chunksOf(
  space: AddressSpace,
  { at, end }: { readonly at: Va; readonly end: Va },
  key: bigint,
): Generator<Chunk> {
  let previous = 0;
  for (let next = advance(at, VS.first); next < end; ) {
    const word = space.tryRead(next, 8);
    if (word === undefined) return;
    const chunk = chunkOf(new DataView(word.buffer, word.byteOffset, 8).getBigUint64(0, true), next, key);
    if (chunk === undefined || chunk.previous !== previous || advance(next, chunk.bytes) > end) return;
    yield chunk;
    previous = chunk.bytes;
    next = advance(next, chunk.bytes);
  }
}

/** Whether chunks follow one another with the key, as far as a number drawn by chance never gets. */
function isKey(space: AddressSpace, subsegment: { readonly at: Va; readonly end: Va }, key: bigint): boolean {
  let count = 0;
  let reached = subsegment.at;
  for (const { at, bytes } of chunksOf(space, subsegment, key)) {
    reached = advance(at, bytes);
    if (++count === PROVING) return true;
  }
  return count >= 2 && reached === subsegment.end;
}

/**
 * Finds the heaps' keys in nt's data without symbols: the number under which the chunks of a subsegment follow one
 * another, and the one behind it. `undefined` where there is no subsegment around, or no number there is such a key.
 *
 * @param near an address in a pool
 */
export function findHeapKeys({ space, nt }: PoolKernel, near: Va): HeapKeys | undefined {
  if (space.pointerSize !== 8) return undefined;
  let tried = 0;
  for (const subsegment of subsegmentsAround(space, near)) {
    const firstAt = advance(subsegment.at, VS.first);
    const first = space.tryRead(firstAt, 8);
    if (first === undefined) continue;
    const word = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true);
    for (const { start, length } of nt?.writable ?? []) {
      const { bytes } = space.readSparse(start, length);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let offset = 0; offset + 16 <= bytes.length; offset += 8) {
        const key = view.getBigUint64(offset, true);
        const chunk = key === 0n ? undefined : chunkOf(word, firstAt, key);
        if (chunk?.previous !== 0 || !isKey(space, subsegment, key)) continue;
        return { heap: key, lfh: view.getBigUint64(offset + 8, true) };
      }
    }
    if (++tried === MOST_TRIED) return undefined;
  }
  return undefined;
}

/** That of the address, then those of the memory around it, which is mostly of the same heap. */
function* subsegmentsAround(space: AddressSpace, near: Va): Generator<{ at: Va; end: Va }> {
  const own = vsSubsegmentOf(space, near);
  if (own !== undefined) yield own;
  const page = advance(near, -Number(near & 0xfffn));
  for (let distance = 0; distance < PAGES_AROUND; distance++) {
    for (const at of [advance(page, distance * PAGE), advance(page, -distance * PAGE)]) {
      const found = vsSubsegmentOf(space, advance(at, VS.first), 1);
      if (found !== undefined) yield found;
    }
  }
}

/** The piece of a segment heap that an address lies in; `undefined` where nothing there proves to be one. */
export function heapPieceAt(space: AddressSpace, address: Va, keys: HeapKeys): HeapPiece | undefined {
  const subsegment = vsSubsegmentOf(space, address);
  if (subsegment !== undefined && isKey(space, subsegment, keys.heap)) {
    for (const { at, bytes, free } of chunksOf(space, subsegment, keys.heap)) {
      if (address >= advance(at, bytes)) continue;
      return { form: "vs", start: advance(at, VS.header), bytes: bytes - VS.header, free };
    }
    return undefined;
  }
  for (const at of pagesBelow(address, LFH.pages)) {
    const found = lfhBlock(space, at, address, keys.lfh);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Blocks of one size behind a map with two bits each, which say how many are free as the header does. */
function lfhBlock(space: AddressSpace, at: Va, address: Va, key: bigint): HeapPiece | undefined {
  const head = space.tryRead(at, LFH.bitmap);
  if (head === undefined) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const [free, count] = [view.getUint16(LFH.counts, true), view.getUint16(LFH.counts + 2, true)];
  if (count === 0 || free > count) return undefined;
  const raw = view.getUint32(LFH.offsets, true) ^ Number(key & 0xffff_ffffn);
  const low = Number(at & 0xffff_ffffn) >>> 12;
  // until 26100 the low half of the address was shifted, then the low half of what is shifted
  for (const mixed of new Set([low, Number((at >> 12n) & 0xffff_ffffn)])) {
    const offsets = (raw ^ mixed) >>> 0;
    const [bytes, first] = [offsets & 0xffff, offsets >>> 16];
    if (bytes === 0 || bytes % 0x10 !== 0 || bytes > LFH.most) continue;
    const mapEnd = LFH.bitmap + Math.ceil(count / 4);
    if (first % 0x10 !== 0 || first < mapEnd || first > mapEnd + LFH.slack) continue;
    const index = Math.floor((Number(address - at) - first) / bytes);
    if (index < 0 || index >= count) continue;
    const map = space.tryRead(advance(at, LFH.bitmap), Math.ceil(count / 4));
    if (map === undefined) continue;
    const busy = (block: number): boolean => (((map[block >> 2] ?? 0) >> ((block & 3) * 2)) & 3) === 1;
    const used = Array.from({ length: count }, (_, block) => busy(block)).filter(Boolean).length;
    if (used > count - free) continue;
    return { form: "lfh", start: advance(at, first + index * bytes), bytes, free: !busy(index) };
  }
  return undefined;
}
