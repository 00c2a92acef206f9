import { givesBack } from "../code/fates.ts";
import type { Ownership } from "../code/ownership.ts";
import { addressedFunctions, functionsNaming, placed } from "../code/xrefs.ts";
import { MAX_LEARNT, MAX_REACH_FUNCTIONS } from "../core/limits.ts";
import { argumentPlace } from "../isa/abi.ts";
import { exportNames } from "../symbols/exports.ts";
import type { HandedOut } from "./handed-out.ts";
import { type ListEntries, listsOf } from "./lookaside-lists.ts";
import type { DecodedModule, ModuleCodes } from "./module-codes.ts";
import type { Acquirer, Release } from "./pairs/pair.ts";
import { FREE } from "./pairs/releases.ts";
import { canBeOfTag, isKernelModule } from "./question.ts";
import { reachedFrom } from "./reach.ts";
import { type LearntReleases, type ReleaseCall, releaseCalls } from "./release-calls.ts";
import type { Reference } from "./scan.ts";
import type { TrailModule } from "./target.ts";

/** Whether what a module hands out is whoever's it is handed to, and not its own. */
export function isHandedOver(out: HandedOut | undefined, learnt: LearntReleases | undefined): boolean {
  return out?.shared !== true || (learnt !== undefined && learnt.releases.length > 0 && learnt.onlyWhenAsked);
}

const NOTHING: LearntReleases = { releases: [], onlyWhenAsked: false, notes: [] };
/** Direct calls between an exported function and its free: further away it is for the library's own ends. */
const NEAR = 2;
const ARGUMENTS = [1, 2, 3, 4] as const;

/**
 * Exported functions of a module that give back what they are given, or what stands in it, learnt from its code.
 *
 * @param releases what gives it back in them
 * @param references to the tag, from which lookaside lists are told
 * @param key the tag, where that is memory. Of the kernel only what frees with this very tag counts: it frees for everybody
 */
function learnReleases(
  decoded: DecodedModule | undefined,
  ownership: Ownership,
  module: TrailModule,
  releases: readonly Release[],
  key: number | undefined,
  references: readonly Reference[],
): LearntReleases {
  if (decoded === undefined) return NOTHING;
  const lists = key === undefined ? [] : listsOf(module, decoded, references);
  const given = lists.flatMap((list) => list.given);
  const calls = releaseCalls(module, decoded, releases, given).filter(
    ({ tag }) =>
      key === undefined ||
      (isKernelModule(module)
        ? tag !== undefined && tag !== 0 && canBeOfTag(tag, key)
        : canBeOfTag(tag, key)),
  );
  const leads = new Map(
    calls.flatMap(({ at }) => decoded.image.functions.owning(at)).map((found) => [found.entry, found]),
  );
  const found = reachedFrom(module.name, decoded, [...leads.values()]).exports;
  const near = found.filter(({ depth }) => depth <= NEAR);
  const looked = near.slice(0, MAX_LEARNT);
  const offsets = offsetsOf(calls);
  return {
    releases: looked.flatMap(({ entry, names }) =>
      releasing(decoded, ownership, entry, offsets, lists).flatMap((how) =>
        names.map((name) => ({ name, ...how })),
      ),
    ),
    onlyWhenAsked: isOnlyAsked(decoded, [...leads.keys()]),
    notes:
      looked.length < near.length
        ? [
            `${module.name}: of ${near.length} exported functions that lead to a free, ${looked.length} were looked at for what they free`,
          ]
        : [],
  };
}

/** Learns them of each module once. */
export class LearntByModule {
  readonly #codes: ModuleCodes;
  readonly #ownership: Ownership;
  readonly #key: number;
  readonly #references: readonly Reference[];
  readonly #known = new Map<TrailModule, Map<Acquirer | undefined, LearntReleases>>();

  /** @param key the tag */
  constructor(codes: ModuleCodes, ownership: Ownership, key: number, references: readonly Reference[]) {
    this.#codes = codes;
    this.#ownership = ownership;
    this.#key = key;
    this.#references = references;
  }

  /** @param row what is acquired in it; absent where it is memory */
  of(module: TrailModule, row?: Acquirer): LearntReleases {
    const known = this.#known.get(module) ?? new Map<Acquirer | undefined, LearntReleases>();
    this.#known.set(module, known);
    const releases = row?.releases ?? FREE;
    const key = row === undefined ? this.#key : undefined;
    const learnt =
      known.get(row) ??
      learnReleases(this.#codes.of(module), this.#ownership, module, releases, key, this.#references);
    known.set(row, learnt);
    return learnt;
  }

  get notes(): readonly string[] {
    return [...this.#known.values()].flatMap((known) => [...known.values()].flatMap(({ notes }) => notes));
  }
}

/** Offsets that are tried: more of them are of more structures than one thing is held by. */
const MOST_OFFSETS = 4;

/** How far behind pointers it stands what is given back. */
function offsetsOf(calls: readonly ReleaseCall[]): readonly number[] {
  const offsets = calls.flatMap(({ value }) =>
    value.flatMap((atom) => (atom.kind === "field" ? [atom.offset] : [])),
  );
  return [...new Set(offsets)].slice(0, MOST_OFFSETS);
}

/** The arguments that a function gives back; or what stands where they point to. */
function releasing(
  { flows, image }: DecodedModule,
  ownership: Ownership,
  entry: number,
  offsets: readonly number[],
  lists: readonly ListEntries[],
): readonly Omit<Release, "name">[] {
  const gives = (argument: number, within: number | undefined): boolean => {
    const place = argumentPlace(image.code.set.abi, argument);
    const given = { place, argument, within };
    const ways = [undefined, ...lists.map(({ isRelease }) => isRelease)];
    return ways.some((isRelease) => givesBack(ownership.effectOfFunction(flows, entry, given, isRelease)));
  };
  return ARGUMENTS.flatMap((argument): readonly Omit<Release, "name">[] => {
    if (gives(argument, undefined)) return [{ argument }];
    return offsets
      .filter((offset) => gives(argument, offset))
      .map((behind) => ({ argument, takes: { behind } }));
  });
}

/** Whether functions are called by nobody but exported ones, and the routine that is called as the driver is unloaded. */
function isOnlyAsked(decoded: DecodedModule, entries: readonly number[]): boolean {
  const { image, graph } = decoded;
  const exported = exportNames(image.image);
  const addressed = addressedFunctions(image);
  const seen = new Set(entries);
  for (let level: readonly number[] = entries; level.length > 0; ) {
    const inner = level.filter((entry) => exported.at(entry).length === 0);
    if (inner.some((entry) => addressed.has(entry) && !isUnload(decoded, entry))) return false;
    const edges = graph.callersOf(inner);
    const called = new Set(edges.flatMap(({ callee }) => [callee.offset ?? -1, callee.thunk ?? -1]));
    if (inner.some((entry) => !called.has(entry) && !addressed.has(entry))) return false;
    const next = new Set(edges.map(({ from }) => from.entry).filter((entry) => !seen.has(entry)));
    for (const entry of next) seen.add(entry);
    if (seen.size > MAX_REACH_FUNCTIONS) return false;
    level = [...next];
  }
  return true;
}

/** DRIVER_OBJECT.DriverUnload. */
const DRIVER_UNLOAD = { 4: 0x34, 8: 0x68 } as const;

/** Whether all that becomes of a function's address is that it is put where that of DriverUnload belongs. */
function isUnload({ flows, image }: DecodedModule, entry: number): boolean {
  const offset = DRIVER_UNLOAD[image.code.set.abi.pointerSize];
  const users = functionsNaming(image, [entry]);
  return (
    users.length > 0 &&
    users.every((user) =>
      flows
        .of(user)
        .events.some(
          ({ kind, value, instruction: { operands }, behind = [] }) =>
            kind === "store" &&
            placed(image, value).some((atom) => atom.kind === "address" && atom.rva === entry) &&
            operands[0]?.kind === "memory" &&
            operands[0].displacement === offset &&
            behind.length > 0,
        ),
    )
  );
}
