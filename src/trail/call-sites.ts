import { type CallEdge, CallGraph } from "../code/calls.ts";
import type { Va } from "../core/address.ts";
import type { HeldFunction, Holding } from "./importers.ts";
import type { DecodedModule } from "./module-codes.ts";
import { functionLabel } from "./reach.ts";
import type { TrailModule } from "./target.ts";

/** A call of a function that another module exports. */
export interface CallSite {
  readonly module: TrailModule;
  readonly function: HeldFunction;
  readonly edge: CallEdge;
  readonly address: Va;
  /** Where the call comes back to. */
  readonly returnAddress: Va;
  /** The function that the call stands in: its exported name, or its place. */
  readonly caller: string;
  /** Arguments that are constants, from the first; undefined for the others. */
  readonly arguments: readonly (number | undefined)[];
}

const ARGUMENTS = 4;

/** Finds where a module's code calls the functions that its import slots hold. */
export function findCallSites(
  module: TrailModule,
  decoded: DecodedModule,
  holdings: readonly Holding[],
): readonly CallSite[] {
  const slots = new Map<number, HeldFunction>();
  for (const { slot, rva, function: held, basis } of holdings) {
    if (slot !== null && basis !== "disagree") slots.set(rva, held);
  }
  if (slots.size === 0) return [];
  const graph = new CallGraph(decoded.flows);
  const sites = new Map<string, CallSite>();
  for (const edge of graph.callersOf(slots.keys())) {
    const held = slots.get(edge.callee.slot ?? -1);
    if (held === undefined) continue;
    const key = `${edge.at}:${held.address}`;
    if (!sites.has(key)) sites.set(key, siteOf(module, decoded, graph, edge, held));
  }
  const thunked = throughThunks(module, decoded, graph, sites);
  return [...sites.values(), ...thunked].sort((a, b) => a.edge.at - b.edge.at);
}

/** A jump through a slot that is a function of its own is a linker's thunk: its callers call the import. */
function throughThunks(
  module: TrailModule,
  decoded: DecodedModule,
  graph: CallGraph,
  sites: Map<string, CallSite>,
): readonly CallSite[] {
  const thunks = new Map<number, CallSite>();
  for (const [key, site] of sites) {
    if (site.edge.form !== "jump-slot" || site.edge.from.entry !== site.edge.at) continue;
    thunks.set(site.edge.at, site);
    sites.delete(key);
  }
  if (thunks.size === 0) return [];
  return graph.callersOf(thunks.keys()).flatMap((edge) => {
    const thunk = thunks.get(edge.callee.thunk ?? -1);
    return thunk === undefined ? [] : [siteOf(module, decoded, graph, edge, thunk.function)];
  });
}

function siteOf(
  module: TrailModule,
  decoded: DecodedModule,
  graph: CallGraph,
  edge: CallEdge,
  held: HeldFunction,
): CallSite {
  const length = decoded.flows.siteAt(edge.from, edge.at)?.instruction.length ?? 0;
  return {
    module,
    function: held,
    edge,
    address: (module.base + BigInt(edge.at)) as Va,
    returnAddress: (module.base + BigInt(edge.at + length)) as Va,
    caller: functionLabel(module.name, decoded, edge.from.entry),
    arguments: graph.constantArguments(edge, ARGUMENTS),
  };
}
