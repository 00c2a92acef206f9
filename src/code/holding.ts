import { argumentNumber } from "../isa/abi.ts";
import type { Instruction } from "../isa/instruction.ts";
import { fieldOf, knownNumber, loaded, type MachineState, UNKNOWN } from "./abstract-value.ts";
import { acquired, pointersBehind } from "./acquired.ts";
import { outcomeOf, returnsFailure, type Subject } from "./call-outcome.ts";
import { argumentOf, argumentPlaces, type CallSite } from "./call-site.ts";
import { type Callee, namesOf } from "./callees.ts";
import { CallsBeside } from "./calls-beside.ts";
import { ComingBack } from "./coming-back.ts";
import { type Comparison, meansEqual } from "./conditions.ts";
import type { DataFlow } from "./data-flow.ts";
import { Facts } from "./facts.ts";
import {
  type AcquiringCall,
  argumentOfKey,
  type Dealings,
  type Ending,
  type Fates,
  type Given,
  givesBack,
  isCallers,
  type Keeping,
  keyOf,
  type OnHappening,
  type OwnLoss,
  type Stored,
  sameKeeping,
} from "./fates.ts";
import { callAt, type FunctionFlow } from "./function-flow.ts";
import { documentedArgument, givenTo, isGivenTo, usesCallersFrame } from "./given-to.ts";
import { askedBy, begun, carriedOver, type Held, heldKey, isHeld, type Taken } from "./held.ts";
import { LocalArrays } from "./local-arrays.ts";
import { isElsewhere, Outcomes } from "./outcomes.ts";
import { type Path, type Visitor, walkPaths } from "./paths.ts";
import { secondResult, TO_CALLER } from "./wide-result.ts";
import { placesOf, Writes } from "./writes.ts";

/** Follows one thing along the ways of one function. */
export class Holding implements Visitor<Held> {
  readonly #flows: DataFlow;
  readonly #flow: FunctionFlow;
  readonly #dealings: Dealings;
  readonly #call: AcquiringCall | undefined;
  readonly #tell: OnHappening | undefined;
  readonly #released = new Set<number>();
  readonly #forgotten = new Map<string, Forgotten>();
  readonly #stored = new Map<string, Stored>();
  /** What the function returns on the ways on which it is stored. */
  readonly #answers = new Set<number | "status" | "unknown">();
  readonly #handed = new Map<string, Stored>();
  readonly #returned = new Set<number>();
  readonly #leftAsResult = new Set<number>();
  readonly #outcomes: Outcomes;
  readonly #comingBack: ComingBack;
  readonly #beside: CallsBeside;
  readonly #writes: Writes;
  readonly #arrays: LocalArrays;
  /** What stood somewhere in one of those arrays was given back. */
  #elementReleased = false;
  /** It is followed in a block of another function's frame. */
  #inFrame = false;
  /** On some way it was left to whoever has the other references. */
  #counted = false;
  /** Such a block was not gone through to its end. */
  #cut = false;
  /** Of what it is given: a way on which it is lost by nothing that the caller can know. */
  #ownLoss: OwnLoss | undefined;

  /** @param call absent where the function is given it */
  constructor(
    flows: DataFlow,
    flow: FunctionFlow,
    dealings: Dealings,
    call: AcquiringCall | undefined,
    onHappening?: OnHappening,
  ) {
    this.#flows = flows;
    this.#flow = flow;
    this.#tell = onHappening;
    this.#dealings = dealings;
    this.#call = call;
    this.#outcomes = new Outcomes(call, flows.image.code.set.abi.pointerSize, (other) => {
      const site = callAt(flow, other);
      return site === undefined ? undefined : answerOf(flows.callees.of(site), dealings);
    });
    this.#comingBack = new ComingBack(flows, dealings);
    this.#beside = new CallsBeside(flows, dealings);
    this.#writes = new Writes(flows, onHappening);
    this.#arrays = new LocalArrays(flows.transfer, flows.image.code.set.abi.pointerSize);
  }

  /** The way behind the acquiring call, from the one that arrives at it. */
  acquire(path: Path<true>, instruction: Instruction, next: Instruction | undefined): readonly Path<Held>[] {
    const call = this.#call;
    if (call === undefined) return [];
    const tail = !isCall(instruction);
    const site = this.#flows.siteIn(path.state, instruction, tail);
    const { gives, at } = call;
    const given = gives.by === "return" ? [] : documentedArgument(this.#flows, site, gives.argument);
    if (tail) {
      if (gives.by === "return") this.#returned.add(at);
      else
        for (const stored of placesOf(pointersBehind(given, gives), at))
          this.#stored.set(keyOf(stored), stored);
      return [];
    }
    this.#flows.afterCall(site, next);
    const held = acquired(call, path.state, given, this.#outcomes);
    return [{ ...path, at: at + instruction.length, flags: undefined, told: held }];
  }

  /** The way from the entry of a function that is given it. */
  given(path: Path<true>, { place, within }: Given): Path<Held> {
    const { pointerSize } = this.#flows.image.code.set.abi;
    const value =
      place.kind === "variable"
        ? loaded(place.rva)
        : place.kind === "register"
          ? (path.state.registers[place.register] ?? UNKNOWN)
          : path.state.stackAt(place.offset + pointerSize);
    const all = within === undefined ? value : value.flatMap((atom) => fieldOf(atom, within));
    const aliases = new Set(all.map(({ key }) => key));
    const structures = new Map(within === undefined ? [] : value.map(({ key }) => [key, within]));
    return { ...path, told: begun(aliases, true, structures) };
  }

  fates(whole: boolean): Fates {
    // of what is lost whatever happens it tells nothing that something else failed as well
    const isLost = this.#released.size + this.#stored.size + this.#handed.size + this.#returned.size === 0;
    if (this.#released.size > 0 || this.#elementReleased) {
      const isElement = ({ places }: Forgotten) => places.some((place) => this.#arrays.hold(place));
      for (const [key, forgotten] of this.#forgotten) if (isElement(forgotten)) this.#forgotten.delete(key);
    }
    const endings = [...this.#forgotten.values()].map(({ ending }) => ending);
    return {
      released: [...this.#released],
      forgotten:
        isLost && whole && !this.#cut ? endings.map((ending) => ({ ...ending, failing: false })) : endings,
      stored: [...this.#stored.values()],
      ...(this.#answers.size === 1 && this.#answers.has(1) ? { saysTrue: true } : {}),
      ...(this.#answers.has("unknown") ? { saysUnknown: true } : {}),
      handed: [...this.#handed.values()],
      returned: [...this.#returned],
      ...(this.#leftAsResult.size === 0 ? {} : { leftAsResult: [...this.#leftAsResult] }),
      whole: whole && !this.#cut && !(this.#counted && this.#released.size === 0),
    };
  }

  /** Of a function that is given it: the way on which that loses it, whatever its caller knows. */
  get ownLoss(): OwnLoss | undefined {
    return this.#ownLoss;
  }

  key(told: Held): string {
    return heldKey(told);
  }

  instruction({ state, told }: Path<Held>, instruction: Instruction): Held {
    this.#arrays.see(state, instruction);
    return this.#writes.byInstruction(state, told, instruction);
  }

  call({ state, told }: Path<Held>, site: CallSite): Held | undefined {
    const at = site.instruction.start;
    if (at === this.#call?.at) return this.#again(state, told, site, this.#call.gives);
    const callees = this.#flows.callees.of(site);
    if (this.#releasedInFrame(told, site, callees[0])) return this.#release(at, callees[0]);
    const given = givenTo(this.#flows, told, site, callees[0]);
    // who goes on to use it knows what became of it
    if (told.lost !== undefined) return given.length > 0 ? undefined : told;
    if (callees.some((callee) => namesOf(callee).includes("MmIsAddressValid"))) {
      const asked =
        given.length > 0 ||
        documentedArgument(this.#flows, site, 1).some((atom) => this.#outcomes.isBeside(told, atom));
      return asked ? { ...told, checks: new Set([...told.checks, `=${at}`]) } : told;
    }
    const freeing = callees.find((callee) => this.#beside.freesVariable(told, site, callee));
    if (freeing !== undefined) return this.#release(at, freeing);
    if (given.length === 0) {
      this.#elementReleased ||= this.#releasesElement(site, callees);
      return this.#beside.keptThrough(told, site, callees) ?? this.#beside.withoutFreed(told, site, callees);
    }
    const [put] = callees.flatMap((callee) => this.#dealings.puts(callee) ?? []);
    const written = put === undefined ? undefined : this.#writes.byCall(state, told, site, put);
    if (written !== undefined) return written;
    const asking = this.#call === undefined && callees.some((callee) => this.#dealings.asks(callee));
    let now = asking ? { ...told, answers: new Set([...told.answers, `=${at}`]) } : told;
    for (const one of given) {
      const back = callees.find((callee) => this.#comingBack.comesBackWithin(site, callee, one));
      if (back !== undefined) return this.#release(at, back);
      const effects = callees
        .map((callee) => ({ callee, effect: this.#dealings.effect(callee, one, site) }))
        .filter(({ effect }) => isGivenTo(this.#flows, site, one, effect));
      const isGiven = callees.length === 0 && isGivenTo(this.#flows, site, one, undefined);
      if (effects.length === 0 && (one.within !== undefined || !isGiven)) continue;
      const [first] = effects;
      const release = effects.find(({ effect }) => givesBack(effect));
      const keeps = effects.find(({ effect }) => effect === "keeps");
      if (this.#call === undefined && release !== undefined && now.references > 0) {
        now = { ...now, references: now.references - 1 };
        continue;
      }
      if (this.#call === undefined && effects.some(({ effect }) => effect === "references"))
        now = { ...now, references: Math.min(now.references + 1, MOST_REFERENCES) };
      const taker = release ?? keeps;
      if (one.isPart === true && taker === undefined) continue;
      const taken = taker === undefined ? undefined : this.#takenBy(now, taker.callee, one, site);
      if (
        release !== undefined ||
        (keeps !== undefined && this.#comingBack.comesBack(told, site, keeps.callee, one))
      ) {
        this.#release(at, taker?.callee);
        const loses = this.#lossIn(told, site, callees, one);
        if (taken !== undefined) return { ...now, taken: { ...taken, gone: true, loses } };
        // a routine that is called later answers to nobody here
        if (loses !== undefined && release === undefined) return this.#forget(loses, []);
        return loses === undefined ? undefined : { ...now, lost: { call: at, ending: loses } };
      }
      const returned =
        one.within === undefined &&
        one.isPart !== true &&
        callees.some((callee) => this.#dealings.returns(callee, one, site));
      if (returned) now = { ...now, aliases: new Set([...now.aliases, `=${at}`]) };
      this.#tell?.({ at, what: "passes", name: first?.callee.name });
      const callee = { in: "callee", name: first?.callee.name, target: first?.callee.offset } as const;
      if (keeps !== undefined) now = { ...now, taken, stored: [...now.stored, { at, keeping: callee }] };
      else if (first === undefined || effects.some(({ effect }) => effect === "unknown"))
        now = { ...now, handed: { at, keeping: callee } };
    }
    return now === told ? (this.#beside.keptThrough(told, site, callees) ?? told) : now;
  }

  /** The way on which a function that gives back what was there before loses it. */
  #lossIn(told: Held, site: CallSite, callees: readonly Callee[], given: Given): Ending | undefined {
    const [callee, ...others] = callees;
    if (callee === undefined || others.length > 0 || this.#call === undefined) return undefined;
    if (given.within !== undefined || given.isPart === true) return undefined;
    const loss =
      this.#dealings.loses(callee, given, site) ?? this.#comingBack.losesIt(told, site, callee, given);
    // what stands in new memory the caller has written
    return loss?.asked === "it" && this.#call.isNew === true ? undefined : loss?.ending;
  }

  /** The same call again, in a loop: what it gave before has to be somewhere by now. */
  #again(state: MachineState, told: Held, site: CallSite, gives: AcquiringCall["gives"]): Held | undefined {
    if (told.lost !== undefined) return this.#forget(told.lost.ending, []);
    const [callee, ...others] = this.#flows.callees.of(site);
    // what fills the same structure again may give back what stood there
    const given = others.length > 0 ? [] : givenTo(this.#flows, told, site, callee);
    if (callee !== undefined && given.some((one) => givesBack(this.#dealings.effect(callee, one, site))))
      return this.#release(site.instruction.start, callee);
    // … or return it, as a tree's root is when something is put into it
    const isReturned = (one: Given): boolean =>
      callee !== undefined && one.within === undefined && this.#dealings.returns(callee, one, site);
    if (given.some(isReturned))
      return { ...told, aliases: new Set([...told.aliases, `=${site.instruction.start}`]) };
    const { preserved } = this.#flows.image.code.set.abi;
    const places = gives.by === "return" ? [] : documentedArgument(this.#flows, site, gives.argument);
    const offset = "offset" in gives ? (gives.offset ?? 0) : 0;
    const written = new Set(places.flatMap((atom) => (atom.kind === "stack" ? [atom.offset + offset] : [])));
    const away = told.stored.length > 0 || told.handed !== undefined || told.taken !== undefined;
    const carried = away ? undefined : carriedOver(told, state, preserved, written);
    if (carried === undefined)
      this.#end(told, state, { at: site.instruction.start, branches: [], failing: told.failing });
    return carried;
  }

  #releasesElement(site: CallSite, callees: readonly Callee[]): boolean {
    const { abi } = this.#flows.image.code.set;
    const name = callees[0]?.name;
    return argumentPlaces(abi, site, name).some((place) => {
      if (!argumentOf(abi, site, place).some((atom) => this.#arrays.isElement(atom))) return false;
      const given = { place, argument: argumentNumber(abi, place, name), within: undefined };
      return callees.some((callee) => givesBack(this.#dealings.effect(callee, given, site)));
    });
  }

  #takenBy({ stored, handed }: Held, callee: Callee, given: Given, site: CallSite): Taken | undefined {
    const fails = this.#dealings.fails(callee, given, site);
    if (fails === undefined || fails === "never") return undefined;
    return { at: site.instruction.start, fails, gone: false, before: { stored, handed } };
  }

  #release(at: number, callee: Callee | undefined): undefined {
    this.#released.add(at);
    this.#tell?.({ at, what: "releases", name: callee?.name });
    return undefined;
  }

  /** What stood where a call was given the address of is taken to stand there still. */
  called({ state, told }: Path<Held>, { state: before }: CallSite): Held {
    for (const [offset, value] of before.stack) {
      if (value.some(({ key }) => told.aliases.has(key)) && state.stack.has(offset)) state.put(offset, value);
    }
    return told;
  }

  matters({ told }: Path<Held>, comparison: Comparison): boolean {
    if (told.lost !== undefined) return asks(comparison, told.lost.call);
    const answer = told.taken === undefined ? undefined : this.#outcomes.answer(told.taken, comparison);
    return (answer ?? this.#outcomes.subject(told, comparison)) !== undefined;
  }

  decided(path: Path<Held>, condition: string, comparison: Comparison, holds: boolean): Held | undefined {
    const { at, told } = path;
    const { taken, lost } = told;
    if (lost !== undefined) return asks(comparison, lost.call) ? undefined : told;
    const answer = taken === undefined ? undefined : this.#outcomes.answer(taken, comparison);
    if (taken !== undefined && answer !== undefined) {
      const outcome = outcomeOf(answer, condition, comparison, holds);
      if (outcome === "failed") return { ...told, ...taken.before, failing: true, taken: undefined };
      if (outcome === "acquired" && taken.loses !== undefined) return this.#forget(taken.loses, []);
      if (outcome === "acquired") return taken.gone ? undefined : { ...told, taken: undefined };
      return told;
    }
    const asked = this.#call === undefined ? askedBy(told, comparison) : "nothing";
    if (asked !== "nothing" && told.asked !== asked && told.asked !== "caller")
      return this.decided({ ...path, told: { ...told, asked } }, condition, comparison, holds);
    const isNew = this.#call?.isNew === true;
    if (meansEqual(condition, comparison, holds) && isElsewhere(told, comparison, isNew)) return undefined;
    const subject = this.#outcomes.subject(told, comparison);
    if (subject === undefined) {
      const fails = this.#outcomes.isError(told, condition, comparison, holds);
      return fails && !told.failing ? { ...told, failing: true } : told;
    }
    this.#tell?.({ at, what: "tests" });
    const outcome = outcomeOf(subject, condition, comparison, holds);
    if (outcome === "failed") return undefined;
    if (outcome === "acquired") return { ...told, certain: true };
    return this.#outcomes.isOtherAnswer(told, condition, comparison, holds)
      ? { ...told, failing: true }
      : told;
  }

  ends(path: Path<Held>, instruction: Instruction, tail: CallSite | undefined): void {
    const { state, told, branches } = path;
    const at = instruction.start;
    const result = state.registers[this.#flows.image.code.set.abi.result] ?? UNKNOWN;
    const { lost } = told;
    if (lost !== undefined) {
      if (!result.some(({ key }) => key === `=${lost.call}`)) this.#forget(lost.ending, []);
      return;
    }
    if (tail !== undefined) {
      const now = this.call(path, tail);
      if (now !== undefined)
        this.#end(now, state, { at, branches, failing: now.failing, ...nullsOf(path.facts) });
      return;
    }
    // what was put away may be left in the register of a function that returns nothing
    const isResult = told.taken === undefined && isHeld(told, result);
    const returned = isResult && told.stored.length === 0;
    if (isResult && !returned) this.#leftAsResult.add(at);
    if (returned) {
      this.#returned.add(at);
      this.#tell?.({ at, what: "returns" });
    } else if (this.#returnsSecond(told, state, at)) {
      const handed: Stored = { at, keeping: { in: "callee", name: TO_CALLER, target: undefined } };
      this.#handed.set(keyOf(handed), handed);
    } else {
      const failing = told.failing || returnsFailure(result, path.facts);
      this.#end(told, state, { at, branches, failing, ...nullsOf(path.facts) });
    }
  }

  /** What becomes of the second word of a returned structure is not followed. */
  #returnsSecond(told: Held, { registers }: MachineState, at: number): boolean {
    const { abi } = this.#flows.image.code.set;
    if (abi.second === undefined || !isHeld(told, registers[abi.second] ?? UNKNOWN)) return false;
    return secondResult(this.#flow, at, abi) !== undefined;
  }

  #end(told: Held, state: MachineState, ending: Ending): void {
    const { stored, handed, taken, references } = told;
    if (taken?.loses !== undefined) this.#forget(taken.loses, []);
    if (taken?.gone === true) return;
    if (told.counted) {
      this.#counted = true;
      return;
    }
    // a function that took a reference of its own keeps that one, and not its caller's
    const kept = references > 0 ? [] : stored;
    // what something keeps for good is not the caller's, though it may be told of it as well
    const last =
      kept.findLast(({ keeping }) => KEEPERS.has(keeping.in)) ??
      kept.findLast(({ keeping }) => !isCallers(keeping)) ??
      // what a structure of the caller's has is that one's, and a variable tells of it
      kept.findLast(({ keeping }) => keeping.in === "field") ??
      kept.at(-1);
    if (last !== undefined) {
      const key = keyOf(last);
      const known = this.#stored.get(key);
      const also = kept
        .filter(({ keeping }) => !sameKeeping(keeping, last.keeping))
        .map(({ keeping }) => keeping);
      const both = also.filter(
        (one) => known?.also?.some((other) => sameKeeping(one, other)) ?? known === undefined,
      );
      this.#stored.set(key, both.length === 0 ? last : { ...last, also: both });
      const [result] = state.registers[this.#flows.image.code.set.abi.result] ?? UNKNOWN;
      const number = result === undefined ? undefined : knownNumber([result]);
      this.#answers.add(number ?? (result?.kind === "unknown" ? "unknown" : "status"));
    } else if (handed !== undefined) this.#handed.set(keyOf(handed), handed);
    else {
      this.#tell?.({ at: ending.at, what: "forgets" });
      const places = [...state.stack].filter(([, value]) => isHeld(told, value)).map(([place]) => place);
      if (told.asked !== "caller" && !ending.failing && this.#ownLoss?.asked !== "nothing")
        this.#ownLoss = { ending, asked: told.asked };
      this.#forget(ending, places);
    }
  }

  #forget(ending: Ending, places: readonly number[]): undefined {
    const key = `${ending.at}:${JSON.stringify(ending.nulls)}:${places.join()}`;
    if (this.#forgotten.get(key)?.ending.failing !== false) this.#forgotten.set(key, { ending, places });
  }

  /** A block that works in this function's frame, as `__finally` makes them in 32-bit code, is a part of it. */
  #releasedInFrame(told: Held, site: CallSite, callee: Callee | undefined): boolean {
    const { code, functions } = this.#flows.image;
    const { starts, abi } = code.set;
    // Unwind data would tell of such a block.
    const found =
      starts === undefined || callee?.offset === undefined ? undefined : functions.startingAt(callee.offset);
    if (found === undefined || this.#inFrame) return false;
    const flow = this.#flows.of(found);
    if (!usesCallersFrame(flow, abi.framePointer)) return false;
    const inner = new Holding(this.#flows, flow, this.#dealings, undefined);
    inner.#inFrame = true;
    const state = site.state.copy();
    state.sp -= abi.pointerSize;
    state.argumentsFrom = state.sp;
    const start = { at: found.entry, state, facts: Facts.none, flags: undefined, branches: [], told };
    const whole = walkPaths(this.#flows, flow, [start], inner) && !flow.truncated;
    if (inner.#released.size > 0) return true;
    this.#cut ||= !whole;
    return false;
  }
}

/** A way on which it was lost, and where in the frame it still stood. */
interface Forgotten {
  readonly ending: Ending;
  readonly places: readonly number[];
}

function nullsOf(facts: Facts): Pick<Ending, "nulls"> {
  const nulls = facts.zeros().flatMap((key) => argumentOfKey(key) ?? []);
  return nulls.length === 0 ? {} : { nulls };
}

function asks({ left }: Comparison, call: number): boolean {
  return left.some((atom) => (atom.kind === "part" ? atom.of : atom).key === `=${call}`);
}

function isCall(instruction: Instruction): boolean {
  return instruction.mnemonic === "call";
}

/** More references of one function's own than it takes at once are not counted. */
const MOST_REFERENCES = 4;

const KEEPERS: ReadonlySet<Keeping["in"]> = new Set(["callee", "global"]);

/** What the answer of a call is: that to a question, or one that tells whether it failed; `undefined` where nobody says. */
function answerOf(callees: readonly Callee[], dealings: Dealings): "question" | Subject | undefined {
  if (callees.some((callee) => dealings.asks(callee))) return "question";
  return callees.map((callee) => dealings.tells(callee)).find((how) => how !== undefined);
}
