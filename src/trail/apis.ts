import type { CodeFunction } from "../code/function-table.ts";
import type { Va } from "../core/address.ts";
import { isDocumented } from "./documented-functions.ts";
import type { ModuleCodes } from "./module-codes.ts";
import { type ReachedFrom, reachedFrom } from "./reach.ts";
import type { TrailModule, TrailTarget } from "./target.ts";
import type { Reference, TrailApi } from "./trail.ts";

/** Uses that take memory from the pool, now or later. Frees and compares lead nowhere. */
const LEADS: ReadonlySet<Reference["use"]> = new Set(["allocate", "lookaside"]);

export interface ApiSearch {
  readonly apis: readonly TrailApi[];
  readonly notes: readonly string[];
}

/**
 * The exported functions that lead to the references which allocate: the functions they stand in, and
 * those that call them. Where no function is known around a reference, the nearest export below stands
 * in for it, and `basis` says so.
 */
export function findApis(
  target: TrailTarget,
  codes: ModuleCodes,
  references: readonly Reference[],
): ApiSearch {
  const apis: TrailApi[] = [];
  const notes: string[] = [];
  for (const module of target.modules) {
    const own = references.filter((reference) => reference.module === module.name);
    if (own.length === 0) continue;
    const leading = own.filter((reference) => LEADS.has(reference.use));
    const leads = leadsOf(module, codes, leading);
    const reach = reachOf(module, codes, leads);
    apis.push(...reach.exports.map((found) => apiOf(target, module, found, leads)));
    notes.push(...reach.notes);
    apis.push(...neighbours(target, module, own, apis));
  }
  return { apis: apis.sort((a, b) => a.depth - b.depth || b.references.length - a.references.length), notes };
}

/** A function that allocates with the tag, and where the tag stands that it uses. */
interface Lead {
  readonly found: CodeFunction;
  readonly references: readonly Va[];
}

/** By entry: the functions that the references stand in, or that use the variable where the tag stands. */
function leadsOf(
  module: TrailModule,
  codes: ModuleCodes,
  leading: readonly Reference[],
): ReadonlyMap<number, Lead> {
  const decoded = leading.length === 0 ? undefined : codes.of(module);
  const leads = new Map<number, { found: CodeFunction; references: Va[] }>();
  if (decoded === undefined) return leads;
  const { functions } = decoded.image;
  for (const { rva, address } of leading) {
    const users = decoded.uses.at(rva).users?.flatMap((entry) => functions.startingAt(entry) ?? []);
    for (const found of users ?? functions.owning(rva)) {
      const same = leads.get(found.entry);
      if (same === undefined) leads.set(found.entry, { found, references: [address] });
      else same.references.push(address);
    }
  }
  return leads;
}

function reachOf(
  module: TrailModule,
  codes: ModuleCodes,
  leads: ReadonlyMap<number, Lead>,
): ReturnType<typeof reachedFrom> {
  const decoded = codes.of(module);
  if (decoded === undefined || leads.size === 0) return { exports: [], notes: [] };
  const reach = reachedFrom(
    module.name,
    decoded,
    [...leads.values()].map(({ found }) => found),
  );
  const reached = new Set(reach.exports.flatMap((found) => found.leads));
  const lost = [...leads.keys()].filter((entry) => !reached.has(entry));
  if (lost.length === 0) return reach;
  const places = lost.map((entry) => `${module.name}+0x${entry.toString(16)}`).slice(0, 6);
  const note = `no exported function was found that calls ${places.join(", ")}${lost.length > 6 ? ", …" : ""}: reached through a pointer, or by code that cannot be read`;
  return { ...reach, notes: [...reach.notes, note] };
}

function apiOf(
  target: TrailTarget,
  module: TrailModule,
  found: ReachedFrom,
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
  };
}

/** References around which no function is known: all that is left is the export below. */
function neighbours(
  target: TrailTarget,
  module: TrailModule,
  references: readonly Reference[],
  known: readonly TrailApi[],
): readonly TrailApi[] {
  const found = new Map<Va, TrailApi & { references: Va[] }>();
  for (const { use, function: place, nearest, address } of references) {
    if (place !== null || use !== "unknown" || nearest === null) continue;
    if (known.some((api) => api.address === nearest.address)) continue;
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
