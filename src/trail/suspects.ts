import type { Charge } from "./charge.ts";
import type { Coverage } from "./coverage.ts";
import type { Suspect } from "./trail.ts";
import { MICROSOFT_FACTOR, UNKNOWN_FACTOR } from "./weights.ts";

/** A suspect with the score that its rank stands on. */
export interface Ranked {
  readonly suspect: Suspect;
  readonly score: number;
}

/** Ranks modules by their evidence; those that cannot be told apart share a rank. */
export function rankSuspects(charges: readonly Charge[], coverage: readonly Coverage[]): readonly Ranked[] {
  const scored = charges
    .map((charge) => ({ charge, score: scoreOf(charge) }))
    .sort((a, b) => b.score - a.score || side(a.charge) - side(b.charge));
  const ranked: Ranked[] = [];
  scored.forEach(({ charge, score }, i) => {
    const above = ranked.at(-1);
    const { name, publisher, size } = charge.module;
    const suspect: Suspect = {
      rank: above !== undefined && above.score === score ? above.suspect.rank : i + 1,
      module: name,
      verdict: charge.verdict,
      score,
      thirdParty: publisher.thirdParty,
      publisher: publisher.company,
      publisherBasis: publisher.basis,
      evidence: charge.clues.map((clue) => clue.evidence),
      coverage: coverage.find((row) => row.module === name) ?? {
        module: name,
        readable: 0,
        size,
        fromFile: 0,
      },
    };
    ranked.push({ suspect, score });
  });
  return ranked;
}

function scoreOf(charge: Charge): number {
  const points = charge.clues.reduce((sum, clue) => sum + clue.points, 0);
  const { thirdParty } = charge.module.publisher;
  const factor = thirdParty === true ? 1 : thirdParty === null ? UNKNOWN_FACTOR : MICROSOFT_FACTOR;
  return Math.round(Math.max(0, points * factor) * 10) / 10;
}

function side(charge: Charge): number {
  const { thirdParty } = charge.module.publisher;
  return thirdParty === true ? 0 : thirdParty === null ? 1 : 2;
}
