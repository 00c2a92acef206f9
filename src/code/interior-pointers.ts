import type { Atom, Value } from "./abstract-value.ts";
import { argumentOf, argumentPlaces } from "./call-site.ts";
import type { DataFlow } from "./data-flow.ts";
import type { FunctionFlow } from "./function-flow.ts";
import type { CodeFunction } from "./function-table.ts";

const known = new WeakMap<FunctionFlow, ReadonlySet<number>>();

/**
 * How far behind the starts of structures the interior pointers lie that a function hands on or stores, or goes back from
 * to a start: what stands in a list is found by its link, and its fields are counted from there. The work is done once.
 */
export function interiorDistances(flows: DataFlow, found: CodeFunction): ReadonlySet<number> {
  const flow = flows.of(found);
  const done = known.get(flow);
  if (done !== undefined) return done;
  const distances = new Set<number>();
  known.set(flow, distances);
  const add = (value: Value): void => {
    for (const atom of value) {
      const far = distanceOf(atom);
      if (far !== 0) distances.add(far);
    }
  };
  const { abi } = flows.image.code.set;
  for (const site of flow.calls) {
    const [callee] = flows.callees.of(site);
    for (const place of argumentPlaces(abi, site, callee?.name)) add(argumentOf(abi, site, place));
  }
  for (const { kind, value } of flow.events) if (kind === "store") add(value);
  return distances;
}

function distanceOf(atom: Atom): number {
  if (atom.kind === "offset") return Math.abs(atom.offset);
  return atom.kind === "unknown" ? Math.abs(atom.moved ?? 0) : 0;
}
