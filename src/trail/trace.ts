import type { Tag } from "../pool/tag.ts";
import type { TagUsage } from "../pool/tag-table.ts";
import { accuseHolders, accuseLookups, acquiringFunctions, type Case } from "./accuse.ts";
import { accuseContent } from "./accuse-content.ts";
import { accuseOwners } from "./accuse-owners.ts";
import { accuseSizes } from "./accuse-sizes.ts";
import { accuseOnStack } from "./accuse-stacks.ts";
import { findApis } from "./apis.ts";
import { Charges } from "./charge.ts";
import { conclude, nextSteps } from "./conclude.ts";
import { findHolders } from "./importers.ts";
import { accuseIndirect } from "./indirect.ts";
import { ModuleCodes } from "./module-codes.ts";
import type { SearchLimits } from "./references.ts";
import { scanTag } from "./scan.ts";
import { rankSuspects } from "./suspects.ts";
import type { TrailTarget } from "./target.ts";
import type { Trail } from "./trail.ts";

/**
 * Follows a tag: its references, the exported functions that lead to those which allocate, who holds and
 * calls these, and what speaks for and against each.
 */
export function traceTag(
  target: TrailTarget,
  tag: Tag,
  usage: TagUsage | null,
  limits: SearchLimits = {},
): Trail {
  const codes = new ModuleCodes(target);
  const scan = scanTag(target, tag, limits, codes);
  const { apis, notes } = findApis(target, codes, scan.references);
  const case_: Case = { target, codes, charges: new Charges(), key: tag.key, apis };
  const held = [...apis, ...acquiringFunctions(case_, tag.text)];
  const sites = accuseHolders(case_, findHolders(target, held, limits));
  accuseOwners(case_, scan.references, sites);
  const relayed = accuseIndirect(case_, sites, limits);
  accuseLookups(case_);
  accuseSizes(case_, scan.references, usage, sites);
  const content = accuseContent(case_, usage);
  const stacks = accuseOnStack(case_, [...sites, ...relayed]);
  const suspects = rankSuspects(case_.charges.all, scan.coverage, target.services);
  const conclusion = conclude(tag.text, scan.references, apis, suspects);
  return {
    tag: tag.text,
    usage: usage === null ? null : { nonPaged: usage.nonPaged, paged: usage.paged },
    references: scan.references,
    apis,
    suspects,
    conclusion,
    next: nextSteps(tag.text, suspects, scan.references, conclusion, target),
    coverage: scan.coverage,
    notes: [...scan.notes, ...notes, ...stacks, ...content],
  };
}

/** The trail of a dump in which no tag was asked for and none looks like a leak. */
export function emptyTrail(notes: readonly string[]): Trail {
  return {
    tag: null,
    usage: null,
    references: [],
    apis: [],
    suspects: [],
    conclusion: {
      module: null,
      confidence: "none",
      text: "No tag was named, and none was seen to leak in what could be read.",
      because: [],
    },
    next: [
      "Name the tag that grows (poolmon shows it): pooltrail trace DUMP TAG.",
      "pooltrail tags DUMP lists what each tag uses, where the dump holds the tables.",
    ],
    coverage: [],
    notes,
  };
}
