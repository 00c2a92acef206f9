import type { Tag } from "../pool/tag.ts";
import { apisOf } from "./apis.ts";
import { conclude, nextSteps } from "./conclude.ts";
import { findHolders } from "./importers.ts";
import type { SearchLimits } from "./references.ts";
import { scanTag } from "./scan.ts";
import { chargeHolders, rankSuspects } from "./suspects.ts";
import type { TrailTarget } from "./target.ts";
import type { TagUsageSummary, Trail } from "./trail.ts";

/** Follows a tag: its references, the exported functions that they stand in, who holds those, who is suspect. */
export function traceTag(
  target: TrailTarget,
  tag: Tag,
  usage: TagUsageSummary | null,
  limits: SearchLimits = {},
): Trail {
  const scan = scanTag(target, tag, limits);
  const apis = apisOf(scan.references);
  const holdings = findHolders(target, apis, limits);
  const suspects = rankSuspects(chargeHolders(target, holdings), scan.coverage);
  return {
    tag: tag.text,
    usage,
    references: scan.references,
    apis,
    suspects,
    conclusion: conclude(tag.text, scan.references, apis, suspects),
    next: nextSteps(tag.text, suspects, scan.references),
    coverage: scan.coverage,
    notes: scan.notes,
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
      text: "No tag was named, and none can be seen to leak.",
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
