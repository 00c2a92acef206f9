/** RVAs from `start` up to `end`. */
export interface RvaRange {
  readonly start: number;
  readonly end: number;
}

/** What is in `kept` and not in `dropped`, in order, joined. */
export function subtract(kept: readonly RvaRange[], dropped: readonly RvaRange[]): readonly RvaRange[] {
  const result: RvaRange[] = [];
  const cuts = joined(dropped);
  let cut = 0;
  for (const range of joined(kept)) {
    let start = range.start;
    for (; cut < cuts.length; cut++) {
      const next = cuts[cut];
      if (next === undefined || next.start >= range.end) break;
      if (next.start > start) result.push({ start, end: next.start });
      start = Math.max(start, next.end);
      if (next.end > range.end) break;
    }
    if (start < range.end) result.push({ start, end: range.end });
  }
  return result;
}

function joined(ranges: readonly RvaRange[]): readonly RvaRange[] {
  const result: { start: number; end: number }[] = [];
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (start >= end) continue;
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else result.push({ start, end });
  }
  return result;
}
