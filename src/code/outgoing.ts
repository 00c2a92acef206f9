import type { Abi } from "../isa/abi.ts";
import type { Instruction } from "../isa/instruction.ts";
import { UNKNOWN } from "./abstract-value.ts";
import type { CallSite } from "./call-site.ts";
import type { DataFlow } from "./data-flow.ts";
import type { FunctionFlow } from "./function-flow.ts";

/**
 * Whether a place on the stack can only be an argument of a call, where arguments are not pushed: the function neither
 * reads it, nor anything below it, nor takes an address there. Its variables stand above all arguments.
 *
 * @param offset bytes above the stack pointer at the call
 */
export function isOutgoing(flows: DataFlow, { state, instruction }: CallSite, offset: number): boolean {
  const { code, functions } = flows.image;
  const { abi } = code.set;
  const [found] = functions.owning(instruction.start);
  if (found === undefined) return false;
  const flow = flows.of(found);
  if (flow.truncated || offset >= lowestUse(flow, abi, abi.stackPointer)) return false;
  const [frame] = state.registers[abi.framePointer] ?? UNKNOWN;
  return frame?.kind !== "stack" || offset < lowestUse(flow, abi, abi.framePointer) + frame.offset - state.sp;
}

const uses = new WeakMap<FunctionFlow, Map<number, number>>();

/** The lowest place above a register, and above what every callee may use, that is read or has its address taken. */
function lowestUse(flow: FunctionFlow, { homeBytes, stackPointer }: Abi, register: number): number {
  const known = uses.get(flow) ?? new Map<number, number>();
  uses.set(flow, known);
  let lowest = known.get(register);
  if (lowest !== undefined) return lowest;
  lowest = Number.POSITIVE_INFINITY;
  const from = register === stackPointer ? homeBytes : Number.NEGATIVE_INFINITY;
  for (const instruction of flow.instructions.values()) {
    for (const [index, operand] of instruction.operands.entries()) {
      if (operand.kind !== "memory" || operand.base !== register || operand.displacement < from) continue;
      if (index > 0 || !onlyWrites(instruction)) lowest = Math.min(lowest, operand.displacement);
    }
  }
  known.set(register, lowest);
  return lowest;
}

function onlyWrites({ mnemonic }: Instruction): boolean {
  return mnemonic.startsWith("mov");
}
