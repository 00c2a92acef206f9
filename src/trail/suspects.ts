import { groupBy } from "../core/search.ts";
import type { Service } from "../registry/services.ts";
import { serviceOf } from "../registry/services.ts";
import type { ModuleClue } from "./clue.ts";
import type { Coverage } from "./coverage.ts";
import type { Suspect } from "./findings.ts";
import type { TrailModule } from "./target.ts";
import type { ServiceStart } from "./trail.ts";
import { type TagSigns, type Weighed, weigh } from "./weigh.ts";
import { CLEARED_MICROSOFT_FACTOR, MICROSOFT_FACTOR, UNKNOWN_FACTOR } from "./weights.ts";

/** Ranks modules by their clues; those that cannot be told apart share a rank. */
export function rankSuspects(
  modules: readonly TrailModule[],
  clues: readonly ModuleClue[],
  signs: TagSigns,
  coverage: readonly Coverage[],
  services: readonly Service[] | undefined,
): readonly Suspect[] {
  const byModule = groupBy(clues, ({ module }) => module);
  const scored = modules.flatMap((module) => {
    const own = byModule.get(module.name)?.map(({ clue }) => clue);
    if (own === undefined) return [];
    const weighed = weigh(module.name, own, signs);
    return [{ module, weighed, score: scoreOf(module, weighed) }];
  });
  scored.sort((a, b) => b.score - a.score || side(a.module) - side(b.module));
  const ranked: Suspect[] = [];
  scored.forEach(({ module, weighed, score }, i) => {
    const above = ranked.at(-1);
    const { name, imageName, publisher, size } = module;
    ranked.push({
      rank: above !== undefined && above.score === score ? above.rank : i + 1,
      module: name,
      imageName,
      verdict: weighed.verdict,
      score,
      thirdParty: publisher.thirdParty,
      publisher: publisher.company,
      publisherBasis: publisher.basis,
      service: startOf(module, services),
      minifilter: module.imports.slots.some(({ declared }) => declared?.name === "FltRegisterFilter"),
      ownsTag: weighed.verdict === "owns-tag",
      proven: weighed.proven,
      excused: weighed.excused,
      clues: weighed.clues.map(({ clue, points }) => ({ clue, points: Math.round(points * 10) / 10 })),
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

function scoreOf({ publisher }: TrailModule, { points, proven }: Weighed): number {
  const microsoft = proven ? MICROSOFT_FACTOR : CLEARED_MICROSOFT_FACTOR;
  const factor =
    publisher.thirdParty === true ? 1 : publisher.thirdParty === null ? UNKNOWN_FACTOR : microsoft;
  return Math.round(Math.max(0, points * factor) * 10) / 10;
}

function side({ publisher: { thirdParty } }: TrailModule): number {
  return thirdParty === true ? 0 : thirdParty === null ? 1 : 2;
}
