import type { CodeFunction } from "../code/function-table.ts";
import type { Ownership } from "../code/ownership.ts";
import { hex, type Va } from "../core/address.ts";
import { addAll } from "../core/search.ts";
import { namesAt } from "../symbols/image-names.ts";
import { isDocumented } from "./documented-functions.ts";
import type { FunctionPlace } from "./function-place.ts";
import { type Allocation, allocationCarrier, type Carried } from "./handed-out.ts";
import { entriesOf } from "./lookaside-lists.ts";
import type { ModuleCodes } from "./module-codes.ts";
import { type Reach, type ReachedFrom, reachedFrom } from "./reach.ts";
import type { Reference } from "./scan.ts";
import type { TrailModule, TrailTarget } from "./target.ts";

/** An exported function from which an allocation with the tag is reached. */
export interface TrailApi {
  /** A documented one, where it has several. */
  readonly name: string;
  /** All names that it is exported by, `name` first. */
  readonly names: readonly string[];
  readonly module: string;
  readonly address: Va;
  /** Direct calls between it and the function that allocates; 0 for that function itself. */
  readonly depth: number;
  /** Null where no list says. */
  readonly documented: boolean | null;
  /** The functions from the API to the one that allocates, both included. */
  readonly path: readonly string[];
  /** References that it leads to, by address. */
  readonly references: readonly Va[];
  /**
   * Where the functions start that allocate and that it leads to: APIs with the same ones all end at one place. Empty
   * where no function is known.
   */
  readonly leads: readonly Va[];
  readonly basis: FunctionPlace["basis"] | "nearest-export";
  /** What it allocates was followed to its callers, who have to give it back; false: it stays inside, or was not followed. */
  readonly handsOut: boolean;
}

/** Uses that take memory from the pool, now or later. Frees and compares lead nowhere. */
const LEADS: ReadonlySet<Reference["use"]> = new Set(["allocate", "lookaside"]);

/** An API, and how its callers get what it allocates; null where it stays inside, or is not known. */
export interface FoundApi {
  readonly api: TrailApi;
  readonly out: Carried;
}

export interface ApiSearch {
  readonly apis: readonly FoundApi[];
  readonly notes: readonly string[];
}

/**
 * The exported functions that lead to the references which allocate: the functions they stand in, and
 * those that call them, but for those that free it themselves. Where no function is known around a
 * reference, the nearest export below stands in for it, and `basis` says so.
 */
export function findApis(
  target: TrailTarget,
  codes: ModuleCodes,
  references: readonly Reference[],
  ownership: Ownership,
): ApiSearch {
  const apis: FoundApi[] = [];
  const notes: string[] = [];
  for (const module of target.modules) {
    const own = references.filter((reference) => reference.module === module.name);
    if (own.length === 0) continue;
    const leading = own.filter((reference) => LEADS.has(reference.use));
    const leads = leadsOf(module, codes, leading);
    const reach = reachOf(module, codes, leads, ownership);
    for (const found of reach.exports) {
      apis.push({ api: apiOf(target, module, found, leads), out: found.carried });
    }
    addAll(notes, reach.notes);
    for (const api of neighbours(target, module, own, apis)) apis.push({ api, out: null });
  }
  const order = ({ api: a }: FoundApi, { api: b }: FoundApi): number =>
    a.depth - b.depth || b.references.length - a.references.length;
  return { apis: apis.sort(order), notes };
}

/** A function that allocates with the tag, and where the tag stands that it uses. */
interface Lead {
  readonly found: CodeFunction;
  readonly references: readonly Va[];
  /** Calls in it that allocate with the tag, as far as they are known. */
  readonly calls: readonly Allocation[];
}

/** By entry: the functions that the references stand in, or that use the variable where the tag stands. */
function leadsOf(
  module: TrailModule,
  codes: ModuleCodes,
  leading: readonly Reference[],
): ReadonlyMap<number, Lead> {
  const decoded = leading.length === 0 ? undefined : codes.of(module);
  const leads = new Map<number, { found: CodeFunction; references: Va[]; calls: Allocation[] }>();
  if (decoded === undefined) return leads;
  const { functions } = decoded.image;
  const leadIn = (found: CodeFunction, address: Va) => {
    const lead = leads.get(found.entry) ?? { found, references: [], calls: [] };
    leads.set(found.entry, lead);
    if (!lead.references.includes(address)) lead.references.push(address);
    return lead;
  };
  for (const { rva, address, use } of leading) {
    const { users: entries, call } = decoded.uses.at(rva);
    const list = use === "lookaside" && call !== undefined ? entriesOf(module, decoded, call.at) : undefined;
    for (const { from, at } of list?.taken ?? [])
      leadIn(from, address).calls.push({ at, isRelease: list?.isRelease });
    if (list !== undefined) continue;
    const users = entries?.flatMap((entry) => functions.startingAt(entry) ?? []);
    for (const found of users ?? functions.owning(rva)) {
      const lead = leadIn(found, address);
      const own =
        call !== undefined && found.fragments.some(({ start, end }) => call.at >= start && call.at < end);
      if (own && use === "allocate") lead.calls.push({ at: call.at });
    }
  }
  return leads;
}

function reachOf(
  module: TrailModule,
  codes: ModuleCodes,
  leads: ReadonlyMap<number, Lead>,
  ownership: Ownership,
): Reach<Carried> {
  const decoded = codes.of(module);
  if (decoded === undefined || leads.size === 0) return { exports: [], dropped: [], notes: [] };
  const calls = new Map([...leads].map(([entry, lead]) => [entry, lead.calls]));
  const carrier = allocationCarrier(ownership, decoded, calls);
  const found = [...leads.values()].map((lead) => lead.found);
  const reach = reachedFrom(module.name, decoded, found, carrier);
  const reached = new Set(reach.exports.flatMap((found) => found.leads));
  const lost = [...leads.keys()].filter((entry) => !reached.has(entry) && !reach.dropped.includes(entry));
  const notes = [...reach.notes];
  if (carrier.cut)
    notes.push(`${module.name}: not all calls were followed for whether they hand on what is allocated`);
  if (reach.dropped.length > 0)
    notes.push(`what ${placesIn(module, reach.dropped)} allocates with the tag is given back right there`);
  if (lost.length > 0)
    notes.push(
      `no exported function was found that calls ${placesIn(module, lost)}: reached through a pointer, or by code that cannot be read`,
    );
  return { ...reach, notes };
}

const MOST_PLACES = 6;

function placesIn(module: TrailModule, entries: readonly number[]): string {
  const places = entries.slice(0, MOST_PLACES).map((entry) => {
    const [named] = module.image === undefined ? [] : namesAt(module.image, entry);
    return `${module.name}${named === undefined ? `+${hex(entry)}` : `!${named.name}`}`;
  });
  const more = entries.length - places.length;
  return `${places.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function apiOf(
  target: TrailTarget,
  module: TrailModule,
  found: ReachedFrom & { readonly carried: Carried },
  leads: ReadonlyMap<number, Lead>,
): TrailApi {
  const names = documentedFirst(target, module, found.names);
  const name = names[0] ?? found.name;
  return {
    name,
    names,
    module: module.name,
    address: (module.base + BigInt(found.entry)) as Va,
    depth: found.depth,
    documented: documented(target, module, name),
    path: [name, ...found.path.slice(1)],
    references: [...new Set(found.leads.flatMap((entry) => leads.get(entry)?.references ?? []))],
    leads: found.leads.map((entry) => (module.base + BigInt(entry)) as Va),
    basis: found.basis,
    handsOut: found.carried !== null,
  };
}

/** References around which no function is known: all that is left is the export below. */
function neighbours(
  target: TrailTarget,
  module: TrailModule,
  references: readonly Reference[],
  known: readonly FoundApi[],
): readonly TrailApi[] {
  const found = new Map<Va, TrailApi & { references: Va[] }>();
  for (const { use, function: place, nearest, address } of references) {
    if (place !== null || use !== "unknown" || nearest === null) continue;
    if (known.some(({ api }) => api.address === nearest.address)) continue;
    const same = found.get(nearest.address);
    if (same !== undefined) same.references.push(address);
    else {
      found.set(nearest.address, {
        name: nearest.name,
        names: [nearest.name],
        module: module.name,
        address: nearest.address,
        depth: 0,
        documented: documented(target, module, nearest.name),
        path: [nearest.name],
        references: [address],
        leads: [],
        basis: "nearest-export",
        handsOut: false,
      });
    }
  }
  return [...found.values()];
}

/** One function, several names: the one that people know comes first. */
function documentedFirst(
  target: TrailTarget,
  module: TrailModule,
  names: readonly string[],
): readonly string[] {
  const rank = (name: string): number => (documented(target, module, name) === true ? 0 : 1);
  return [...names].sort((a, b) => rank(a) - rank(b));
}

/** The list is of the kernel's and the HAL's functions. */
function documented(target: TrailTarget, module: TrailModule, name: string): boolean | null {
  return module.name === "nt" || module.name === "hal" ? isDocumented(name, target.build) : null;
}
