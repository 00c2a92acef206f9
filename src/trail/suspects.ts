import { serviceOf } from "../kernel/service-image.ts";
import type { Service } from "../kernel/services.ts";
import type { Charge } from "./charge.ts";
import type { Coverage } from "./coverage.ts";
import type { TrailModule } from "./target.ts";
import type { ServiceStart, Suspect } from "./trail.ts";
import { CLEARED_MICROSOFT_FACTOR, MICROSOFT_FACTOR, UNKNOWN_FACTOR } from "./weights.ts";

/** Ranks modules by their evidence; those that cannot be told apart share a rank. */
export function rankSuspects(
  charges: readonly Charge[],
  coverage: readonly Coverage[],
  services: readonly Service[] | undefined,
): readonly Suspect[] {
  const scored = charges
    .map((charge) => ({ charge, score: scoreOf(charge) }))
    .sort((a, b) => b.score - a.score || side(a.charge) - side(b.charge));
  const ranked: Suspect[] = [];
  scored.forEach(({ charge, score }, i) => {
    const above = ranked.at(-1);
    const { name, publisher, size } = charge.module;
    ranked.push({
      rank: above !== undefined && above.score === score ? above.rank : i + 1,
      module: name,
      verdict: charge.verdict,
      score,
      thirdParty: publisher.thirdParty,
      publisher: publisher.company,
      publisherBasis: publisher.basis,
      service: startOf(charge.module, services),
      evidence: charge.clues.map(({ evidence, points }) => ({
        ...evidence,
        points: Math.round(points * 10) / 10,
      })),
      coverage: coverage.find((row) => row.module === name) ?? {
        module: name,
        readable: 0,
        size,
        fromFile: 0,
      },
    });
  });
  return ranked;
}

function startOf(module: TrailModule, services: readonly Service[] | undefined): ServiceStart | null {
  const [service] = services === undefined ? [] : serviceOf(services, module);
  if (service === undefined) return null;
  const { name, start, group, description } = service;
  return { name, start, group, description };
}

function scoreOf(charge: Charge): number {
  const points = charge.clues.reduce((sum, clue) => sum + clue.points, 0);
  const { thirdParty } = charge.module.publisher;
  const factor = thirdParty === true ? 1 : thirdParty === null ? UNKNOWN_FACTOR : microsoftFactor(charge);
  return Math.round(Math.max(0, points * factor) * 10) / 10;
}

/** Below everybody else's, unless something was seen that a leak needs. */
function microsoftFactor(charge: Charge): number {
  const keeps = ["allocates", "unbalanced", "not-released-there", "on-stack"].some((kind) =>
    charge.has(kind),
  );
  return keeps ? MICROSOFT_FACTOR : CLEARED_MICROSOFT_FACTOR;
}

function side(charge: Charge): number {
  const { thirdParty } = charge.module.publisher;
  return thirdParty === true ? 0 : thirdParty === null ? 1 : 2;
}
