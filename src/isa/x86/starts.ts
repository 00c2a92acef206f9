import type { BitSet } from "../../core/bit-set.ts";
import { type CodeBytes, type CodeRun, FLOW_SHIFT, Flow, LENGTH_MASK, wordAt } from "../instruction.ts";
import { type FunctionStarts, type Prologue, TOO_ODD } from "../instruction-set.ts";
import { stepOf } from "./lengths.ts";
import { isBehindNop } from "./padding.ts";

/** Functions of 32-bit code. */
export const x86Starts: FunctionStarts = {
  prologueAt,
  endsFrame: isFrameEnd,
  isBehindEnd,
  // mov esp, [ebp-18h]
  isHandler: ({ bytes, start }, at) => bytes[at - start] === 0x8b && bytes[at - start + 1] === 0x65,
  eachTableName,
  setsUpFrame,
  oddness: oddnessOf,
};

function prologueAt(run: CodeRun, at: number): Prologue | undefined {
  const { bytes } = run;
  const i = at - run.start;
  // neither a subarray nor its iterator: this is asked behind every call
  const b0 = bytes[i];
  const b1 = bytes[i + 1];
  const b2 = bytes[i + 2];
  // mov edi, edi; push ebp; mov ebp, esp
  if (b0 === 0x8b && b1 === 0xff && b2 === 0x55) return "frame";
  // mov edi, edi is room for a patch; push ecx behind it makes room for a variable.
  if (b0 === 0x8b && b1 === 0xff && b2 !== 0x8b) return b2 === 0x51 ? "weak" : prologueAt(run, at + 2);
  // push ebp; mov ebp, esp in both encodings
  if (b0 === 0x55 && ((b1 === 0x8b && b2 === 0xec) || (b1 === 0x89 && b2 === 0xe5))) return "frame";
  // lea ecx, [esp+4]; and esp, -16: gcc aligns the stack
  if (
    b0 === 0x8d &&
    b1 === 0x4c &&
    b2 === 0x24 &&
    bytes[i + 3] === 0x04 &&
    bytes[i + 4] === 0x83 &&
    bytes[i + 5] === 0xe4
  )
    return "frame";
  // endbr32
  if (b0 === 0xf3 && b1 === 0x0f && b2 === 0x1e) return "frame";
  // push n; push scope table; call __SEH_prolog
  if (b0 === 0x6a && b2 === 0x68 && bytes[i + 7] === 0xe8) return "strong";
  if (b0 === 0x68 && bytes[i + 5] === 0x68 && bytes[i + 10] === 0xe8) return "strong";
  // push n; mov eax, handler; call __EH_prolog3
  if (b0 === 0x6a && b2 === 0xb8 && bytes[i + 7] === 0xe8) return "strong";
  // push ebp, edi, esi or ebx
  if (b0 === 0x55 || b0 === 0x57 || b0 === 0x56 || b0 === 0x53) return "weak";
  // sub esp, n
  if ((b0 === 0x83 || b0 === 0x81) && b1 === 0xec) return "weak";
  // mov reg, [esp+n]: one of the first arguments of a function without a frame
  if (b0 === 0x8b && b2 === 0x24 && ((b1 ?? 0) & 0xc7) === 0x44 && FIRST_ARGUMENTS.has(bytes[i + 3] ?? 0))
    return "weak";
  return undefined;
}

const FIRST_ARGUMENTS: ReadonlySet<number> = new Set([4, 8, 12, 16, 20]);

/** mov edi, edi; push ebp; mov ebp, esp: five bytes that stand nowhere but where a function starts. */
function isPatchedFrame({ bytes, start }: CodeRun, at: number): boolean {
  const i = at - start;
  return (
    bytes[i] === 0x8b &&
    bytes[i + 1] === 0xff &&
    bytes[i + 2] === 0x55 &&
    bytes[i + 3] === 0x8b &&
    bytes[i + 4] === 0xec
  );
}

/** `jmp reg`, `jmp [reg+n]` or `jmp [slot]` ends in front of an offset. */
function isBehindIndirectJump(bytes: Uint8Array, offset: number): boolean {
  const jump = (back: number, mask: number, form: number): boolean =>
    offset >= back && bytes[offset - back] === 0xff && ((bytes[offset - back + 1] ?? 0) & mask) === form;
  return jump(2, 0xf8, 0xe0) || jump(3, 0xf8, 0x60) || jump(6, 0xff, 0x25);
}

/** `pop reg`, `leave`, or `add esp, n`: the end of a frame. */
function isFrameEnd(run: CodeRun, at: number): boolean {
  const byte = run.bytes[at - run.start] ?? 0;
  if ((byte >= 0x58 && byte <= 0x5f) || byte === 0xc9) return true;
  return (byte === 0x83 || byte === 0x81) && run.bytes[at - run.start + 1] === 0xc4;
}

function isBehindEnd(run: CodeRun, at: number): boolean {
  const offset = at - run.start;
  const { bytes } = run;
  const before = bytes[offset - 1];
  if (before === 0xcc || before === 0x90 || before === 0xc3) return true;
  if (offset >= 3 && bytes[offset - 3] === 0xc2) return true;
  if (offset >= 5 && bytes[offset - 5] === 0xe9) return true;
  if (offset >= 2 && bytes[offset - 2] === 0xeb) return true;
  if (isBehindIndirectJump(bytes, offset) || isPatchedFrame(run, at) || isBehindNop(run, at)) return true;
  // A zero ends most displacements; it is padding where linkers join sections.
  return before === 0 && (at % 16 === 0 || prologueAt(run, at) === "frame");
}

/** `push table`, `mov [ebp-n], table`. */
function eachTableName({ bytes, start }: CodeRun, found: (at: number, operand: number) => void): void {
  for (let i = 0; i + 7 <= bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte === 0x68) found(start + i, start + i + 1);
    else if (byte === 0xc7 && bytes[i + 1] === 0x45) found(start + i, start + i + 3);
  }
}

/** Bytes of a helper in which it sets up its caller's frame. */
const HELPER = 0x40;
/** `mov eax, fs:[0]`, and `push fs:[0]`. */
const READ_HANDLERS = [
  [0x64, 0xa1, 0, 0, 0, 0],
  [0x64, 0xff, 0x35, 0, 0, 0, 0],
];
/** `lea ebp, [esp+n]`. */
const SET_FRAME = [0x8d, 0x6c, 0x24];

const step = stepOf(32);

/** It is given the frame's size and a scope table, and leaves ebp pointing to where the size stood. */
function setsUpFrame(code: CodeBytes, entry: number): boolean {
  const run = code.runAt(entry);
  if (run === undefined) return false;
  const { bytes } = run;
  const is = (at: number, wanted: readonly number[]) => wanted.every((byte, i) => bytes[at + i] === byte);
  const end = entry - run.start + HELPER;
  let length = 0;
  let handlers = false;
  for (let at = entry - run.start; at < end; at += length) {
    const packed = step(bytes, at, bytes.length);
    length = packed & LENGTH_MASK;
    if (length === 0 || packed >> FLOW_SHIFT !== Flow.Next) return false;
    handlers ||= READ_HANDLERS.some((wanted) => is(at, wanted));
    if (handlers && is(at, SET_FRAME)) return true;
  }
  return false;
}

/**
 * Any bytes decode to something: texts to `outs`, `arpl` and `popa`, numbers to zeros and far calls, tables of pointers
 * to instructions with an address where no operand is.
 */
function oddnessOf(
  code: CodeBytes,
  relocated: BitSet | undefined,
  run: CodeRun,
  at: number,
  length: number,
): number {
  const { bytes, start } = run;
  const first = bytes[at - start] as number;
  const second = bytes[at - start + 1] ?? 0;
  if (first === 0 && second === 0) return TOO_ODD;
  // fs and gs are followed by a move, not by another letter.
  if ((first === 0x64 || first === 0x65) && second >= 0x61 && second <= 0x7a && second !== 0x66)
    return TOO_ODD;
  // VEX takes what would be the register form of les and lds.
  const vex = (first === 0xc4 || first === 0xc5) && second >= 0xc0;
  const odd = vex ? 0 : (ODD[first] as number);
  if (odd !== 0) return odd;
  return cutsPointer(code, relocated, run, at, length) ? TOO_ODD : 0;
}

/** A pointer starts with the instruction, or reaches over its end: it is no operand. */
function cutsPointer(
  code: CodeBytes,
  relocated: BitSet | undefined,
  run: CodeRun,
  at: number,
  length: number,
): boolean {
  if (relocated === undefined) return isPointer(code, run, at) && isPointer(code, run, at + 4);
  if (relocated.has(at)) return true;
  for (let place = Math.max(at + 1, at + length - 3); place < at + length; place++)
    if (relocated.has(place)) return true;
  return false;
}

function isPointer(code: CodeBytes, { bytes, start, end }: CodeRun, at: number): boolean {
  if (at % 4 !== 0 || at + 4 > end) return false;
  const offset = (wordAt(bytes, at - start) >>> 0) - code.base32;
  return offset >= 0x1000 && offset < code.size;
}

const ODD = new Uint8Array(256);
// push and pop of segment registers, pusha, popa, iret: what interrupt handlers are made of.
for (const byte of [0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x60, 0x61, 0xcf]) ODD[byte] = 1;
// Decimal arithmetic, bound, arpl, address size, port strings without rep, far calls and returns, loops, int1.
for (const byte of [0x27, 0x2f, 0x37, 0x3f, 0x62, 0x63, 0x67, 0x6c, 0x6d, 0x6e, 0x6f, 0x82, 0x9a])
  ODD[byte] = TOO_ODD;
for (const byte of [0xc4, 0xc5, 0xca, 0xcb, 0xce, 0xd4, 0xd5, 0xd6, 0xe0, 0xe1, 0xea, 0xf1])
  ODD[byte] = TOO_ODD;
