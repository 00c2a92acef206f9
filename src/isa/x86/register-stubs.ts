import type { CodeBytes } from "../instruction.ts";
import { behindIdleHead } from "./thunks.ts";

/** Bytes between a retpoline's call and the place that it leads to: a loop that nothing but speculation enters. */
const LOOP = 0x20;

/**
 * The register that a stub jumps through, by its number: `jmp rax`, or the retpoline that does so by a return, as
 * compilers put in place of indirect calls (`__x86_indirect_thunk_rax`, `__llvm_retpoline_r11`).
 *
 * @returns `undefined`: no such stub stands at `entry`
 */
export function stubRegister(code: CodeBytes, entry: number): number | undefined {
  const run = code.runAt(entry);
  if (run === undefined) return undefined;
  const at = behindIdleHead(run, entry) - run.start;
  return jumpRegister(run.bytes, at, code.wide) ?? retpolineRegister(run.bytes, at, code.wide);
}

/** `jmp reg`. */
function jumpRegister(bytes: Uint8Array, at: number, wide: boolean): number | undefined {
  const extended = wide && bytes[at] === 0x41;
  const start = extended ? at + 1 : at;
  const modrm = bytes[start + 1] ?? 0;
  if (bytes[start] !== 0xff || modrm < 0xe0 || modrm > 0xe7) return undefined;
  return (modrm & 7) + (extended ? 8 : 0);
}

/** `call 1f; 2: pause; lfence; jmp 2b; 1: mov [rsp], reg; ret`. */
function retpolineRegister(bytes: Uint8Array, at: number, wide: boolean): number | undefined {
  const away = (bytes[at + 1] ?? 0) | ((bytes[at + 2] ?? 1) << 8) | ((bytes[at + 3] ?? 1) << 16);
  if (bytes[at] !== 0xe8 || away === 0 || away > LOOP || bytes[at + 4] !== 0) return undefined;
  let place = at + 5 + away;
  const rex = bytes[place] ?? 0;
  if (wide && rex !== 0x48 && rex !== 0x4c) return undefined;
  if (wide) place++;
  const modrm = bytes[place + 1] ?? 0;
  if (bytes[place] !== 0x89 || (modrm & 0xc7) !== 0x04 || bytes[place + 2] !== 0x24) return undefined;
  return bytes[place + 3] === 0xc3 ? ((modrm >> 3) & 7) + (wide && rex === 0x4c ? 8 : 0) : undefined;
}
