import type { Case } from "./accuse.ts";
import { WEIGHTS } from "./weights.ts";

/**
 * Looks into the blocks of the tag for pointers into modules; those of the kernel tell nothing.
 *
 * @returns what could not be looked at, one sentence each
 */
export function accuseContent({ target, charges, key }: Case): readonly string[] {
  const found = target.poolContent?.(key);
  if (found === undefined) return [];
  for (const { module, blocks, evidence } of found.modules) {
    if (module.name === "nt" || module.name === "hal") continue;
    const share = found.blocks === 0 ? 0 : blocks / found.blocks;
    charges.of(module).add("unknown", WEIGHTS.poolContent * Math.min(1, share * 2), evidence);
  }
  return found.notes;
}
