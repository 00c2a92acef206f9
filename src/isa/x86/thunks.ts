import { type CodeBytes, type CodeRun, FLOW_SHIFT, Flow, LENGTH_MASK, wordAt } from "../instruction.ts";
import type { InstructionSet, Thunk, Thunks } from "../instruction-set.ts";
import { Reg } from "./abi.ts";
import { nearTarget } from "./lengths.ts";
import { nopLength } from "./padding.ts";

export function thunksOf(bits: 32 | 64, step: InstructionSet["step"]): Thunks {
  const slotOf: Thunks["slotOf"] = (code, run, at, length) => fixedSlot(bits, code, run, at, length);
  return {
    ...(bits === 64 ? { importRegister: Reg.r10, guardRegister: Reg.ax } : {}),
    slotOf,
    calledSlot: (code, run, at) => (startsWith(run, at, 0xff, 0x15) ? slotOf(code, run, at, 6) : undefined),
    isSlotJump: (run, at) => startsWith(run, at, 0xff, 0x25),
    behindIdleHead,
    jumpAt: (code, entry) => jumpAt(step, slotOf, code, entry),
    registerOf: (code, entry) => stubRegister(bits, code, entry),
  };
}

function startsWith({ bytes, start }: CodeRun, at: number, first: number, second: number): boolean {
  return bytes[at - start] === first && bytes[at - start + 1] === second;
}

function jumpAt(
  step: InstructionSet["step"],
  slotOf: Thunks["slotOf"],
  code: CodeBytes,
  entry: number,
): Thunk | undefined {
  const run = code.runAt(entry);
  if (run === undefined) return undefined;
  const at = behindIdleHead(run, entry);
  const packed = step(run.bytes, at - run.start, run.bytes.length);
  const flow = packed >> FLOW_SHIFT;
  const length = packed & LENGTH_MASK;
  if (flow === Flow.Jump) return { target: run.start + nearTarget(run.bytes, at - run.start, length) };
  const slot = flow === Flow.JumpIndirect ? slotOf(code, run, at, length) : undefined;
  return slot === undefined ? undefined : { slot };
}

/**
 * Where the first instruction that does anything stands: behind a place for a patch, a landing pad of control-flow
 * enforcement, and a frame that is set up and taken down again (`push ebp; mov ebp, esp; pop ebp`), as compilers put
 * in front of the jump to a function that takes the same arguments.
 */
function behindIdleHead({ bytes, start }: CodeRun, entry: number): number {
  let at = entry - start;
  // endbr32, endbr64
  if (bytes[at] === 0xf3 && bytes[at + 1] === 0x0f && bytes[at + 2] === 0x1e && (bytes[at + 3] ?? 0) >= 0xfa)
    at += 4;
  // mov edi, edi
  if (bytes[at] === 0x8b && bytes[at + 1] === 0xff) at += 2;
  else at += nopLength(bytes, at);
  if (bytes[at] === 0x55) {
    const frame =
      (bytes[at + 1] === 0x8b && bytes[at + 2] === 0xec) ||
      (bytes[at + 1] === 0x89 && bytes[at + 2] === 0xe5);
    if (frame && bytes[at + 3] === 0x5d) at += 4;
  }
  return at + start;
}

/** The pointer that `call [slot]` or `jmp [slot]` goes through: FF /2 or /4 with nothing but a displacement. */
function fixedSlot(
  bits: 32 | 64,
  code: CodeBytes,
  run: CodeRun,
  at: number,
  length: number,
): number | undefined {
  const offset = at - run.start;
  const { bytes } = run;
  const modrmAt = offset + length - 5;
  if (length < 6 || bytes[modrmAt - 1] !== 0xff || ((bytes[modrmAt] ?? 0) & 0xc7) !== 0x05) return undefined;
  const displacement = wordAt(bytes, modrmAt + 1);
  const slot = bits === 64 ? at + length + displacement : (displacement - code.base32) | 0;
  return slot >= 0 && slot < code.size ? slot : undefined;
}

/** Bytes between a retpoline's call and the place that it leads to: a loop that nothing but speculation enters. */
const LOOP = 0x20;

/**
 * The register that a stub jumps through, by its number: `jmp rax`, or the retpoline that does so by a return, as
 * compilers put in place of indirect calls (`__x86_indirect_thunk_rax`, `__llvm_retpoline_r11`).
 *
 * @returns `undefined`: no such stub stands at `entry`
 */
function stubRegister(bits: 32 | 64, code: CodeBytes, entry: number): number | undefined {
  const run = code.runAt(entry);
  if (run === undefined) return undefined;
  const at = behindIdleHead(run, entry) - run.start;
  return jumpRegister(run.bytes, at, bits) ?? retpolineRegister(run.bytes, at, bits);
}

/** `jmp reg`. */
function jumpRegister(bytes: Uint8Array, at: number, bits: 32 | 64): number | undefined {
  const extended = bits === 64 && bytes[at] === 0x41;
  const start = extended ? at + 1 : at;
  const modrm = bytes[start + 1] ?? 0;
  if (bytes[start] !== 0xff || modrm < 0xe0 || modrm > 0xe7) return undefined;
  return (modrm & 7) + (extended ? 8 : 0);
}

/** `call 1f; 2: pause; lfence; jmp 2b; 1: mov [rsp], reg; ret`. */
function retpolineRegister(bytes: Uint8Array, at: number, bits: 32 | 64): number | undefined {
  const away = (bytes[at + 1] ?? 0) | ((bytes[at + 2] ?? 1) << 8) | ((bytes[at + 3] ?? 1) << 16);
  if (bytes[at] !== 0xe8 || away === 0 || away > LOOP || bytes[at + 4] !== 0) return undefined;
  let place = at + 5 + away;
  const rex = bytes[place] ?? 0;
  if (bits === 64 && rex !== 0x48 && rex !== 0x4c) return undefined;
  if (bits === 64) place++;
  const modrm = bytes[place + 1] ?? 0;
  if (bytes[place] !== 0x89 || (modrm & 0xc7) !== 0x04 || bytes[place + 2] !== 0x24) return undefined;
  return bytes[place + 3] === 0xc3 ? ((modrm >> 3) & 7) + (bits === 64 && rex === 0x4c ? 8 : 0) : undefined;
}
