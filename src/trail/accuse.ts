import { CallGraph } from "../code/calls.ts";
import { hex, type Va, windbgHex } from "../core/address.ts";
import { type CallSite, findCallSites } from "./call-sites.ts";
import type { Charges } from "./charge.ts";
import { type Acquisition, balanceOf } from "./evidence/balance.ts";
import { type Lookup, lookupsOf } from "./evidence/lookups.ts";
import { libraryPair, otherWayToRelease } from "./evidence/other-ways.ts";
import type { HeldFunction, Holding } from "./importers.ts";
import type { ModuleCodes } from "./module-codes.ts";
import { acquiringFor, acquiringFunction } from "./pairs.ts";
import type { TrailModule, TrailTarget } from "./target.ts";
import type { TrailApi, Verdict } from "./trail.ts";
import {
  DEPTH_FACTOR,
  FURTHER_IMPORT_FACTOR,
  MOST_SITES,
  NEAREST_FACTOR,
  SECOND_HAND_FACTOR,
  WEIGHTS,
} from "./weights.ts";

/** What an accusation looks at. */
export interface Case {
  readonly target: TrailTarget;
  readonly codes: ModuleCodes;
  readonly charges: Charges;
  /** The tag's table key. */
  readonly key: number;
  readonly apis: readonly TrailApi[];
}

/**
 * Modules that hold the functions' addresses: by their calls where their code has any, else by the import
 * alone.
 *
 * @returns every call found
 */
export function accuseHolders(case_: Case, holdings: readonly Holding[]): readonly CallSite[] {
  const byModule = new Map<TrailModule, Holding[]>();
  for (const holding of holdings) {
    const same = byModule.get(holding.module);
    if (same === undefined) byModule.set(holding.module, [holding]);
    else same.push(holding);
  }
  const sites: CallSite[] = [];
  for (const [module, held] of byModule) sites.push(...accuseHolder(case_, module, held));
  return sites;
}

function accuseHolder(case_: Case, module: TrailModule, held: readonly Holding[]): readonly CallSite[] {
  const { target, charges, codes } = case_;
  const charge = charges.of(module);
  const decoded = codes.of(module);
  const missing = codeMissing(target, module);
  const sites = decoded === undefined ? [] : findCallSites(module, decoded, held);
  const called = new Set(sites.map((site) => site.function.address));
  let counted = 0;
  for (const api of called) {
    const own = sites.filter((site) => site.function.address === api);
    const [first] = own;
    if (first === undefined) continue;
    const places = own.map((site) => windbgHex(site.address, target.space.pointerSize)).slice(0, MOST_SITES);
    const weight = weightOf(case_, first);
    const further = Math.min(own.length - 1, MOST_SITES) * WEIGHTS.furtherSite;
    charge.add("calls", counted === 0 ? (WEIGHTS.calls + further) * weight : WEIGHTS.furtherSite, {
      kind: "calls",
      address: first.address,
      detail: callsText(own, first, places),
    });
    counted++;
  }
  accuseBalance(
    case_,
    module,
    sites.map((site) => acquisition(case_, site)),
    "calls",
    1,
  );
  for (const holding of held) {
    if (called.has(holding.function.address)) continue;
    const { points, detail } = unused(case_, holding, decoded === undefined ? undefined : missing);
    const kind = holding.slot === null ? "pointer" : "imports";
    charge.add(
      holding.slot === null ? "unknown" : "imports",
      charge.has(kind) || charge.has("calls") ? points * FURTHER_IMPORT_FACTOR : points,
      {
        kind,
        address: holding.address,
        detail,
      },
    );
  }
  return sites;
}

function callsText(own: readonly CallSite[], first: CallSite, places: readonly string[]): string {
  const callers = [...new Set(own.map((site) => site.caller))].slice(0, 3).join(", ");
  const count = own.length === 1 ? "one place" : `${own.length} places`;
  return `calls ${first.function.module}!${first.function.name} at ${count}: ${places.join(", ")}, in ${callers}${constantsText(first)}`;
}

/** The first arguments of a call as far as they are constants: `, with the arguments (_, 0x1)`. */
function constantsText(site: CallSite): string {
  const values = site.constants();
  const last = values.findLastIndex((value) => value !== undefined);
  if (last === -1) return "";
  const shown = values.slice(0, last + 1).map((value) => (value === undefined ? "_" : hex(value >>> 0)));
  return `, with the arguments (${shown.join(", ")})`;
}

/** Holds what a module acquires against what it gives back. */
export function accuseBalance(
  { target, charges, codes, key }: Case,
  module: TrailModule,
  acquired: readonly Acquisition[],
  verdict: Verdict,
  factor: number,
): void {
  const decoded = codes.of(module);
  if (decoded === undefined || acquired.length === 0) return;
  const points = {
    unbalanced: WEIGHTS.unbalanced,
    unknown: WEIGHTS.maybeUnbalanced,
    elsewhere: WEIGHTS.releasedElsewhere,
    "elsewhere-any": WEIGHTS.freesElsewhere,
    "handed-on": WEIGHTS.handsOn,
    perhaps: WEIGHTS.mayRelease,
    released: WEIGHTS.releases,
  };
  const missing = codeMissing(target, module);
  const otherWay = (names: readonly string[], called: ReadonlySet<string>): string | undefined =>
    otherWayToRelease(codes, module, decoded, names, called, key);
  for (const { state, evidence } of balanceOf(module, decoded, acquired, key, missing, otherWay)) {
    charges.of(module).add(verdict, points[state] * factor, evidence);
  }
}

/** A call as something that has to be balanced. */
function acquisition({ target, codes, apis, key }: Case, site: CallSite): Acquisition {
  const { name, module: owner } = site.function;
  const known = acquiringFunction(name);
  const library =
    known !== undefined || owner === "nt" || owner === "hal"
      ? undefined
      : target.modules.find((module) => module.name === owner);
  const pair =
    library === undefined
      ? undefined
      : libraryPair(codes, library, name, new Set(apis.map((api) => api.name)), key);
  const taking = known?.takenOver;
  const passed = taking === undefined ? 0 : site.argument(taking.argument);
  return {
    name,
    address: site.address,
    from: site.edge.from.entry,
    ...(pair === undefined ? {} : { pair }),
    ...(taking === undefined || passed === 0 ? {} : { takenOver: taking.by }),
  };
}

/** @param missing bytes of code that could not be read; undefined: nothing of it could be looked at */
function unused(
  case_: Case,
  holding: Holding,
  missing: number | undefined,
): { points: number; detail: string } {
  const at = windbgHex(holding.function.address, case_.target.space.pointerSize);
  const name = `${holding.function.module}!${holding.function.name}`;
  if (holding.slot === null)
    return { points: WEIGHTS.pointer, detail: `holds ${at}, the address of ${name}, in its data` };
  const slot = holding.slot === "delay-iat" ? "delay-import slot" : "import slot";
  const what = {
    both: `its ${slot} holds ${at} and is declared as ${name}`,
    address: `its ${slot} holds ${at}, ${name}`,
    name: `its ${slot} is declared as ${name}; what it holds cannot be told`,
    disagree: `its ${slot} is declared as ${name}, but holds another address`,
  }[holding.basis];
  if (missing === undefined)
    return { points: WEIGHTS.importsUnread, detail: `${what}; its code was not looked at` };
  if (missing > 0) {
    return {
      points: WEIGHTS.importsUnread,
      detail: `${what}; no call of it was seen, but ${missing} bytes of code could not be read`,
    };
  }
  return {
    points: WEIGHTS.importsUnused,
    detail: `${what}; all code that stays was read, and none calls it`,
  };
}

/**
 * Functions that acquire objects of the tag, in a dump whose tag is that of an object: whoever keeps a
 * reference keeps the object, and allocates nothing itself.
 */
export function acquiringFunctions({ target, apis }: Case, tag: string): readonly HeldFunction[] {
  const found: HeldFunction[] = [];
  for (const { acquire } of acquiringFor(tag)) {
    for (const module of target.modules) {
      const item = module.image?.exports.byName(acquire);
      if (item === undefined || item.forwarder !== undefined || module.image === undefined) continue;
      const address = module.image.addressOf(item.rva);
      if (!apis.some((api) => api.address === address))
        found.push({ module: module.name, name: acquire, address });
    }
  }
  return found;
}

/** Modules that look a function up by its name. Microsoft's own are left out: they look up everything. */
export function accuseLookups(case_: Case): void {
  const { target, charges, codes, apis } = case_;
  const functions = apis.filter((api) => api.basis !== "nearest-export");
  if (functions.length === 0) return;
  for (const module of target.modules) {
    if (module.publisher.thirdParty === false) continue;
    const lookups = lookupsOf(target, module, () => codes.of(module), functions);
    for (const { called, evidence } of lookups) {
      charges.of(module).add("looks-up-at-run-time", called ? WEIGHTS.looksUp : WEIGHTS.holdsName, evidence);
    }
    const acquired = lookups
      .filter(({ called }) => called)
      .flatMap((lookup) => callsThrough(module, codes, lookup));
    accuseBalance(case_, module, acquired, "looks-up-at-run-time", SECOND_HAND_FACTOR);
  }
}

/** The calls through the variable that a looked-up address is kept in; where none are seen, the look-up itself. */
function callsThrough(module: TrailModule, codes: ModuleCodes, lookup: Lookup): readonly Acquisition[] {
  const { function: held, pointer, evidence } = lookup;
  const decoded = codes.of(module);
  const edges =
    pointer === undefined || decoded === undefined ? [] : new CallGraph(decoded.flows).callersOf([pointer]);
  if (edges.length === 0) return [{ name: held.name, address: evidence.address ?? module.base }];
  return edges.map((edge) => ({
    name: held.name,
    address: (module.base + BigInt(edge.at)) as Va,
    from: edge.from.entry,
  }));
}

function weightOf({ apis }: Case, site: CallSite): number {
  const api = apis.find((candidate) => candidate.address === site.function.address);
  if (api === undefined) return WEIGHTS.acquires / WEIGHTS.calls;
  return api.basis === "nearest-export" ? NEAREST_FACTOR : DEPTH_FACTOR ** api.depth;
}

/** Bytes of a module's lasting code that cannot be read; INIT is gone by then, and does not run again. */
export function codeMissing(target: TrailTarget, module: TrailModule): number {
  let missing = 0;
  for (const section of module.image?.sections ?? []) {
    if (!section.executable || section.discardable) continue;
    const start = module.image?.addressOf(section.rva);
    if (start !== undefined)
      missing += section.virtualSize - target.space.readableBytes(start, section.virtualSize);
  }
  return missing;
}
