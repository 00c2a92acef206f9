import { tableKey } from "../../pool/tag.ts";
import type { Tracked } from "../clue.ts";
import type { EvidenceKind } from "./kind.ts";

/**
 * Most of what there is of the tag, so that no other can have it; a good part of it; some, as any driver has that works.
 * Verifier lists what is there: the figures are as certain as the dump is.
 */
const POINTS = { most: 60, part: 25, some: 0 } as const;
const MOST = 0.5;
const PART = 0.1;
/** Fewer than this are no leak, whatever part of the tag they are. */
const FEWEST = 100;

function pointsOf({ allocations, outstanding }: Tracked): number {
  if (allocations < FEWEST || outstanding === null) return POINTS.some;
  const part = allocations / outstanding;
  return part >= MOST ? POINTS.most : part >= PART ? POINTS.part : POINTS.some;
}

/** The drivers' own allocations with the tag that Driver Verifier tracks, where it was on. */
export const TRACKED: EvidenceKind<Tracked> = {
  collect({ target, key, usage }) {
    const outstanding = usage === null ? null : usage.nonPaged.outstanding + usage.paged.outstanding;
    const clues = (target.verified?.() ?? []).flatMap(({ start, tracked }) => {
      const module = target.moduleAt(start)?.name;
      const own = tracked.filter(({ tag }) => tableKey(tag) === tableKey(key));
      if (module === undefined || own.length === 0) return [];
      const clue: Tracked = {
        kind: "tracked",
        allocations: own.reduce((sum, one) => sum + one.allocations, 0),
        bytes: own.reduce((sum, one) => sum + one.bytes, 0n),
        callers: own.map(({ caller, allocations }) => ({ at: caller, allocations })),
        outstanding,
      };
      return [{ module, clue }];
    });
    return { clues };
  },
  weigh: (own) =>
    own.map((clue) => {
      const points = pointsOf(clue);
      return { clue, points, proves: points === POINTS.most };
    }),
};
