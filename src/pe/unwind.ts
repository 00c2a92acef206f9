import type { Rva } from "../core/address.ts";
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

  constructor(found: UnwindRows = NO_ROWS, ownerOf: FindOwner = (entry) => ({ entry, entryKnown: true })) {
    this.rows = sorted(found.rows);
    this.rejected = found.rejected;
    this.unreadable = found.unreadable;
    if (found.stopped !== undefined) this.stopped = found.stopped;
    this.#ownerOf = ownerOf;
    let reach = 0;
    let overlapping = 0;
    for (let index = 0; index < this.count; index++) {
      if (this.#start(index) < reach) overlapping++;
      reach = Math.max(reach, this.#end(index));
    }
    this.overlapping = overlapping;
  }

  get count(): number {
    return this.rows.length / ROW;
  }

  /** All functions, by entry: joined anew with each call, since a list of them takes more than the rows. */
  functions(): readonly UnwindFunction[] {
    const parts = new Map<number, Part>();
    for (let index = 0; index < this.count; index++) {
      const start = this.#start(index);
      const end = this.#end(index);
      const { entry, entryKnown } = this.#ownerOf(start, this.rows[index * ROW + 2] ?? 0);
      const fragment = { start: start as Rva, end: end as Rva };
      const part = parts.get(entry);
      if (part === undefined) {
        // an empty list that is pushed to has room for 17
        parts.set(entry, { entry: entry as Rva, entryKnown, fragments: [fragment] });
        continue;
      }
      const last = part.fragments.at(-1);
      if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end) as Rva;
      else part.fragments.push(fragment);
    }
    return [...parts.values()].sort((a, b) => a.entry - b.entry);
  }

  #start(index: number): number {
    return this.rows[index * ROW] ?? 0;
  }

  #end(index: number): number {
    return this.rows[index * ROW + 1] ?? 0;
  }
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
