import { advance, type Va } from "../core/address.ts";
import type { MemoryFault } from "../core/errors.ts";
import { MAX_POOL_RUNS, MAX_POOL_SPANS } from "../core/limits.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { AddressRange } from "./pool-kernel.ts";

const PAGE = 0x1000;
/** Entries of one table of pages: looking at so many is one step. */
const ENTRIES = 512;
/** Two runs and the hole between them, against the runs alone, where they are taken for one. */
const MOST_HOLES = 4;
/** What one question about the address space covers. */
const REACH = 2 ** 36;
/** Bytes that an entry of each level covers, in tables of four levels; other machines' are smaller. */
const COVERS: Readonly<Record<string, number>> = {
  PML5E: 2 ** 48,
  PML4E: 2 ** 39,
  L0: 2 ** 39,
  PDPTE: 2 ** 30,
  L1: 2 ** 30,
  PDE: 2 ** 21,
  L2: 2 ** 21,
};

/** Pages that can be read, as runs of neighbours. Takes no more memory for more pages than it has runs. */
export class MemoryRuns {
  /** Page numbers: 52 bits, so that a number holds each exactly. */
  #starts: Float64Array = new Float64Array(1024);
  #lengths: Float64Array = new Float64Array(1024);
  /** Pages before each run; made when the first page is asked for. */
  #before: Float64Array | undefined;
  #count = 0;
  readonly #most: number;
  /** Pages of all runs; of a scattered pool with the small holes between them. */
  pages = 0;
  /** In bytes, without holes. */
  readable = 0;
  /** False: there is more than was looked at. */
  whole = true;

  /** @param most runs that are kept apart */
  constructor(most: number = MAX_POOL_RUNS) {
    this.#most = most;
  }

  /**
   * @param start of a page. Runs come in order of address within a range
   * @returns whether there is room for more
   */
  add(start: Va, pages: number): boolean {
    const first = Number(start >> 12n);
    const last = this.#count - 1;
    const follows = last >= 0 && (this.#starts[last] ?? 0) + (this.#lengths[last] ?? 0) === first;
    if (!follows && this.#count === this.#most && !this.#thin()) {
      this.whole = false;
      return false;
    }
    this.#before = undefined;
    this.readable += pages * PAGE;
    this.pages += pages;
    if (follows) {
      this.#lengths[last] = (this.#lengths[last] ?? 0) + pages;
      return true;
    }
    if (this.#count === this.#starts.length) this.#grow();
    this.#starts[this.#count] = first;
    this.#lengths[this.#count++] = pages;
    return true;
  }

  /** The page of that number, counted over all runs, and how many follow it in its run, itself included. */
  at(index: number): { readonly start: Va; readonly pages: number } | undefined {
    if (!(index >= 0 && index < this.pages)) return undefined;
    const before = this.#sums();
    let from = 0;
    let to = this.#count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((before[middle] as number) <= index) from = middle + 1;
      else to = middle;
    }
    const within = index - (before[from - 1] ?? 0);
    const start = (BigInt((this.#starts[from - 1] ?? 0) + within) << 12n) as Va;
    return { start, pages: (this.#lengths[from - 1] ?? 0) - within };
  }

  #sums(): Float64Array {
    if (this.#before !== undefined) return this.#before;
    const sums = new Float64Array(this.#count);
    let sum = 0;
    for (let i = 0; i < this.#count; i++) {
      sums[i] = sum;
      sum += this.#lengths[i] ?? 0;
    }
    this.#before = sums;
    return sums;
  }

  #grow(): void {
    const size = Math.min(this.#starts.length * 2, this.#most);
    const copy = (from: Float64Array): Float64Array => {
      const to = new Float64Array(size);
      to.set(from.subarray(0, this.#count));
      return to;
    };
    this.#starts = copy(this.#starts);
    this.#lengths = copy(this.#lengths);
  }

  /**
   * Makes one of each two runs that are near each other, with the hole between them.
   *
   * @returns false: too few are, and trying again would only take time
   */
  #thin(): boolean {
    let kept = 0;
    let pages = 0;
    for (let i = 0; i < this.#count; ) {
      const start = this.#starts[i] ?? 0;
      let length = this.#lengths[i++] ?? 0;
      const next = this.#lengths[i] ?? 0;
      const both = (this.#starts[i] ?? 0) + next - start;
      if (i < this.#count && both > 0 && both <= MOST_HOLES * (length + next)) {
        length = both;
        i++;
      }
      this.#starts[kept] = start;
      this.#lengths[kept++] = length;
      pages += length;
    }
    const freed = this.#count - kept;
    this.#count = kept;
    this.pages = pages;
    return freed > this.#most / 8;
  }
}

/** What can be read of the ranges, without reading any of it. */
export function readableRuns(
  space: AddressSpace,
  ranges: readonly AddressRange[],
  most: number = MAX_POOL_RUNS,
): MemoryRuns {
  const runs = new MemoryRuns(most);
  let steps = 0;
  for (const { start, length } of ranges) {
    for (let done = 0; done < length; ) {
      const at = advance(start, done);
      const want = Math.min(length - done, REACH);
      const found = space.mapping.locate(at, want);
      const size = Math.min(found.length, want);
      done += size;
      const covers = "fault" in found ? (COVERS[levelOf(found.fault)] ?? PAGE) : PAGE;
      steps += 1 + size / covers / ENTRIES;
      if (steps > MAX_POOL_SPANS) {
        runs.whole = false;
        return runs;
      }
      if ("fault" in found || size < PAGE) continue;
      if (!runs.add(at, Math.floor(size / PAGE))) return runs;
    }
  }
  return runs;
}

function levelOf(fault: MemoryFault): string {
  return ("level" in fault ? fault.level : undefined) ?? "";
}
