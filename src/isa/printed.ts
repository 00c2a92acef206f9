import type { Va } from "../core/address.ts";

/** A number of an instruction that may be an address. */
export interface Mention {
  /**
   * `branch`: a near call, jump or branch leads there. `memory`: the operand's own address. `displacement`: registers
   * are added to it. `immediate`: a value, which may as well be a number.
   */
  readonly kind: "branch" | "memory" | "displacement" | "immediate";
  readonly value: bigint;
  /** As the instruction's text has it: `20206553h`. */
  readonly text: string;
  /** Where its bytes stand, from the instruction's first byte; undefined of a branch. */
  readonly offset: number | undefined;
  /** In bytes: of what the operand reads or writes; 0 for an address only (`lea`); of an immediate, the operand's. */
  readonly size: number;
}

/** One instruction as a debugger shows it. */
export interface PrintedInstruction {
  /** `mov`, with its prefixes: `rep movsd`. */
  readonly mnemonic: string;
  /** Mnemonic and operands from left to right: text as it is, and the numbers that may be addresses. */
  readonly parts: readonly (string | Mention)[];
}

/** Writes instructions as text, in the syntax of Microsoft's assembler and debuggers. */
export interface Printer {
  /** @param bytes of one instruction, which was decoded before */
  print(bytes: Uint8Array, address: Va): PrintedInstruction | undefined;
}
