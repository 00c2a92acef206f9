import { CallGraph } from "./calls.ts";
import type { Flows } from "./flows.ts";
import type { CallSite } from "./function-flow.ts";
import { callArgument, INITIALISERS, keptIn, ROUTINES } from "./lookups.ts";
import { placeNamed } from "./naming.ts";
import { stringAt } from "./string-at.ts";
import type { Value } from "./values.ts";

/**
 * Variables of an image that hold what a call looked up by its name, with that name: `MmGetSystemRoutineAddress` and its
 * like, the name given as text, as a counted string in data, or as one that a call before sets up. A variable that two
 * names were looked up for has none.
 */
export function lookedUpPointers(flows: Flows): ReadonlyMap<number, string> {
  const routines = flows.image.image.imports.slots.filter(({ rva }) =>
    ROUTINES.has(flows.callees.throughSlot(rva).name ?? ""),
  );
  const names = new Map<number, string | undefined>();
  if (routines.length > 0) {
    for (const { at, from } of new CallGraph(flows).callersOf(routines.map(({ rva }) => rva))) {
      const flow = flows.of(from);
      const site = flows.siteAt(from, at);
      const pointer = keptIn(flow, at);
      const name = site === undefined ? undefined : lookedUp(flows, flow.calls, site);
      if (pointer === undefined || name === undefined) continue;
      names.set(pointer, names.has(pointer) && names.get(pointer) !== name ? undefined : name);
    }
  }
  return new Map(
    [...names].flatMap(([pointer, name]) => (name === undefined ? [] : [[pointer, name] as const])),
  );
}

/** The name that a call takes as its first argument. */
function lookedUp(flows: Flows, calls: readonly CallSite[], site: CallSite): string | undefined {
  const first = callArgument(flows, site, 1);
  const { pointerSize } = flows.image.image;
  const given = nameIn(flows, first);
  if (given !== undefined) return given;
  for (const atom of first) {
    if (atom.kind !== "stack") continue;
    const built = nameIn(flows, site.state.stackAt(atom.offset + pointerSize));
    if (built !== undefined) return built;
  }
  const keys = new Set(first.map(({ key }) => key));
  const before = calls.filter(
    (call) =>
      call.instruction.start < site.instruction.start &&
      flows.callees.of(call).some(({ name }) => INITIALISERS.has(name ?? "")) &&
      callArgument(flows, call, 1).some(({ kind, key }) => kind !== "unknown" && keys.has(key)),
  );
  const last = before.at(-1);
  return last === undefined ? undefined : nameIn(flows, callArgument(flows, last, 2));
}

function nameIn(flows: Flows, value: Value): string | undefined {
  const [only, ...others] = value;
  const place = only === undefined || others.length > 0 ? undefined : placeNamed(flows.image, only);
  const found = place === undefined ? undefined : stringAt(flows.image.image, place);
  return found !== undefined && "text" in found && /^[A-Za-z_]\w{3,}$/.test(found.text)
    ? found.text
    : undefined;
}
