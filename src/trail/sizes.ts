import type { TagUsage } from "../pool/tag-table.ts";
import type { ModuleClue } from "./clue.ts";
import { matchSizes, sizedSites } from "./evidence/size-match.ts";
import { isKernelModule } from "./question.ts";
import type { TrailTarget } from "./target.ts";
import type { Reference } from "./trail.ts";

/**
 * Modules that ask for as many bytes as each allocation of the tag has. What the kernel asks for tells its functions
 * apart, and not those who call them.
 */
export function findSizes(
  target: TrailTarget,
  references: readonly Reference[],
  usage: TagUsage | null,
): readonly ModuleClue[] {
  if (usage === null) return [];
  const seen = new Set<string>();
  const known = { pointerSize: target.space.pointerSize, usage };
  return matchSizes(sizedSites(references), known).flatMap(
    ({ site, block, strength, sharing }): ModuleClue[] => {
      if (isKernelModule({ name: site.module }) || seen.has(site.module)) return [];
      seen.add(site.module);
      const clue = { at: site.address, size: site.size, block, strength, others: sharing.length };
      return [{ module: site.module, clue: { kind: "size-match", ...clue } }];
    },
  );
}
