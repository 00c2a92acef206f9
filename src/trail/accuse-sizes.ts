import type { TagUsage } from "../pool/tag-table.ts";
import type { Case } from "./accuse.ts";
import type { CallSite } from "./call-sites.ts";
import { matchSizes, sizedSites } from "./evidence/size-match.ts";
import type { Reference } from "./trail.ts";
import { SHARED_FACTOR, WEIGHTS } from "./weights.ts";

/**
 * Holds the sizes that code asks for against those that leak: of a module's own allocations, and of those
 * in the functions that it calls.
 */
export function accuseSizes(
  { target, charges, apis }: Case,
  references: readonly Reference[],
  usage: TagUsage | null,
  sites: readonly CallSite[],
): void {
  if (usage === null) return;
  const known = { pointerSize: target.space.pointerSize, usage };
  for (const { site, strength, evidence } of matchSizes(sizedSites(references), known)) {
    const points = WEIGHTS.sizeMatch * STRENGTH[strength];
    const owner = target.modules.find((module) => module.name === site.module);
    if (owner !== undefined && owner.name !== "nt" && owner.name !== "hal") {
      const charge = charges.of(owner);
      charge.add("unknown", charge.has(evidence.kind) ? 0 : points, evidence);
      continue;
    }
    const leading = apis.filter((api) => api.references.includes(site.address));
    const callers = new Set(
      sites
        .filter((call) => leading.some((api) => api.address === call.function.address))
        .map((call) => call.module),
    );
    for (const module of callers) {
      if (charges.of(module).has(evidence.kind)) continue;
      const through = leading.map((api) => api.name).join(", ");
      charges
        .of(module)
        .add("unknown", points * SHARED_FACTOR, { ...evidence, detail: `${through} ${evidence.detail}` });
    }
  }
}

const STRENGTH = { all: 1, most: 0.7, some: 0.4 } as const;
