import { type CallEdge, CallGraph } from "../code/call-graph.ts";
import { functionsNaming } from "../code/xrefs.ts";
import type { Rva, Va } from "../core/address.ts";
import type { HeldFunction, Holding } from "./holders.ts";
import type { DecodedModule } from "./module-codes.ts";
import { functionLabel } from "./reach.ts";
import type { TrailModule } from "./target.ts";

/** Where a module calls a function that another one exports. */
export interface CallSeen {
  readonly module: TrailModule;
  readonly function: HeldFunction;
  /** Where the call comes back to. */
  readonly returnAddress: Va;
}

/** The same with the code around it, which is in memory for as long as somebody holds it. */
export interface ImportCall extends CallSeen {
  readonly edge: CallEdge;
  readonly address: Va;
  /** The function that the call stands in: its exported name, or its place. */
  readonly caller: string;
  /** Arguments that are constants, from the first; undefined for the others. Follows the caller's values. */
  readonly constants: () => readonly (number | undefined)[];
  /** The argument of that number, from 1, where it is a constant. */
  readonly argument: (number: number) => number | undefined;
}

const ARGUMENTS = 4;

/** Finds where a module's code calls the functions that its import slots hold. */
export function findImportCalls(
  module: TrailModule,
  decoded: DecodedModule,
  holdings: readonly Holding[],
): readonly ImportCall[] {
  const slots = new Map<number, HeldFunction>();
  for (const { slot, rva, function: held, basis } of holdings) {
    if (slot !== null && basis !== "disagree") slots.set(rva, held);
  }
  const graph = new CallGraph(decoded.flows);
  return callsThrough(graph, slots).map(({ edge, item }) => importCall(module, decoded, edge, item));
}

/** A call of a function that another module exports. */
export function importCall(
  module: TrailModule,
  decoded: DecodedModule,
  edge: CallEdge,
  called: HeldFunction,
): ImportCall {
  const { graph, image } = decoded;
  return {
    module,
    function: called,
    edge,
    address: (module.base + BigInt(edge.at)) as Va,
    returnAddress: (module.base + BigInt(edge.at + image.code.lengthAt(edge.at))) as Va,
    caller: functionLabel(module.name, decoded, edge.from.entry),
    constants: () => graph.constantArguments(edge, ARGUMENTS),
    argument: (number) => graph.constantArguments(edge, number)[number - 1],
  };
}

/**
 * The calls through pointers at given places of an image. A jump through one that is a function of its own
 * is a linker's thunk: its callers are what counts.
 *
 * @param slots what each pointer stands for, by its offset
 */
export function callsThrough<T>(
  graph: CallGraph,
  slots: ReadonlyMap<number, T>,
): readonly { readonly edge: CallEdge; readonly item: T }[] {
  if (slots.size === 0) return [];
  const startOf = ({ from }: CallEdge): number => {
    const run = graph.code.runAt(from.entry);
    return run === undefined ? from.entry : graph.code.set.thunks.behindIdleHead(run, from.entry);
  };
  const calls = new Map<string, { edge: CallEdge; item: T }>();
  const thunks = new Map<number, T>();
  for (const edge of graph.callersOf(slots.keys())) {
    const item = slots.get(edge.callee.slot ?? -1);
    if (item === undefined) continue;
    if (edge.form === "jump-slot" && startOf(edge) === edge.at) thunks.set(edge.from.entry, item);
    else calls.set(`${edge.at}:${edge.callee.slot}`, { edge, item });
  }
  for (const edge of thunks.size === 0 ? [] : graph.callersOf(thunks.keys())) {
    const item = thunks.get(edge.callee.thunk ?? -1);
    if (item !== undefined) calls.set(`${edge.at}:thunk`, { edge, item });
  }
  return [...calls.values()].sort((a, b) => a.edge.at - b.edge.at);
}

/** The calls of a function of the framework, which go through its table. */
export function frameworkCalls<T extends { readonly name: string }>(
  { image, flows }: DecodedModule,
  item: T,
): { readonly edge: CallEdge; readonly item: T }[] {
  const place = flows.callees.frameworkPlace(item.name);
  if (place === undefined) return [];
  return functionsNaming(image, [place]).flatMap((from) =>
    flows.of(from).calls.flatMap((site) => {
      const callee = flows.callees.of(site).find(({ name }) => name === item.name);
      if (callee === undefined) return [];
      const at = site.instruction.start as Rva;
      return [{ edge: { at, from, form: "call-slot", callee }, item }];
    }),
  );
}
