import { advance, type Va } from "../core/address.ts";
import { MAX_POOL_PAGES } from "../core/limits.ts";
import { readableChunks } from "../memory/chunks.ts";
import { type Block, parsePoolPage } from "./block-page.ts";
import type { AddressRange, PoolKernel, PoolVariables } from "./pool-kernel.ts";
import { tableKey, tagText } from "./tag.ts";

/** Blocks of one tag in one pool. */
export interface BlockUsage {
  readonly tag: string;
  /** Without the protected bit. */
  readonly key: number;
  readonly pool: "nonPaged" | "paged";
  readonly blocks: number;
  /** With their headers. */
  readonly bytes: number;
  /** How many blocks of each size, the smallest size first. */
  readonly sizes: readonly { readonly bytes: number; readonly blocks: number }[];
}

/** What the pool's own headers say. */
export interface PoolBlocks {
  /** The most bytes first. */
  readonly usage: readonly BlockUsage[];
  readonly free: { readonly blocks: number; readonly bytes: number };
  readonly pages: {
    /** Whose blocks follow one another from its start to its end. */
    readonly walked: number;
    /** Readable, but no page of small blocks: parts of larger allocations, or unused. */
    readonly other: number;
  };
  /** Not all readable pages were looked at. */
  readonly stopped: boolean;
  readonly notes: readonly string[];
}

/** Why there is no answer. */
export interface NoPoolBlocks {
  readonly missing: "triage" | "segment-heap" | "no-ranges";
  readonly reason: string;
}

export interface BlockOptions {
  /** Readable pages to look at; a million is 4 GB. */
  readonly maxPages?: number;
  readonly signal?: AbortSignal;
  /** Told the readable pages looked at so far, and the most that will be. */
  readonly onProgress?: (pages: number, most: number) => void;
}

/** The first build whose pools are segment heaps, without a chain of headers. */
const SEGMENT_HEAP = 18362;
const PAGE = 0x1000;
const PROGRESS_EVERY = 4096;

/**
 * Reads the headers of the pool's small blocks, page by page. A page counts when its blocks follow one
 * another to its end and each knows the size of the one before it: nothing else in memory does that.
 */
export function readPoolBlocks(kernel: PoolKernel, options: BlockOptions = {}): PoolBlocks | NoPoolBlocks {
  const { space, build } = kernel;
  if (kernel.triage) {
    return { missing: "triage", reason: "a triage dump (minidump) does not hold the pool" };
  }
  if (build >= SEGMENT_HEAP) {
    const reason = `the pool of build ${build} is a segment heap: its blocks do not follow one another by their headers`;
    return { missing: "segment-heap", reason };
  }
  const ranges = poolRanges(kernel);
  if (ranges.length === 0) {
    return {
      missing: "no-ranges",
      reason: "this Windows does not say where its pools stand, and what it says cannot be read",
    };
  }
  const most = Math.min(options.maxPages ?? MAX_POOL_PAGES, MAX_POOL_PAGES);
  const tally = new Tally();
  const pages = { walked: 0, other: 0 };
  let looked = 0;
  let stopped = false;
  for (const range of ranges) {
    const buffer = new Uint8Array(64 * PAGE);
    for (const { va, bytes } of readableChunks(space, range.start, range.length, buffer)) {
      const skew = (PAGE - Number(va & 0xfffn)) % PAGE;
      for (let at = skew; at + PAGE <= bytes.length && !stopped; at += PAGE) {
        const blocks = parsePoolPage(bytes.subarray(at, at + PAGE), space.pointerSize, build);
        if (blocks === undefined) pages.other++;
        else {
          pages.walked++;
          for (const block of blocks) tally.add(block);
        }
        looked++;
        if (looked % PROGRESS_EVERY === 0) options.onProgress?.(looked, most);
        stopped = looked >= most;
      }
      options.signal?.throwIfAborted();
      if (stopped) break;
    }
    if (stopped) break;
  }
  return {
    usage: tally.usage(),
    free: tally.free,
    pages,
    stopped,
    notes: stopped
      ? [`only ${looked} readable pages were looked at: sizes are those of a part of the pool`]
      : [],
  };
}

class Tally {
  readonly free = { blocks: 0, bytes: 0 };
  readonly #sizes = new Map<
    string,
    { key: number; pool: "nonPaged" | "paged"; sizes: Map<number, number> }
  >();

  add({ key, bytes, pool }: Block): void {
    if (pool === undefined) {
      this.free.blocks++;
      this.free.bytes += bytes;
      return;
    }
    const plain = tableKey(key);
    const name = `${plain}:${pool}`;
    let sum = this.#sizes.get(name);
    if (sum === undefined) {
      sum = { key: plain, pool, sizes: new Map() };
      this.#sizes.set(name, sum);
    }
    sum.sizes.set(bytes, (sum.sizes.get(bytes) ?? 0) + 1);
  }

  usage(): readonly BlockUsage[] {
    const all = [...this.#sizes.values()].map(({ key, pool, sizes }) => {
      const list = [...sizes].map(([bytes, blocks]) => ({ bytes, blocks })).sort((a, b) => a.bytes - b.bytes);
      const blocks = list.reduce((sum, one) => sum + one.blocks, 0);
      const bytes = list.reduce((sum, one) => sum + one.bytes * one.blocks, 0);
      return { tag: tagText(key), key, pool, blocks, bytes, sizes: list };
    });
    return all.sort((a, b) => b.bytes - a.bytes || a.key - b.key);
  }
}

/**
 * Where the pools stand, by KDBG's variables; their ends are the last byte or the one behind it. On 32-bit
 * machines the nonpaged pool goes on behind the paged one, and its range holds that of the other.
 */
export function poolRanges({ space, kdbg }: PoolKernel): readonly AddressRange[] {
  const value = (field: keyof PoolVariables): Va | undefined => {
    const at = kdbg?.[field];
    return at === undefined ? undefined : space.tryReadPointer(at);
  };
  const pairs = [
    [value("mmNonPagedPoolStart"), value("mmNonPagedPoolEnd")],
    [value("mmPagedPoolStart"), value("mmPagedPoolEnd")],
  ] as const;
  const ranges = pairs.flatMap(([from, to]) => {
    if (from === undefined || to === undefined || from === 0n || to <= from) return [];
    const start = advance(from, -Number(from & 0xfffn));
    const length = Number(to - start);
    return [{ start, length: Math.ceil(length / PAGE) * PAGE }];
  });
  const [first, second] = ranges;
  if (first === undefined || second === undefined) return ranges;
  const [low, high] = first.start <= second.start ? [first, second] : [second, first];
  const gap = Number(high.start - low.start);
  if (gap > low.length) return ranges;
  return [{ start: low.start, length: Math.max(low.length, gap + high.length) }];
}
