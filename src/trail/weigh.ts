import type { Clue } from "./clue.ts";
import { standing } from "./evidence/acquisition.ts";
import type { TagSigns, WeighedClue } from "./evidence/kind.ts";
import { weighClues } from "./evidence/kinds.ts";
import { OTHERS_BLOCKS_FACTOR } from "./weights.ts";

export type Verdict = "owns-tag" | "calls" | "looks-up-at-run-time" | "imports" | "indirect" | "unknown";

/** What all clues of one module come to. */
export interface Weighed {
  /** The weightiest first. */
  readonly clues: readonly WeighedClue[];
  readonly points: number;
  readonly verdict: Verdict;
  /** Something was seen that a leak needs: a way that forgets, a place that is never emptied, blocks that lead there. */
  readonly proven: boolean;
  /** It was seen to give back everything, or to hand it on; at most where something else fails it does not. */
  readonly excused: boolean;
}

/** Weighs all clues of one module together. */
export function weigh(module: string, all: readonly Clue[], signs: TagSigns): Weighed {
  const of = { module, all, signs };
  const weights = weighClues(of);
  const sum = weights.reduce((total, { points, counted }) => total + (counted === true ? 0 : points), 0);
  return {
    clues: weights
      .map(({ clue, points }) => ({ clue, points }))
      .sort((a, b) => Math.abs(b.points) - Math.abs(a.points)),
    points: sum * (signs.blocksOf === undefined || signs.blocksOf === module ? 1 : OTHERS_BLOCKS_FACTOR),
    verdict: verdictOf(all),
    proven: weights.some(({ proves }) => proves),
    excused:
      standing(of) === "excused" && !weights.some(({ clue, proves }) => clue.kind === "allocates" && proves),
  };
}

/** The strongest way in which a module has to do with the tag. */
function verdictOf(clues: readonly Clue[]): Verdict {
  if (clues.some(({ kind }) => kind === "allocates" || kind === "registers-contexts")) return "owns-tag";
  const called = clues.flatMap((clue) => (clue.kind === "calls" ? [clue] : []));
  const direct = called.filter(({ way }) => way === "direct");
  if (direct.some(({ acquired }) => acquired.libraries === 0)) return "calls";
  if (clues.some((clue) => clue.kind === "looks-up-at-run-time")) return "looks-up-at-run-time";
  if (direct.length > 0) return "indirect";
  return clues.some(({ kind }) => kind === "imports") ? "imports" : "unknown";
}
