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
