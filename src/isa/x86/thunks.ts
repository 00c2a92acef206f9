import type { CodeRun } from "../instruction.ts";
import { nopLength } from "./padding.ts";

/**
 * Where the first instruction that does anything stands: behind a place for a patch, a landing pad of control-flow
 * enforcement, and a frame that is set up and taken down again (`push ebp; mov ebp, esp; pop ebp`), as compilers put
 * in front of the jump to a function that takes the same arguments.
 */
export function behindIdleHead({ bytes, start }: CodeRun, entry: number): number {
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
