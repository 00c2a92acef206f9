import { BitSet } from "../core/bit-set.ts";
import type { CodeRun, Decoder } from "../isa/instruction.ts";
import { type FunctionTableBuilder, joinPadded } from "./function-table.ts";
import { JumpTables, LONG_TABLE } from "./jump-tables.ts";
import type { ModuleCode } from "./module-code.ts";
import { findTexts, type KnownData, knownData } from "./no-code.ts";
import { type DescentRules, type Extent, RecursiveDescent } from "./recursive-descent.ts";
import type { Seeds } from "./seeds.ts";
import { isSelfContained } from "./self-contained.ts";

/** What is known of the functions that have unwind data. */
interface Covered {
  /** Their bytes; those of leaf functions are added. */
  readonly bytes: BitSet;
  /** What reads as a call's or jump's target. */
  readonly called: BitSet;
  /** What their calls and jumps lead to, and is in none of them. */
  readonly entered: readonly number[];
}

/**
 * The functions that have no unwind data, in the gaps between those that have: first those that other functions are
 * seen to call or jump to, then what is left over. Where rows of the unwind data could not be read, a gap may be the
 * inside of any function: there its place alone makes nothing a function but behind padding, where compilers align one.
 */
export function findLeaves(
  code: ModuleCode,
  decoder: Decoder,
  seeds: Seeds,
  covered: Covered,
  builder: FunctionTableBuilder,
  notes: string[],
): void {
  const finder = new LeafFinder(code, decoder, seeds, covered, builder);
  for (const start of covered.entered) if (!finder.exhausted) finder.tryEntered(start);
  for (const run of code.runs) finder.search(run);
  if (finder.exhausted) notes.push("the search for leaf functions was ended at its limit");
  if (finder.hasLongTable) notes.push(LONG_TABLE);
}

class LeafFinder {
  readonly #code: ModuleCode;
  readonly #decoder: Decoder;
  readonly #seeds: Seeds;
  readonly #covered: BitSet;
  readonly #called: BitSet;
  readonly #entered: BitSet;
  readonly #builder: FunctionTableBuilder;
  readonly #tables: JumpTables;
  readonly #data: KnownData;
  readonly #texts: BitSet;
  readonly #walker: RecursiveDescent;
  readonly #rules: DescentRules;
  /** All rows of the unwind data are known. */
  readonly #gapsKnown: boolean;
  /** Where the last leaf function ended: what directly follows one is another. */
  #ended = -1;

  constructor(
    code: ModuleCode,
    decoder: Decoder,
    seeds: Seeds,
    { bytes, called, entered }: Covered,
    builder: FunctionTableBuilder,
  ) {
    this.#code = code;
    this.#decoder = decoder;
    this.#seeds = seeds;
    this.#covered = bytes;
    this.#called = called;
    this.#builder = builder;
    this.#entered = new BitSet(code.size);
    for (const place of entered) this.#entered.add(place);
    this.#tables = new JumpTables(code, undefined);
    this.#data = knownData(code);
    this.#texts = findTexts(code);
    const seen = new BitSet(code.size);
    this.#walker = new RecursiveDescent(code, decoder, this.#tables, seen, code.readable + 0x1_0000);
    this.#gapsKnown = code.image.unwind.stopped === undefined;
    this.#rules = {
      fence: { has: (at) => bytes.has(at) || this.#isNamed(at) },
      neverReturns: () => false,
      startsFunction: () => false,
      isTailJump: ({ target, entry }) => target < entry || target > entry + 0x1000,
    };
  }

  get exhausted(): boolean {
    return this.#walker.exhausted || this.#tables.exhausted || this.#builder.full;
  }

  get hasLongTable(): boolean {
    return this.#tables.cut;
  }

  tryEntered(start: number): void {
    if (this.#covered.has(start) || this.#isNoCode(start)) return;
    const extent = this.#walker.walk(start, this.#rules);
    if (!extent.cut) this.#add(start, extent);
  }

  /** Goes over what no function covers. */
  search(run: CodeRun): void {
    for (let at = run.start; at < run.end && !this.exhausted; ) {
      at = this.#covered.nextMissing(at, run.end);
      if (at >= run.end) return;
      const start = this.#startFrom(run, at);
      if (start >= run.end) return;
      at = this.#covered.has(start) ? start : this.#behind(run, at, start);
    }
  }

  /** Behind padding; but what reads as padding is code where an export stands. */
  #startFrom(run: CodeRun, at: number): number {
    let start = this.#code.set.padding.startBehind(run, at, run.end);
    for (let place = at; place < start; place++)
      if (this.#seeds.exported.has(place) || this.#covered.has(place)) start = place;
    return start;
  }

  /** Adds the function that starts there, if one does, and tells where to go on. */
  #behind(run: CodeRun, gap: number, start: number): number {
    const isNoCode = this.#isNoCode(start);
    // Over whole instructions, so that bytes inside of one are not taken for padding.
    if (isNoCode) return start + 1;
    if (this.#data.likely.has(start) || !this.#mayStart(run, gap, start))
      return this.#code.stepOver(run, start);
    const extent = this.#walker.walk(start, this.#rules);
    if (extent.cut && !this.#isNamed(start)) return this.#code.stepOver(run, start);
    this.#add(start, extent);
    this.#ended = Math.max(extent.ranges[1] ?? start + 1, start + 1);
    return this.#ended;
  }

  #mayStart(run: CodeRun, gap: number, start: number): boolean {
    const { abi, padding, thunks } = this.#code.set;
    if (this.#isNamed(start) || thunks.isSlotJump(run, start)) return true;
    // Behind a hole stands the rest of some function.
    const first = gap === run.start && this.#code.sections.some((section) => section.start === gap);
    const aligned = start % 16 === 0;
    if (first) return true;
    if (!this.#gapsKnown) return start > gap && aligned;
    // Zeros are padding only where linkers join sections; elsewhere they are numbers.
    const filled =
      start > gap && (aligned || run.bytes[start - run.start - 1] !== 0 || padding.isBehindNop(run, start));
    if (filled || (aligned && gap > run.start)) return true;
    return (
      (start === this.#ended || this.#covered.has(start - 1)) &&
      (this.#called.has(start) || isSelfContained(this.#decoder, abi, start, () => false))
    );
  }

  #isNamed(at: number): boolean {
    return this.#seeds.exported.has(at) || this.#seeds.pointed.has(at) || this.#entered.has(at);
  }

  #isNoCode(at: number): boolean {
    return this.#tables.holds(at) || this.#data.sure.has(at) || this.#texts.has(at);
  }

  #add(start: number, { ranges }: Extent): void {
    const basis = this.#seeds.exported.has(start) ? "export" : "flow";
    this.#builder.add(start, basis, joinPadded(this.#code, ranges));
    for (let i = 0; i < ranges.length; i += 2) this.#covered.addRange(ranges[i] ?? 0, ranges[i + 1] ?? 0);
  }
}
