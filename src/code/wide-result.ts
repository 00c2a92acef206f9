import type { Abi } from "../isa/abi.ts";
import { type Instruction, MAX_INSTRUCTION, type Operand } from "../isa/instruction.ts";
import type { FunctionFlow } from "./function-flow.ts";

/** Who has what a function returns so. */
export const TO_CALLER = "caller";

/**
 * The register that a function returns the second half of a structure of two words in, where its last instructions fill it
 * and none of them reads it: 32-bit code returns a UNICODE_STRING so, in edx:eax.
 *
 * @param end the return
 */
export function secondResult({ instructions }: FunctionFlow, end: number, abi: Abi): number | undefined {
  const { second } = abi;
  if (second === undefined) return undefined;
  for (let at = before(instructions, end); at !== undefined; at = before(instructions, at.start)) {
    if (at.mnemonic === "call" || at.target !== undefined) return undefined;
    if (at.operands.some((operand, i) => reads(operand, i, at, second))) return undefined;
    if (at.writes.includes(second)) return second;
  }
  return undefined;
}

function before(instructions: FunctionFlow["instructions"], end: number): Instruction | undefined {
  for (let start = end - 1; start >= end - MAX_INSTRUCTION; start--) {
    const instruction = instructions.get(start);
    if (instruction !== undefined)
      return instruction.start + instruction.length === end ? instruction : undefined;
  }
  return undefined;
}

function reads(operand: Operand, index: number, { mnemonic }: Instruction, register: number): boolean {
  if (operand.kind === "memory") return operand.base === register || operand.index === register;
  return operand.kind === "register" && operand.register === register && !(index === 0 && mnemonic === "mov");
}
