import { argumentOf } from "../code/call-site.ts";
import { controlFlowOf } from "../code/control-flow-graph.ts";
import {
  type AcquiringCall,
  type ArgumentOrigin,
  type Fates,
  isCallers,
  type Keeping,
} from "../code/fates.ts";
import type { CodeFunction } from "../code/function-table.ts";
import { addressedFunctions } from "../code/xrefs.ts";
import { advance, type Rva, type Va } from "../core/address.ts";
import { MAX_HANDING_CALLERS, MAX_RELAY_DEPTH } from "../core/limits.ts";
import type { Abi, ArgumentPlace } from "../isa/abi.ts";
import { exportNames } from "../symbols/exports.ts";
import type { AcquiringFunction } from "./acquiring-functions.ts";
import type { Clue, Forgets, Keeps } from "./clue.ts";
import { filledOnce } from "./filled-once.ts";
import { givenBackTwice, isFresh } from "./fresh-releases.ts";
import { type HandedOut, handedOut, handedOutOf } from "./handed-out.ts";
import { SamePlaces } from "./kept-places.ts";
import { isHandedOver } from "./learnt-releases.ts";
import type { DecodedModule } from "./module-codes.ts";
import type { Release } from "./pairs/pair.ts";
import { consumersNamed, plainFree } from "./pairs/table.ts";
import { canBeOfTag, type Question, releasesOf } from "./question.ts";
import { functionLabel, runsOnceOnly } from "./reach.ts";
import { type ReleaseCall, releaseCalls } from "./release-calls.ts";
import type { Same } from "./same-place.ts";
import type { TrailModule } from "./target.ts";
import { OF_PROCESS } from "./terms.ts";

/** An exported function that hands on what it acquires. */
interface Relay {
  readonly entry: Rva;
  readonly names: readonly string[];
  readonly out: HandedOut;
  /** Functions between it and the one that acquires, in this module. */
  readonly path: readonly string[];
  readonly depth: number;
}

/** A place where it is kept, the function that puts it there, and where else it stands then. */
type Kept = Keeps["places"][number] & {
  readonly from: CodeFunction;
  readonly once?: boolean;
  readonly also?: readonly Keeping[] | undefined;
};

/** What becomes in one module of what one function gives it, in all functions that it comes through. */
export class Balance {
  readonly relays: Relay[] = [];
  /** Functions that hand it on to more callers than were followed. */
  readonly cutAt: Set<Rva> = new Set();
  /** Calls that open a handle for the current process: what is put into a structure may be the request's, which gets it. */
  readonly forProcess: Set<Va> = new Set();
  readonly #question: Question;
  readonly #module: TrailModule;
  readonly #decoded: DecodedModule;
  readonly #function: AcquiringFunction;
  readonly #missing: number;
  readonly #forgets: (Forgets["ways"][number] & { readonly from: CodeFunction })[] = [];
  readonly #kept: Kept[] = [];
  readonly #released = new Map<Va, Set<Rva>>();
  /** Releases that only ways from a call come to, by both: of what it gave and is kept on other ways they tell nothing. */
  readonly #onOtherWays = new Set<string>();
  readonly #handed: { readonly call: Va; readonly at: Va; readonly name: string | null }[] = [];
  readonly #handsOn = new Map<string, Va>();
  readonly #seen = new Set<string>();
  /** Calls that were followed, by where they stand. */
  readonly #calls = new Set<number>();
  #partly = false;

  /** @param missing bytes of the module's code that could not be read */
  constructor(
    question: Question,
    module: TrailModule,
    decoded: DecodedModule,
    function_: AcquiringFunction,
    missing: number,
  ) {
    this.#question = question;
    this.#module = module;
    this.#decoded = decoded;
    this.#function = function_;
    this.#missing = missing;
  }

  /** @param root the call of the function, where the value comes from in the end */
  follow(
    from: CodeFunction,
    call: AcquiringCall & Pick<HandedOut, "shared">,
    root: Va,
    path: readonly string[] = [],
  ): void {
    const key = `${call.at}:${JSON.stringify(call.gives)}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#calls.add(call.at);
    const { flows, graph, image } = this.#decoded;
    const { ownership } = this.#question;
    let isTested = false;
    const fates = ownership.fatesOf(flows, from, call, ({ what }) => {
      isTested ||= what === "tests";
    });
    // who does not ask what it was given was perhaps given nothing
    if (call.shared === true && call.gives.by === "return" && !isTested) return;
    this.#partly ||= !fates.whole;
    this.#take(fates, from, root, call);
    const out = handedOut(fates, image.code.set.abi);
    const names = exportNames(image.image)
      .at(from.entry)
      .map(({ name }) => name);
    const further =
      names.length === 0 ? undefined : handedOutOf(ownership, this.#decoded, from, call.at, fates);
    const { row, of = row } = this.#function;
    if (further !== undefined && isHandedOver(further, this.#question.learnt(this.#module, of))) {
      this.#handsOn.set(names[0] ?? "", root);
      const relayed = { ...further, isRelease: call.isRelease };
      this.relays.push({ entry: from.entry, names, out: relayed, path, depth: path.length });
    }
    const label = functionLabel(this.#module.name, this.#decoded, from.entry);
    const callers = out === undefined ? [] : graph.callersOf([from.entry]);
    const followed = path.length < MAX_RELAY_DEPTH ? callers.slice(0, MAX_HANDING_CALLERS) : [];
    if (followed.length < callers.length) {
      this.#partly = true;
      this.cutAt.add(from.entry);
    }
    for (const edge of followed) {
      if (out !== undefined && edge.from.entry !== from.entry)
        this.follow(edge.from, { at: edge.at, ...out, isNew: call.isNew, isRelease: call.isRelease }, root, [
          label,
          ...path,
        ]);
    }
    if (callers.length > 0 || names.length > 0) return;
    // nobody is seen to call it, but whoever was given its address: what it gives is theirs, or in their structure
    for (const at of fates.returned) {
      // a routine that allocates memory for whoever it was given to returns it; no other callback returns a pointer
      if (isPool(this.#function)) this.#handed.push({ call: root, at: this.#va(at), name: null });
      else this.#forgets.push({ call: root, end: this.#va(at), branches: [], failing: false, from });
    }
    for (const { at, keeping } of fates.stored) {
      // what gives it back where something fails, and else puts it into its caller's variable, leaves it to that caller
      const leaves = keeping.in === "argument" && fates.released.length > 0;
      if (leaves) this.#handed.push({ call: root, at: this.#va(at), name: null });
      else if (isCallers(keeping)) this.#kept.push({ call: root, at: this.#va(at), keeping, from });
    }
  }

  /** All that becomes of it is that it fills a variable, once. */
  get fillsOnce(): boolean {
    const others = this.#forgets.length + this.#handed.length + this.#released.size + this.relays.length;
    return this.#kept.length > 0 && others === 0 && this.#kept.every(({ once }) => once === true);
  }

  clues(): readonly Clue[] {
    const { acquired } = this.#function;
    const clues: Clue[] = [];
    const releasedAt = [...this.#released].flatMap(([, ats]) => [...ats]);
    if (this.#forgets.length > 0) {
      clues.push({
        kind: "forgotten",
        acquired,
        ways: this.#forgets.map(({ call, end, branches, failing }) => ({ call, end, branches, failing })),
        releasedOnOthers: releasedAt.map((at) => this.#va(at)),
        partly: this.#partly,
        onceOnly: this.#onceOnly(this.#forgets),
      });
    }
    if (this.#kept.length > 0) {
      const { released, at } = this.#later();
      clues.push({
        kind: "kept",
        acquired,
        places: this.#kept.map(({ call, at: place, keeping }) => ({ call, at: place, keeping })),
        released,
        releasedAt: at,
        codeMissing: this.#missing,
        onceOnly: this.#onceOnly(this.#kept),
      });
    }
    if (releasedAt.length > 0) {
      const { flows } = this.#decoded;
      clues.push({
        kind: "releases",
        acquired,
        calls: [...this.#released.keys()],
        releasedAt: releasedAt.map((at) => ({
          at: this.#va(at),
          name: nameAt(this.#decoded, at) ?? flows.image.image.label,
        })),
      });
    }
    if (this.#handsOn.size > 0)
      clues.push({
        kind: "hands-on",
        acquired,
        calls: [...new Set(this.#handsOn.values())],
        through: [...this.#handsOn.keys()],
      });
    if (this.#handed.length > 0)
      clues.push({
        kind: "may-release",
        acquired,
        calls: [...new Set(this.#handed.map(({ call }) => call))],
        to: this.#handed.map(({ at, name }) => ({ at, name })),
      });
    return clues;
  }

  #take(fates: Fates, from: CodeFunction, root: Va, call: AcquiringCall): void {
    const { row } = this.#function;
    const undoneElsewhere = row?.what === "registration" || row?.what === "list-head";
    for (const { at, branches, failing, nulls = [] } of fates.forgotten) {
      if (this.#isNeverNull(from, nulls)) continue;
      if (undoneElsewhere) {
        this.#kept.push({ call: root, at: root, keeping: { in: "unknown" }, from });
        continue;
      }
      this.#forgets.push({
        call: root,
        end: this.#va(at),
        branches: branches.map((place) => this.#va(place)),
        failing,
        from,
      });
    }
    const kept = fates.stored.filter(({ keeping }) => !isCallers(keeping) && !isWithOthers(keeping));
    const filled = kept.length === 0 ? [] : filledOnce(this.#decoded, from, call.at, fates);
    for (const { at, keeping, also } of kept) {
      if (keeping.in === "field" && this.forProcess.has(root)) {
        this.#handed.push({ call: root, at: this.#va(at), name: OF_PROCESS });
        continue;
      }
      const once = keeping.in === "global" && filled.length > 0;
      this.#kept.push({ call: root, at: this.#va(at), keeping, also, from, once });
    }
    for (const at of fates.released) {
      const known = this.#released.get(root) ?? new Set<Rva>();
      known.add(at as Rva);
      this.#released.set(root, known);
      const { flows } = this.#decoded;
      const control = controlFlowOf(flows.of(from));
      // a loop of its own may go on to what is kept
      if (control.isBehind(at, call.at) && !control.isRepeated(at, call.at))
        this.#onOtherWays.add(`${root}:${at}`);
    }
    for (const { at, keeping } of [
      ...fates.handed,
      ...fates.stored.filter((one) => isWithOthers(one.keeping)),
    ]) {
      const name = keeping.in === "callee" ? (keeping.name ?? null) : null;
      this.#handed.push({ call: root, at: this.#va(at), name });
    }
  }

  /** Whether all who call a function give it something for one of these arguments: a way on which it is 0 is none. */
  #isNeverNull(from: CodeFunction, origins: readonly ArgumentOrigin[]): boolean {
    const { graph, flows, image } = this.#decoded;
    if (origins.length === 0 || image.seeds.exported.has(from.entry)) return false;
    if (addressedFunctions(image).has(from.entry)) return false;
    const { abi } = image.code.set;
    const sites = graph.callersOf([from.entry]).map((edge) => flows.siteAt(edge.from, edge.at));
    const isGiven = (origin: ArgumentOrigin): boolean =>
      sites.every((site) => {
        if (site === undefined) return false;
        const value = argumentOf(abi, site, placeOf(origin, abi));
        return value.length > 0 && value.every(({ kind }) => kind === "stack" || kind === "address");
      });
    return sites.length > 0 && origins.some(isGiven);
  }

  /** Whether what is kept is given back elsewhere in the module. */
  #later(): { readonly released: Keeps["released"]; readonly at: readonly Va[] } {
    // what hands it out may give it back itself, where something fails
    const calls = this.#releaseCalls().filter(({ at }) => !this.#calls.has(at));
    const places = new SamePlaces(
      this.#decoded,
      calls,
      this.#kept.map(({ from, keeping, also = [] }) => ({ from, places: [keeping, ...also] })),
    );
    const twice = givenBackTwice(calls, this.#decoded);
    const verdict = ({ call: root, keeping, also = [], from }: Kept, release: ReleaseCall): Same => {
      const isOther =
        this.#onOtherWays.has(`${root}:${release.at}`) || isFresh(release, this.#decoded, this.#calls);
      if (isOther) return twice.has(release.at) ? "same-place" : "no";
      return places.of(release, { from, places: [keeping, ...also] });
    };
    const same = this.#kept.map((kept) => calls.filter((call) => verdict(kept, call) === "same-place"));
    const [first] = same.filter((found) => found.length > 0);
    if (first !== undefined && same.every((found) => found.length > 0))
      return { released: "same-place", at: same.flat().map(({ at }) => this.#va(at)) };
    const perhaps = calls.filter(
      (call) =>
        canBeOfTag(call.tag, this.#question.key) && this.#kept.some((kept) => verdict(kept, call) !== "no"),
    );
    const own = perhaps.filter(({ name }) => plainFree(name) === undefined);
    if (own.length > 0 || this.#holdsRelease(calls))
      return { released: "perhaps", at: own.map(({ at }) => this.#va(at)) };
    if (perhaps.length > 0) return { released: "any-free", at: perhaps.map(({ at }) => this.#va(at)) };
    return { released: this.#missing > 0 ? "unread" : "none", at: [] };
  }

  #releaseCalls(): readonly ReleaseCall[] {
    return releaseCalls(this.#module, this.#decoded, this.#releases(), this.#function.givenBack);
  }

  #releases(): readonly Release[] {
    const { row, of, module, frees = [] } = this.#function;
    const owner = this.#question.target.modules.find(({ name }) => name === module);
    const learnt = row !== undefined || owner === undefined ? [] : this.#question.learnt(owner, of).releases;
    return [...learnt, ...releasesOf(row ?? of), ...frees];
  }

  /** A release that it imports and is not seen to call may be called through a pointer. */
  #holdsRelease(calls: readonly ReleaseCall[]): boolean {
    const names = new Set((this.#function.row?.releases ?? []).map(({ name }) => name));
    for (const { name } of calls) names.delete(name);
    return this.#module.imports.slots.some(
      ({ declared }) => declared?.name != null && names.has(declared.name),
    );
  }

  #onceOnly(seen: readonly { readonly from: CodeFunction; readonly once?: boolean }[]): boolean {
    return seen.every(({ from, once }) => once === true || runsOnceOnly(this.#decoded, from));
  }

  #va(at: number): Va {
    return advance(this.#module.base, at);
  }
}

/** Where a call puts what a function finds there. */
function placeOf(origin: ArgumentOrigin, { pointerSize }: Abi): ArgumentPlace {
  return "register" in origin
    ? { kind: "register", register: origin.register }
    : { kind: "stack", offset: origin.stack - pointerSize };
}

/** Whether what acquires is the pool itself. */
function isPool({ acquired }: AcquiringFunction): boolean {
  return acquired.path.length === 0;
}

/** Whether a function of another module keeps it, by its code alone: it may as well give it back. */
function isWithOthers(keeping: Keeping): boolean {
  if (keeping.in !== "callee" || keeping.target !== undefined) return false;
  return keeping.name === undefined || consumersNamed(keeping.name).length === 0;
}

/** The name of what is called at a place. */
function nameAt({ flows, image }: DecodedModule, at: Rva): string | undefined {
  const [from] = image.functions.owning(at);
  const site = from === undefined ? undefined : flows.siteAt(from, at);
  const [callee] = site === undefined ? [] : flows.callees.of(site);
  return callee?.name;
}
