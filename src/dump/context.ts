import { parseWith, toAddress, type U64Halves } from "../core/kaitai.ts";
import { ContextArm64 } from "../generated/context_arm64.js";
import { ContextX64 } from "../generated/context_x64.js";
import { ContextX86 } from "../generated/context_x86.js";
import type { Machine } from "./machine.ts";

/** A processor's registers by name, as WinDbg shows them: `rip`, `eax`, `x0`. */
export type Registers = Readonly<Record<string, bigint>>;

/** Bytes of a CONTEXT that are read. */
export const CONTEXT_SIZE: Readonly<Record<Machine, number>> = { x86: 0xcc, x64: 0x100, arm64: 0x318 };
/** The registers that hold the stack pointer and the place in code. */
export const STACK_AND_CODE: Readonly<Record<Machine, readonly [string, string]>> = {
  x86: ["esp", "eip"],
  x64: ["rsp", "rip"],
  arm64: ["sp", "pc"],
};

/**
 * Reads a CONTEXT.
 *
 * @returns `undefined` when it is too short, or holds neither a place in code nor a stack
 */
export function parseContext(bytes: Uint8Array, machine: Machine): Registers | undefined {
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

function isRegister(value: unknown): value is U64Halves | number {
  return typeof value === "number" || (typeof value === "object" && value !== null && "low" in value);
}
