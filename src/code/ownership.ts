import { MAX_OWNERSHIP_DEPTH } from "../core/limits.ts";
import { type Abi, argumentPlace } from "../isa/abi.ts";
import type { Instruction } from "../isa/instruction.ts";
import type { Image } from "../pe/image.ts";
import { MachineState, numberOf, UNKNOWN } from "./abstract-value.ts";
import { returnsFailure, type Subject } from "./call-outcome.ts";
import type { CallSite } from "./call-site.ts";
import type { Callee } from "./callees.ts";
import { controlFlowOf } from "./control-flow-graph.ts";
import type { DataFlow } from "./data-flow.ts";
import { Facts } from "./facts.ts";
import type {
  AcquiringCall,
  Dealings,
  Effect,
  Fails,
  Fates,
  Given,
  IsRelease,
  OnHappening,
  OwnLoss,
  Putting,
} from "./fates.ts";
import { callAt } from "./function-flow.ts";
import type { CodeFunction } from "./function-table.ts";
import { Holding } from "./holding.ts";
import { type Path, type Visitor, walkPaths } from "./paths.ts";

/** What is known of functions besides their code. */
export interface Knowledge {
  /** Whether a function is documented only to answer a question about what it is given. */
  asks(callee: Callee): boolean;
  /** How what a function returns is documented to tell that it acquired nothing; `undefined` where it is not. */
  tells(callee: Callee): Subject | undefined;
  /** Whether a function is documented to return what it is given so. */
  returns(callee: Callee, given: Given): boolean;
  /** Which of its arguments a function is documented to write into which structure; `undefined` where it is not. */
  puts(callee: Callee): Putting | undefined;
  /** What a function does with an argument by what is documented of it, or learnt; `undefined` where neither says. */
  effect(callee: Callee, given: Given, site: CallSite): Effect | undefined;
  /** How a call tells that it did not take what `effect` says it keeps or gives back; `undefined` where it always does. */
  fails(callee: Callee, given: Given, site: CallSite): Fails | undefined;
  /** Which argument of a routine of the image's own it comes back as; `undefined` where that is not known. */
  comesAs(callee: Callee, given: Given, site: CallSite): number | undefined;
  /** The code of a function of another module. */
  elsewhere(callee: Callee): { readonly flows: DataFlow; readonly entry: number } | undefined;
  /** Of a function whose code cannot be followed: whether it belongs to the kernel, which keeps nothing unless it is documented to. */
  isKernel(callee: Callee): boolean;
}

/** Follows what functions acquire along all their ways, to where it is given back, kept, handed on or forgotten. */
export class Ownership {
  readonly #knowledge: Knowledge;
  /** What functions do with what they are given, by what gives that back besides. */
  readonly #effects = new Map<IsRelease | undefined, WeakMap<Image, Map<string, Dealing>>>();
  #depth = 0;

  constructor(knowledge: Knowledge) {
    this.#knowledge = knowledge;
  }

  /**
   * What becomes of what a call acquires, on each way from the call to where the function ends.
   *
   * @param onHappening told each place where something happens to it, once for each way that comes there
   */
  fatesOf(flows: DataFlow, from: CodeFunction, call: AcquiringCall, onHappening?: OnHappening): Fates {
    const flow = flows.of(from);
    const instruction = flow.instructions.get(call.at);
    const holding = new Holding(flows, flow, this.#dealingsIn(flows, call.isRelease), call, onHappening);
    if (instruction === undefined) return holding.fates(false);
    const approach = new Approach(call.at);
    const near = controlFlowOf(flow).reaching(call.at);
    const found = walkPaths(flows, flow, [entered(from.entry)], approach, near);
    const site = callAt(flow, call.at);
    const arrivals =
      approach.arrivals.length > 0 || site === undefined
        ? approach.arrivals
        : [{ ...entered(call.at), state: site.state.copy() }];
    const next = flow.instructions.get(call.at + instruction.length);
    const starts = arrivals.flatMap((arrival) => holding.acquire(arrival, instruction, next));
    const whole = walkPaths(flows, flow, starts, holding);
    const fates = holding.fates(found && whole && !flow.truncated && arrivals.length > 0);
    const emptyBefore = found ? emptyAt(arrivals) : [];
    return emptyBefore.length === 0 ? fates : { ...fates, emptyBefore };
  }

  /** Whether a function fails on all the ways on which it does not come to a call; false where not all could be gone. */
  succeedsOnlyThrough(flows: DataFlow, from: CodeFunction, at: number, fails: Fails): boolean {
    const flow = flows.of(from);
    const around = new Around(at, fails, flows.image.code.set.abi);
    const whole = walkPaths(flows, flow, [entered(from.entry)], around) && !flow.truncated;
    return whole && !around.succeeds;
  }

  /** What a function does with what it is given. */
  effectOfFunction(flows: DataFlow, entry: number, given: Given, isRelease?: IsRelease): Effect {
    return this.#dealingOf(flows, entry, given, isRelease).effect;
  }

  #dealingOf(flows: DataFlow, entry: number, given: Given, isRelease?: IsRelease): Dealing {
    const known = this.#effectsIn(flows, isRelease);
    const { place, within } = given;
    const key = `${entry}:${placeKey(place)}:${within}`;
    const done = known.get(key);
    if (done !== undefined) return done;
    const found = flows.image.functions.startingAt(entry);
    if (found === undefined || this.#depth >= MAX_OWNERSHIP_DEPTH) return UNTOLD;
    known.set(key, { effect: "uses", returns: false });
    this.#depth++;
    const flow = flows.of(found);
    const holding = new Holding(flows, flow, this.#dealingsIn(flows, isRelease), undefined);
    const start = holding.given(entered(entry), given);
    const whole = walkPaths(flows, flow, [start], holding) && !flow.truncated;
    this.#depth--;
    const fates = holding.fates(whole);
    const told = effectFrom(fates);
    const copied = told === "uses" && within !== undefined && this.#copies(flows, found, given);
    const loses = told === "may-release" && within === undefined && fates.whole ? holding.ownLoss : undefined;
    const dealing = { effect: copied ? "keeps" : told, returns: fates.returned.length > 0, loses };
    known.set(key, dealing);
    return dealing;
  }

  /**
   * Whether a function copies what its second argument points to, as memcpy does that is linked into an image: it calls
   * nothing, and returns its first.
   */
  #copies(flows: DataFlow, found: CodeFunction, { argument }: Given): boolean {
    if (argument !== 2 || flows.of(found).calls.length > 0) return false;
    const place = argumentPlace(flows.image.code.set.abi, 1);
    return this.#dealingOf(flows, found.entry, { place, argument: 1, within: undefined }).returns;
  }

  #effectsIn(flows: DataFlow, isRelease: IsRelease | undefined): Map<string, Dealing> {
    const all = this.#effects.get(isRelease) ?? new WeakMap<Image, Map<string, Dealing>>();
    this.#effects.set(isRelease, all);
    const { image } = flows.image;
    const known = all.get(image) ?? new Map<string, Dealing>();
    all.set(image, known);
    return known;
  }

  #dealingsIn(flows: DataFlow, isRelease: IsRelease | undefined): Dealings {
    const knowledge = this.#knowledge;
    return {
      asks: (callee) => knowledge.asks(callee),
      tells: (callee) => knowledge.tells(callee),
      puts: (callee) => knowledge.puts(callee),
      effect: (callee, given, site) => {
        if (isRelease?.(callee, given, site) === true) return "releases";
        const documented = knowledge.effect(callee, given, site);
        if (documented !== undefined) return documented;
        if (callee.offset !== undefined) return this.effectOfFunction(flows, callee.offset, given, isRelease);
        const other = knowledge.elsewhere(callee);
        const effect =
          other === undefined ? "unknown" : this.effectOfFunction(other.flows, other.entry, given, isRelease);
        return effect === "unknown" && knowledge.isKernel(callee) ? "uses" : effect;
      },
      returns: (callee, given) => {
        if (knowledge.returns(callee, given)) return true;
        if (callee.offset === undefined) return false;
        return this.#dealingOf(flows, callee.offset, given, isRelease).returns;
      },
      loses: (callee, given, site) =>
        callee.offset === undefined ||
        isRelease?.(callee, given, site) === true ||
        knowledge.effect(callee, given, site) !== undefined
          ? undefined
          : this.#dealingOf(flows, callee.offset, given, isRelease).loses,
      fails: (callee, given, site) => knowledge.fails(callee, given, site),
      comesAs: (callee, given, site) => knowledge.comesAs(callee, given, site),
    };
  }
}

/** What a function does with what it is given, and whether it returns that on some of its ways. */
interface Dealing {
  readonly effect: Effect;
  readonly returns: boolean;
  readonly loses?: OwnLoss | undefined;
}

/** The variables that are known to be 0 on all of some ways. */
function emptyAt([first, ...others]: readonly Path<true>[]): readonly number[] {
  let everywhere = (first?.facts.zeros() ?? []).filter((key) => VARIABLE.test(key));
  for (const { facts } of others) {
    if (everywhere.length === 0) break;
    const zeros = new Set(facts.zeros());
    everywhere = everywhere.filter((key) => zeros.has(key));
  }
  return everywhere.map((key) => Number(key.slice(1)));
}

const VARIABLE = /^\*\d+$/;

function placeKey(place: Given["place"]): string {
  if (place.kind === "variable") return `*${place.rva}`;
  return place.kind === "register" ? `r${place.register}` : `a${place.offset}`;
}

const UNTOLD: Dealing = { effect: "unknown", returns: false };

function entered(at: number): Path<true> {
  return { at, state: MachineState.atEntry(), facts: Facts.none, flags: undefined, branches: [], told: true };
}

function effectFrom(fates: Fates): Effect {
  const { released, forgotten, stored, handed, returned } = fates;
  if (released.length > 0) {
    const all = forgotten.length + stored.length + handed.length + returned.length === 0;
    return all ? "releases" : "may-release";
  }
  if (handed.length > 0 || !fates.whole) return "unknown";
  return stored.length > 0 ? "keeps" : "uses";
}

/** Goes to a call, and no further. */
class Approach implements Visitor<true> {
  readonly arrivals: Path<true>[] = [];
  readonly #at: number;

  constructor(at: number) {
    this.#at = at;
  }

  key(): string {
    return "";
  }
  instruction(): true {
    return true;
  }
  call(path: Path<true>, site: CallSite): true | undefined {
    if (site.instruction.start !== this.#at) return true;
    this.arrivals.push({ ...path, state: path.state.copy() });
    return undefined;
  }
  called(): true {
    return true;
  }
  decided(): true {
    return true;
  }
  matters(): boolean {
    return false;
  }
  ends(path: Path<true>, _instruction: Instruction, tail: CallSite | undefined): void {
    if (tail !== undefined) this.call(path, tail);
  }
}

/** The same, and the ways that come around it. */
class Around extends Approach {
  /** One of them ends without an error. */
  succeeds = false;
  readonly #fails: Fails;
  readonly #abi: Abi;

  constructor(at: number, fails: Fails, abi: Abi) {
    super(at);
    this.#fails = fails;
    this.#abi = abi;
  }

  override ends(path: Path<true>, instruction: Instruction, tail: CallSite | undefined): void {
    const arrived = this.arrivals.length;
    super.ends(path, instruction, tail);
    if (this.arrivals.length > arrived) return;
    const result = path.state.registers[this.#abi.result] ?? UNKNOWN;
    const [only, ...others] = result;
    const number =
      only === undefined || others.length > 0 ? undefined : (numberOf(only) ?? path.facts.get(only.key));
    const failed = this.#fails === "status" ? returnsFailure(result, path.facts) : number === 0;
    this.succeeds ||= tail !== undefined || this.#fails === "unknown" || !failed;
  }
}
