import type { Ownership } from "../code/ownership.ts";
import { MAX_LEARNT } from "../core/limits.ts";
import { argumentPlace } from "../isa/abi.ts";
import { releaseCalls } from "./later.ts";
import type { DecodedModule, ModuleCodes } from "./module-codes.ts";
import type { Release } from "./pairs/pair.ts";
import { FREE } from "./pairs/releases.ts";
import { canBeOfTag, isKernelModule } from "./question.ts";
import { reachedFrom } from "./reach.ts";
import type { TrailModule } from "./target.ts";

/** Direct calls between an exported function and its free: further away it is for the library's own ends. */
const NEAR = 2;
const ARGUMENTS = [1, 2, 3, 4] as const;

/**
 * Exported functions of a module that free what they are given, learnt from its code. Of the kernel only what frees with
 * this very tag counts: it frees for everybody.
 */
export function learnReleases(
  codes: ModuleCodes,
  ownership: Ownership,
  module: TrailModule,
  key: number,
): readonly Release[] {
  const decoded = codes.of(module);
  if (decoded === undefined) return [];
  const frees = releaseCalls(module, decoded, FREE).filter(({ tag }) =>
    isKernelModule(module) ? tag !== undefined && tag !== 0 && canBeOfTag(tag, key) : canBeOfTag(tag, key),
  );
  const leads = new Map(
    frees.flatMap(({ at }) => decoded.image.functions.owning(at)).map((found) => [found.entry, found]),
  );
  const found = reachedFrom(module.name, decoded, [...leads.values()]).exports;
  return found
    .filter(({ depth }) => depth <= NEAR)
    .slice(0, MAX_LEARNT)
    .flatMap(({ entry, names }) =>
      releasing(decoded, ownership, entry).flatMap((argument) => names.map((name) => ({ name, argument }))),
    );
}

/** The arguments that a function gives back. */
function releasing({ flows, image }: DecodedModule, ownership: Ownership, entry: number): readonly number[] {
  return ARGUMENTS.filter((argument) => {
    const place = argumentPlace(image.code.set.abi, argument);
    const effect = ownership.effectOfFunction(flows, entry, { place, argument, within: undefined });
    return effect === "releases" || effect === "may-release";
  });
}
