import { PAGE_SIZE } from "../core/address.ts";
import { upperBound } from "../core/search.ts";
import { NOT_IN_DUMP, type PageMap, type PageRun, TRUNCATED } from "./page-map.ts";

/** Runs as they stand in a dump, a number of each in turn; a large dump has a million. */
export interface RunTable {
  readonly pfns: Float64Array;
  /** In pages. */
  readonly counts: Float64Array;
  readonly fileOffsets: Float64Array;
}

/** A page map over runs: a full dump has at most 86, an RDMP dump as many as memory is scattered. */
export class RunMap implements PageMap {
  readonly present: number;
  readonly missing: number;
  readonly highestPfn: number;
  /** Runs that named pages which another run names too. */
  readonly overlaps: number;
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  readonly #fileOffsets: Float64Array;
  readonly #fileSize: number;
  #recent = 0;

  /** @param table in any order; where runs overlap, the one that starts first gives the page */
  constructor(table: RunTable, fileSize: number) {
    const { pfns, counts, fileOffsets } = sorted(table);
    this.#fileSize = fileSize;
    this.#starts = new Float64Array(pfns.length);
    this.#ends = new Float64Array(pfns.length);
    this.#fileOffsets = new Float64Array(pfns.length);
    let length = 0;
    let overlaps = 0;
    for (let i = 0; i < pfns.length; i++) {
      const end = (pfns[i] as number) + (counts[i] as number);
      const start = Math.max(pfns[i] as number, length === 0 ? 0 : (this.#ends[length - 1] as number));
      if (start !== pfns[i]) overlaps++;
      if (start >= end) continue;
      this.#starts[length] = start;
      this.#ends[length] = end;
      this.#fileOffsets[length++] = (fileOffsets[i] as number) + (start - (pfns[i] as number)) * PAGE_SIZE;
    }
    this.#starts = this.#starts.subarray(0, length);
    this.overlaps = overlaps;
    this.highestPfn = length === 0 ? -1 : (this.#ends[length - 1] as number) - 1;
    let claimed = 0;
    let present = 0;
    for (let i = 0; i < length; i++) {
      claimed += this.#countOf(i);
      present += Math.min(this.#countOf(i), this.#pagesFrom(this.#fileOffsets[i] as number));
    }
    this.present = present;
    this.missing = claimed - present;
  }

  locate(pfn: number): number {
    const run = this.#find(pfn);
    if (run < 0) return NOT_IN_DUMP;
    const offset = (this.#fileOffsets[run] as number) + (pfn - (this.#starts[run] as number)) * PAGE_SIZE;
    return offset + PAGE_SIZE <= this.#fileSize ? offset : TRUNCATED;
  }

  runLength(pfn: number, max: number): number {
    const offset = this.locate(pfn);
    if (offset < 0) return 0;
    return Math.min(max, (this.#ends[this.#recent] as number) - pfn, this.#pagesFrom(offset));
  }

  *runs(): Generator<PageRun> {
    for (let i = 0; i < this.#starts.length; i++) {
      const pfn = this.#starts[i] as number;
      yield { pfn, count: this.#countOf(i), fileOffset: this.#fileOffsets[i] as number };
    }
  }

  #countOf(run: number): number {
    return (this.#ends[run] as number) - (this.#starts[run] as number);
  }

  /** Whole pages from a file offset to the end of the file. */
  #pagesFrom(offset: number): number {
    return Math.max(0, Math.floor((this.#fileSize - offset) / PAGE_SIZE));
  }

  /** The run that holds the page, which then is `#recent`; or -1. */
  #find(pfn: number): number {
    const recent = this.#recent;
    if (pfn >= (this.#starts[recent] as number) && pfn < (this.#ends[recent] as number)) return recent;
    const run = upperBound(this.#starts.length, pfn, (i) => this.#ends[i] as number);
    if (run >= this.#starts.length || !(pfn >= (this.#starts[run] as number))) return -1;
    this.#recent = run;
    return run;
  }
}

/** A page map of runs that are few. @param runs as `RunMap` takes them */
export function mapOf(
  runs: readonly { readonly pfn: number; readonly count: number; readonly offset: number }[],
  fileSize: number,
): RunMap {
  const table = {
    pfns: Float64Array.from(runs, ({ pfn }) => pfn),
    counts: Float64Array.from(runs, ({ count }) => count),
    fileOffsets: Float64Array.from(runs, ({ offset }) => offset),
  };
  return new RunMap(table, fileSize);
}

/** Each page at its own place in the file. */
export function identityMap(fileSize: number): RunMap {
  return mapOf([{ pfn: 0, count: Math.floor(fileSize / PAGE_SIZE), offset: 0 }], fileSize);
}

function sorted(table: RunTable): RunTable {
  const { pfns, counts, fileOffsets } = table;
  if (pfns.every((pfn, i) => i === 0 || pfn >= (pfns[i - 1] as number))) return table;
  // `from` with a function makes a list of all numbers first, and there can be millions
  const order = new Uint32Array(pfns.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  order.sort((a, b) => (pfns[a] as number) - (pfns[b] as number));
  const pick = (from: Float64Array): Float64Array => {
    const picked = new Float64Array(order.length);
    for (let i = 0; i < order.length; i++) picked[i] = from[order[i] as number] as number;
    return picked;
  };
  return { pfns: pick(pfns), counts: pick(counts), fileOffsets: pick(fileOffsets) };
}
