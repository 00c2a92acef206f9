import type { CodeBytes, CodeRun } from "../instruction.ts";

/** The pointer that `call [slot]` or `jmp [slot]` goes through: FF /2 or /4 with nothing but a displacement. */
export function fixedSlot(code: CodeBytes, run: CodeRun, at: number, length: number): number | undefined {
  const offset = at - run.start;
  const { bytes } = run;
  const modrmAt = offset + length - 5;
  if (length < 6 || bytes[modrmAt - 1] !== 0xff || ((bytes[modrmAt] ?? 0) & 0xc7) !== 0x05) return undefined;
  const displacement =
    (bytes[modrmAt + 1] as number) |
    ((bytes[modrmAt + 2] as number) << 8) |
    ((bytes[modrmAt + 3] as number) << 16) |
    ((bytes[modrmAt + 4] as number) << 24);
  const slot = code.wide ? at + length + displacement : (displacement - code.base32) | 0;
  return slot >= 0 && slot < code.size ? slot : undefined;
}
