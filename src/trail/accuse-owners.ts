import { type Case, codeMissing } from "./accuse.ts";
import type { CallSite } from "./call-sites.ts";
import { otherWayToRelease } from "./evidence/other-ways.ts";
import { canBeOf, releasesIn } from "./evidence/releases.ts";
import { FREE } from "./pairs.ts";
import type { TrailModule } from "./target.ts";
import type { Reference, TrailApi } from "./trail.ts";
import { WEIGHTS } from "./weights.ts";

/**
 * Modules whose own code takes memory with the tag; the kernel does so for others, and so do drivers whose
 * exported functions others call.
 *
 * @param sites calls of the functions that lead to the tag
 */
export function accuseOwners(
  { target, charges, codes, key, apis }: Case,
  references: readonly Reference[],
  sites: readonly CallSite[],
): void {
  for (const module of target.modules) {
    if (module.name === "nt" || module.name === "hal") continue;
    const own = references.filter((reference) => reference.module === module.name);
    const allocating = own.filter(({ use }) => use === "allocate" || use === "lookaside");
    const [first] = allocating;
    if (first === undefined) continue;
    const charge = charges.of(module);
    const places = allocating.length === 1 ? "one place" : `${allocating.length} places`;
    charge.add("owns-tag", WEIGHTS.allocates, {
      kind: "allocates",
      address: first.address,
      detail: `its own code allocates with the tag at ${places}${first.allocationSize === null ? "" : `, ${first.allocationSize} bytes each`}`,
    });
    const callers = callersOf(module, apis, sites);
    if (callers.length > 0) {
      const detail = `allocates for those who call its exported functions: ${callers.slice(0, 3).join(", ")}${callers.length > 3 ? ", …" : ""}`;
      charge.add("owns-tag", WEIGHTS.allocatesForOthers, {
        kind: "hands-on",
        address: first.address,
        detail,
      });
    }
    const frees = own.filter(({ use }) => use === "free");
    const [free] = frees;
    if (free !== undefined) {
      const detail = `its code frees with the tag at ${frees.length === 1 ? "one place" : `${frees.length} places`}`;
      charge.add("owns-tag", WEIGHTS.freesOwn, { kind: "releases", address: free.address, detail });
      continue;
    }
    const decoded = codes.of(module);
    if (decoded === undefined || codeMissing(target, module) > 0) continue;
    const [untagged] = releasesIn(module, decoded, FREE).filter((release) => canBeOf(release, key));
    const perhaps =
      untagged === undefined
        ? otherWayToRelease(codes, module, decoded, FREE, new Set(FREE), key)
        : `calls ${untagged.name} without a constant tag`;
    if (perhaps !== undefined) {
      const detail = `no code of it is seen to free with the tag, but it ${perhaps}`;
      const address = untagged?.address ?? first.address;
      charge.add("owns-tag", WEIGHTS.mayRelease, { kind: "may-release", address, detail });
    } else if (callers.length === 0) {
      const detail = "no code of it frees with the tag, and all of it could be read";
      charge.add("owns-tag", WEIGHTS.neverFrees, { kind: "unbalanced", address: first.address, detail });
    }
  }
}

/** The other modules that call functions of a module which allocate for them. */
function callersOf(
  module: TrailModule,
  apis: readonly TrailApi[],
  sites: readonly CallSite[],
): readonly string[] {
  const own = apis.filter((api) => api.module === module.name);
  const calling = sites.filter((site) => own.some((api) => api.address === site.function.address));
  return [...new Set(calling.map((site) => site.module.name))];
}
