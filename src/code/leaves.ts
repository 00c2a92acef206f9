import { BitSet } from "./bit-set.ts";
import type { Decoder } from "./decoder.ts";
import { type FlowRules, FlowWalker } from "./flow.ts";
import type { Basis, FunctionTableBuilder } from "./function-table.ts";
import { JumpTables } from "./jump-tables.ts";
import { knownData } from "./known-data.ts";
import { stepOver } from "./lengths.ts";
import type { ModuleCode } from "./module-code.ts";
import { skipPadding } from "./padding.ts";
import { joinPadded } from "./ranges.ts";
import type { Seeds } from "./seeds.ts";
import { isSelfContained } from "./self-contained.ts";

/**
 * The functions that have no unwind data, in the gaps between those that have. Where rows of the unwind data could
 * not be read, a gap may be the inside of any function: there its place alone makes nothing a function but behind
 * padding, where compilers align one.
 */
export function findLeaves(
  code: ModuleCode,
  decoder: Decoder,
  seeds: Seeds,
  called: BitSet,
  covered: BitSet,
  builder: FunctionTableBuilder,
  notes: string[],
): void {
  const tables = new JumpTables(code, decoder, undefined);
  const data = knownData(code);
  const walker = new FlowWalker(code, decoder, tables, new BitSet(code.image.size), code.readable + 0x1_0000);
  const isNamed = (at: number): boolean => seeds.exported.has(at) || seeds.pointed.has(at);
  const rules: FlowRules = {
    fence: { has: (at) => covered.has(at) || seeds.exported.has(at) || seeds.pointed.has(at) },
    neverReturns: () => false,
    startsFunction: () => false,
    isTailJump: ({ target, entry }) => target < entry || target > entry + 0x1000,
  };
  const gapsKnown = code.image.unwind.stopped === undefined;
  /** Where the last leaf function ended: what directly follows one is another. */
  let ended = -1;
  for (const run of code.runs) {
    for (let at = run.start; at < run.end && !walker.exhausted; ) {
      at = covered.nextMissing(at, run.end);
      if (at >= run.end) break;
      let start = skipPadding(run, at, run.end);
      // What reads as padding is code where an export stands.
      for (let place = at; place < start; place++) if (seeds.exported.has(place)) start = place;
      if (start >= run.end) break;
      if (covered.has(start)) {
        at = start;
        continue;
      }
      // Behind a hole stands the rest of some function.
      const first = at === run.start && code.sections.some((section) => section.start === at);
      const aligned = start % 16 === 0;
      const padded = gapsKnown
        ? start > at || first || (aligned && at > run.start)
        : first || (start > at && aligned);
      const named = isNamed(start);
      const thunk = run.bytes[start - run.start] === 0xff && run.bytes[start - run.start + 1] === 0x25;
      const follows =
        gapsKnown &&
        (start === ended || covered.has(start - 1)) &&
        (called.has(start) || isSelfContained(decoder, true, start, () => false));
      if (
        tables.holds(start) ||
        data.likely.has(start) ||
        data.sure.has(start) ||
        !(named || thunk || padded || follows)
      ) {
        // Over whole instructions, so that bytes inside of one are not taken for padding.
        at = tables.holds(start) ? start + 1 : stepOver(run, start, true);
        continue;
      }
      const { ranges, cut } = walker.walk(start, rules);
      const basis: Basis = seeds.exported.has(start) ? "export" : "flow";
      if (cut && !named) {
        at = stepOver(run, start, true);
        continue;
      }
      builder.add(start, basis, joinPadded(code, ranges));
      eachPair(ranges, (from, to) => covered.addRange(from, to));
      at = Math.max(ranges[1] ?? start + 1, start + 1);
      ended = at;
    }
  }
  if (walker.exhausted) notes.push("the search for leaf functions was ended at its limit");
}

function eachPair(pairs: readonly number[], visit: (start: number, end: number) => void): void {
  for (let i = 0; i < pairs.length; i += 2) visit(pairs[i] ?? 0, pairs[i + 1] ?? 0);
}
