import type { Rva } from "../core/address.ts";
import { MAX_UNWIND_OVERLAP } from "../core/limits.ts";
import type { TableStop } from "./rva-reader.ts";

/** A contiguous piece of code, from `start` up to `end`. */
export interface Fragment {
  readonly start: Rva;
  readonly end: Rva;
}

/** A function as its unwind data tells it. */
export interface UnwindFunction {
  /** Where it starts; where `entryKnown` is false, where its first known fragment starts. */
  readonly entry: Rva;
  /** False: these are pieces of a function, but what leads to the function itself is not there. */
  readonly entryKnown: boolean;
  /** In order of address; neighbours are joined. */
  readonly fragments: readonly Fragment[];
}

/** To which function a row belongs. */
export interface Owner {
  readonly entry: number;
  readonly entryKnown: boolean;
}

/** Follows one row to its function. */
export type FindOwner = (start: number, unwind: number) => Owner;

/** Rows of an exception directory as they were found. */
export interface UnwindRows {
  /** Three numbers a row: start, end, and the unwind data as it stands there. */
  readonly rows: Uint32Array;
  /** Rows that say what cannot be: an end before the start, or code outside the image. */
  readonly rejected: number;
  /** Rows in holes. */
  readonly unreadable: number;
  readonly stopped?: TableStop;
}

/** A function while its fragments are being joined. */
interface Part {
  readonly entry: Rva;
  readonly entryKnown: boolean;
  readonly fragments: { start: Rva; end: Rva }[];
}

interface Joined {
  /** By entry. */
  readonly functions: readonly UnwindFunction[];
  /** The function of each row. */
  readonly ofRow: readonly UnwindFunction[];
}

const NO_ROWS: UnwindRows = { rows: new Uint32Array(0), rejected: 0, unreadable: 0 };
const ROW = 3;

/** The functions of an image, from the data that the processor's exceptions need. x86 has none. */
export class UnwindTable {
  /** Three numbers a row, by start: start, end, and the unwind data as it stands there. */
  readonly rows: Uint32Array;
  readonly rejected: number;
  readonly unreadable: number;
  /** Rows that start before the end of a row before them. */
  readonly overlapping: number;
  /** Why `rows` is not all of the table. */
  readonly stopped?: TableStop;
  readonly #ownerOf: FindOwner;
  /** For each row, the furthest end of it and those before it. */
  readonly #reach: Uint32Array;
  #joined: Joined | undefined;
  /** Of rows that were asked for before the rows were joined. */
  readonly #owners = new Map<number, Owner>();

  constructor(found: UnwindRows = NO_ROWS, ownerOf: FindOwner = (entry) => ({ entry, entryKnown: true })) {
    this.rows = sorted(found.rows);
    this.rejected = found.rejected;
    this.unreadable = found.unreadable;
    if (found.stopped !== undefined) this.stopped = found.stopped;
    this.#ownerOf = ownerOf;
    this.#reach = new Uint32Array(this.count);
    let reach = 0;
    let overlapping = 0;
    for (let index = 0; index < this.count; index++) {
      if (this.#start(index) < reach) overlapping++;
      reach = Math.max(reach, this.#end(index));
      this.#reach[index] = reach;
    }
    this.overlapping = overlapping;
  }

  get count(): number {
    return this.rows.length / ROW;
  }

  /** The row that `rva` stands in, as one fragment. */
  fragmentAt(rva: number): Fragment | undefined {
    const index = this.#rowAt(rva);
    return index === undefined ? undefined : fragment(this.#start(index), this.#end(index));
  }

  /** The function that `rva` stands in, with all its fragments. */
  functionAt(rva: number): UnwindFunction | undefined {
    const index = this.#rowAt(rva);
    return index === undefined ? undefined : this.#join().ofRow[index];
  }

  /** The entry of the function that `rva` stands in: following one row costs far less than joining all. */
  ownerAt(rva: number): Owner | undefined {
    const index = this.#rowAt(rva);
    if (index === undefined) return undefined;
    const known = this.#joined?.ofRow[index] ?? this.#owners.get(index);
    if (known !== undefined) return known;
    const owner = this.#ownerOf(this.#start(index), this.rows[index * ROW + 2] ?? 0);
    this.#owners.set(index, owner);
    return owner;
  }

  /** All functions, by entry. */
  functions(): readonly UnwindFunction[] {
    return this.#join().functions;
  }

  #join(): Joined {
    if (this.#joined !== undefined) return this.#joined;
    const parts = new Map<number, Part>();
    const ofRow: UnwindFunction[] = [];
    for (let index = 0; index < this.count; index++) {
      const start = this.#start(index);
      const end = this.#end(index);
      const { entry, entryKnown } = this.#ownerOf(start, this.rows[index * ROW + 2] ?? 0);
      let part = parts.get(entry);
      if (part === undefined) {
        part = { entry: entry as Rva, entryKnown, fragments: [] };
        parts.set(entry, part);
      }
      const last = part.fragments.at(-1);
      if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end) as Rva;
      else part.fragments.push(fragment(start, end));
      ofRow.push(part);
    }
    this.#joined = { ofRow, functions: [...parts.values()].sort((a, b) => a.entry - b.entry) };
    return this.#joined;
  }

  #rowAt(rva: number): number | undefined {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#start(middle) <= rva) low = middle + 1;
      else high = middle;
    }
    const last = Math.max(0, low - MAX_UNWIND_OVERLAP);
    for (let index = low - 1; index >= last && (this.#reach[index] ?? 0) > rva; index--) {
      if (this.#end(index) > rva) return index;
    }
    return undefined;
  }

  #start(index: number): number {
    return this.rows[index * ROW] ?? 0;
  }

  #end(index: number): number {
    return this.rows[index * ROW + 1] ?? 0;
  }
}

function fragment(start: number, end: number): { start: Rva; end: Rva } {
  return { start: start as Rva, end: end as Rva };
}

/** The loader demands order; a broken table is put in order. */
function sorted(rows: Uint32Array): Uint32Array {
  let inOrder = true;
  for (let at = ROW; at < rows.length && inOrder; at += ROW)
    inOrder = (rows[at - ROW] ?? 0) <= (rows[at] ?? 0);
  if (inOrder) return rows;
  const order = Array.from({ length: rows.length / ROW }, (_, index) => index * ROW);
  order.sort((a, b) => (rows[a] ?? 0) - (rows[b] ?? 0));
  const result = new Uint32Array(rows.length);
  for (const [index, at] of order.entries()) result.set(rows.subarray(at, at + ROW), index * ROW);
  return result;
}
