import { argumentNumber } from "../isa/abi.ts";
import type { Instruction, Operand } from "../isa/instruction.ts";
import { fieldOf, leftBy, type MachineState, movedBy, UNKNOWN, type Value } from "./abstract-value.ts";
import { argumentOf, argumentPlaces, type CallSite } from "./call-site.ts";
import { type Callee, namesOf } from "./callees.ts";
import { ComingBack } from "./coming-back.ts";
import { type Comparison, Facts, meansEqual, outcomeOf, returnsFailure } from "./conditions.ts";
import type { DataFlow } from "./data-flow.ts";
import {
  type AcquiringCall,
  argumentOfKey,
  type Dealings,
  type Ending,
  type Fates,
  type Given,
  type Keeping,
  keepingBehind,
  keyOf,
  type OnHappening,
  originOf,
  type Stored,
  sameKeeping,
} from "./fates.ts";
import { documentedArgument, givenTo, isGivenTo, routinesIn, usesCallersFrame } from "./given-to.ts";
import {
  begun,
  carriedOver,
  type Held,
  heldKey,
  isHeld,
  isInside,
  keysOf,
  leadsFrom,
  placeOf,
  type Taken,
} from "./held.ts";
import { isElsewhere, Outcomes } from "./outcomes.ts";
import { type Path, type Visitor, walkPaths } from "./paths.ts";
import { isQuestion } from "./questions.ts";
import { copiesVector } from "./transfer.ts";
import { placed } from "./xrefs.ts";

/** Follows one thing along the ways of one function. */
export class Holding implements Visitor<Held> {
  readonly #flows: DataFlow;
  readonly #dealings: Dealings;
  readonly #call: AcquiringCall | undefined;
  readonly #tell: OnHappening | undefined;
  readonly #released = new Set<number>();
  readonly #forgotten = new Map<string, Ending>();
  readonly #stored = new Map<string, Stored>();
  readonly #handed = new Map<string, Stored>();
  readonly #returned = new Set<number>();
  readonly #outcomes: Outcomes;
  readonly #comingBack: ComingBack;
  /** It is followed in a block of another function's frame. */
  #inFrame = false;
  /** Such a block was not gone through to its end. */
  #cut = false;

  /** @param call absent where the function is given it */
  constructor(
    flows: DataFlow,
    dealings: Dealings,
    call: AcquiringCall | undefined,
    onHappening?: OnHappening,
  ) {
    this.#flows = flows;
    this.#tell = onHappening;
    this.#dealings = dealings;
    this.#call = call;
    this.#outcomes = new Outcomes(call, flows.image.code.set.abi.pointerSize);
    this.#comingBack = new ComingBack(flows, dealings);
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
        for (const stored of this.#placesOf(behind(given, gives), at))
          this.#stored.set(keyOf(stored), stored);
      return [];
    }
    this.#flows.afterCall(site, next);
    const held = this.#begin(path.state, given);
    return [{ ...path, at: at + instruction.length, flags: undefined, told: held }];
  }

  /** The way from the entry of a function that is given it. */
  given(path: Path<true>, { place, within }: Given): Path<Held> {
    const { pointerSize } = this.#flows.image.code.set.abi;
    const value =
      place.kind === "register"
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
    const endings = [...this.#forgotten.values()];
    return {
      released: [...this.#released],
      forgotten:
        isLost && whole && !this.#cut ? endings.map((ending) => ({ ...ending, failing: false })) : endings,
      stored: [...this.#stored.values()],
      handed: [...this.#handed.values()],
      returned: [...this.#returned],
      whole: whole && !this.#cut,
    };
  }

  key(told: Held): string {
    return heldKey(told);
  }

  instruction({ state, told }: Path<Held>, instruction: Instruction): Held {
    const [to, from] = instruction.operands;
    const { transfer } = this.#flows;
    if (this.#tell !== undefined && from !== undefined && COPIES.has(instruction.mnemonic)) {
      const copied = isHeld(told, transfer.valueOf(state, from, instruction));
      const keeps = to?.kind === "memory" && transfer.stackOffsetOf(state, to) === undefined;
      if (copied && !keeps) this.#tell({ at: instruction.start, what: "copies" });
    }
    if (to?.kind !== "memory" || from === undefined) return told;
    const at = instruction.start;
    const onStack = transfer.stackOffsetOf(state, to);
    if (onStack !== undefined) {
      const linked =
        this.#isLinkOf(told, onStack) && isHeld(told, transfer.valueOf(state, from, instruction));
      return linked ? { ...told, stored: [...told.stored, { at, keeping: { in: "unknown" } }] } : told;
    }
    if (WRITES.has(instruction.mnemonic))
      return this.#written(state, told, at, to, transfer.valueOf(state, from, instruction));
    if (from.kind !== "vector" || !copiesVector(instruction.mnemonic)) return told;
    const words = transfer.wordsOf(state, from) ?? [];
    return transfer
      .wordPlaces(to)
      .reduce((now, place, i) => this.#written(state, now, at, place, words[i] ?? UNKNOWN), told);
  }

  /** Whether so many bytes into a list's head or entry one of its two links stands. */
  #isLink(offset: number): boolean {
    return offset === 0 || offset === this.#flows.image.code.set.abi.pointerSize;
  }

  /** Whether a place on the stack is a link of the head of a list that it points to. */
  #isLinkOf({ pointers }: Held, place: number): boolean {
    const { pointerSize } = this.#flows.image.code.set.abi;
    return pointers.has(`s${place}`) || pointers.has(`s${place - pointerSize}`);
  }

  /** A value is written to a place that is not on the stack. */
  #written(
    state: MachineState,
    told: Held,
    at: number,
    to: Operand & { kind: "memory" },
    value: Value,
  ): Held {
    const place = placeOf(this.#flows.transfer, state, to);
    if (isHeld(told, value)) {
      // a list that is empty points to itself
      if (place.alias !== undefined && place.base !== undefined && isInside(told, place.base)) return told;
      const aliases = place.alias === undefined ? told.aliases : new Set([...told.aliases, place.alias]);
      // whoever has the list's head finds it by the other end as well
      const isLinked =
        place.base !== undefined && told.pointers.has(place.base.key) && this.#isLink(to.displacement);
      const stored: Stored = { at, keeping: isLinked ? { in: "unknown" } : place.keeping };
      this.#tell?.({ at, what: "stores" });
      return { ...told, aliases, stored: [...told.stored, stored] };
    }
    if (place.base !== undefined && leadsFrom(told, place.base)) {
      const put = routinesIn(this.#flows.image, value).filter((routine) => !told.routines.has(routine));
      if (put.length > 0) return { ...told, routines: new Set([...told.routines, ...put]) };
      const pointers = isInside(told, place.base) ? keysOf(value) : new Set<string>();
      if (pointers.size > 0) return { ...told, pointers: new Set([...told.pointers, ...pointers]) };
    }
    if (place.alias === undefined || !told.aliases.has(place.alias)) return told;
    const aliases = new Set([...told.aliases].filter((key) => key !== place.alias));
    return {
      ...told,
      aliases,
      stored: told.stored.filter(({ keeping }) => !sameKeeping(keeping, place.keeping)),
    };
  }

  call({ state, told }: Path<Held>, site: CallSite): Held | undefined {
    const at = site.instruction.start;
    if (at === this.#call?.at) return this.#again(state, told, site, this.#call.gives);
    const callees = this.#flows.callees.of(site);
    if (callees.some(isQuestion)) this.#outcomes.asks(at);
    if (this.#releasedInFrame(told, site, callees[0])) return this.#release(at, callees[0]);
    const given = givenTo(this.#flows, told, site, callees[0]);
    if (callees.some((callee) => namesOf(callee).includes("MmIsAddressValid"))) {
      const asked =
        given.length > 0 ||
        documentedArgument(this.#flows, site, 1).some((atom) => this.#outcomes.isBeside(told, atom));
      return asked ? { ...told, checks: new Set([...told.checks, `=${at}`]) } : told;
    }
    if (given.length === 0) return this.#withoutFreed(told, site, callees);
    const put = this.#putBy(state, told, site, callees);
    if (put !== undefined) return put;
    let now = told;
    for (const one of given) {
      const back = callees.find((callee) => this.#comingBack.comesBackWithin(site, callee, one));
      if (back !== undefined) return this.#release(at, back);
      const effects = callees
        .map((callee) => ({ callee, effect: this.#dealings.effect(callee, one, site) }))
        .filter(({ callee, effect }) => isGivenTo(this.#flows, callee, one, effect));
      const isGiven = callees.length === 0 && isGivenTo(this.#flows, undefined, one, undefined);
      if (effects.length === 0 && (one.within !== undefined || !isGiven)) continue;
      const [first] = effects;
      const release = effects.find(({ effect }) => effect === "releases" || effect === "may-release");
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
        return taken === undefined ? undefined : { ...now, taken: { ...taken, gone: true } };
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
    return now;
  }

  /** The same call again, in a loop: what it gave before has to be somewhere by now. */
  #again(state: MachineState, told: Held, site: CallSite, gives: AcquiringCall["gives"]): Held | undefined {
    const { preserved } = this.#flows.image.code.set.abi;
    const given = gives.by === "return" ? [] : documentedArgument(this.#flows, site, gives.argument);
    const offset = "offset" in gives ? (gives.offset ?? 0) : 0;
    const written = new Set(given.flatMap((atom) => (atom.kind === "stack" ? [atom.offset + offset] : [])));
    const away = told.stored.length > 0 || told.handed !== undefined || told.taken !== undefined;
    const carried = away ? undefined : carriedOver(told, state, preserved, written);
    if (carried === undefined)
      this.#end(told, { at: site.instruction.start, branches: [], failing: told.failing });
    return carried;
  }

  /** A call writes it into a structure: it stands there, as if this function had put it there. */
  #putBy(state: MachineState, told: Held, site: CallSite, callees: readonly Callee[]): Held | undefined {
    const [put] = callees.flatMap((callee) => this.#dealings.puts(callee) ?? []);
    const { image } = this.#flows;
    const { abi } = image.code.set;
    if (put === undefined || !isHeld(told, argumentOf(abi, site, put.what))) return undefined;
    const at = site.instruction.start;
    const into = placed(image, argumentOf(abi, site, put.into));
    const aliases = new Set(told.aliases);
    for (const atom of into) {
      if (atom.kind === "stack") state.put(atom.offset + put.offset, argumentOf(abi, site, put.what));
      else if (atom.kind === "address") aliases.add(`*${atom.rva + put.offset}`);
      else for (const { key, kind } of fieldOf(atom, put.offset)) if (kind !== "unknown") aliases.add(key);
    }
    const unknown: readonly Stored[] = into.every(({ kind }) => kind === "unknown")
      ? [{ at, keeping: { in: "unknown" } }]
      : [];
    const pointers = into.flatMap((atom) => movedBy(atom, put.offset));
    return { ...told, aliases, stored: [...told.stored, ...unknown, ...this.#placesOf(pointers, at)] };
  }

  /** What a call returned that kept it, as IoAllocateMdl does, is given back: it keeps it no longer. */
  #withoutFreed(told: Held, site: CallSite, callees: readonly Callee[]): Held {
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
    const answer = told.taken === undefined ? undefined : this.#outcomes.answer(told.taken, comparison);
    return (answer ?? this.#outcomes.subject(told, comparison)) !== undefined;
  }

  decided(
    { at, told }: Path<Held>,
    condition: string,
    comparison: Comparison,
    holds: boolean,
  ): Held | undefined {
    const { taken } = told;
    const answer = taken === undefined ? undefined : this.#outcomes.answer(taken, comparison);
    if (taken !== undefined && answer !== undefined) {
      const outcome = outcomeOf(answer, condition, comparison, holds);
      if (outcome === "failed") return { ...told, ...taken.before, failing: true, taken: undefined };
      if (outcome === "acquired") return taken.gone ? undefined : { ...told, taken: undefined };
      return told;
    }
    if (meansEqual(condition, comparison, holds) && isElsewhere(told, comparison)) return undefined;
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
    if (tail !== undefined) {
      const now = this.call(path, tail);
      if (now !== undefined) this.#end(now, { at, branches, failing: now.failing, ...nullsOf(path.facts) });
      return;
    }
    // what was put away may be left in the register of a function that returns nothing
    const returned = told.stored.length === 0 && told.taken === undefined && isHeld(told, result);
    if (returned) {
      this.#returned.add(at);
      this.#tell?.({ at, what: "returns" });
    } else {
      const failing = told.failing || returnsFailure(result, path.facts);
      this.#end(told, { at, branches, failing, ...nullsOf(path.facts) });
    }
  }

  #end({ stored, handed, taken, references }: Held, ending: Ending): void {
    if (taken?.gone === true) return;
    // a function that took a reference of its own keeps that one, and not its caller's
    const kept = references > 0 ? [] : stored;
    // what something keeps for good is not the caller's, though it may be told of it as well
    const last = kept.findLast(({ keeping }) => KEEPERS.has(keeping.in)) ?? kept.at(-1);
    if (last !== undefined) this.#stored.set(keyOf(last), last);
    else if (handed !== undefined) this.#handed.set(keyOf(handed), handed);
    else {
      this.#tell?.({ at: ending.at, what: "forgets" });
      const key = `${ending.at}:${JSON.stringify(ending.nulls)}`;
      if (this.#forgotten.get(key)?.failing !== false) this.#forgotten.set(key, ending);
    }
  }

  /** What is known right behind the acquiring call. */
  #begin(state: MachineState, given: Value): Held {
    const call = this.#call as AcquiringCall;
    const { gives, at, fails } = call;
    const certain = fails === "never";
    if (gives.by === "return") return begun(new Set([`=${at}`]), certain);
    if (gives.by === "argument") {
      const kept = given.flatMap((atom): Stored[] => {
        const keeping = originOf(atom);
        return keeping === undefined ? [] : [{ at, keeping }];
      });
      return begun(keysOf(given), certain, new Map(), kept);
    }
    const offset = gives.offset ?? 0;
    // a call may leave several things behind the pointers that it is given, as one that opens a file does
    const left = leftBy(at, gives.argument);
    for (const [place, [only]] of state.stack)
      if (only?.kind === "left" && only.call === at) this.#outcomes.isLeft(place);
    const aliases = keysOf(left);
    const structures = new Map<string, number>();
    if (gives.by === "structure") for (const key of keysOf(given)) structures.set(key, offset);
    for (const atom of given) {
      if (atom.kind === "stack") state.put(atom.offset + offset, left);
      else if (atom.kind === "address") aliases.add(`*${atom.rva + offset}`);
      else for (const { key, kind } of fieldOf(atom, offset)) if (kind !== "unknown") aliases.add(key);
    }
    const unknown = given.every(({ kind }) => kind === "unknown" || kind === "constant" || kind === "part");
    const stored = unknown
      ? [{ at, keeping: { in: "unknown" } as const }]
      : this.#placesOf(behind(given, gives), at);
    return begun(aliases, certain, structures, stored);
  }

  /** Places that outlive the function, of pointers to where something is put. */
  #placesOf(pointers: Value, at: number): readonly Stored[] {
    return pointers.flatMap((atom): Stored[] => {
      if (atom.kind === "stack" || atom.kind === "unknown") return [];
      return [{ at, keeping: keepingBehind(atom) }];
    });
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
    const inner = new Holding(this.#flows, this.#dealings, undefined);
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

/** Pointers to where a function puts what it gives, of the pointers that it is given. */
function behind(given: Value, gives: AcquiringCall["gives"]): Value {
  const offset = "offset" in gives ? (gives.offset ?? 0) : 0;
  return given.flatMap((atom) => movedBy(atom, offset));
}

function nullsOf(facts: Facts): Pick<Ending, "nulls"> {
  const nulls = facts.zeros().flatMap((key) => argumentOfKey(key) ?? []);
  return nulls.length === 0 ? {} : { nulls };
}

function isCall(instruction: Instruction): boolean {
  return instruction.mnemonic === "call";
}

/** More references of one function's own than it takes at once are not counted. */
const MOST_REFERENCES = 4;

const KEEPERS: ReadonlySet<Keeping["in"]> = new Set(["callee", "global"]);

/** Instructions that bring a value to another place as it is. */
const COPIES: ReadonlySet<string> = new Set(["mov", "push", "xchg", "cmove", "cmovne"]);
/** Instructions that write what they are given. */
const WRITES: ReadonlySet<string> = new Set(["mov", "xchg", "cmpxchg", "and", "or"]);
