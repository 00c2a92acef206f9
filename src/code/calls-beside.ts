import { argumentNumber } from "../isa/abi.ts";
import { argumentOf, argumentPlaces, type CallSite } from "./call-site.ts";
import type { Callee } from "./callees.ts";
import type { DataFlow } from "./data-flow.ts";
import { type Dealings, givesBack } from "./fates.ts";
import { foundBy, givenThrough } from "./given-to.ts";
import type { Held } from "./held.ts";

/** What calls do with something that none of their arguments is. */
export class CallsBeside {
  readonly #flows: DataFlow;
  readonly #dealings: Dealings;

  constructor(flows: DataFlow, dealings: Dealings) {
    this.#flows = flows;
    this.#dealings = dealings;
  }

  /** Something is kept that leads to where it stands: what becomes of it is not known. */
  keptThrough(told: Held, site: CallSite, callees: readonly Callee[]): Held | undefined {
    const at = site.instruction.start;
    for (const given of givenThrough(this.#flows, told, site, callees[0]?.name)) {
      const keeper = callees.find((callee) => this.#dealings.effect(callee, given, site) === "keeps");
      if (keeper === undefined) continue;
      const keeping = { in: "callee", name: keeper.name, target: keeper.offset } as const;
      return { ...told, handed: { at, keeping } };
    }
    return undefined;
  }

  /** A function of the image gives back what stands in a variable. */
  freesVariable(told: Held, site: CallSite, callee: Callee): boolean {
    if (callee.offset === undefined) return false;
    return foundBy(this.#flows, told, callee.offset).some((given) =>
      givesBack(this.#dealings.effect(callee, given, site)),
    );
  }

  /** What a call returned that kept it, as IoAllocateMdl does, is given back: it keeps it no longer. */
  withoutFreed(told: Held, site: CallSite, callees: readonly Callee[]): Held {
    const keepers = new Set(
      told.stored.flatMap(({ at, keeping }) => (keeping.in === "callee" ? [`=${at}`] : [])),
    );
    if (keepers.size === 0) return told;
    const { abi } = this.#flows.image.code.set;
    const freed = new Set<string>();
    for (const place of argumentPlaces(abi, site, callees[0]?.name)) {
      const [only, ...others] = argumentOf(abi, site, place);
      if (only === undefined || others.length > 0 || !keepers.has(only.key)) continue;
      const given = { place, argument: argumentNumber(abi, place, callees[0]?.name), within: undefined };
      if (callees.some((callee) => this.#dealings.effect(callee, given, site) === "releases"))
        freed.add(only.key);
    }
    return freed.size === 0
      ? told
      : { ...told, stored: told.stored.filter(({ at }) => !freed.has(`=${at}`)) };
  }
}
