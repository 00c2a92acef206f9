import type { CodeFunction } from "../code/function-table.ts";
import { addressedFunctions } from "../code/xrefs.ts";
import type { DecodedModule } from "./module-codes.ts";

/** Functions looked at above one; past that it is called from everywhere. */
const MOST_CALLERS = 64;

/**
 * Whether only the driver's start leads to a function: its entry point, through direct calls. What nothing is seen to
 * call may be called by anybody who was given its address.
 */
export function runsOnceOnly({ image, graph }: DecodedModule, from: CodeFunction): boolean {
  const start = image.image.entryPoint;
  if (start === 0) return false;
  const addressed = addressedFunctions(image);
  const seen = new Set<number>([from.entry]);
  for (let level: readonly CodeFunction[] = [from]; level.length > 0; ) {
    for (const { entry } of level) {
      if (entry === start) continue;
      if (image.seeds.exported.has(entry) || addressed.has(entry)) return false;
    }
    const open = level.filter(({ entry }) => entry !== start);
    const next: CodeFunction[] = [];
    const called = new Set<number>();
    for (const edge of graph.callersOf(open.map(({ entry }) => entry))) {
      called.add(edge.callee.thunk ?? edge.callee.offset ?? -1);
      if (edge.callee.offset !== undefined) called.add(edge.callee.offset);
      if (seen.has(edge.from.entry)) continue;
      seen.add(edge.from.entry);
      next.push(edge.from);
    }
    if (seen.size > MOST_CALLERS || open.some(({ entry }) => !called.has(entry))) return false;
    level = next;
  }
  return true;
}
