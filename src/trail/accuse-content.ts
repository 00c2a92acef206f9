import { windbgHex } from "../core/address.ts";
import type { TagUsage } from "../pool/tag-table.ts";
import type { Case } from "./accuse.ts";
import type { BlockNote } from "./evidence/block-contents.ts";
import { WEIGHTS } from "./weights.ts";

/**
 * Looks into the blocks of the tag for pointers into modules; those of the kernel tell nothing.
 *
 * @returns what could not be looked at, one sentence each
 */
export function accuseContent({ target, charges, key }: Case, usage: TagUsage | null): readonly string[] {
  const outstanding = usage === null ? undefined : usage.nonPaged.outstanding + usage.paged.outstanding;
  const found = target.poolContent?.(key, outstanding);
  if (found === undefined) return [];
  for (const { module, direct } of found.byModule) {
    if (module.name === "nt" || module.name === "hal" || direct.blocks === 0) continue;
    const share = found.blocks === 0 ? 0 : direct.blocks / found.blocks;
    const first = direct.examples[0];
    const such =
      first === undefined
        ? ""
        : `, such as ${windbgHex(first.target, target.space.pointerSize)} at ${windbgHex(first.at, target.space.pointerSize)}`;
    charges.of(module).add("unknown", WEIGHTS.poolContent * Math.min(1, share * 2), {
      kind: "pool-content",
      address: first?.at ?? null,
      detail: `${direct.blocks} of ${found.blocks} blocks of the tag that were looked at hold a pointer into ${module.name}${such}`,
    });
  }
  return found.notes.flatMap((note) => sentence(note) ?? []);
}

/** What of the notes changes how much an answer is worth. */
function sentence(note: BlockNote): string | undefined {
  switch (note.kind) {
    case "not-searched":
      return "where the pools stand is not known, so that no small block could be looked at";
    case "sampled":
      return `one in ${note.one} pieces of the pool was looked at`;
    case "not-all-places":
      return "the pool is in more pieces than are looked at: what stands in the last ones is not known";
    case "big-unread":
      return `${note.blocks} of ${note.of} allocations of a page and more could not be looked at`;
    default:
      return undefined;
  }
}
