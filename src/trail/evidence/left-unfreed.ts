import type { Clue, LeftUnfreed } from "../clue.ts";
import type { EvidenceKind } from "./kind.ts";

/**
 * Driver Verifier says that it left allocations: as many as there are of the tag; where its code has to do with the tag;
 * where nothing says that they are of the tag.
 */
const POINTS = { same: 40, connected: 30, other: 0 } as const;
/** Two numbers are the same within that part, and no fewer allocations are told by their number. */
const SAME = { part: 0.02, fewest: 100 } as const;

const CONNECTS: ReadonlySet<Clue["kind"]> = new Set(["allocates", "forgotten", "kept", "pool-content"]);

/** That a driver left allocations is certain; that they are of this tag only where something says so. */
function pointsOf(clue: LeftUnfreed, all: readonly Clue[]): number {
  if (isAsMany(clue)) return POINTS.same;
  return all.some(({ kind }) => CONNECTS.has(kind)) ? POINTS.connected : POINTS.other;
}

function isAsMany({ allocations, outstanding }: LeftUnfreed): boolean {
  if (allocations === null || outstanding === null || allocations < SAME.fewest) return false;
  return Math.abs(allocations - outstanding) <= outstanding * SAME.part;
}

/** The driver that Driver Verifier stopped the machine for: it was unloaded and had not freed all that it had allocated. */
export const LEFT_UNFREED: EvidenceKind<LeftUnfreed> = {
  collect({ crash, usage }) {
    const unfreed = crash?.unfreed;
    if (unfreed == null || unfreed.module === null) return {};
    const { module, allocations } = unfreed;
    const outstanding = usage === null ? null : usage.nonPaged.outstanding + usage.paged.outstanding;
    return { clues: [{ module, clue: { kind: "left-unfreed", allocations, outstanding } }] };
  },
  weigh: (own, { all }) =>
    own.map((clue) => {
      const points = pointsOf(clue, all);
      return { clue, points, proves: points > 0 };
    }),
};
