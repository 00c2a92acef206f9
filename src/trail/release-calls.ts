import { type Atom, onlyNumber, UNKNOWN, type Value } from "../code/abstract-value.ts";
import { poolRoutine } from "../code/allocators.ts";
import type { CallEdge } from "../code/call-graph.ts";
import { argumentOf } from "../code/call-site.ts";
import { type Callee, namesOf } from "../code/callees.ts";
import type { Ownership } from "../code/ownership.ts";
import { functionsNaming, placed } from "../code/xrefs.ts";
import type { Rva } from "../core/address.ts";
import { MAX_LEARNT } from "../core/limits.ts";
import { argumentPlace } from "../isa/abi.ts";
import { exportNames } from "../symbols/exports.ts";
import { registerArgument, stackArgument } from "./handed-out.ts";
import { callsThrough } from "./import-calls.ts";
import { mayHold } from "./knowledge.ts";
import type { DecodedModule, ModuleCodes } from "./module-codes.ts";
import type { Release } from "./pairs/pair.ts";
import { FREE } from "./pairs/releases.ts";
import { canBeOfTag, isKernelModule } from "./question.ts";
import { reachedFrom } from "./reach.ts";
import type { TrailModule } from "./target.ts";

/** A call that gives something back, and what it is given. */
export interface ReleaseCall {
  readonly at: Rva;
  readonly name: string;
  readonly value: Value;
  /** The value is the address of what holds it. */
  readonly isAddress: boolean;
  /** The tag that a free is told, where it is a constant. */
  readonly tag: number | undefined;
}

/** Helpers of helpers that give back what they are given. */
const MAX_HELPERS = 2;

/**
 * All calls of a module that give something back by functions of these names, with what each is given; where
 * a helper gives back its own argument, the calls of the helper.
 */
export function releaseCalls(
  module: TrailModule,
  decoded: DecodedModule,
  releases: readonly Release[],
): readonly ReleaseCall[] {
  const byPlace = new Map<number, Release>();
  const named = new Map(releases.map((release) => [release.name, release]));
  for (const { rva } of module.imports.slots) {
    const release = releaseAmong(named, decoded.flows.callees.throughSlot(rva));
    if (release !== undefined) byPlace.set(rva, release);
  }
  for (const [variable, { name }] of decoded.flows.lookedUp.variables) {
    const release = named.get(name);
    if (release !== undefined) byPlace.set(variable, release);
  }
  const exported = module.image === undefined ? [] : exportNames(module.image).items;
  for (const { name, rva } of exported) {
    const release = named.get(name);
    if (release !== undefined) byPlace.set(rva, release);
  }
  const found: ReleaseCall[] = [];
  const ofFramework = [...named.values()].flatMap((release) => frameworkCalls(decoded, release));
  let helpers: ReadonlyMap<number, Release> = byPlace;
  for (let step = 0; step <= MAX_HELPERS && helpers.size + ofFramework.length > 0; step++) {
    const next = new Map<number, Release>();
    for (const { edge, item } of [...callsThrough(decoded.graph, helpers), ...ofFramework.splice(0)]) {
      const call = callAt(decoded, edge, item);
      if (call === undefined) continue;
      const own = call.value.flatMap((atom) => argumentOfValue(decoded, atom) ?? []);
      const [argument] = own;
      if (argument !== undefined && own.length === call.value.length)
        next.set(edge.from.entry, { ...passed(item), argument });
      found.push(call);
    }
    for (const entry of helpers.keys()) next.delete(entry);
    helpers = next;
  }
  return found;
}

/** The calls of a function of the framework, which go through its table. */
function frameworkCalls({ image, flows }: DecodedModule, item: Release): { edge: CallEdge; item: Release }[] {
  const place = flows.callees.frameworkPlace(item.name);
  if (place === undefined) return [];
  return functionsNaming(image, [place]).flatMap((from) =>
    flows.of(from).calls.flatMap((site) => {
      const callee = flows.callees.of(site).find(({ name }) => name === item.name);
      if (callee === undefined) return [];
      const at = site.instruction.start as Rva;
      return [{ edge: { at, from, form: "call-slot", callee }, item }];
    }),
  );
}

function releaseAmong(named: ReadonlyMap<string, Release>, callee: Callee): Release | undefined {
  return namesOf(callee)
    .map((name) => named.get(name))
    .find((release) => release !== undefined);
}

function callAt({ flows }: DecodedModule, edge: CallEdge, release: Release): ReleaseCall | undefined {
  const { abi } = flows.image.code.set;
  const site = flows.siteAt(edge.from, edge.at);
  if (site === undefined) return undefined;
  const name = edge.callee.name === undefined ? undefined : release.name;
  if (name !== undefined && !mayHold(release.when, abi, site, name)) return undefined;
  const given = placed(flows.image, argumentOf(abi, site, argumentPlace(abi, release.argument, name)));
  // nobody gives back nothing: a routine that was told of the place has put something there in the meantime
  const value = onlyNumber(given) === 0 ? UNKNOWN : given;
  const tagArgument = poolRoutine(release.name)?.tag;
  const tag =
    tagArgument === undefined || name === undefined
      ? undefined
      : onlyNumber(argumentOf(abi, site, argumentPlace(abi, tagArgument, name)));
  return { at: edge.at, name: release.name, value, isAddress: release.takes === "address", tag };
}

/** A release as the helper around it is one. */
function passed({ name, takes }: Release): Omit<Release, "argument"> {
  return { name, ...(takes === undefined ? {} : { takes }) };
}

/** Which argument of its function a value is. */
function argumentOfValue({ flows }: DecodedModule, atom: Atom): number | undefined {
  const { abi } = flows.image.code.set;
  if (atom.kind === "argument") return stackArgument(abi, atom.offset);
  return atom.kind === "register" ? registerArgument(abi, atom.register) : undefined;
}

/** Direct calls between an exported function and its free: further away it is for the library's own ends. */
const NEAR = 2;
const ARGUMENTS = [1, 2, 3, 4] as const;

/** What frees what it is given, and what was not looked at for it, one sentence each. */
export interface LearntReleases {
  readonly releases: readonly Release[];
  readonly notes: readonly string[];
}

/**
 * Exported functions of a module that free what they are given, learnt from its code. Of the kernel only what frees with
 * this very tag counts: it frees for everybody.
 */
export function learnReleases(
  codes: ModuleCodes,
  ownership: Ownership,
  module: TrailModule,
  key: number,
): LearntReleases {
  const decoded = codes.of(module);
  if (decoded === undefined) return { releases: [], notes: [] };
  const frees = releaseCalls(module, decoded, FREE).filter(({ tag }) =>
    isKernelModule(module) ? tag !== undefined && tag !== 0 && canBeOfTag(tag, key) : canBeOfTag(tag, key),
  );
  const leads = new Map(
    frees.flatMap(({ at }) => decoded.image.functions.owning(at)).map((found) => [found.entry, found]),
  );
  const found = reachedFrom(module.name, decoded, [...leads.values()]).exports;
  const near = found.filter(({ depth }) => depth <= NEAR);
  const looked = near.slice(0, MAX_LEARNT);
  return {
    releases: looked.flatMap(({ entry, names }) =>
      releasing(decoded, ownership, entry).flatMap((argument) => names.map((name) => ({ name, argument }))),
    ),
    notes:
      looked.length < near.length
        ? [
            `${module.name}: of ${near.length} exported functions that lead to a free, ${looked.length} were looked at for what they free`,
          ]
        : [],
  };
}

/** The arguments that a function gives back. */
function releasing({ flows, image }: DecodedModule, ownership: Ownership, entry: number): readonly number[] {
  return ARGUMENTS.filter((argument) => {
    const place = argumentPlace(image.code.set.abi, argument);
    const effect = ownership.effectOfFunction(flows, entry, { place, argument, within: undefined });
    return effect === "releases" || effect === "may-release";
  });
}
