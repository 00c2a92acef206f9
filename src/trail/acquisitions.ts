import { bindsFramework, FRAMEWORK } from "../code/wdf.ts";
import { advance, type Rva, type Va } from "../core/address.ts";
import { MAX_RELAY_DEPTH, MAX_RELAYS } from "../core/limits.ts";
import { addAll, addTo } from "../core/search.ts";
import type { AcquiringFunction } from "./acquiring-functions.ts";
import { Balance } from "./balance.ts";
import type { CallPlace, CallWay, ModuleClue } from "./clue.ts";
import type { HandedOut } from "./handed-out.ts";
import { findHolders, type HeldFunction, type Holding } from "./holders.ts";
import {
  type CallSeen,
  findImportCalls,
  frameworkCalls,
  type ImportCall,
  importCall,
} from "./import-calls.ts";
import { releasedBy } from "./knowledge.ts";
import { type Lookup, lookupsOf, NamedFunctions } from "./lookups.ts";
import type { DecodedModule } from "./module-codes.ts";
import { isKernelModule, type Question } from "./question.ts";
import { functionLabel, reachedFrom, runsOnceOnly } from "./reach.ts";
import { codeMissing, type TrailModule } from "./target.ts";
import { termsOf } from "./terms.ts";

export interface Acquisitions {
  readonly clues: readonly ModuleClue[];
  /** The calls that were found, for whatever is asked of places behind calls. */
  readonly sites: readonly CallSeen[];
  /** What was not followed, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Who calls functions that acquire, and what becomes of what they give: in each module that holds their addresses or
 * looks them up, and, where that module hands it on, in those that call it, through several of them.
 */
export function findAcquisitions(question: Question, functions: readonly AcquiringFunction[]): Acquisitions {
  const clues: ModuleClue[] = [];
  const sites: CallSeen[] = [];
  const cutAt = new Set<string>();
  const notes = new Set<string>();
  const known = new Set(functions.map(({ address }) => address));
  const left = new Set<Va | null>();
  let round = functions;
  for (let depth = 0; depth <= MAX_RELAY_DEPTH && round.length > 0; depth++) {
    const relays: AcquiringFunction[] = [];
    const named = new NamedFunctions(depth === 0 ? round : []);
    const framework = round.filter(({ module }) => module === FRAMEWORK);
    for (const [module, held] of holdersOf(question, round)) {
      const tabled = framework.length > 0 && bindsFramework(module.imports) ? framework : [];
      const caller = new Caller(question, module, held, named, tabled);
      caller.look();
      for (const clue of caller.clues) clues.push({ module: module.name, clue });
      addAll(sites, caller.sites);
      addAll(relays, caller.relays);
      for (const place of caller.cutAt) cutAt.add(place);
      for (const note of caller.notes) notes.add(note);
    }
    const next = relays
      .sort((a, b) => a.acquired.depth - b.acquired.depth)
      .filter(({ address }) => !known.has(address));
    for (const { address } of next) {
      if (known.size < MAX_RELAYS + functions.length && depth < MAX_RELAY_DEPTH) known.add(address);
      else left.add(address);
    }
    round = next.filter(({ address }) => known.has(address));
  }
  return { clues, sites, notes: [...notes, ...cutNotes([...cutAt], left.size)] };
}

const MOST_PLACES = 6;

function cutNotes(cutAt: readonly string[], left: number): readonly string[] {
  const more = cutAt.length > MOST_PLACES ? ` and ${cutAt.length - MOST_PLACES} more` : "";
  const places = `${cutAt.slice(0, MOST_PLACES).join(", ")}${more}`;
  return [
    ...(cutAt.length > 0
      ? [`what ${places} ${cutAt.length === 1 ? "hands" : "hand"} on was not followed to all callers`]
      : []),
    ...(left > 0
      ? [
          left === 1
            ? "the callers of one exported function that hands on what leads to the tag were not looked for"
            : `the callers of ${left} exported functions that hand on what leads to the tag were not looked for`,
        ]
      : []),
  ];
}

/** The modules that hold the functions' addresses, and those that may look them up; the kernel's own calls are nobody's leak. */
function holdersOf(
  { target, limits }: Question,
  functions: readonly AcquiringFunction[],
): ReadonlyMap<TrailModule, readonly Holding[]> {
  const byModule = new Map<TrailModule, Holding[]>();
  for (const module of target.modules) byModule.set(module, []);
  for (const holding of findHolders(target, functions, limits)) {
    const { only } = holding.function as AcquiringFunction;
    if (only === undefined || only.has(holding.module.name)) addTo(byModule, holding.module, holding);
  }
  for (const module of byModule.keys()) if (isKernelModule(module)) byModule.delete(module);
  return byModule;
}

/** One module that may call. */
class Caller {
  readonly clues: ModuleClue["clue"][] = [];
  readonly sites: CallSeen[] = [];
  readonly relays: AcquiringFunction[] = [];
  /** Functions that hand it on to more callers than were followed. */
  readonly cutAt: string[] = [];
  readonly notes: string[] = [];
  readonly #question: Question;
  readonly #module: TrailModule;
  readonly #held: readonly Holding[];
  /** Functions that may be looked up by name. */
  readonly #named: NamedFunctions;
  /** Functions of the framework, which it may call through its table. */
  readonly #framework: readonly AcquiringFunction[];

  constructor(
    question: Question,
    module: TrailModule,
    held: readonly Holding[],
    named: NamedFunctions,
    framework: readonly AcquiringFunction[],
  ) {
    this.#question = question;
    this.#module = module;
    this.#held = held;
    this.#named = named;
    this.#framework = framework;
  }

  look(): void {
    const { target, codes } = this.#question;
    const lookups = this.#lookUps();
    if (this.#held.length + lookups.length + this.#framework.length === 0) return;
    const decoded = codes.of(this.#module);
    const missing = decoded === undefined ? null : codeMissing(target, this.#module);
    const called = new Set<HeldFunction>();
    if (decoded !== undefined) {
      const direct = [
        ...findImportCalls(this.#module, decoded, this.#held),
        ...this.#framework
          .flatMap((function_) => frameworkCalls(decoded, function_))
          .map(({ edge, item }) => importCall(this.#module, decoded, edge, item)),
      ];
      for (const [way, sites] of [
        ["direct", direct],
        ["looked-up", this.#lookedUpCalls(decoded, lookups)],
      ] as const) {
        for (const { module, function: function_, returnAddress } of sites)
          this.sites.push({ module, function: function_, returnAddress });
        for (const function_ of new Set(sites.map((site) => site.function))) {
          called.add(function_);
          const own = sites.filter((site) => site.function === function_);
          const acquiring = function_ as AcquiringFunction;
          for (const one of [acquiring, ...(acquiring.more ?? [])])
            this.#calls(decoded, one, own, way, missing ?? 0);
        }
      }
    }
    for (const { function: function_, slot, address, basis } of this.#held) {
      if (called.has(function_)) continue;
      const kind = slot === null ? "pointer" : "imports";
      this.clues.push({ kind, function: function_, at: address, slot, basis, codeMissing: missing });
    }
  }

  #calls(
    decoded: DecodedModule,
    function_: AcquiringFunction,
    sites: readonly ImportCall[],
    way: CallWay,
    missing: number,
  ): void {
    const judged = sites.map((site) => ({
      site,
      terms: termsOf(this.#question.tag, decoded, site, function_),
    }));
    const untyped = judged.filter(({ terms }) => terms.kind === "any-object").map(({ site }) => site);
    const duties = judged.flatMap(({ site, terms }) => (terms.kind === "duty" ? [{ site, terms }] : []));
    const acquiring = judged.filter(({ terms }) => terms.kind === "acquires").map(({ site }) => site);
    const existing =
      function_.acquired.existing ||
      (acquiring.length > 0 &&
        judged.every(({ terms }) => terms.kind !== "acquires" || terms.existing === true));
    const acquired = { ...function_.acquired, existing };
    const callers = new Map(acquiring.map(({ edge }) => [edge.from.entry, edge.from]));
    const { out } = function_;
    const balance = new Balance(this.#question, this.#module, decoded, { ...function_, acquired }, missing);
    const byRow = function_.row && releasedBy(function_.row, decoded.image.code.set.abi);
    const isRelease = byRow === undefined ? {} : { isRelease: byRow };
    if (out !== undefined)
      for (const { site, terms } of judged) {
        if (terms.kind !== "acquires") continue;
        if (terms.forProcess === true) balance.forProcess.add(site.address);
        balance.follow(site.edge.from, { at: site.edge.at, ...out, ...isRelease }, site.address);
      }
    const onceOnly =
      acquiring.length > 0 &&
      (balance.fillsOnce || [...callers.values()].every((from) => runsOnceOnly(decoded, from)));
    if (acquiring.length > 0)
      this.clues.push({
        kind: "calls",
        acquired,
        way,
        typed: true,
        places: acquiring.map((site) => callPlace(decoded, site)),
        onceOnly,
      });
    if (untyped.length > 0)
      this.clues.push({
        kind: "calls",
        acquired,
        way,
        typed: false,
        places: untyped.map((site) => callPlace(decoded, site)),
        onceOnly: false,
      });
    if (duties.length > 0 && acquiring.length === 0) {
      const to = duties.map(({ site, terms }) => ({ at: site.address, name: terms.by }));
      this.clues.push({ kind: "may-release", acquired, calls: duties.map(({ site }) => site.address), to });
    }
    if (acquiring.length === 0) return;
    if (out === undefined) {
      this.#reachedBy(decoded, function_, acquiring);
      return;
    }
    addAll(this.clues, balance.clues());
    for (const entry of balance.cutAt) this.cutAt.push(functionLabel(this.#module.name, decoded, entry));
    for (const relay of balance.relays) {
      const [name = ""] = relay.names;
      this.#relay(
        relay.entry,
        relay.names,
        [name, ...relay.path, ...acquired.path],
        { ...function_, acquired },
        relay.out,
        relay.depth,
      );
    }
  }

  /** What it takes stays in the function that is called, so that whoever calls this module's callers makes it grow. */
  #reachedBy(decoded: DecodedModule, function_: AcquiringFunction, sites: readonly ImportCall[]): void {
    const leads = new Map(sites.map(({ edge }) => [edge.from.entry, edge.from]));
    const reach = reachedFrom(this.#module.name, decoded, [...leads.values()]);
    addAll(this.notes, reach.notes);
    for (const found of reach.exports) {
      this.#relay(
        found.entry as Rva,
        found.names,
        [...found.path, ...function_.acquired.path],
        function_,
        undefined,
        found.depth,
      );
    }
  }

  #relay(
    entry: Rva,
    names: readonly string[],
    path: readonly string[],
    { acquired, row, of = row, frees = [], module }: AcquiringFunction,
    out: HandedOut | undefined,
    depth: number,
  ): void {
    const [name] = names;
    if (name === undefined) return;
    const { target, learnt } = this.#question;
    const own = out === undefined ? [] : learnt(this.#module, of).releases;
    const owner = target.modules.find((other) => other.name === module);
    const inner = out === undefined || owner === undefined ? [] : learnt(owner, of).releases;
    const function_ = { module: this.#module.name, name, address: advance(this.#module.base, entry) };
    this.relays.push({
      ...function_,
      names,
      acquired: {
        ...acquired,
        function: function_,
        path,
        depth: acquired.depth + 1 + depth,
        libraries: acquired.libraries + 1,
        handsOut: out !== undefined,
        releases: own.map((release) => release.name),
      },
      out,
      row: undefined,
      of,
      frees: [...inner, ...frees],
    });
  }

  /** Functions that it looks up by name. Microsoft's own look up everything. */
  #lookUps(): readonly Lookup[] {
    const { target, codes } = this.#question;
    if (this.#named.size === 0 || this.#module.publisher.thirdParty === false) return [];
    const lookups = lookupsOf(target, this.#module, () => codes.of(this.#module), this.#named);
    for (const { clue } of lookups) this.clues.push(clue);
    return lookups;
  }

  /** Calls of what it looked up: through variables, and of the answer itself. */
  #lookedUpCalls(decoded: DecodedModule, lookups: readonly Lookup[]): readonly ImportCall[] {
    const variables = lookups.flatMap(({ function: function_, pointer }): Holding[] =>
      pointer === undefined
        ? []
        : [
            {
              module: this.#module,
              function: function_,
              address: advance(this.#module.base, pointer),
              rva: pointer,
              section: null,
              slot: "iat",
              basis: "address",
            },
          ],
    );
    const through = findImportCalls(this.#module, decoded, variables);
    const known = new Set(through.map(({ edge }) => edge.at));
    const direct = lookups.flatMap(({ function: function_, calls }) =>
      calls
        .filter(({ at }) => !known.has(at))
        .map((edge) => importCall(this.#module, decoded, edge, function_)),
    );
    return [...through, ...direct];
  }
}

function callPlace(decoded: DecodedModule, site: ImportCall): CallPlace {
  const parameters = (site.function as AcquiringFunction).row?.arguments ?? 0;
  return {
    at: site.address,
    returnsTo: site.returnAddress,
    caller: site.caller,
    callerEntry: decoded.image.image.addressOf(site.edge.from.entry) as Va,
    constants:
      parameters === 0
        ? []
        : site
            .constants()
            .slice(0, parameters)
            .map((value) => value ?? null),
  };
}
