import { Reg } from "../isa/x86/decoder.ts";
import type { FunctionFlow } from "./data-flow.ts";
import type { ModuleCode } from "./module-code.ts";

/** Bytes of a helper in which it sets up its caller's frame. */
const HELPER = 0x40;
/** `mov eax, fs:[0]`. */
const READ_HANDLERS = [0x64, 0xa1, 0, 0, 0, 0];
/** `lea ebp, [esp+n]`. */
const SET_FRAME = [0x8d, 0x6c, 0x24];
/** Instructions in which a block that has no frame of its own shows that it uses another's. */
const FIRST_INSTRUCTIONS = 12;

/**
 * Whether the 32-bit function at `entry` is the compiler's helper that sets up its caller's frame and exception
 * handler: it is given the frame's size and a scope table, and leaves ebp pointing to where the size stood.
 */
export function setsUpFrame(code: ModuleCode, entry: number): boolean {
  const run = code.wide ? undefined : code.runAt(entry);
  if (run === undefined) return false;
  const start = entry - run.start;
  const bytes = Buffer.from(
    run.bytes.buffer,
    run.bytes.byteOffset + start,
    Math.min(HELPER, run.bytes.length - start),
  );
  const handlers = bytes.indexOf(Uint8Array.from(READ_HANDLERS));
  const frame = bytes.indexOf(Uint8Array.from(SET_FRAME));
  return handlers >= 0 && frame > handlers;
}

/** Whether 32-bit code works in the frame of whoever calls it, as blocks do that `__finally` made. */
export function usesCallersFrame({ instructions, function: { entry } }: FunctionFlow): boolean {
  let at = entry as number;
  for (let count = 0; count < FIRST_INSTRUCTIONS; count++) {
    const instruction = instructions.get(at);
    if (instruction === undefined) return false;
    const { operands, writes, length, target } = instruction;
    if (operands.some((operand) => operand.kind === "memory" && operand.base === Reg.bp)) return true;
    if (writes.includes(Reg.bp) || (instruction.mnemonic === "push" && isFrameRegister(operands[0])))
      return false;
    if (target !== undefined && instruction.mnemonic !== "call") return false;
    at += length;
  }
  return false;
}

function isFrameRegister(
  operand: { readonly kind: string; readonly register?: number } | undefined,
): boolean {
  return operand?.kind === "register" && operand.register === Reg.bp;
}
