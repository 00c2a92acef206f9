import { skipPadding } from "../isa/x86/padding.ts";
import type { ModuleCode } from "./module-code.ts";

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
    if (run !== undefined && start - before < 16 && skipPadding(run, before, start) === start)
      joined[joined.length - 1] = end;
    else joined.push(start, end);
  }
  return joined;
}
