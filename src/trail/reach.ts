import type { CallEdge } from "../code/call-graph.ts";
import type { CodeFunction } from "../code/function-table.ts";
import { serviceCalls } from "../code/services.ts";
import { addressedFunctions } from "../code/xrefs.ts";
import { hex } from "../core/address.ts";
import { MAX_REACH_DEPTH, MAX_REACH_EXPORTS, MAX_REACH_FUNCTIONS } from "../core/limits.ts";
import { groupBy } from "../core/search.ts";
import { exportNames } from "../symbols/exports.ts";
import { namesAt } from "../symbols/image-names.ts";
import type { DecodedModule } from "./module-codes.ts";

/** An exported function from which a function is reached by direct calls of its own image. */
export interface ReachedFrom {
  readonly name: string;
  /** All names that it is exported by, `name` first. */
  readonly names: readonly string[];
  /** Where it starts. */
  readonly entry: number;
  /** Calls on the way; 0: the function itself is exported, or is the service of a stub that is. */
  readonly depth: number;
  /** The functions on the way, from the exported one on: names, or offsets where nothing names one. */
  readonly path: readonly string[];
  /** The functions that the walk began at and that this path leads to. */
  readonly leads: readonly number[];
  readonly basis: CodeFunction["basis"];
}

export interface Reach<C = undefined> {
  readonly exports: readonly (ReachedFrom & { readonly carried: C })[];
  /** The functions that the walk would begin at, and that the carrier leads no further. */
  readonly dropped: readonly number[];
  /** What was cut off, and what is reached through pointers only; one sentence each. */
  readonly notes: readonly string[];
}

/** What is carried along from the functions that a walk begins at; where it gives `undefined` the walk goes no further. */
export interface Carrier<C> {
  lead(found: CodeFunction): C | undefined;
  through(edge: CallEdge, carried: C): C | undefined;
}

interface Node<C> {
  readonly carried: C;
  readonly found: CodeFunction;
  readonly depth: number;
  /** One call nearer to the lead. */
  readonly next: Node<C> | undefined;
  readonly lead: number;
}

/**
 * Walks backwards through direct calls, breadth first, from `leads` to exported functions: each with its
 * shortest path. The walk goes on above an exported function too: a driver can as well call what calls it.
 *
 * @param name how the module is called in paths
 */
export function reachedFrom<C = null>(
  name: string,
  decoded: DecodedModule,
  leads: readonly CodeFunction[],
  carrier?: Carrier<C>,
): Reach<C> {
  const { image, graph } = decoded;
  const notes: string[] = [];
  const exports = new Map<number, { node: Node<C>; leads: Set<number>; names: readonly string[] }>();
  const variables = new Map<number, Node<C>>();
  const seen = new Set<string>();
  let frontier: Node<C>[] = [];
  const visit = (node: Node<C>): void => {
    const key = `${node.found.entry}:${node.lead}`;
    if (seen.has(key) || seen.size >= MAX_REACH_FUNCTIONS) return;
    seen.add(key);
    const { entry } = node.found;
    const names = exportNames(image.image)
      .at(entry)
      .map(({ name }) => name);
    if (names.length > 0) {
      const known = exports.get(entry);
      if (known === undefined) exports.set(entry, { node, leads: new Set([node.lead]), names });
      else known.leads.add(node.lead);
    }
    frontier.push(node);
    // A stub of a system service is the service by another name: no step in between.
    for (const stub of serviceCalls(image).stubsOf(entry)) {
      const found = image.functions.startingAt(stub.entry);
      if (found !== undefined) visit({ ...node, found, next: node });
    }
  };
  const dropped: number[] = [];
  for (const found of leads) {
    const carried = carrier === undefined ? (null as C) : carrier.lead(found);
    if (carried === undefined) dropped.push(found.entry);
    else visit({ found, depth: 0, next: undefined, lead: found.entry, carried });
  }

  for (let depth = 1; frontier.length > 0; depth++) {
    if (depth > MAX_REACH_DEPTH || exports.size >= MAX_REACH_EXPORTS) {
      notes.push(`${name}: callers ${depth} calls away and further were not looked for`);
      break;
    }
    const below = groupBy<Node<C>, number>(frontier, (node) => node.found.entry);
    frontier = [];
    for (const edge of graph.callersOf(below.keys())) {
      for (const next of below.get(edge.callee.thunk ?? edge.callee.offset ?? -1) ?? []) {
        const { variable } = edge.callee;
        if (variable?.writable && image.image.layout === "file") variables.set(variable.rva, next);
        if (seen.has(`${edge.from.entry}:${next.lead}`)) continue;
        const carried = carrier === undefined ? next.carried : carrier.through(edge, next.carried);
        if (carried !== undefined) visit({ found: edge.from, depth, next, lead: next.lead, carried });
      }
    }
  }
  for (const [variable, { found }] of variables) {
    notes.push(
      `${functionLabel(name, decoded, found.entry)} is called through the variable at ${name}+${hex(variable)}, as it stands in the file; it may be written to later`,
    );
  }
  if (seen.size >= MAX_REACH_FUNCTIONS) notes.push(`${name}: more functions lead there than were followed`);
  return {
    exports: [...exports.values()].map(({ node, leads: reached, names }) => ({
      name: names[0] ?? "",
      names,
      entry: node.found.entry,
      depth: node.depth,
      path: pathOf(name, decoded, node),
      leads: [...reached],
      basis: node.found.basis,
      carried: node.carried,
    })),
    dropped,
    notes,
  };
}

function pathOf<C>(name: string, decoded: DecodedModule, from: Node<C>): readonly string[] {
  const path: string[] = [];
  for (let node: Node<C> | undefined = from; node !== undefined; node = node.next) {
    path.push(functionLabel(name, decoded, node.found.entry));
  }
  return path;
}

/** A function's name, or its module and offset. */
export function functionLabel(module: string, decoded: DecodedModule, entry: number): string {
  return namesAt(decoded.image.image, entry)[0]?.name ?? `${module}+${hex(entry)}`;
}

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
