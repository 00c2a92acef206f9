import { MAX_PATH_STEPS, MAX_PATH_VARIANTS } from "../core/limits.ts";
import { Flow, type Instruction, isBorrow, type Operand } from "../isa/instruction.ts";
import {
  type Atom,
  COMPUTED,
  computedAt,
  constant,
  fewNumbers,
  knownNumber,
  type MachineState,
  UNKNOWN,
  type Value,
} from "./abstract-value.ts";
import type { CallSite } from "./call-site.ts";
import {
  type Comparison,
  conditionOf,
  decide,
  decideAtLoopEnd,
  learn,
  numberIn,
  withKnown,
} from "./conditions.ts";
import { type ControlFlow, controlFlowOf } from "./control-flow-graph.ts";
import type { DataFlow } from "./data-flow.ts";
import type { Facts } from "./facts.ts";
import type { FunctionFlow } from "./function-flow.ts";
import { liveIn, nameComputed, nameRead } from "./naming.ts";
import { isSignShift, signIn } from "./signs.ts";
import type { Transfer } from "./transfer.ts";

/** One way through a function, as far as it has been gone. */
export interface Path<T> {
  readonly at: number;
  readonly state: MachineState;
  readonly facts: Facts;
  readonly flags: Comparison | undefined;
  /** Conditional jumps on the way, by their places, the last ones. */
  readonly branches: readonly number[];
  /** What the visitor keeps of this way. */
  readonly told: T;
}

/** A way while it is gone: what is known of it changes from instruction to instruction. */
type Way<T> = { -readonly [K in keyof Path<T>]: Path<T>[K] };

/** What is done on the ways through a function. Each method gives what is told from there on; `undefined` ends the way. */
export interface Visitor<T> {
  /** Equal for ways of which it makes no difference which one goes on. */
  key(told: T): string;
  /** Before an instruction that is no call and no jump. */
  instruction(path: Path<T>, instruction: Instruction): T | undefined;
  /** At a call, before what it does to the registers. */
  call(path: Path<T>, site: CallSite): T | undefined;
  /** Behind a call. */
  called(path: Path<T>, site: CallSite): T | undefined;
  /** A condition comes out so. */
  decided(path: Path<T>, condition: string, comparison: Comparison, holds: boolean): T | undefined;
  /** Whether how it comes out matters for what is told. */
  matters(path: Path<T>, comparison: Comparison): boolean;
  /** The way ends: the function returns, or jumps to another. */
  ends(path: Path<T>, instruction: Instruction, tail: CallSite | undefined): void;
}

const KEPT_BRANCHES = 24;
/** Numbers that do not stand in the code and that a loop begins its turns with; where there are more, it counts. */
const MOST_NUMBERS = 3;
/** So many labels of a table, as a power of two, are gone to in the time of one instruction. */
const LABELS_A_STEP = 2;

/**
 * Goes all ways through a function one by one, from given starts, and leaves out those that contradict
 * themselves: a comparison that came out one way does so again. Ways that have become the same are gone once.
 *
 * @param within leaders that are gone through; all where absent
 * @returns false where there were more ways than are gone
 */
export function walkPaths<T>(
  flows: DataFlow,
  flow: FunctionFlow,
  starts: readonly Path<T>[],
  visitor: Visitor<T>,
  within?: ReadonlySet<number>,
): boolean {
  return new PathWalk(flows, flow, visitor, within).run(starts);
}

class PathWalk<T> {
  readonly #flows: DataFlow;
  readonly #flow: FunctionFlow;
  readonly #visitor: Visitor<T>;
  readonly #within: ReadonlySet<number> | undefined;
  readonly #control: ControlFlow;
  readonly #seen = new Set<string>();
  readonly #variants = new Map<number, number>();
  /** By the heads of loops, and by register and place on the stack: the numbers that stood there. */
  readonly #numbers = new Map<number, Map<string, Set<string>>>();
  readonly #pending: Way<T>[] = [];
  readonly #preserved: ReadonlySet<number>;
  /** Instructions that are gone over at the most. */
  readonly #limit: number;
  #steps = 0;
  #whole = true;

  constructor(flows: DataFlow, flow: FunctionFlow, visitor: Visitor<T>, within?: ReadonlySet<number>) {
    this.#flows = flows;
    this.#flow = flow;
    this.#visitor = visitor;
    this.#within = within;
    this.#limit = Math.min(MAX_PATH_STEPS, flows.followed.pathSteps);
    this.#preserved = flows.image.code.set.abi.preserved;
    this.#control = controlFlowOf(flow);
  }

  run(starts: readonly Path<T>[]): boolean {
    for (const start of starts) this.#pending.push({ ...start });
    for (let path = this.#pending.pop(); path !== undefined; path = this.#pending.pop()) {
      if (this.#steps > this.#limit) {
        this.#whole = false;
        break;
      }
      this.#block(path);
    }
    this.#flows.followed.pathSteps -= Math.min(this.#steps, this.#limit);
    return this.#whole;
  }

  /** Whether a way goes on at a place: behind so many that came there none does, and not all ways are gone. */
  #isOpen(at: number): boolean {
    if (!this.#flow.instructions.has(at)) return false;
    if (this.#within !== undefined && this.#control.leaders.has(at) && !this.#within.has(at)) return false;
    if ((this.#variants.get(at) ?? 0) < 2 * MAX_PATH_VARIANTS) return true;
    this.#whole = false;
    return false;
  }

  #arrive(path: Way<T>, at: number, from: number): void {
    if (!this.#isOpen(at)) return;
    if (at <= from) this.#loosen(path, at, from);
    path.at = at;
    this.#pending.push(path);
  }

  /** What changes from one turn of a loop to the next is not known in any of them. */
  #loosen(path: Way<T>, head: number, end: number): void {
    const { state, facts } = path;
    const behindTurn = (value: Value, place: string): Value => {
      const [only] = value;
      const computed = only?.kind === "unknown" ? only.computed : undefined;
      if (computed === undefined || computed.at < head || computed.at > end) return value;
      const number = numberIn(value, facts);
      if (number !== undefined) return constant(number);
      const few = fewNumbers(value);
      if (few === undefined) return UNKNOWN;
      // which of them it is may be asked in the turn that follows, one after the other
      const [turned] = computedAt({ kind: "unknown", key: "", oneOf: few }, end, place);
      if (turned === undefined) return UNKNOWN;
      path.facts = path.facts.without(turned.key);
      return [turned];
    };
    state.registers.forEach((value, register) => {
      state.registers[register] = behindTurn(value, `r${register}`);
    });
    for (const [offset, value] of state.stack) {
      const behind = behindTurn(value, `s${offset}`);
      if (behind !== value) state.put(offset, behind);
    }
    const numbers = this.#numbers.get(head) ?? new Map<string, Set<string>>();
    this.#numbers.set(head, numbers);
    const isCounted = (place: string, value: Value): boolean => {
      const number = value.find(isComputed);
      if (number === undefined) return false;
      const known = numbers.get(place) ?? new Set();
      numbers.set(place, known);
      if (known.size < MOST_NUMBERS) known.add(number.key);
      return !known.has(number.key);
    };
    state.registers.forEach((value, register) => {
      if (isCounted(`r${register}`, value)) state.registers[register] = UNKNOWN;
    });
    for (const [offset, value] of state.stack) if (isCounted(`s${offset}`, value)) state.put(offset, UNKNOWN);
  }

  /** Whether a way that arrives here is a new one. */
  #isNew(path: Way<T>): boolean {
    const count = this.#variants.get(path.at) ?? 0;
    if (count >= 2 * MAX_PATH_VARIANTS) {
      this.#whole = false;
      return false;
    }
    if (path.facts.text.includes(COMPUTED))
      path.facts = path.facts.about(liveIn(path.state, this.#preserved));
    const key = `${path.at};${this.#visitor.key(path.told)};${fingerprint(path.state, this.#preserved)};${count < MAX_PATH_VARIANTS ? path.facts.text : ""}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    this.#variants.set(path.at, count + 1);
    return true;
  }

  #block(path: Way<T>): void {
    if (this.#control.leaders.has(path.at) && !this.#isNew(path)) return;
    for (;;) {
      const instruction = this.#flow.instructions.get(path.at);
      if (instruction === undefined) return;
      if (this.#steps++ > this.#limit) {
        this.#whole = false;
        return;
      }
      const next = path.at + instruction.length;
      switch (instruction.flow) {
        case Flow.Next:
          if (!this.#plain(path, instruction)) return;
          break;
        case Flow.Call:
        case Flow.CallIndirect:
          if (!this.#call(path, instruction, next)) return;
          break;
        case Flow.Branch:
          this.#branch(path, instruction, next);
          return;
        case Flow.Jump:
          this.#jump(path, instruction);
          return;
        case Flow.JumpIndirect:
          this.#indirect(path, instruction);
          return;
        case Flow.Return:
          this.#visitor.ends(path, instruction, undefined);
          return;
        default:
          return;
      }
      path.at = next;
      if (this.#control.leaders.has(next)) {
        this.#arrive(path, next, instruction.start);
        return;
      }
    }
  }

  /** Goes over an instruction; false where the way ends, or parts in two. */
  #plain(path: Way<T>, instruction: Instruction): boolean {
    const told = this.#visitor.instruction(path, instruction);
    if (told === undefined) return false;
    path.told = told;
    const condition = conditionOf(instruction, path.flags);
    if (condition !== undefined && path.flags !== undefined) {
      const comparison = withKnown(condition, path.flags, path.facts);
      if (this.#settle(path, instruction, condition, comparison)) return false;
    }
    if (this.#bySign(path, instruction)) return false;
    const { transfer } = this.#flows;
    const { mnemonic, operands } = instruction;
    const [written] = operands;
    nameRead(transfer, path.state, instruction);
    const compares = mnemonic === "cmp" || mnemonic === "test";
    const compared =
      compares || mnemonic === "neg" ? comparisonOf(path.state, instruction, transfer) : undefined;
    transfer.apply(path.state, instruction);
    path.facts = nameComputed(path.state, path.facts, instruction);
    if (written?.kind === "memory" && !compares) {
      const [only] = transfer.whole(path.state, written);
      if (only !== undefined && only.kind !== "unknown") path.facts = path.facts.without(only.key);
    }
    if (compared !== undefined) path.flags = compared;
    else if (path.flags === undefined && !RESULT_FLAGS.has(mnemonic)) return true;
    else if (RESULT_FLAGS.has(mnemonic)) path.flags = resultFlags(transfer, path.state, instruction);
    else if (!KEEPS_FLAGS.test(mnemonic)) path.flags = undefined;
    return true;
  }

  /** `setcc`, `cmovcc` and `sbb`: where the outcome matters, the way parts in two; false where it does not. */
  #settle(path: Way<T>, instruction: Instruction, condition: string, comparison: Comparison): boolean {
    const known = decide(condition, comparison, path.facts);
    if (known === undefined && !this.#isOfNumbers(path.state, instruction)) {
      if (!this.#visitor.matters(path, comparison)) return false;
    }
    const next = path.at + instruction.length;
    for (const holds of known === undefined ? [true, false] : [known]) {
      const told = this.#visitor.decided(path, condition, comparison, holds);
      if (told === undefined) continue;
      const state = path.state.copy();
      this.#flows.transfer.choose(state, instruction, holds);
      const facts = learn(condition, comparison, holds, path.facts);
      const flags = isBorrow(instruction)
        ? resultFlags(this.#flows.transfer, state, instruction)
        : path.flags;
      this.#pending.push({ ...path, at: next, state, facts, flags, told });
    }
    return true;
  }

  /**
   * A number that is made of a status by its sign, as `sets` would have it: by `shr reg, 31` a BOOLEAN, alone or soon behind
   * `not reg`; by `sar reg, 31` or `cdq` a mask.
   */
  #bySign(path: Way<T>, instruction: Instruction): boolean {
    const { abi } = this.#flows.image.code.set;
    const next = path.at + instruction.length;
    const sign = signIn(instruction, abi.result, (register) => this.#isShiftedSoon(next, register));
    if (sign === undefined) return false;
    const left = this.#flows.transfer.valueOf(path.state, sign.of, instruction);
    const comparison = withKnown("s", { kind: "test", left, right: left, size: 4 }, path.facts);
    const known = decide("s", comparison, path.facts);
    if (known === undefined && !this.#visitor.matters(path, comparison)) return false;
    for (const holds of known === undefined ? [true, false] : [known]) {
      const told = this.#visitor.decided(path, "s", comparison, holds);
      if (told === undefined) continue;
      const state = path.state.copy();
      state.registers[sign.to] = constant(holds ? sign.yes : sign.no);
      const facts = learn("s", comparison, holds, path.facts);
      this.#pending.push({ ...path, at: next, state, facts, flags: undefined, told });
    }
    return true;
  }

  #isShiftedSoon(from: number, register: number): boolean {
    let at = from;
    for (let count = 0; count < SOON; count++) {
      const instruction = this.#flow.instructions.get(at);
      if (instruction === undefined || instruction.flow !== Flow.Next) return false;
      if (isSignShift(instruction, register)) return true;
      if (instruction.writes.includes(register)) return false;
      at += instruction.length;
    }
    return false;
  }

  /** Whether a `cmovcc` or `sbb` chooses between two numbers, as of the states of a machine. */
  #isOfNumbers(state: MachineState, instruction: Instruction): boolean {
    const { mnemonic, operands } = instruction;
    const isNumber = (operand: Operand): boolean =>
      knownNumber(this.#flows.transfer.valueOf(state, operand, instruction)) !== undefined;
    return isBorrow(instruction) || (mnemonic.startsWith("cmov") && operands.every(isNumber));
  }

  /** Goes over a call; false where the way ends. */
  #call(path: Way<T>, instruction: Instruction, next: number): boolean {
    const site = this.#flows.siteIn(path.state, instruction, false);
    if (this.#flows.callees.neverReturns(site)) return false;
    const told = this.#visitor.call(path, site);
    if (told === undefined) return false;
    path.told = told;
    const before = { ...site, state: path.state.copy() };
    this.#flows.afterCall(site, this.#flow.instructions.get(next));
    // what the same call answered before is not what it answers now
    const { start } = instruction;
    path.facts = path.facts.without(`=${start}`).without(`!${start}`);
    const behind = this.#visitor.called(path, before);
    if (behind === undefined) return false;
    path.told = behind;
    path.flags = undefined;
    return true;
  }

  #branch(path: Way<T>, instruction: Instruction, next: number): void {
    const { target } = instruction;
    const condition = conditionOf(instruction, path.flags);
    const flags =
      condition === undefined || path.flags === undefined
        ? undefined
        : withKnown(condition, path.flags, path.facts);
    const known =
      condition === undefined || flags === undefined || path.flags === undefined
        ? undefined
        : (decide(condition, flags, path.facts) ?? decideAtLoopEnd(condition, path.flags, path.facts));
    const branches = [...path.branches.slice(1 - KEPT_BRANCHES), instruction.start];
    for (const holds of known === undefined ? [false, true] : [known]) {
      let { told, facts } = path;
      if (condition !== undefined && flags !== undefined) {
        const decided = this.#visitor.decided(path, condition, flags, holds);
        if (decided === undefined) continue;
        told = decided;
      }
      const to = holds ? target : next;
      const inside = !holds || (to !== undefined && this.#flow.instructions.has(to));
      if (inside && to !== undefined && !this.#isOpen(to)) continue;
      if (condition !== undefined && flags !== undefined) facts = learn(condition, flags, holds, facts);
      const state = known === undefined && !holds ? path.state.copy() : path.state;
      const way: Way<T> = { ...path, state, branches, told, facts };
      if (inside && to !== undefined) this.#arrive(way, to, instruction.start);
      else this.#visitor.ends(way, instruction, this.#flows.siteIn(state, instruction, true));
    }
  }

  #jump(path: Way<T>, instruction: Instruction): void {
    const { target } = instruction;
    if (target !== undefined && this.#flow.instructions.has(target) && target !== this.#flow.function.entry)
      this.#arrive(path, target, instruction.start);
    else this.#visitor.ends(path, instruction, this.#flows.siteIn(path.state, instruction, true));
  }

  #indirect(path: Way<T>, instruction: Instruction): void {
    const { start } = instruction;
    const site = this.#flows.siteIn(path.state, instruction, true);
    const isKnown = this.#flow.labels.has(start);
    const labels = isKnown || this.#flows.callees.of(site).length === 0 ? this.#control.labelsOf(start) : [];
    if (labels.length === 0) {
      // what leaves for another function has taken down its own frame
      if (path.state.sp === 0) this.#visitor.ends(path, instruction, site);
      else this.#whole = false;
      return;
    }
    this.#steps += labels.length >>> LABELS_A_STEP;
    for (const label of labels) {
      if (this.#isOpen(label)) this.#arrive({ ...path, state: path.state.copy() }, label, start);
    }
  }
}

/** What is known of numbers, and where the visitor's values stand: what makes a difference further on. */
function fingerprint(state: MachineState, preserved: ReadonlySet<number>): string {
  let print = "";
  state.registers.forEach((value, register) => {
    const [only] = value;
    if (only === undefined || only.kind === "register" || value.length > 1) return;
    if (only.kind === "unknown") {
      if (only.oneOf !== undefined) print += `r${register}=${fewNumbers(value)},`;
      return;
    }
    if (preserved.has(register) || NUMBERS.has(only.kind)) print += `r${register}=${only.key},`;
  });
  for (const [offset, value] of state.stack) {
    const [only] = value;
    if (offset < state.sp || only === undefined || value.length > 1) continue;
    if (only.kind !== "unknown") print += `s${offset}=${only.key},`;
    else if (only.oneOf !== undefined) print += `s${offset}=${fewNumbers(value)},`;
  }
  return print;
}

/** A number that stands in the code is one of a few, as the states of a machine are. */
function isComputed(atom: Atom): boolean {
  return atom.kind === "part" || (atom.kind === "constant" && atom.origin === undefined);
}

const NUMBERS: ReadonlySet<Atom["kind"]> = new Set(["constant", "part", "result"]);

function comparisonOf(
  state: MachineState,
  instruction: Instruction,
  transfer: Transfer,
): Comparison | undefined {
  const { mnemonic, operands } = instruction;
  const [a, b] = operands;
  if (a === undefined) return undefined;
  const left = transfer.valueOf(state, a, instruction);
  if (mnemonic === "neg") return { kind: "test", left, right: left, size: sizeOf(a), negated: true };
  if (b === undefined || (mnemonic !== "cmp" && mnemonic !== "test")) return undefined;
  return { kind: mnemonic, left, right: transfer.valueOf(state, b, instruction), size: sizeOf(a) };
}

/** The flags tell of the result, as a test of it with itself would. */
function resultFlags(
  transfer: Transfer,
  state: MachineState,
  instruction: Instruction,
): Comparison | undefined {
  const [written] = instruction.operands;
  if (written === undefined) return undefined;
  const value = transfer.valueOf(state, written, instruction);
  return { kind: "test", left: value, right: value, size: sizeOf(written) };
}

function sizeOf(operand: Operand): number {
  return operand.kind === "register" || operand.kind === "memory" ? operand.size : 4;
}

/** Instructions that compilers put between `not` and `shr`. */
const SOON = 4;

const RESULT_FLAGS: ReadonlySet<string> = new Set(["and", "or", "xor", "add", "sub", "inc", "dec"]);
const KEEPS_FLAGS = /^(?:mov|lea|push|pop|nop|not|xchg|bswap|set|cmov|cdq|cwde|leave|endbr|prefetch)/;
