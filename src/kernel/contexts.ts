import { advance, type Va } from "../core/address.ts";
import { CONTEXT_SIZE, parseContext, type Registers, STACK_AND_CODE } from "../dump/context.ts";
import type { FactSource } from "../dump/facts.ts";
import type { Machine } from "../dump/machine.ts";
import type { AddressSpace } from "../memory/address-space.ts";

/** A processor's registers. */
export interface RegisterSet {
  /**
   * A part of the dump (`header`: its CONTEXT, that of the exception where there was one), or `prcb`: what the
   * processor that stopped saved at the bugcheck.
   */
  readonly which: FactSource | "prcb";
  /** By name, as WinDbg shows them: `rip`, `eax`, `x0`. */
  readonly registers: Registers;
}

/** A kernel stack has up to 0x12000 bytes. */
const SAME_STACK = 0x12000n;

/**
 * The registers that a processor saved when the machine stopped.
 *
 * @param offset KDBG's OffsetPrcbContext; a pointer to the CONTEXT stands there
 */
export function prcbContext(
  space: AddressSpace,
  prcb: Va,
  offset: number,
  machine: Machine,
): RegisterSet | undefined {
  const at = space.tryReadPointer(advance(prcb, offset));
  const bytes = at === undefined ? undefined : space.tryRead(at, CONTEXT_SIZE[machine]);
  const registers = bytes && parseContext(bytes, machine);
  return registers && { which: "prcb", registers };
}

/** Whether two sets of registers are of one stack, and so of one processor. */
export function sameStack(one: RegisterSet, other: RegisterSet, machine: Machine): boolean {
  const [stack] = STACK_AND_CODE[machine];
  const distance = (one.registers[stack] ?? 0n) - (other.registers[stack] ?? 0n);
  return distance < SAME_STACK && -distance < SAME_STACK;
}
