import { advance, PAGE_SIZE, type Va } from "../../core/address.ts";
import { indexOfBytes } from "../../core/byte-search.ts";
import { wordBytes } from "../../core/bytes.ts";
import { MAX_POOL_ROUND, MAX_POOL_SEARCH } from "../../core/limits.ts";
import { type BlockHeader, parseBlockHeader, parsePoolPage, SEGMENT_HEAP } from "../../pool/blocks.ts";
import { EvenPieces } from "../../pool/even-pieces.ts";
import { mappedRuns } from "../../pool/memory-runs.ts";
import type { PoolKernel } from "../../pool/pool-kernel.ts";
import type { PoolPlaces } from "../../pool/pool-places.ts";
import { keyForms, printableCount } from "../../pool/tag.ts";

/** A block of the tag. */
export interface FoundBlock {
  readonly header: BlockHeader;
  /** Where its header stands. */
  readonly start: Va;
  /** The header and the contents behind it; overwritten when the next block is told. */
  readonly bytes: Uint8Array;
}

/** What a search of the pool looked at. */
export interface PoolSearch {
  readonly basis: PoolPlaces["basis"];
  /** Bytes there that can be read, and how many of them were looked at. Of a sample the first is an estimate. */
  readonly readable: number;
  readonly searched: number;
  /** All that was found to be there was looked at. */
  readonly all: boolean;
  /** False: there is more pool than was found. */
  readonly whole: boolean;
  /** Headers with the tag that nothing confirms: they are left out. */
  readonly doubtful: number;
}

export interface SearchBudget {
  /** Bytes of one look; another one follows where few blocks are found. */
  readonly roundBytes?: number;
  readonly maxBytes?: number;
  /** Blocks that there can be at the most; absent where that is not known. */
  readonly mostBlocks?: number;
}

const CHUNK = 64 * PAGE_SIZE;
/** Blocks after which a search does not look any further: shares of so many are exact to a few per cent. */
const ENOUGH = 1024;
/** Of address space with page tables much is not in memory: so many times the budget of it is tried. */
const MOST_VISITED = 8;
/** Blocks of one size and kind that confirm one another. */
const REPEATED = 3;

/**
 * Finds small blocks of a tag in some places. Of more memory than one look takes it is an even sample,
 * and looks go on until there are enough blocks, or the budget is spent.
 *
 * @param key the tag's four bytes, with or without the protected bit
 */
export function findTagBlocks(
  kernel: PoolKernel,
  key: number,
  places: PoolPlaces,
  onBlock: (block: FoundBlock) => void,
  budget: SearchBudget = {},
): PoolSearch {
  const { roundBytes = MAX_POOL_ROUND, maxBytes = MAX_POOL_SEARCH, mostBlocks = ENOUGH } = budget;
  const runs = mappedRuns(kernel.space, places.ranges);
  const pieces = new EvenPieces(runs, Math.max(1, Math.floor(Math.min(roundBytes, maxBytes) / PAGE_SIZE)));
  const finder = new BlockFinder(kernel, key, onBlock);
  const buffer = new Uint8Array(CHUNK);
  const enough = Math.min(ENOUGH, mostBlocks);
  let [searched, visited, round] = [0, 0, 0];
  while (round < pieces.rounds) {
    let read = 0;
    for (const { start, pages } of pieces.of(round)) {
      const bytes = buffer.subarray(0, pages * PAGE_SIZE);
      visited += bytes.length;
      let missing = 0;
      kernel.space.readSparseInto(start, bytes, (offset, size) => {
        bytes.fill(0, offset, offset + size);
        missing += size;
      });
      read += bytes.length - missing;
      if (missing < bytes.length) finder.search(bytes, start);
    }
    round++;
    searched += read;
    if (finder.found >= enough && searched >= roundBytes) break;
    if (searched + read > maxBytes || visited > MOST_VISITED * maxBytes) break;
  }
  const all = round === pieces.rounds;
  const readable = all ? searched : Math.round((searched / visited) * runs.pages) * PAGE_SIZE;
  return { basis: places.basis, readable, searched, all, whole: runs.whole, doubtful: finder.doubtful };
}

class BlockFinder {
  found = 0;
  readonly #kernel: PoolKernel;
  readonly #needles: readonly Uint8Array[];
  readonly #onBlock: (block: FoundBlock) => void;
  /** Blocks in use follow one another by their headers; `undefined`: either can be. */
  readonly #chained: boolean | undefined;
  /** Headers of a segment heap by what they say, since data can look like one; with those that nothing confirms yet. */
  readonly #alike = new Map<string, { seen: number; pending: FoundBlock[] }>();

  constructor(kernel: PoolKernel, key: number, onBlock: (block: FoundBlock) => void) {
    this.#kernel = kernel;
    this.#needles = keyForms(key).map(wordBytes);
    this.#onBlock = onBlock;
    this.#chained = kernel.build === 0 ? undefined : kernel.build < SEGMENT_HEAP;
  }

  /** @param bytes whole pages */
  search(bytes: Uint8Array, start: Va): void {
    const { space, build } = this.#kernel;
    const unit = 2 * space.pointerSize;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const chains = new Map<number, ReadonlyMap<number, BlockHeader> | undefined>();
    for (const needle of this.#needles) {
      for (let at = indexOfBytes(bytes, needle); at >= 0; at = indexOfBytes(bytes, needle, at + 1)) {
        const offset = at - 4;
        if (offset < 0 || offset % unit !== 0) continue;
        const page = offset - (offset % PAGE_SIZE);
        if (this.#chained !== false && !chains.has(page)) {
          chains.set(page, this.#chain(bytes.subarray(page, page + PAGE_SIZE)));
        }
        const chain = chains.get(page);
        if (chain !== undefined) {
          const header = chain.get(offset - page);
          if (header === undefined) continue;
          this.#tell({ header, start: advance(start, offset), bytes: bytesOf(bytes, offset, header) });
        } else if (this.#chained !== true) {
          const header = parseBlockHeader(view, offset, space.pointerSize, build);
          if (!fits(header, offset)) continue;
          const confirmed = this.#isFollowed(view, offset, header);
          this.#tellLoose(
            { header, start: advance(start, offset), bytes: bytesOf(bytes, offset, header) },
            confirmed,
          );
        }
      }
    }
  }

  /** Headers with the tag that nothing confirmed. */
  get doubtful(): number {
    return [...this.#alike.values()].reduce((sum, { pending }) => sum + pending.length, 0);
  }

  /** The blocks in use of a page, by their offset; `undefined` where it is no page of blocks. */
  #chain(page: Uint8Array): ReadonlyMap<number, BlockHeader> | undefined {
    const { space, build } = this.#kernel;
    const blocks = parsePoolPage(page, space.pointerSize, build);
    if (blocks === undefined) return undefined;
    return new Map(
      blocks.flatMap((block) => (block.pool === undefined ? [] : [[block.offset, block] as const])),
    );
  }

  /** Whether the block ends with its page, or a header stands behind it; a heap may put one of its own between. */
  #isFollowed(view: DataView, offset: number, { bytes }: BlockHeader): boolean {
    const { space, build } = this.#kernel;
    const end = offset + bytes;
    if (end % PAGE_SIZE === 0) return true;
    return [end, end + 2 * space.pointerSize].some((at) => {
      if (at + 8 > view.byteLength || Math.floor(at / PAGE_SIZE) !== Math.floor(offset / PAGE_SIZE))
        return false;
      const next = parseBlockHeader(view, at, space.pointerSize, build);
      return fits(next, at) && printableCount(next.key) >= 3;
    });
  }

  /** @param confirmed by what stands behind it; else others of its kind have to */
  #tellLoose(block: FoundBlock, confirmed: boolean): void {
    const { bytes, pool, quota } = block.header;
    const name = `${bytes}:${pool}:${quota}`;
    let alike = this.#alike.get(name);
    if (alike === undefined) {
      alike = { seen: 0, pending: [] };
      this.#alike.set(name, alike);
    }
    alike.seen++;
    if (!confirmed && alike.seen < REPEATED) {
      alike.pending.push({ ...block, bytes: block.bytes.slice() });
      return;
    }
    if (alike.seen >= REPEATED) for (const one of alike.pending.splice(0)) this.#tell(one);
    this.#tell(block);
  }

  #tell(block: FoundBlock): void {
    if (block.header.bytes <= 2 * this.#kernel.space.pointerSize) return;
    this.found++;
    this.#onBlock(block);
  }
}

function bytesOf(bytes: Uint8Array, offset: number, header: BlockHeader): Uint8Array {
  return bytes.subarray(offset, offset + header.bytes);
}

/** Whether a header at that offset can be one of a block in use. */
function fits({ bytes, pool }: BlockHeader, offset: number): boolean {
  return pool !== undefined && bytes > 0 && (offset % PAGE_SIZE) + bytes <= PAGE_SIZE;
}
