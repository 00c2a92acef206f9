import type { Rva } from "../core/address.ts";
import { MAX_FUNCTIONS, MAX_OWNERS } from "../core/limits.ts";
import { upperBound } from "../core/search.ts";
import { U32List } from "../core/u32-list.ts";
import type { CodeRange } from "../isa/instruction.ts";
import type { ModuleCode } from "./module-code.ts";

/** What tells that a function is there: unwind data, a symbol, an export, or only the code that leads to it. */
export type Basis = "pdata" | "symbol" | "export" | "flow";

/** An entry, and the contiguous pieces of code that belong to it; the first is not always the lowest. */
export interface CodeFunction {
  readonly entry: Rva;
  readonly basis: Basis;
  /** By address. One block can belong to several functions. */
  readonly fragments: readonly CodeRange[];
}

/** Fragments that start before a place and are looked at: those that end before it lie between. */
const MAX_LOOK_BACK = 4096;

const BASES: readonly Basis[] = ["pdata", "symbol", "export", "flow"];

/** Takes functions in any order, and gives the table. */
export class FunctionTableBuilder {
  readonly #entries = new U32List();
  readonly #bases = new U32List();
  readonly #firstFragment = new U32List();
  readonly #fragments = new U32List();
  /** Functions that did not fit any more. */
  rejected = 0;

  /** No more functions fit. */
  get full(): boolean {
    return this.#entries.length >= MAX_FUNCTIONS;
  }

  /** @param ranges pairs of start and end, by address */
  add(entry: number, basis: Basis, ranges: readonly number[]): void {
    if (this.full) {
      this.rejected++;
      return;
    }
    this.#entries.push(entry);
    this.#bases.push(BASES.indexOf(basis));
    this.#firstFragment.push(this.#fragments.length);
    for (const place of ranges) this.#fragments.push(place);
  }

  build(): FunctionTable {
    const count = this.#entries.length;
    const firstFragment = this.#firstFragment;
    const endOf = (index: number): number =>
      index + 1 < count ? firstFragment.at(index + 1) : this.#fragments.length;
    const order = sortedIndexes(count, (index) => this.#entries.at(index));
    const entries = new Uint32Array(count);
    const bases = new Uint8Array(count);
    const first = new Uint32Array(count + 1);
    const fragments = new Uint32Array(this.#fragments.length);
    let used = 0;
    for (const [place, index] of order.entries()) {
      entries[place] = this.#entries.at(index);
      bases[place] = this.#bases.at(index);
      first[place] = used;
      for (let i = firstFragment.at(index); i < endOf(index); i++) fragments[used++] = this.#fragments.at(i);
    }
    first[count] = used;
    return new FunctionTable(entries, bases, first, fragments);
  }
}

/** The functions of an image, by entry, in typed arrays: an object is made only for the one that is asked for. */
export class FunctionTable {
  /** RVAs, ascending. */
  readonly entries: Uint32Array;
  readonly #bases: Uint8Array;
  readonly #first: Uint32Array;
  readonly #fragments: Uint32Array;
  /** Fragments by start: where each starts and ends, whose it is, and the furthest end up to it. */
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #owners: Uint32Array;
  readonly #reach: Uint32Array;

  constructor(entries: Uint32Array, bases: Uint8Array, first: Uint32Array, fragments: Uint32Array) {
    this.entries = entries;
    this.#bases = bases;
    this.#first = first;
    this.#fragments = fragments;
    const count = fragments.length / 2;
    const ownerOf = new Uint32Array(count);
    for (let index = 0; index < entries.length; index++) {
      ownerOf.fill(index, (first[index] ?? 0) / 2, (first[index + 1] ?? 0) / 2);
    }
    const order = sortedIndexes(count, (index) => fragments[index * 2] ?? 0);
    this.#starts = new Uint32Array(count);
    this.#ends = new Uint32Array(count);
    this.#owners = new Uint32Array(count);
    this.#reach = new Uint32Array(count);
    let reach = 0;
    for (const [place, index] of order.entries()) {
      const end = fragments[index * 2 + 1] ?? 0;
      reach = Math.max(reach, end);
      this.#starts[place] = fragments[index * 2] ?? 0;
      this.#ends[place] = end;
      this.#owners[place] = ownerOf[index] ?? 0;
      this.#reach[place] = reach;
    }
  }

  get count(): number {
    return this.entries.length;
  }

  at(index: number): CodeFunction {
    const fragments: CodeRange[] = [];
    for (let i = this.#first[index] ?? 0; i < (this.#first[index + 1] ?? 0); i += 2) {
      fragments.push({ start: this.#fragments[i] as Rva, end: this.#fragments[i + 1] as Rva });
    }
    return { entry: this.entries[index] as Rva, basis: BASES[this.#bases[index] ?? 3] ?? "flow", fragments };
  }

  /** Some code belongs to more functions than `owning` tells. */
  get isCrowded(): boolean {
    const ends = this.#ends.slice().sort();
    // Of the fragments that start up to a place, those are open there that end behind it.
    return this.#starts.some((start, at) => at - lastAtOrBefore(ends, start) > MAX_OWNERS);
  }

  /** The functions that `rva` belongs to: several where they share a block, of which `MAX_OWNERS` are told. */
  owning(rva: number): readonly CodeFunction[] {
    const owners: number[] = [];
    const last = lastAtOrBefore(this.#starts, rva);
    for (let at = last; at >= 0 && (this.#reach[at] ?? 0) > rva; at--) {
      if (owners.length >= MAX_OWNERS || last - at > MAX_LOOK_BACK) break;
      const owner = this.#owners[at] ?? 0;
      if ((this.#ends[at] ?? 0) > rva && !owners.includes(owner)) owners.push(owner);
    }
    return owners.sort((a, b) => a - b).map((index) => this.at(index));
  }

  /** The function that starts at `rva`. */
  startingAt(rva: number): CodeFunction | undefined {
    const index = lastAtOrBefore(this.entries, rva);
    return this.entries[index] === rva ? this.at(index) : undefined;
  }

  /** Stretches of code between `start` and `end` that are no function's, as pairs. */
  gaps(start: number, end: number): number[] {
    const gaps: number[] = [];
    const before = lastAtOrBefore(this.#starts, start);
    let free = Math.max(start, this.#reach[before] ?? 0);
    for (let at = before + 1; at < this.#starts.length && (this.#starts[at] ?? 0) < end; at++) {
      if ((this.#starts[at] ?? 0) > free) gaps.push(free, this.#starts[at] ?? 0);
      free = Math.max(free, this.#ends[at] ?? 0);
    }
    if (free < end) gaps.push(free, end);
    return gaps;
  }
}

/** The index of the last number at or before `value` in a sorted array; -1 when there is none. */
export function lastAtOrBefore(sorted: Uint32Array, value: number): number {
  return upperBound(sorted.length, value, (i) => sorted[i] ?? 0) - 1;
}

/** The indexes from 0 up to `count`, in the order of their keys, which are below 2^32. */
export function sortedIndexes(count: number, keyOf: (index: number) => number): Uint32Array {
  // A key of 32 bits and an index of 20 fit one double.
  const packed = new Float64Array(count);
  const scale = 2 ** Math.ceil(Math.log2(count + 1));
  let inOrder = true;
  for (let index = 0; index < count; index++) {
    const key = keyOf(index);
    packed[index] = key * scale + index;
    if (index > 0 && (packed[index] ?? 0) < (packed[index - 1] ?? 0)) inOrder = false;
  }
  if (!inOrder) packed.sort();
  const order = new Uint32Array(count);
  for (let index = 0; index < count; index++) order[index] = (packed[index] ?? 0) % scale;
  return order;
}

/** Sorts pairs of start and end, and joins those that touch. */
export function joinRanges(pairs: readonly number[]): number[] {
  if (pairs.length <= 2) return [...pairs];
  const order = new Float64Array(pairs.length / 2);
  for (let i = 0; i < order.length; i++)
    order[i] = (pairs[i * 2] ?? 0) * 0x1_0000_0000 + (pairs[i * 2 + 1] ?? 0);
  order.sort();
  const joined: number[] = [];
  for (const packed of order) {
    const start = Math.floor(packed / 0x1_0000_0000);
    const end = packed % 0x1_0000_0000;
    const last = joined.length - 1;
    if (last > 0 && start <= (joined[last] ?? 0)) joined[last] = Math.max(joined[last] ?? 0, end);
    else joined.push(start, end);
  }
  return joined;
}

/** Joins pieces of one function that only padding parts. Pairs of start and end, by address. */
export function joinPadded(code: ModuleCode, ranges: readonly number[]): readonly number[] {
  const joined = ranges.slice(0, 2);
  for (let i = 2; i < ranges.length; i += 2) {
    const start = ranges[i] ?? 0;
    const end = ranges[i + 1] ?? 0;
    const before = joined.at(-1) ?? 0;
    const run = code.runAt(before);
    if (run !== undefined && start - before < 16 && code.set.padding.skip(run, before, start) === start)
      joined[joined.length - 1] = end;
    else joined.push(start, end);
  }
  return joined;
}
