import { argumentPlace, type PoolRoutine } from "./allocators.ts";
import { type Callee, routineOf } from "./callees.ts";
import type { Flows } from "./flows.ts";
import { argumentOf } from "./function-flow.ts";
import type { Value } from "./values.ts";

/** A pool routine that a function calls with a tag that it was given. */
export interface Wrapper {
  readonly routine: PoolRoutine;
  readonly callee: Callee;
  /** Where the function was given the tag: what a register or the stack held on entry. */
  readonly tag: Value;
  readonly size: Value | undefined;
  readonly poolType: Value | undefined;
  readonly poolFlags: Value | undefined;
}

/** The pool routines that the function at `entry` calls for its callers. Allocations first. */
export function wrappersAt(flows: Flows, entry: number): readonly Wrapper[] {
  const found = flows.image.functions.startingAt(entry);
  if (found === undefined) return [];
  const { wide } = flows.image.code;
  const wrappers: Wrapper[] = [];
  for (const site of flows.of(found).calls) {
    for (const callee of flows.callees.of(site)) {
      const routine = routineOf(callee);
      if (routine?.tag === undefined) continue;
      const value = (index: number | undefined): Value | undefined =>
        index === undefined ? undefined : argumentOf(wide, site, argumentPlace(wide, index, routine));
      const tag = (value(routine.tag) ?? []).filter(({ kind }) => kind === "register" || kind === "argument");
      if (tag.length === 0) continue;
      wrappers.push({
        routine,
        callee,
        tag,
        size: value(routine.size),
        poolType: value(routine.poolType),
        poolFlags: value(routine.poolFlags),
      });
    }
  }
  const rank = ({ routine }: Wrapper): number => ["allocate", "lookaside", "free"].indexOf(routine.use);
  return wrappers.sort((a, b) => rank(a) - rank(b));
}
