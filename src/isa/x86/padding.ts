import type { CodeRun } from "../instruction.ts";
import type { Padding } from "../instruction-set.ts";

const MAX_NOP = 15;

/**
 * Where padding between functions ends: `int 3`, and the forms of `nop` that compilers align with. Zeros are
 * padding where linkers join sections.
 */
function skipPadding(run: CodeRun, from: number, end: number): number {
  const { bytes, start } = run;
  const stop = Math.min(end, run.end) - start;
  let at = from - start;
  while (at < stop) {
    const byte = bytes[at] as number;
    if (byte === 0xcc || byte === 0) at++;
    else {
      const length = nopLength(bytes, at);
      if (length === 0 || at + length > stop) break;
      at += length;
    }
  }
  return Math.min(at, stop) + start;
}

/**
 * Where code starts behind padding. Padding ends where a paragraph starts: a `nop` that starts there, in front of
 * code that does not and behind no other `nop`, is the function's own first instruction, which leaves room for a patch.
 */
function startBehindPadding(run: CodeRun, from: number, end: number): number {
  const start = skipPadding(run, from, end);
  if (start >= end || start % 16 === 0) return start;
  const { bytes } = run;
  const at = start - run.start;
  // int3 pads; a nop of two bytes behind it does not, if it leads to no paragraph.
  if (start - 3 >= from && isPatchPlace(bytes, at - 2) && bytes[at - 3] === 0xcc) return start - 2;
  // Where nothing pads at all, mov edi, edi is the function's own too.
  if (start - 2 === from && bytes[at - 2] === 0x8b && bytes[at - 1] === 0xff && isBehindReturn(bytes, at - 2))
    return from;
  const paragraph = start & ~15;
  if (paragraph < from) return start;
  const own =
    skipPadding(run, from, paragraph) === paragraph &&
    nopLength(bytes, paragraph - run.start) > 0 &&
    bytes[paragraph - run.start - 1] !== 0x90 &&
    !isBehindNop(run, paragraph);
  return own ? paragraph : start;
}

/** `ret` or `ret n` ends in front of `at`. */
function isBehindReturn(bytes: Uint8Array, at: number): boolean {
  return bytes[at - 1] === 0xc3 || (bytes[at - 3] === 0xc2 && bytes[at - 1] === 0);
}

/** mov edi, edi; xchg ax, ax */
function isPatchPlace(bytes: Uint8Array, at: number): boolean {
  return (bytes[at] === 0x8b && bytes[at + 1] === 0xff) || (bytes[at] === 0x66 && bytes[at + 1] === 0x90);
}

/** A `nop` of several bytes ends in front of `at`. */
export function isBehindNop({ bytes, start }: CodeRun, at: number): boolean {
  const offset = at - start;
  for (let back = 2; back <= MAX_NOP && back <= offset; back++)
    if (nopLength(bytes, offset - back) === back) return true;
  return false;
}

/** The bytes of the `nop` at `at`, in the forms that compilers align with; 0 where there is none. */
export function nopLength(bytes: Uint8Array, at: number): number {
  if (NOP_STARTS[bytes[at] as number] !== 1) return 0;
  let next = at;
  // gas writes up to ten of these prefixes in front of its longest form.
  while (next - at < 11 && (bytes[next] === 0x66 || bytes[next] === 0x2e)) next++;
  const byte = bytes[next];
  if (byte === 0x90) return next + 1 - at;
  const second = bytes[next + 1] ?? 0;
  if (byte === 0x0f && second === 0x1f) return next + 2 + operandLength(bytes, next + 2) - at;
  // lea esi, [esi+0] and its like, in all their lengths.
  if (byte === 0x8d && isSelfLea(bytes, next)) return next + 1 + operandLength(bytes, next + 1) - at;
  // mov esi, esi as old assemblers wrote it; mov edi, edi, unless a function starts with it.
  if (byte === 0x89 && second === 0xf6) return next + 2 - at;
  if (byte === 0x8b && second === 0xff && bytes[next + 2] !== 0x55) return next + 2 - at;
  // mov eax, eax: Delphi's.
  if (byte === 0x8b && second === 0xc0) return next + 2 - at;
  return 0;
}

/** First bytes of the forms that `nopLength` knows. */
const NOP_STARTS = new Uint8Array(256);
for (const byte of [0x66, 0x2e, 0x90, 0x0f, 0x8d, 0x89, 0x8b]) NOP_STARTS[byte] = 1;

function operandLength(bytes: Uint8Array, at: number): number {
  const modrm = bytes[at] ?? 0;
  const mod = modrm >> 6;
  const sib = (modrm & 7) === 4 ? 1 : 0;
  return 1 + sib + (mod === 1 ? 1 : mod === 2 ? 4 : 0);
}

function isSelfLea(bytes: Uint8Array, at: number): boolean {
  const modrm = bytes[at + 1] ?? 0;
  const mod = modrm >> 6;
  const register = (modrm >> 3) & 7;
  if (mod === 3) return false;
  let displacementAt = at + 2;
  if ((modrm & 7) === 4) {
    const sib = bytes[at + 2] ?? 0;
    // The index is none, or is not scaled by zero: esi + riz*1.
    if ((sib & 7) !== register || ((sib >> 3) & 7) !== 4) return false;
    displacementAt++;
  } else if ((modrm & 7) !== register) return false;
  const size = mod === 1 ? 1 : mod === 2 ? 4 : 0;
  for (let i = 0; i < size; i++) if (bytes[displacementAt + i] !== 0) return false;
  return true;
}

export const x86Padding: Padding = {
  fillers: [0xcc, 0x90, 0],
  skip: skipPadding,
  startBehind: startBehindPadding,
  isBehindNop,
  nopLength,
  mayStartNop: (byte) => byte === 0x90 || byte === 0x66 || byte === 0x0f || byte === 0x8d || byte === 0x2e,
  isBreakpoint: (bytes, at) => bytes[at] === 0xcc,
};
