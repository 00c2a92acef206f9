import type { Operand } from "../isa/instruction.ts";
import type { FunctionFlow } from "./data-flow.ts";

/** Instructions in which a block that has no frame of its own shows that it uses another's. */
const FIRST_INSTRUCTIONS = 12;

/** Whether 32-bit code works in the frame of whoever calls it, as blocks do that `__finally` made. */
export function usesCallersFrame(
  { instructions, function: { entry } }: FunctionFlow,
  framePointer: number,
): boolean {
  let at = entry as number;
  for (let count = 0; count < FIRST_INSTRUCTIONS; count++) {
    const instruction = instructions.get(at);
    if (instruction === undefined) return false;
    const { operands, writes, length, target } = instruction;
    if (operands.some((operand) => operand.kind === "memory" && operand.base === framePointer)) return true;
    if (
      writes.includes(framePointer) ||
      (instruction.mnemonic === "push" && isRegister(operands[0], framePointer))
    )
      return false;
    if (target !== undefined && instruction.mnemonic !== "call") return false;
    at += length;
  }
  return false;
}

function isRegister(operand: Operand | undefined, register: number): boolean {
  return operand?.kind === "register" && operand.register === register;
}
