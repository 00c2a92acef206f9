import { Buffer } from "node:buffer";
import { advance, type Va } from "../../core/address.ts";
import { MAX_POOL_SEARCH, MAX_POOL_SPANS } from "../../core/limits.ts";
import type { BigAllocation } from "../../pool/big-pages.ts";
import { parsePoolPage } from "../../pool/block-page.ts";
import { poolRanges } from "../../pool/blocks.ts";
import type { AddressRange, PoolKernel } from "../../pool/pool-kernel.ts";

/** What a search of the pool looked at. */
export interface PoolSearch {
  /** Bytes of pool that can be read, and how many of them were looked at. */
  readonly readable: number;
  readonly searched: number;
  readonly notes: readonly string[];
}

/** A block of the tag: told its contents, without its header, and where they stand. */
export type OnBlock = (contents: Uint8Array, at: Va) => void;

const PAGE = 0x1000;
const CHUNK = 64 * PAGE;
/** The first build whose pools are segment heaps, without a chain of headers. */
const SEGMENT_HEAP = 18362;
/** A slot of the top level of the page tables: since Windows 10 each holds one kind of memory. */
const SLOT = 1n << 39n;
/** Slots that are looked into: one or two for each kind of pool. */
const MAX_SLOTS = 8;
/** What one question about the address space covers, and what one table of pages does: that much work it can be. */
const STEP = 2 ** 30;
const TABLE = 2 ** 21;

/**
 * Finds small blocks of a tag in the pools: where they stand by KDBG, else in the parts of the address
 * space in which allocations of a page and more stand. Of more memory than the budget allows an even
 * sample is taken.
 *
 * @param key the tag's four bytes, without the protected bit
 * @param big allocations of a page and more, of any tag
 */
export function findTagBlocks(
  kernel: PoolKernel,
  key: number,
  big: readonly BigAllocation[],
  onBlock: OnBlock,
  options: { readonly maxBytes?: number; readonly signal?: AbortSignal } = {},
): PoolSearch {
  const known = kernel.triage ? [] : poolRanges(kernel);
  const ranges = known.length > 0 || kernel.space.pointerSize === 4 ? known : slotsOf(big);
  if (ranges.length === 0) {
    const notes = ["where the pools stand is not known, so that no small block could be looked at"];
    return { readable: 0, searched: 0, notes };
  }
  const { chunks, readable, whole } = readableChunks(kernel, ranges);
  const stride = Math.max(1, Math.ceil(readable / (options.maxBytes ?? MAX_POOL_SEARCH)));
  const needles = [key, (key | 0x8000_0000) >>> 0].map(bytesOf);
  const buffer = Buffer.alloc(CHUNK);
  let searched = 0;
  for (let i = 0; i < chunks.length; i += stride) {
    options.signal?.throwIfAborted();
    const { start, length } = chunks[i] as AddressRange;
    const bytes = buffer.subarray(0, length);
    kernel.space.readSparseInto(start, bytes, (offset, size) => bytes.fill(0, offset, offset + size));
    searched += length;
    searchChunk(kernel, bytes, start, needles, onBlock);
  }
  const notes = [
    ...(stride > 1 ? [`one in ${stride} pieces of the pool was looked at`] : []),
    ...(whole
      ? []
      : ["the pool is in more pieces than are looked at: what stands in the last ones is not known"]),
  ];
  return { readable, searched, notes };
}

function searchChunk(
  { space, build }: PoolKernel,
  bytes: Buffer,
  start: Va,
  needles: readonly Uint8Array[],
  onBlock: OnBlock,
): void {
  const header = 2 * space.pointerSize;
  const pages = new Map<number, ReadonlyMap<number, number>>();
  for (const needle of needles) {
    for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) {
      const offset = at - 4;
      if (offset < 0 || offset % header !== 0) continue;
      const page = offset - (offset % PAGE);
      let length: number | undefined;
      if (build < SEGMENT_HEAP) {
        let blocks = pages.get(page);
        if (blocks === undefined) {
          blocks = blocksOf(bytes.subarray(page, page + PAGE), space.pointerSize, build);
          pages.set(page, blocks);
        }
        length = blocks.get(offset - page);
      } else {
        length = lengthByHeader(bytes, offset, space.pointerSize);
      }
      if (length === undefined || length <= header) continue;
      onBlock(bytes.subarray(offset + header, offset + length), advance(start, offset + header));
    }
  }
}

/** The blocks in use of a page, by their offset. */
function blocksOf(page: Uint8Array, pointerSize: 4 | 8, build: number): ReadonlyMap<number, number> {
  const blocks = page.length === PAGE ? parsePoolPage(page, pointerSize, build) : undefined;
  const used = (blocks ?? []).filter(({ pool }) => pool !== undefined);
  return new Map(used.map(({ offset, bytes }) => [offset, bytes]));
}

/** A block's length in bytes by its own header, where it can be one in use. */
function lengthByHeader(bytes: Buffer, offset: number, pointerSize: 4 | 8): number | undefined {
  const word = bytes.readUInt16LE(offset + 2);
  const [units, type] = pointerSize === 4 ? [word & 0x1ff, word >> 9] : [word & 0xff, word >> 8];
  const length = units * 2 * pointerSize;
  return type !== 0 && length > 0 && (offset % PAGE) + length <= PAGE ? length : undefined;
}

function slotsOf(big: readonly BigAllocation[]): readonly AddressRange[] {
  const starts = new Set(big.map(({ at }) => at - (at % SLOT)));
  return [...starts].slice(0, MAX_SLOTS).map((start) => ({ start: start as Va, length: Number(SLOT) }));
}

/** What can be read of the ranges, in pieces that end at pages; without reading any of it. */
function readableChunks(
  { space }: PoolKernel,
  ranges: readonly AddressRange[],
): { chunks: readonly AddressRange[]; readable: number; whole: boolean } {
  const chunks: AddressRange[] = [];
  let readable = 0;
  let steps = 0;
  for (const { start, length } of ranges) {
    for (let done = 0; done < length; ) {
      const at = advance(start, done);
      const want = Math.min(length - done, STEP);
      const found = space.mapping.locate(at, want);
      const size = Math.min(found.length, want);
      done += size;
      steps += 1 + Math.ceil(size / TABLE);
      if (steps > MAX_POOL_SPANS) return { chunks, readable, whole: false };
      if ("fault" in found) continue;
      readable += size;
      for (let part = 0; part < size; part += CHUNK) {
        chunks.push({ start: advance(at, part), length: Math.min(CHUNK, size - part) });
      }
    }
  }
  return { chunks, readable, whole: true };
}

function bytesOf(key: number): Uint8Array {
  return Uint8Array.of(key & 0xff, (key >>> 8) & 0xff, (key >>> 16) & 0xff, key >>> 24);
}
