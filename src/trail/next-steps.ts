import type { Conclusion } from "./conclude.ts";
import type { ObjectHolder } from "./object-holders.ts";
import type { Suspect } from "./suspects.ts";
import { LOW } from "./weights.ts";

/** A driver as a step names it. */
export interface NamedDriver {
  readonly module: string;
  /** As it was loaded, with its ending. */
  readonly file: string;
  readonly start: string | null;
}

/** Why a dump holds too little, whatever it is asked. `stacks-only`: a live dump without what is not a stack. */
export type Shortfall = "triage" | "cut-off" | "stacks-only";

/** One thing to do. */
export type Step =
  /** The dump holds too little: what kind is needed. */
  | { readonly do: "take-dump"; readonly because: Shortfall | "no-code" }
  | { readonly do: "name-tag" }
  | { readonly do: "give-images" }
  /** Look again later, and compare. `live`: this dump was taken of a machine that went on, and so can that be. */
  | { readonly do: "second-dump"; readonly live: boolean }
  | { readonly do: "update"; readonly drivers: readonly NamedDriver[] }
  /** Unload minifilters, which needs no reboot. */
  | { readonly do: "unload-filter"; readonly drivers: readonly NamedDriver[] }
  /** Disable, reboot, watch. */
  | { readonly do: "disable"; readonly drivers: readonly NamedDriver[] }
  | { readonly do: "then"; readonly drivers: readonly NamedDriver[] }
  /** Boot and system drivers among them. */
  | { readonly do: "beware-boot"; readonly drivers: readonly NamedDriver[] }
  | { readonly do: "give-hive" }
  /** References to objects with the tag, by who took them. */
  | { readonly do: "trace-references"; readonly tag: string }
  /** Driver Verifier's pool tracking, which counts what the drivers allocate themselves. */
  | { readonly do: "verifier"; readonly drivers: readonly NamedDriver[] }
  /** Processes whose handles keep the objects. */
  | { readonly do: "end-process"; readonly holder: ObjectHolder }
  /** Nobody but Windows itself is left. */
  | { readonly do: "update-windows"; readonly tag: string }
  /** Drivers that are gone. */
  | { readonly do: "consider-unloaded"; readonly names: readonly string[] };

/** What the steps depend on besides the verdict. */
export interface Circumstances {
  readonly tag: string;
  /** The tag is that of a kind of object, which has a count of references. */
  readonly objects: boolean;
  /** Driver's services are known. */
  readonly hive: boolean;
  /** Names of drivers that were unloaded before the dump. */
  readonly unloaded: readonly string[];
  readonly references: number;
  /** There is a dump, and not only a folder of images. */
  readonly dump: boolean;
  /** The dump was taken of a machine that went on. */
  readonly live?: boolean;
  readonly shortfall?: Shortfall | undefined;
}

const MOST_NAMED = 3;

/** What a person does next: what decides, and the cheapest first. */
export function nextSteps(
  suspects: readonly Suspect[],
  conclusion: Conclusion,
  circumstances: Circumstances,
): readonly Step[] {
  const { shortfall } = circumstances;
  const steps = stepsFor(suspects, conclusion, circumstances);
  if (shortfall === undefined) return steps;
  return [{ do: "take-dump", because: shortfall }, ...steps.filter((step) => step.do !== "take-dump")];
}

function stepsFor(
  suspects: readonly Suspect[],
  conclusion: Conclusion,
  { tag, objects, hive, unloaded, references, dump, live = false }: Circumstances,
): readonly Step[] {
  const later: readonly Step[] = dump ? [{ do: "second-dump", live }] : [];
  const gone = [...new Set(unloaded)];
  const sure = conclusion.confidence === "high" || conclusion.confidence === "medium";
  const consider: readonly Step[] =
    sure || gone.length === 0 ? [] : [{ do: "consider-unloaded", names: gone }];
  const { culprit } = conclusion;
  if (references === 0 && culprit === null)
    return [dump ? { do: "take-dump", because: "no-code" } : { do: "give-images" }];
  if (conclusion.leaks === false) return later;
  if (culprit?.kind === "process") return [{ do: "end-process", holder: culprit.holder }, ...later];
  if (culprit?.kind === "windows") return [{ do: "update-windows", tag }, ...later];
  const named = suspects.filter(({ module }) => module === conclusion.module);
  const tied = suspects.filter(({ module }) => conclusion.tied.includes(module));
  const worth = (named.length > 0 ? named : tied).filter(({ excused }) => !excused).slice(0, MOST_NAMED);
  if (worth.length === 0) {
    const files = culprit?.kind === "none-visible" && culprit.unseen.some(({ what }) => what === "module");
    return [
      ...(files ? [{ do: "take-dump", because: "no-code" } as const] : []),
      ...later,
      ...(objects && dump ? [{ do: "trace-references", tag } as const] : []),
      ...consider,
    ];
  }
  const drivers = worth.map(driverOf);
  const others = suspects.filter(
    (suspect) =>
      !worth.includes(suspect) &&
      !suspect.excused &&
      suspect.thirdParty !== false &&
      suspect.score >= LOW.score,
  );
  const filters = worth.filter(({ minifilter }) => minifilter).map(driverOf);
  const early = drivers.filter(({ start }) => start === "boot" || start === "system");
  return [
    { do: "update", drivers },
    ...(filters.length > 0 ? [{ do: "unload-filter", drivers: filters } as const] : []),
    { do: "disable", drivers },
    ...(early.length > 0 ? [{ do: "beware-boot", drivers: early } as const] : []),
    ...(hive || !dump ? [] : [{ do: "give-hive" } as const]),
    ...(others.length > 0 && !sure
      ? [{ do: "then", drivers: others.slice(0, MOST_NAMED).map(driverOf) } as const]
      : []),
    ...consider,
    ...(objects ? [{ do: "trace-references", tag } as const] : []),
    ...(worth.some(({ ownsTag }) => ownsTag)
      ? [{ do: "verifier", drivers: worth.filter(({ ownsTag }) => ownsTag).map(driverOf) } as const]
      : []),
    ...later,
  ];
}

function driverOf({ module, imageName, service }: Suspect): NamedDriver {
  return { module, file: imageName ?? `${module}.sys`, start: service?.start ?? null };
}
