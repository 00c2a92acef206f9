import { type Atom, onlyNumber, UNKNOWN, type Value } from "../code/abstract-value.ts";
import { poolRoutine } from "../code/allocators.ts";
import type { CallEdge } from "../code/call-graph.ts";
import { argumentOf } from "../code/call-site.ts";
import { type Callee, namesOf } from "../code/callees.ts";
import { isOfFileObject } from "../code/irp.ts";
import { placed } from "../code/xrefs.ts";
import type { Rva } from "../core/address.ts";
import { argumentPlace } from "../isa/abi.ts";
import { exportNames } from "../symbols/exports.ts";
import { registerArgument, stackArgument } from "./handed-out.ts";
import { callsThrough, frameworkCalls } from "./import-calls.ts";
import { mayHold } from "./knowledge.ts";
import type { DecodedModule } from "./module-codes.ts";
import type { Release } from "./pairs/pair.ts";
import type { TrailModule } from "./target.ts";

/** A call that gives something back, and what it is given. */
export interface ReleaseCall {
  readonly at: Rva;
  readonly name: string;
  readonly value: Value;
  /** How far behind the value it may stand what is given back; `undefined`: the value is it. */
  readonly behind: readonly number[] | undefined;
  /** It is what the file object of a request has. */
  readonly ofFile: boolean;
  /** The tag that a free is told, where it is a constant. */
  readonly tag: number | undefined;
}

/** What a module gives back for those who call it, and what was not looked at for it, one sentence each. */
export interface LearntReleases {
  readonly releases: readonly Release[];
  /** It gives back nothing of the kind by itself, but as it is unloaded. */
  readonly onlyWhenAsked: boolean;
  readonly notes: readonly string[];
}

/** Helpers of helpers that give back what they are given. */
const MAX_HELPERS = 2;

/**
 * All calls of a module that give something back by functions of these names, with what each is given; where
 * a helper gives back its own argument, the calls of the helper.
 *
 * @param others calls that no name tells of
 */
export function releaseCalls(
  module: TrailModule,
  decoded: DecodedModule,
  releases: readonly Release[],
  others: readonly { readonly edge: CallEdge; readonly item: Release }[] = [],
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
  const unnamed = [...others, ...[...named.values()].flatMap((release) => frameworkCalls(decoded, release))];
  let helpers: ReadonlyMap<number, Release> = byPlace;
  for (let step = 0; step <= MAX_HELPERS && helpers.size + unnamed.length > 0; step++) {
    const next = new Map<number, Release>();
    for (const { edge, item } of [...callsThrough(decoded.graph, helpers), ...unnamed.splice(0)]) {
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
  const ofFile = value.length > 0 && value.every((atom) => isOfFileObject(atom, abi.pointerSize));
  return { at: edge.at, name: release.name, value, behind: behindOf(release), ofFile, tag };
}

/** Where what is held by a variable or a structure may stand in it: at its start, or as the pointer of a counted string. */
const IN_STRUCTURE = [0, 4, 8];

function behindOf({ takes }: Release): readonly number[] | undefined {
  if (takes === "address") return IN_STRUCTURE;
  return typeof takes === "object" && "behind" in takes ? [takes.behind] : undefined;
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
