import { Flow, type Instruction } from "../isa/instruction.ts";
import { Reg } from "../isa/x86/decoder.ts";
import {
  type Atom,
  leftBy,
  type MachineState,
  onlyNumber,
  resultOf,
  stackAddress,
  UNKNOWN,
  type Value,
} from "./abstract-value.ts";
import type { ArgumentPlace } from "./allocators.ts";
import type { Transfer } from "./transfer.ts";

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

/** What 32-bit callees take off the stack. */
export type PoppedBytes = (site: CallSite, next: Instruction | undefined) => number;
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

const ARGUMENTS_64 = [Reg.cx, Reg.dx, Reg.r8, Reg.r9];
const VOLATILE_64 = [Reg.ax, Reg.cx, Reg.dx, Reg.r8, Reg.r9, Reg.r10, 11];
const VOLATILE_32 = [Reg.ax, Reg.cx, Reg.dx];
