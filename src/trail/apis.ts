import type { Va } from "../core/address.ts";
import type { Reference, TrailApi } from "./trail.ts";

/** Uses that take memory from the pool, now or later. Frees and compares lead nowhere. */
const LEADS: ReadonlySet<Reference["use"]> = new Set(["allocate", "lookaside", "unknown"]);

/**
 * The exported functions that the references stand in. Where a function's extent is not known, the
 * nearest export below stands in for it, and `basis` says so.
 */
export function apisOf(references: readonly Reference[]): readonly TrailApi[] {
  const apis = new Map<Va, { api: Omit<TrailApi, "references">; references: Va[] }>();
  for (const reference of references) {
    if (!LEADS.has(reference.use)) continue;
    const api = exportOf(reference);
    if (api === undefined) continue;
    const known = apis.get(api.address);
    if (known === undefined) apis.set(api.address, { api, references: [reference.address] });
    else known.references.push(reference.address);
  }
  return [...apis.values()].map(({ api, references: from }) => ({ ...api, references: from }));
}

function exportOf(reference: Reference): Omit<TrailApi, "references"> | undefined {
  const { function: place, nearest, module } = reference;
  const common = { module, depth: 0, documented: null };
  if (place !== null) {
    if (place.name === null) return undefined;
    return { ...common, name: place.name, address: place.entry, path: [place.name], basis: place.basis };
  }
  if (nearest === null) return undefined;
  return {
    ...common,
    name: nearest.name,
    address: nearest.address,
    path: [nearest.name],
    basis: "nearest-export",
  };
}
