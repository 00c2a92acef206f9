import type { Atom } from "../code/abstract-value.ts";
import type { CallEdge } from "../code/call-graph.ts";
import { argumentOf, type CallSite } from "../code/call-site.ts";
import { namesOf } from "../code/callees.ts";
import type { IsRelease } from "../code/fates.ts";
import type { CodeFunction } from "../code/function-table.ts";
import { placed } from "../code/xrefs.ts";
import { argumentPlace } from "../isa/abi.ts";
import { callsThrough } from "./import-calls.ts";
import type { DecodedModule } from "./module-codes.ts";
import type { Release } from "./pairs/pair.ts";
import type { Reference } from "./scan.ts";
import type { TrailModule } from "./target.ts";

/** Calls of a module that take entries from a lookaside list, and those that give them back. */
export interface ListEntries {
  readonly taken: readonly { readonly from: CodeFunction; readonly at: number }[];
  readonly given: readonly { readonly edge: CallEdge; readonly item: Release }[];
  readonly isRelease: IsRelease;
}

/**
 * Where a list is: in the image; in a structure, so many bytes in; or where a variable of the image, or a field of a
 * structure, points to.
 */
type ListPlace =
  | { readonly rva: number }
  | { readonly offset: number }
  | { readonly pointer: number }
  | { readonly field: number };

/** Their first argument is the list; the functions of SLISTs stand in the place of the others in compiled code. */
const INITIALIZE = /^(?:ExInitialize(?:N?Paged)?LookasideList(?:Ex)?|NdisInitializeNPagedLookasideList)$/;
const TAKES =
  /^(?:ExAllocateFrom(?:N?Paged)?LookasideList(?:Ex)?|NdisAllocateFromNPagedLookasideList|(?:Exp?)?InterlockedPopEntrySList)$/;
/** The second is the entry. */
const GIVES =
  /^(?:ExFreeTo(?:N?Paged)?LookasideList(?:Ex)?|NdisFreeToNPagedLookasideList|(?:Exp?)?InterlockedPushEntrySList)$/;

/** Pointers in GENERAL_LOOKASIDE that compiled code calls where the list is empty, or full (wdm.h). */
const ROUTINES = { 4: { allocate: 0x28, free: 0x2c }, 8: { allocate: 0x30, free: 0x38 } } as const;

/** The lists of a module that references to a tag initialize. */
export function listsOf(
  module: TrailModule,
  decoded: DecodedModule,
  references: readonly Reference[],
): readonly ListEntries[] {
  return references.flatMap((reference) => {
    if (reference.module !== module.name || reference.use !== "lookaside") return [];
    const { call } = decoded.uses.at(reference.rva);
    return (call === undefined ? undefined : entriesOf(module, decoded, call.at)) ?? [];
  });
}

const known = new WeakMap<DecodedModule, Map<string, ListEntries>>();

/**
 * What becomes of a list that a call initializes; `undefined` where the list cannot be told, or nothing is seen to be
 * taken from it.
 */
export function entriesOf(module: TrailModule, decoded: DecodedModule, at: number): ListEntries | undefined {
  const place = initialized(decoded, at);
  if (place === undefined) return undefined;
  const lists = known.get(decoded) ?? new Map<string, ListEntries>();
  known.set(decoded, lists);
  const key = JSON.stringify(place);
  const entries = lists.get(key) ?? lookUp(module, decoded, place);
  lists.set(key, entries);
  return entries.taken.length === 0 ? undefined : entries;
}

function initialized(decoded: DecodedModule, at: number): ListPlace | undefined {
  const { flows, image } = decoded;
  const [from] = image.functions.owning(at);
  const site = from === undefined ? undefined : flows.siteAt(from, at);
  const name =
    site === undefined ? undefined : flows.callees.of(site).flatMap(namesOf).find(isNamed(INITIALIZE));
  if (site === undefined || name === undefined) return undefined;
  const [list, ...others] = listOf(decoded, site, name);
  if (from === undefined || list === undefined || others.length > 0) return undefined;
  if (list.kind !== "result") return placeOf(list);
  // the list was allocated, and a variable has it
  const { events } = flows.of(from);
  const kept = events.find(
    ({ kind, value, place }) =>
      kind === "store" && place !== undefined && value.some(({ key }) => key === list.key),
  );
  return kept?.place === undefined ? undefined : { pointer: kept.place };
}

function placeOf(list: Atom): ListPlace | undefined {
  switch (list.kind) {
    case "address":
      return { rva: list.rva };
    case "offset":
      return { offset: list.offset };
    case "loaded":
      return { pointer: list.rva };
    case "field":
      return { field: list.offset };
    default:
      return undefined;
  }
}

function lookUp(module: TrailModule, decoded: DecodedModule, place: ListPlace): ListEntries {
  const { flows, image } = decoded;
  const routines = ROUTINES[image.code.set.abi.pointerSize];
  const isIt = (site: CallSite | undefined, name: string): boolean =>
    site !== undefined && listOf(decoded, site, name).some((atom) => isAt(atom, place));
  // a structure may be known by another pointer to whoever gives back
  const mayBeIt = (site: CallSite | undefined, name: string): boolean =>
    isIt(site, name) || !("rva" in place || site === undefined || isInImage(listOf(decoded, site, name)));
  const through = (names: RegExp, is: typeof isIt, routine: number, named: number, own: number) => [
    ...callsNamed(module, decoded, names, named).filter(({ edge, item }) =>
      is(flows.siteAt(edge.from, edge.at), item.name),
    ),
    ...("rva" in place
      ? callsThrough(decoded.graph, new Map([[place.rva + routine, { name: "", argument: own }]]))
      : []),
  ];
  return {
    taken: through(TAKES, isIt, routines.allocate, 1, 1).map(({ edge: { from, at } }) => ({ from, at })),
    given: through(GIVES, mayBeIt, routines.free, 2, 1),
    isRelease: (callee, given, site) => {
      if (given.within !== undefined) return false;
      const name = namesOf(callee).find(isNamed(GIVES));
      if (name !== undefined) return given.argument === 2 && mayBeIt(site, name);
      return given.argument === 1 && "rva" in place && callee.slot === place.rva + routines.free;
    },
  };
}

/** Calls of functions that the module imports, with which argument is asked about. */
function callsNamed(
  { imports }: TrailModule,
  { flows, graph }: DecodedModule,
  names: RegExp,
  argument: number,
): ListEntries["given"] {
  const slots = new Map<number, Release>();
  for (const { rva } of imports.slots) {
    const name = namesOf(flows.callees.throughSlot(rva)).find(isNamed(names));
    if (name !== undefined) slots.set(rva, { name, argument });
  }
  return callsThrough(graph, slots);
}

function isNamed(pattern: RegExp): (name: string) => boolean {
  return (name) => pattern.test(name);
}

function listOf({ image }: DecodedModule, site: CallSite, name: string): readonly Atom[] {
  const { abi } = image.code.set;
  return placed(image, argumentOf(abi, site, argumentPlace(abi, 1, name)));
}

function isAt(atom: Atom, place: ListPlace): boolean {
  return JSON.stringify(placeOf(atom)) === JSON.stringify(place);
}

function isInImage(list: readonly Atom[]): boolean {
  return list.length > 0 && list.every(({ kind }) => kind === "address");
}
