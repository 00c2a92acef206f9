import type { Rva } from "../core/address.ts";
import { BitSet } from "../core/bit-set.ts";
import { MAX_COLD_STEPS, MAX_COLD_STEPS_TOTAL } from "../core/limits.ts";
import { addAll, addTo } from "../core/search.ts";
import type { CodeRange, Decoder } from "../isa/instruction.ts";
import type { UnwindFunction } from "../pe/unwind.ts";
import { Boundaries } from "./boundaries.ts";
import { type FunctionTableBuilder, joinRanges, lastAtOrBefore, sortedIndexes } from "./function-table.ts";
import { findLeaves } from "./leaf-functions.ts";
import type { ModuleCode } from "./module-code.ts";
import type { Seeds } from "./seeds.ts";
import { outsideHandlers, Prologues } from "./unwind-info.ts";

/** A jump from one piece of code into another. */
interface Link {
  readonly at: number;
  readonly target: number;
  readonly conditional: boolean;
}

/**
 * The functions of code with unwind data. It gives the extents of all but leaf functions. Compilers that do not chain
 * it give a cold part unwind data of its own, which sets up a frame in no instruction: such a part belongs to the
 * functions that jump into it. Leaf functions stand in the gaps, and are told by their flow.
 */
export function findByUnwind(
  code: ModuleCode,
  decoder: Decoder,
  seeds: Seeds,
  builder: FunctionTableBuilder,
  notes: string[],
): void {
  const { unwind } = code.image;
  const functions = unwind.functions();
  const covered = new BitSet(code.image.size);
  for (const { fragments } of functions) for (const { start, end } of fragments) covered.addRange(start, end);
  const count = (entries: number, one: string, many: string): void => {
    if (entries > 0)
      notes.push(entries === 1 ? `1 unwind entry ${one}` : `${entries} unwind entries ${many}`);
  };
  count(unwind.overlapping, "overlaps others", "overlap others");
  count(unwind.rejected, "says what cannot be, and was left out", "say what cannot be, and were left out");
  count(unwind.unreadable, "could not be read", "could not be read");
  if (unwind.stopped !== undefined) notes.push("the unwind data could not be read to its end");

  const links = findLinks(code, seeds, functions, covered);
  const pieces = new PieceIndex(functions);
  const boundaries = new Boundaries(code);
  const parents = coldParents(code, seeds, functions, links, pieces, boundaries);
  if (!parents.whole) notes.push("the search for the functions of cold parts was ended at its limit");
  const parts = new Map<number, number[]>();
  for (const [index, owners] of parents.roots) {
    for (const owner of owners) for (const place of pairsOf(functions[index])) addTo(parts, owner, place);
  }
  for (const [index, found] of functions.entries()) {
    if (parents.roots.has(index)) continue;
    const cold = parts.get(index);
    const ranges = pairsOf(found);
    builder.add(found.entry, "pdata", cold === undefined ? ranges : joinRanges([...ranges, ...cold]));
  }
  const entered = new Set<number>();
  for (const { at, target } of links.outside) {
    if (entered.has(target)) continue;
    const from = pieces.at(at);
    if (from !== undefined && boundaries.holding(from, at) === at) entered.add(target);
  }
  const known = { bytes: covered, called: links.called, entered: [...entered] };
  findLeaves(code, decoder, seeds, known, builder, notes);
}

function pairsOf(found: UnwindFunction | undefined): number[] {
  const pairs: number[] = [];
  for (const { start, end } of found?.fragments ?? []) pairs.push(start, end);
  return pairs;
}

/** What near calls, jumps and branches lead to, as far as it matters; told by bytes, and to be confirmed. */
interface Links {
  /** What calls lead to, and what jumps lead to that no unwind data covers. */
  readonly called: BitSet;
  /** Jumps and branches to pieces that may be cold parts. */
  readonly cold: readonly Link[];
  /** Calls and jumps from code with unwind data to code that has none. */
  readonly outside: readonly Link[];
}

function findLinks(
  code: ModuleCode,
  seeds: Seeds,
  functions: readonly UnwindFunction[],
  covered: BitSet,
): Links {
  const prologues = new Prologues(code);
  const candidates = new BitSet(code.image.size);
  for (const { entry, entryKnown, fragments } of functions) {
    if (seeds.exported.has(entry) || entry === code.image.entryPoint) continue;
    if (entryKnown && prologues.sizeAt(entry) !== 0) continue;
    for (const { start, end } of fragments) candidates.addRange(start, end);
  }
  const called = new BitSet(code.image.size);
  const cold: Link[] = [];
  const outside: Link[] = [];
  code.set.references.near(code, (at, target, kind) => {
    const conditional = kind === "branch";
    const inside = covered.has(target);
    if (kind === "call" || !inside) called.add(target);
    else if (candidates.has(target)) cold.push({ at, target, conditional });
    if (!inside && !conditional && covered.has(at)) outside.push({ at, target, conditional });
  });
  return { called, cold, outside };
}

/** The pieces that are cold parts of other functions. */
interface ColdParts {
  /** By index of the piece: those of the functions. */
  readonly roots: ReadonlyMap<number, ReadonlySet<number>>;
  /** All pieces were looked at; those that were not stay functions. */
  readonly whole: boolean;
}

/** Tells cold parts by what jumps into them. */
function coldParents(
  code: ModuleCode,
  seeds: Seeds,
  functions: readonly UnwindFunction[],
  { called, cold }: Links,
  pieces: PieceIndex,
  boundaries: Boundaries,
): ColdParts {
  const prologues = new Prologues(code);
  const parents = new Map<number, Set<number>>();
  for (const { at, target, conditional } of cold) {
    const from = pieces.at(at);
    const to = pieces.at(target);
    if (from === undefined || to === undefined || from.index === to.index) continue;
    const { entry } = functions[to.index] ?? { entry: 0 };
    // A function without a frame that only an unconditional jump leads to may as well be called by it.
    if (!prologues.hasCodes(entry)) {
      if (!conditional && target === entry) continue;
      if (called.has(entry) || seeds.pointed.has(entry)) continue;
    }
    if (boundaries.holding(from, at) !== at) continue;
    const known = parents.get(to.index);
    if (known === undefined) parents.set(to.index, new Set([from.index]));
    else known.add(from.index);
  }
  // A filter or a `__finally` block runs on its function's frame, and only exceptions lead to it.
  for (const { handler, row } of outsideHandlers(code)) {
    const to = pieces.at(handler);
    const from = pieces.at(code.image.unwind.rows[row * 3] ?? 0);
    if (to === undefined || from === undefined || to.index === from.index) continue;
    if (functions[to.index]?.entry !== handler || seeds.exported.has(handler)) continue;
    const known = parents.get(to.index);
    if (known === undefined) parents.set(to.index, new Set([from.index]));
    else known.add(from.index);
  }
  return withRoots(parents);
}

/** A cold part of a cold part belongs to the function; parts that only jump to each other are functions. */
function withRoots(parents: ReadonlyMap<number, ReadonlySet<number>>): ColdParts {
  const result = new Map<number, Set<number>>();
  let left = MAX_COLD_STEPS_TOTAL;
  let whole = true;
  for (const [index, direct] of parents) {
    if (left <= 0) {
      whole = false;
      break;
    }
    const met = new Set([index]);
    const pending = [...direct];
    const roots = new Set<number>();
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (met.has(next)) continue;
      if (met.size >= MAX_COLD_STEPS) {
        whole = false;
        break;
      }
      met.add(next);
      const further = parents.get(next);
      if (further === undefined) roots.add(next);
      else addAll(pending, further);
    }
    left -= met.size;
    if (roots.size > 0) result.set(index, roots);
  }
  return { roots: result, whole };
}

/** Which function of the unwind data a place belongs to. */
class PieceIndex {
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #owners: Uint32Array;

  constructor(functions: readonly UnwindFunction[]) {
    const count = functions.reduce((sum, { fragments }) => sum + fragments.length, 0);
    const starts = new Uint32Array(count);
    const ends = new Uint32Array(count);
    const owners = new Uint32Array(count);
    let used = 0;
    for (const [owner, { fragments }] of functions.entries()) {
      for (const { start, end } of fragments) {
        starts[used] = start;
        ends[used] = end;
        owners[used++] = owner;
      }
    }
    const order = sortedIndexes(count, (index) => starts[index] ?? 0);
    this.#starts = order.map((index) => starts[index] ?? 0);
    this.#ends = order.map((index) => ends[index] ?? 0);
    this.#owners = order.map((index) => owners[index] ?? 0);
  }

  at(place: number): (CodeRange & { readonly index: number }) | undefined {
    const found = lastAtOrBefore(this.#starts, place);
    const end = this.#ends[found] ?? 0;
    if (end <= place) return undefined;
    return { start: this.#starts[found] as Rva, end: end as Rva, index: this.#owners[found] ?? 0 };
  }
}
