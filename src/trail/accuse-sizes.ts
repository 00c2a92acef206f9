import { hex } from "../core/address.ts";
import { grouped } from "../core/text.ts";
import type { TagUsage } from "../pool/tag-table.ts";
import type { Case } from "./accuse.ts";
import type { CallSite } from "./call-sites.ts";
import {
  matchSizes,
  type SizeBasis,
  type SizedSite,
  type SizeMatch,
  sizedSites,
} from "./evidence/size-match.ts";
import type { Evidence, Reference } from "./trail.ts";
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
  for (const match of matchSizes(sizedSites(references), known)) {
    const { site, strength } = match;
    const evidence = evidenceOf(match);
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

function evidenceOf({ site, block, by, sharing }: SizeMatch<SizedSite>): Evidence {
  const others =
    sharing.length === 0
      ? ""
      : `; ${sharing.length === 1 ? "another place asks" : `${sharing.length} other places ask`} for as much`;
  const detail = `asks for ${hex(site.size)} bytes, which take ${hex(block)} of pool: ${basisText(by, block)}${others}`;
  return { kind: "size-match", address: site.address, detail };
}

function basisText(by: SizeBasis, block: number): string {
  const share = by.kind === "average" ? "" : `${grouped(by.same)} of ${grouped(by.of)}`;
  if (by.kind === "big-pages") return `${share} allocations of a page and more have that size`;
  const pool = by.pool === "paged" ? "paged" : "nonpaged";
  if (by.kind === "blocks") return `${share} blocks that were seen are ${pool} and have that size`;
  const count = `${grouped(by.outstanding)} ${pool} allocations`;
  return by.average === block
    ? `exactly what each of the ${count} has`
    : `the ${count} have ${by.average.toFixed(1)} bytes each on average`;
}
