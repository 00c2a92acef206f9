import { groupBy } from "../core/search.ts";
import { type Service, serviceOf } from "../registry/services.ts";
import type { ModuleClue } from "./clue.ts";
import type { TagSigns, WeighedClue } from "./evidence/kind.ts";
import { toolOf } from "./known/tools.ts";
import type { Coverage } from "./module-search.ts";
import type { TrailModule } from "./target.ts";
import { type Verdict, type Weighed, weigh } from "./weigh.ts";
import { CLEARED_MICROSOFT_FACTOR, MICROSOFT_FACTOR, TOOL_FACTOR, UNKNOWN_FACTOR } from "./weights.ts";

/** How Windows starts a driver. */
export interface ServiceStart {
  readonly name: string;
  readonly start: "boot" | "system" | "automatic" | "manual" | "disabled" | null;
  readonly group: string | null;
  readonly description: string | null;
}

/** A module with clues, ranked. */
export interface Suspect {
  /** From 1; modules that cannot be told apart share a rank. */
  readonly rank: number;
  readonly module: string;
  /** The file's name as it was loaded; null where nothing tells. */
  readonly imageName: string | null;
  readonly verdict: Verdict;
  /** What the rank stands on; only the order and the distance to the next mean something. */
  readonly score: number;
  readonly thirdParty: boolean | null;
  readonly publisher: string | null;
  readonly publisherBasis: string | null;
  /** How Windows starts it; null where no SYSTEM hive was given, or it has no service there. */
  readonly service: ServiceStart | null;
  /** It registers with the filter manager, so that it can be unloaded by itself. */
  readonly minifilter: boolean;
  /** Its own code allocates with the tag. */
  readonly ownsTag: boolean;
  /** Something was seen that a leak needs. */
  readonly proven: boolean;
  /** It was seen to give back everything, or to hand it on. */
  readonly excused: boolean;
  /** The weightiest first. */
  readonly clues: readonly WeighedClue[];
  readonly coverage: Coverage;
}

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
    return [{ module, own, weighed, score: scoreOf(module, weighed) }];
  });
  scored.sort((a, b) => b.score - a.score || side(a.module) - side(b.module));
  const ranked: Suspect[] = [];
  scored.forEach(({ module, own, weighed, score }, i) => {
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
      ownsTag: own.some(({ kind }) => kind === "allocates"),
      proven: weighed.proven,
      excused: weighed.excused,
      clues: weighed.clues.map(({ clue, points }) => ({ clue, points: Math.round(points * 10) / 10 })),
      coverage: coverage.find((row) => row.module === name) ?? {
        module: name,
        readable: 0,
        size,
        fromFile: 0,
        unread: [],
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

function scoreOf(module: TrailModule, { points, proven }: Weighed): number {
  const { publisher } = module;
  const tool = toolOf(module)?.tool;
  // a name alone excuses nobody of what was seen
  const there = tool !== undefined && tool.kind !== "leak-maker" && !proven ? TOOL_FACTOR : 1;
  const microsoft = proven ? MICROSOFT_FACTOR : CLEARED_MICROSOFT_FACTOR;
  const factor =
    publisher.thirdParty === true ? 1 : publisher.thirdParty === null ? UNKNOWN_FACTOR : microsoft;
  return Math.round(Math.max(0, points * factor * there) * 10) / 10;
}

function side({ publisher: { thirdParty } }: TrailModule): number {
  return thirdParty === true ? 0 : thirdParty === null ? 1 : 2;
}
