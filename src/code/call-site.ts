import type { Abi, ArgumentPlace } from "../isa/abi.ts";
import { Flow, type Instruction } from "../isa/instruction.ts";
import {
  type Atom,
  leftOnStack,
  type MachineState,
  onlyNumber,
  resultOf,
  stackAddress,
  UNKNOWN,
  type Value,
} from "./abstract-value.ts";
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
export function argumentOf(abi: Abi, { state, tail }: CallSite, place: ArgumentPlace): Value {
  if (place.kind === "register") return state.registers[place.register] ?? UNKNOWN;
  // A jump leaves the return address on top.
  return state.stackAt(state.sp + place.offset + (tail ? abi.pointerSize : 0));
}

/** What a place of the callee's own frame held before it was entered: one of its arguments, seen from the caller. */
export function passedAs(abi: Abi, site: CallSite, atom: Atom): Value {
  if (atom.kind === "register") return site.state.registers[atom.register] ?? UNKNOWN;
  if (atom.kind !== "argument") return UNKNOWN;
  return argumentOf(abi, site, { kind: "stack", offset: atom.offset - abi.pointerSize });
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

/** Arguments of one call that are looked at. */
const MOST_ARGUMENTS = 12;
/** … and of a jump to another function, which is given what this one was. */
const MOST_PASSED_ON = 6;

/**
 * Where a call of a function of that name may be given arguments. Where they are not pushed, a place on the stack may as
 * well be a variable, since a function that gives nobody more than fit in registers keeps its own there: only the callee
 * tells.
 */
export function argumentPlaces(
  abi: Abi,
  { state, tail, target }: CallSite,
  name: string | undefined,
): readonly ArgumentPlace[] {
  const { argumentRegisters, calleePops, homeBytes, pointerSize, result } = abi;
  const places: ArgumentPlace[] = [];
  if (!calleePops || name === undefined || abi.takesRegisters(name))
    for (const register of argumentRegisters) places.push({ kind: "register", register });
  // to functions that nobody else calls GCC gives the first argument there
  if (calleePops && name === undefined && target !== undefined)
    places.push({ kind: "register", register: result });
  if (calleePops) {
    const bytes = tail ? MOST_PASSED_ON * pointerSize : state.argumentBytes(MOST_ARGUMENTS * pointerSize);
    for (let offset = 0; offset < bytes; offset += pointerSize) places.push({ kind: "stack", offset });
    return places;
  }
  const above = state.sp + (tail ? pointerSize : 0);
  const most = homeBytes + (MOST_ARGUMENTS - argumentRegisters.length) * pointerSize;
  for (let offset = homeBytes; offset < most; offset += pointerSize)
    if (state.stack.has(above + offset)) places.push({ kind: "stack", offset });
  return places;
}

/** Changes the state of a call to what is known behind it. */
export function afterCall(
  abi: Abi,
  popped: PoppedBytes,
  site: CallSite,
  next: Instruction | undefined,
): void {
  const { state, instruction } = site;
  const bytes = abi.calleePops ? popped(site, next) : 0;
  for (const offset of pointedTo(abi, site)) {
    state.put(offset, leftOnStack(instruction.start, offset));
    // what nothing was seen to write and stands beside is the rest of a structure, as of an IO_STATUS_BLOCK
    const next = offset + abi.pointerSize;
    if (next < 0 && !state.stack.has(next)) state.put(next, leftOnStack(instruction.start, next));
  }
  for (const register of abi.volatile) state.registers[register] = UNKNOWN;
  state.vectors.clear();
  state.registers[abi.result] = resultOf(instruction.start);
  for (let offset = 0; offset < abi.homeBytes + bytes; offset += abi.pointerSize)
    state.forget(state.sp + offset);
  state.sp += bytes;
  state.argumentsFrom = state.sp;
}

/**
 * Behind the helper that sets up a 32-bit function's frame: `push size; push table; call`. The frame pointer is
 * where the size stood, the local variables are below it, and the preserved registers below them.
 */
export function behindFrameHelper(abi: Abi, { state, instruction }: CallSite): void {
  const size = onlyNumber(state.stackAt(state.sp + 4)) ?? 0;
  const frame = state.sp + 4;
  for (const register of abi.volatile) state.registers[register] = UNKNOWN;
  state.registers[abi.result] = resultOf(instruction.start);
  state.registers[abi.framePointer] = stackAddress(frame);
  for (let offset = state.sp - 12; offset <= frame; offset += 4) state.put(offset, UNKNOWN);
  state.sp = frame - HELPER_FRAME - (size & 0xffff);
  state.argumentsFrom = state.sp;
}

/**
 * Behind the check of Control Flow Guard in 32-bit code: its argument is in the first register, which it keeps, as
 * LLVM's `CSR_Win32_CFGuard_Check` has it, and what is on the stack is for the call that follows.
 */
export function behindGuardCheck(abi: Abi, { state }: CallSite): void {
  const [argument] = abi.argumentRegisters;
  for (const register of abi.volatile) if (register !== argument) state.registers[register] = UNKNOWN;
}

/** Return address, handler, chain, scope table and level, and three registers. */
const HELPER_FRAME = 0x20;

/** Bytes above the callee's own that may be arguments on the stack. */
const MOST_GIVEN = 0x40;
/** … that a callee may take off the stack. */
const MOST_POPPED = 0x30;

/** Places on the stack whose addresses a call is given: it may have put something there. */
function pointedTo(abi: Abi, { state }: CallSite): readonly number[] {
  const { calleePops, homeBytes, pointerSize } = abi;
  const given = calleePops
    ? []
    : abi.argumentRegisters.map((register) => state.registers[register] ?? UNKNOWN);
  const bytes = calleePops ? state.argumentBytes(MOST_POPPED) : MOST_GIVEN;
  for (let offset = homeBytes; offset < homeBytes + bytes; offset += pointerSize)
    given.push(state.stackAt(state.sp + offset));
  return given.flatMap(([only, ...others]) =>
    only?.kind === "stack" && others.length === 0 && only.offset >= state.sp ? [only.offset] : [],
  );
}
