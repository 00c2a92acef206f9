import { advance, PAGE_SIZE, type Va } from "../core/address.ts";
import { readBigPages } from "./big-pages.ts";
import { type BlockHeader, parseBlockHeader, parsePoolPage, SEGMENT_HEAP } from "./blocks.ts";
import type { PoolKernel } from "./pool-kernel.ts";
import { findHeapKeys, type HeapPiece, heapPieceAt } from "./segment-heap.ts";
import { printableCount, tableKey, tagText } from "./tag.ts";

/** A block of a pool. */
export interface PoolBlock {
  /** Of its header; of an allocation of a page and more, which has none, of its contents. */
  readonly start: Va;
  /** With its header. */
  readonly bytes: number;
  readonly tag: string;
  /** Without the protected bit. */
  readonly key: number;
  readonly protected: boolean;
  /** `undefined`: it is free, or its table does not say. */
  readonly pool: "nonPaged" | "paged" | undefined;
  readonly free: boolean;
  /** It is charged to a process. */
  readonly quota: boolean;
}

/** How a block was found. */
export type BlockBasis =
  /** In the table of allocations of a page and more. */
  | "big-pages"
  /** The blocks of its page follow one another from its start to its end. */
  | "page"
  /** The segment heap divides its memory so. */
  | "heap"
  /** Nothing but its header, which may be left over from a block that was freed. */
  | "header";

/** Which block an address lies in. */
export interface FoundBlock {
  readonly block: PoolBlock;
  readonly basis: BlockBasis;
  /** From the block's start, in bytes. */
  readonly offset: number;
  /** All blocks of its page, where they follow one another; only this one elsewhere. */
  readonly page: readonly PoolBlock[];
}

/** Why there is no answer. */
export interface NoBlock {
  readonly missing: "triage" | "not-in-dump" | "no-block";
}

/** The block of a pool that an address lies in, in its header or its contents. */
export function blockAt(kernel: PoolKernel, address: Va): FoundBlock | NoBlock {
  if (kernel.triage) return { missing: "triage" };
  const big = bigBlockAt(kernel, address);
  if (big !== undefined) return big;
  const start = advance(address, -Number(address & 0xfffn));
  const page = kernel.space.tryRead(start, PAGE_SIZE);
  if (page === undefined) return { missing: "not-in-dump" };
  return (
    blockOfPage(kernel, start, page, address) ??
    (kernel.build >= SEGMENT_HEAP || kernel.build === 0
      ? (blockOfHeap(kernel, address) ?? blockByHeader(kernel, start, page, address))
      : undefined) ?? { missing: "no-block" }
  );
}

function bigBlockAt(kernel: PoolKernel, address: Va): FoundBlock | undefined {
  const pages = readBigPages(kernel);
  if ("missing" in pages) return undefined;
  const found = pages.allocations.find(({ at, bytes }) => address >= at && address < advance(at, bytes));
  if (found === undefined) return undefined;
  const { at, bytes, tag, key, pool } = found;
  const block = { start: at, bytes, tag, key, protected: false, pool, free: false, quota: false };
  return { block, basis: "big-pages", offset: Number(address - at), page: [block] };
}

function blockOfPage(
  { space, build }: PoolKernel,
  start: Va,
  page: Uint8Array,
  address: Va,
): FoundBlock | undefined {
  const blocks = parsePoolPage(page, space.pointerSize, build)?.map((block) =>
    blockOf(advance(start, block.offset), block),
  );
  const block = blocks?.findLast((one) => one.start <= address);
  return block && { block, basis: "page", offset: Number(address - block.start), page: blocks ?? [] };
}

/** A pool's header stands at the start of the heap's piece, or on the next page where the piece would run into that. */
function blockOfHeap(kernel: PoolKernel, address: Va): FoundBlock | undefined {
  const keys = findHeapKeys(kernel, address);
  const piece = keys && heapPieceAt(kernel.space, address, keys);
  if (piece === undefined) return undefined;
  const header = headerIn(kernel, piece);
  if (header === undefined) return undefined;
  const block = { ...blockOf(header.at, header.header), free: piece.free };
  const one = piece.free ? { ...block, pool: undefined } : block;
  return { block: one, basis: "heap", offset: Number(address - one.start), page: [one] };
}

function headerIn(
  { space, build }: PoolKernel,
  { start, bytes }: HeapPiece,
): { at: Va; header: BlockHeader } | undefined {
  const nextPage = advance(start, PAGE_SIZE - Number(start & 0xfffn));
  for (const at of [start, nextPage]) {
    const room = bytes - Number(at - start);
    const head = room > 0 ? space.tryRead(at, 2 * space.pointerSize) : undefined;
    if (head === undefined) continue;
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    const header = parseBlockHeader(view, 0, space.pointerSize, build);
    if (header.bytes > 0 && header.bytes <= room && printableCount(header.key) >= 3) return { at, header };
  }
  return undefined;
}

/**
 * The nearest header below an address whose block reaches it, which says of which pool it is, has a tag, and has a
 * neighbour of its kind: any sixteen bytes can look like a header, but not those at the end of the block as well.
 */
function blockByHeader(
  { space, build }: PoolKernel,
  start: Va,
  page: Uint8Array,
  address: Va,
): FoundBlock | undefined {
  const unit = 2 * space.pointerSize;
  const inPage = Number(address - start);
  const view = new DataView(page.buffer, page.byteOffset, PAGE_SIZE);
  const headerAt = (at: number): BlockHeader | undefined => {
    if (at < 0 || at + unit > PAGE_SIZE) return undefined;
    const header = parseBlockHeader(view, at, space.pointerSize, build);
    const fits = header.bytes > unit && at + header.bytes <= PAGE_SIZE;
    return fits && header.pool !== undefined && printableCount(header.key) === 4 ? header : undefined;
  };
  // the heap's own header stands between blocks of any size, and nothing between those of one size
  const follows = (at: number): boolean => headerAt(at) !== undefined || headerAt(at + unit) !== undefined;
  const isFollowed = (at: number): boolean => {
    for (let before = at - unit; before >= 0; before -= unit) {
      const end = before + (headerAt(before)?.bytes ?? 0);
      if (end === at || end + unit === at) return true;
    }
    return false;
  };
  for (let at = inPage - (inPage % unit); at >= 0; at -= unit) {
    const header = headerAt(at);
    if (header === undefined || at + header.bytes <= inPage) continue;
    if (!follows(at + header.bytes) && !isFollowed(at)) continue;
    const block = blockOf(advance(start, at), header);
    return { block, basis: "header", offset: inPage - at, page: [block] };
  }
  return undefined;
}

function blockOf(start: Va, { bytes, key, pool, quota }: BlockHeader): PoolBlock {
  const plain = tableKey(key);
  return {
    start,
    bytes,
    tag: tagText(plain),
    key: plain,
    protected: plain !== key,
    pool,
    free: pool === undefined,
    quota,
  };
}
