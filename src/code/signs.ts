import type { Instruction, Operand } from "../isa/instruction.ts";

/** What an instruction makes of a number's sign: where it is negative, and else. */
export interface Sign {
  readonly of: Operand;
  readonly to: number;
  readonly yes: number;
  readonly no: number;
}

export function signIn(
  { mnemonic, operands: [of, by], writes }: Instruction,
  result: number,
  isShifted: (register: number) => boolean,
): Sign | undefined {
  const [to] = writes;
  if (mnemonic === "cdq" && to !== undefined)
    return { of: { kind: "register", register: result, size: 4 }, to, yes: NOT_ZERO, no: 0 };
  if (of?.kind !== "register" || of.size !== 4) return undefined;
  const { register } = of;
  if (mnemonic === "not") return isShifted(register) ? { of, to: register, yes: 0, no: NOT_ZERO } : undefined;
  if (by?.kind !== "immediate" || Number(by.value) !== 31) return undefined;
  if (mnemonic === "shr") return { of, to: register, yes: 1, no: 0 };
  return mnemonic === "sar" ? { of, to: register, yes: NOT_ZERO, no: 0 } : undefined;
}

export function isSignShift({ mnemonic, operands: [to, by] }: Instruction, register: number): boolean {
  if (mnemonic !== "shr" && mnemonic !== "sar") return false;
  if (to?.kind !== "register" || to.register !== register || to.size !== 4) return false;
  return by?.kind === "immediate" && Number(by.value) === 31;
}

const NOT_ZERO = 0xffffffff;
