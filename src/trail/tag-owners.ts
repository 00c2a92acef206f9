import type { Tag } from "../pool/tag.ts";
import type { SearchLimits } from "./module-search.ts";
import { scanTag } from "./scan.ts";
import type { TrailTarget } from "./target.ts";

/**
 * Third-party modules, and such of unknown publishers, whose code allocates with a tag, or who register contexts with it. Code is decoded only of those in
 * which the tag's bytes stand at all.
 */
export function thirdPartyOwners(
  target: TrailTarget,
  tag: Tag,
  limits: SearchLimits = {},
): readonly string[] {
  const others = target.modules.filter(({ publisher }) => publisher.thirdParty !== false);
  const { references } = scanTag({ ...target, modules: others }, tag, limits);
  const owning = references.filter(
    ({ use, seen }) => use === "allocate" || use === "lookaside" || seen?.kind === "registration",
  );
  return [...new Set(owning.map(({ module }) => module))];
}
