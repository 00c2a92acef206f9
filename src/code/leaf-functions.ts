import { BitSet } from "../core/bit-set.ts";
import type { Decoder } from "../isa/instruction.ts";
import { stepOver } from "../isa/x86/lengths.ts";
import { isBehindNop, startBehindPadding } from "../isa/x86/padding.ts";
import { type FunctionTableBuilder, joinPadded } from "./function-table.ts";
import { JumpTables } from "./jump-tables.ts";
import type { ModuleCode } from "./module-code.ts";
import { findTexts, knownData } from "./no-code.ts";
import { type DescentRules, type Extent, RecursiveDescent } from "./recursive-descent.ts";
import type { Seeds } from "./seeds.ts";
import { isSelfContained } from "./self-contained.ts";

/**
 * The functions that have no unwind data, in the gaps between those that have: first those that other functions are
 * seen to call or jump to, then what is left over. Where rows of the unwind data could
 * not be read, a gap may be the inside of any function: there its place alone makes nothing a function but behind
 * padding, where compilers align one.
 *
 * @param called what reads as a call's or jump's target
 * @param entered what calls and jumps of functions with unwind data lead to, and is in none of them
 */
export function findLeaves(
  code: ModuleCode,
  decoder: Decoder,
  seeds: Seeds,
  called: BitSet,
  entered: readonly number[],
  covered: BitSet,
  builder: FunctionTableBuilder,
  notes: string[],
): void {
  const tables = new JumpTables(code, decoder, undefined);
  const data = knownData(code);
  const walker = new RecursiveDescent(
    code,
    decoder,
    tables,
    new BitSet(code.image.size),
    code.readable + 0x1_0000,
  );
  const texts = findTexts(code);
  const isNoCode = (at: number): boolean => tables.holds(at) || data.sure.has(at) || texts.has(at);
  const known = new BitSet(code.image.size);
  for (const place of entered) known.add(place);
  const isNamed = (at: number): boolean => seeds.exported.has(at) || seeds.pointed.has(at) || known.has(at);
  const rules: DescentRules = {
    fence: { has: (at) => covered.has(at) || isNamed(at) },
    neverReturns: () => false,
    startsFunction: () => false,
    isTailJump: ({ target, entry }) => target < entry || target > entry + 0x1000,
  };
  const gapsKnown = code.image.unwind.stopped === undefined;
  const add = (start: number, { ranges }: Extent): void => {
    builder.add(start, seeds.exported.has(start) ? "export" : "flow", joinPadded(code, ranges));
    eachPair(ranges, (from, to) => covered.addRange(from, to));
  };
  for (const start of entered) {
    if (covered.has(start) || isNoCode(start)) continue;
    const extent = walker.walk(start, rules);
    if (!extent.cut) add(start, extent);
  }
  /** Where the last leaf function ended: what directly follows one is another. */
  let ended = -1;
  for (const run of code.runs) {
    for (let at = run.start; at < run.end && !walker.exhausted; ) {
      at = covered.nextMissing(at, run.end);
      if (at >= run.end) break;
      let start = startBehindPadding(run, at, run.end);
      // What reads as padding is code where an export stands.
      for (let place = at; place < start; place++)
        if (seeds.exported.has(place) || covered.has(place)) start = place;
      if (start >= run.end) break;
      if (covered.has(start)) {
        at = start;
        continue;
      }
      // Behind a hole stands the rest of some function.
      const first = at === run.start && code.sections.some((section) => section.start === at);
      const aligned = start % 16 === 0;
      // Zeros are padding only where linkers join sections; elsewhere they are numbers.
      const filled =
        start > at && (aligned || run.bytes[start - run.start - 1] !== 0 || isBehindNop(run, start));
      const padded = gapsKnown
        ? filled || first || (aligned && at > run.start)
        : first || (start > at && aligned);
      const named = isNamed(start);
      const thunk = run.bytes[start - run.start] === 0xff && run.bytes[start - run.start + 1] === 0x25;
      const follows =
        gapsKnown &&
        (start === ended || covered.has(start - 1)) &&
        (called.has(start) || isSelfContained(decoder, true, start, () => false));
      if (isNoCode(start) || data.likely.has(start) || !(named || thunk || padded || follows)) {
        // Over whole instructions, so that bytes inside of one are not taken for padding.
        at = isNoCode(start) ? start + 1 : stepOver(run, start, true);
        continue;
      }
      const extent = walker.walk(start, rules);
      if (extent.cut && !named) {
        at = stepOver(run, start, true);
        continue;
      }
      add(start, extent);
      at = Math.max(extent.ranges[1] ?? start + 1, start + 1);
      ended = at;
    }
  }
  if (walker.exhausted) notes.push("the search for leaf functions was ended at its limit");
}

function eachPair(pairs: readonly number[], visit: (start: number, end: number) => void): void {
  for (let i = 0; i < pairs.length; i += 2) visit(pairs[i] ?? 0, pairs[i + 1] ?? 0);
}
