import { advance, type Va } from "../core/address.ts";
import { parseWith, toAddress, type U64Halves } from "../core/kaitai.ts";
import type { DumpHeader } from "../dump/header.ts";
import type { Machine } from "../dump/machine.ts";
import { ContextArm64 } from "../generated/context_arm64.js";
import { ContextX64 } from "../generated/context_x64.js";
import { ContextX86 } from "../generated/context_x86.js";
import type { AddressSpace } from "../memory/address-space.ts";

/** A processor's registers. */
export interface RegisterSet {
  /**
   * `header`: the CONTEXT in the dump's header, that of the exception where there was one. `prcb`: what
   * the processor that stopped saved at the bugcheck.
   */
  readonly which: "header" | "prcb";
  /** By name, as WinDbg shows them: `rip`, `eax`, `x0`. */
  readonly registers: Readonly<Record<string, bigint>>;
}

/** Bytes of a CONTEXT that are read. */
const CONTEXT_SIZE: Readonly<Record<Machine, number>> = { x86: 0xcc, x64: 0x100, arm64: 0x318 };
const STACK_AND_CODE: Readonly<Record<Machine, readonly [string, string]>> = {
  x86: ["esp", "eip"],
  x64: ["rsp", "rip"],
  arm64: ["sp", "pc"],
};
/** A kernel stack has up to 0x12000 bytes. */
const SAME_STACK = 0x12000n;

/**
 * Reads a CONTEXT.
 *
 * @returns `undefined` when it is too short, or holds neither a place in code nor a stack
 */
export function parseContext(bytes: Uint8Array, machine: Machine): RegisterSet["registers"] | undefined {
  if (bytes.length < CONTEXT_SIZE[machine]) return undefined;
  const raw =
    machine === "x86"
      ? parseWith(ContextX86, bytes)
      : machine === "x64"
        ? parseWith(ContextX64, bytes)
        : parseWith(ContextArm64, bytes);
  const registers: Record<string, bigint> = {};
  for (const [name, value] of Object.entries(raw)) {
    if (name !== "contextFlags" && isRegister(value)) registers[name] = toAddress(value);
  }
  return STACK_AND_CODE[machine].every((name) => registers[name] === 0n) ? undefined : registers;
}

/** The registers in the dump's header. */
export function headerContext({ context, machine }: DumpHeader): RegisterSet | undefined {
  const registers = context && parseContext(context.array, machine);
  return registers && { which: "header", registers };
}

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

function isRegister(value: unknown): value is U64Halves | number {
  return typeof value === "number" || (typeof value === "object" && value !== null && "low" in value);
}
