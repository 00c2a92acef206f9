import { MAX_FOLLOWED, MAX_FUNCTION_INSTRUCTIONS, MAX_VALUE_STEPS } from "../core/limits.ts";
import { type Decoder, Flow, type Instruction } from "../isa/instruction.ts";
import { Reg, withDecoder } from "../isa/x86/decoder.ts";
import type { ArgumentPlace } from "./allocators.ts";
import { instructionStarts } from "./boundaries.ts";
import type { CodeFunction } from "./function-table.ts";
import type { ImageCode } from "./functions.ts";
import { Transfer } from "./transfer.ts";
import {
  type Atom,
  leftBy,
  MachineState,
  onlyNumber,
  resultOf,
  stackAddress,
  UNKNOWN,
  type Value,
} from "./values.ts";

/** One place where a function calls, or ends by jumping to another. */
export interface CallSite {
  readonly instruction: Instruction;
  /** Near calls and jumps: an offset from the image's base, perhaps outside. */
  readonly target: number | undefined;
  /** Calls through memory or a register: what may stand there. */
  readonly through: Value | undefined;
  /** A jump that leaves the function: the callee returns to this function's caller. */
  readonly tail: boolean;
  /** What is known when the call is made. */
  readonly state: MachineState;
}

/** One place where a function writes to memory, or compares. */
export interface ValueEvent {
  readonly kind: "store" | "compare" | "return";
  readonly instruction: Instruction;
  readonly value: Value;
  /** Of a store: where on the stack, or in the image. */
  readonly stack?: number | undefined;
  readonly place?: number | undefined;
}

/** What one function does with its values. */
export interface FunctionFlow {
  readonly function: CodeFunction;
  readonly calls: readonly CallSite[];
  readonly events: readonly ValueEvent[];
  /** By start. */
  readonly instructions: ReadonlyMap<number, Instruction>;
  /** The function was too large to be followed to the end. */
  readonly truncated: boolean;
}

/** What 32-bit callees take off the stack. */
export type PoppedBytes = (site: CallSite, next: Instruction | undefined) => number;
/** Changes a call's state to what is known behind it. */
export type BehindCall = (site: CallSite, next: Instruction | undefined) => void;

/**
 * Follows constants, arguments and pointers through a function, over all its ways, up to its calls.
 *
 * @param limit instructions of the function that are looked at, at most
 */
export function followValues(
  image: ImageCode,
  found: CodeFunction,
  behind: BehindCall,
  limit: number = MAX_FOLLOWED,
): FunctionFlow {
  return withDecoder(image.code, (decoder) => new Follower(image, found, behind, decoder, limit).run());
}

/** What an argument of a call holds. */
export function argumentOf(wide: boolean, site: CallSite, place: ArgumentPlace): Value {
  const { state, tail } = site;
  if (place.kind === "register") return state.registers[place.register] ?? UNKNOWN;
  // A jump leaves the return address on top.
  return state.stackAt(state.sp + place.offset + (tail ? (wide ? 8 : 4) : 0));
}

/** What a place of the callee's own frame held before it was entered: one of its arguments, seen from the caller. */
export function passedAs(wide: boolean, site: CallSite, atom: Atom): Value {
  if (atom.kind === "register") return site.state.registers[atom.register] ?? UNKNOWN;
  if (atom.kind !== "argument") return UNKNOWN;
  return argumentOf(wide, site, { kind: "stack", offset: atom.offset - (wide ? 8 : 4) });
}

/** The call, or the jump to another function, that an instruction makes in a state, which the site shares. */
export function siteIn(
  transfer: Transfer,
  state: MachineState,
  instruction: Instruction,
  tail: boolean,
): CallSite {
  const [operand] = instruction.operands;
  const indirect = instruction.flow === Flow.CallIndirect || instruction.flow === Flow.JumpIndirect;
  const through =
    indirect && operand !== undefined ? transfer.valueOf(state, operand, instruction) : undefined;
  return { instruction, target: instruction.target, through, tail, state };
}

/** Changes the state of a call to what is known behind it. */
export function afterCall(
  wide: boolean,
  popped: PoppedBytes,
  site: CallSite,
  next: Instruction | undefined,
): void {
  const { state, instruction } = site;
  const bytes = wide ? 0 : popped(site, next);
  for (const offset of pointedTo(wide, site)) state.stack.set(offset, leftBy(instruction.start));
  for (const register of wide ? VOLATILE_64 : VOLATILE_32) state.registers[register] = UNKNOWN;
  state.registers[Reg.ax] = resultOf(instruction.start);
  // In 64-bit code the four places above the return address are the callee's.
  const step = wide ? 8 : 4;
  for (let offset = 0; offset < (wide ? 0x20 : bytes); offset += step) state.stack.delete(state.sp + offset);
  state.sp += bytes;
  state.argumentsFrom = state.sp;
}

/**
 * Behind the helper that sets up a 32-bit function's frame: `push size; push table; call`. The frame pointer is
 * where the size stood, the local variables are below it, and the preserved registers below them.
 */
export function behindFrameHelper({ state, instruction }: CallSite): void {
  const size = onlyNumber(state.stackAt(state.sp + 4)) ?? 0;
  const frame = state.sp + 4;
  for (const register of VOLATILE_32) state.registers[register] = UNKNOWN;
  state.registers[Reg.ax] = resultOf(instruction.start);
  state.registers[Reg.bp] = stackAddress(frame);
  for (let offset = state.sp - 12; offset <= frame; offset += 4) state.stack.set(offset, UNKNOWN);
  state.sp = frame - HELPER_FRAME - (size & 0xffff);
  state.argumentsFrom = state.sp;
}

/**
 * Behind the check of Control Flow Guard in 32-bit code: its argument is in ecx, which it keeps, as LLVM's
 * `CSR_Win32_CFGuard_Check` has it, and what is on the stack is for the call that follows.
 */
export function behindGuardCheck({ state }: CallSite): void {
  for (const register of [Reg.ax, Reg.dx]) state.registers[register] = UNKNOWN;
}

/** Return address, handler, chain, scope table and level, and three registers. */
const HELPER_FRAME = 0x20;

/** Places on the stack whose addresses a call is given: it may have put something there. */
function pointedTo(wide: boolean, { state }: CallSite): readonly number[] {
  const given = wide ? ARGUMENTS_64.map((register) => state.registers[register] ?? UNKNOWN) : [];
  const first = wide ? 0x20 : 0;
  const last = wide ? 0x38 : state.argumentBytes(0x30) - 4;
  for (let offset = first; offset <= last; offset += wide ? 8 : 4)
    given.push(state.stackAt(state.sp + offset));
  return given.flatMap(([only, ...others]) =>
    only?.kind === "stack" && others.length === 0 && only.offset >= state.sp ? [only.offset] : [],
  );
}

class Follower {
  readonly #function: CodeFunction;
  readonly #behind: BehindCall;
  readonly #transfer: Transfer;
  readonly #instructions = new Map<number, Instruction>();
  readonly #leaders = new Set<number>();
  readonly #states = new Map<number, MachineState>();
  /** What is known at jumps through registers and memory, by their place. */
  readonly #indirect = new Map<number, MachineState>();
  readonly #reached = new Set<number>();
  #steps = 0;
  /** Not all of the function was looked at. */
  #cut = false;

  constructor(image: ImageCode, found: CodeFunction, behind: BehindCall, decoder: Decoder, limit: number) {
    this.#function = found;
    this.#behind = behind;
    this.#transfer = new Transfer(image.code);
    for (const fragment of found.fragments) {
      for (const start of instructionStarts(image.code, decoder, fragment)) {
        if (this.#instructions.size >= Math.min(limit, MAX_FUNCTION_INSTRUCTIONS)) {
          this.#cut = true;
          break;
        }
        const instruction = decoder.at(start);
        if (instruction !== undefined) this.#instructions.set(start, instruction);
      }
    }
    for (const { target, flow } of this.#instructions.values()) {
      if (target !== undefined && flow !== Flow.Call && this.#instructions.has(target))
        this.#leaders.add(target);
    }
  }

  run(): FunctionFlow {
    this.#spread(this.#function.entry, MachineState.atEntry());
    // What no way leads to is reached through a table, or by an exception.
    for (const start of this.#instructions.keys()) {
      if (this.#reached.has(start)) continue;
      const [first, ...others] = this.#indirect.values();
      const state = first?.copy() ?? MachineState.unknown();
      for (const other of others) state.join(other);
      this.#spread(start, state);
    }
    const calls: CallSite[] = [];
    const events: ValueEvent[] = [];
    for (const [leader, state] of this.#states) {
      this.#block(
        leader,
        state.copy(),
        (site) => calls.push(site),
        (event) => events.push(event),
      );
    }
    calls.sort((a, b) => a.instruction.start - b.instruction.start);
    return {
      function: this.#function,
      calls,
      events,
      instructions: this.#instructions,
      truncated: this.#cut || this.#steps >= MAX_VALUE_STEPS,
    };
  }

  /** Carries a state along all ways from a place, until nothing changes any more. */
  #spread(from: number, state: MachineState): void {
    const pending: number[] = [];
    const arrive = (at: number, arriving: MachineState): void => {
      if (!this.#instructions.has(at)) return;
      const known = this.#states.get(at);
      if (known === undefined) this.#states.set(at, arriving.copy());
      else if (!known.join(arriving)) return;
      if (!pending.includes(at)) pending.push(at);
    };
    this.#leaders.add(from);
    arrive(from, state);
    for (let at = pending.pop(); at !== undefined && this.#steps < MAX_VALUE_STEPS; at = pending.pop()) {
      const before = this.#states.get(at);
      if (before !== undefined) this.#block(at, before.copy(), undefined, undefined, arrive);
    }
  }

  /** Runs one stretch of instructions, up to the next place that something else leads to. */
  #block(
    leader: number,
    state: MachineState,
    onCall?: (site: CallSite) => void,
    onEvent?: (event: ValueEvent) => void,
    arrive?: (at: number, state: MachineState) => void,
  ): void {
    for (let at = leader; ; ) {
      const instruction = this.#instructions.get(at);
      if (instruction === undefined) return;
      this.#steps++;
      this.#reached.add(at);
      const next = at + instruction.length;
      if (onEvent !== undefined) this.#tellEvents(state, instruction, onEvent);
      switch (instruction.flow) {
        case Flow.Next:
          this.#transfer.apply(state, instruction);
          break;
        case Flow.Call:
        case Flow.CallIndirect: {
          const site = siteIn(this.#transfer, state, instruction, false);
          onCall?.({ ...site, state: state.copy() });
          this.#behind(site, this.#instructions.get(next));
          break;
        }
        case Flow.Jump:
        case Flow.Branch: {
          const { target } = instruction;
          if (target !== undefined && this.#instructions.has(target) && target !== this.#function.entry)
            arrive?.(target, state);
          else if (target !== this.#function.entry)
            onCall?.({ ...siteIn(this.#transfer, state, instruction, true), state: state.copy() });
          if (instruction.flow === Flow.Jump) return;
          break;
        }
        case Flow.JumpIndirect:
          onCall?.({ ...siteIn(this.#transfer, state, instruction, true), state: state.copy() });
          if (arrive !== undefined) this.#indirect.set(at, state.copy());
          return;
        default:
          return;
      }
      if (this.#leaders.has(next)) {
        arrive?.(next, state);
        return;
      }
      at = next;
    }
  }

  #tellEvents(state: MachineState, instruction: Instruction, tell: (event: ValueEvent) => void): void {
    const [to, from] = instruction.operands;
    const held = (operand: typeof to): Value =>
      operand === undefined ? UNKNOWN : this.#transfer.valueOf(state, operand, instruction);
    if (instruction.flow === Flow.Return) {
      tell({ kind: "return", instruction, value: state.registers[Reg.ax] ?? UNKNOWN });
    } else if (
      instruction.mnemonic === "cmp" ||
      instruction.mnemonic === "test" ||
      instruction.mnemonic === "cmpxchg"
    ) {
      tell({ kind: "compare", instruction, value: held(to) });
      tell({ kind: "compare", instruction, value: held(from) });
    } else if (to?.kind === "memory" && from !== undefined && instruction.mnemonic !== "lea") {
      const stack = this.#transfer.stackOffsetOf(state, to);
      const place = this.#transfer.imagePlaceOf(state, to);
      tell({ kind: "store", instruction, value: held(from), stack, place });
    }
  }
}

const ARGUMENTS_64 = [Reg.cx, Reg.dx, Reg.r8, Reg.r9];
const VOLATILE_64 = [Reg.ax, Reg.cx, Reg.dx, Reg.r8, Reg.r9, Reg.r10, 11];
const VOLATILE_32 = [Reg.ax, Reg.cx, Reg.dx];
