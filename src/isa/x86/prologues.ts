import type { CodeRun } from "../instruction.ts";

/** The bytes that 32-bit functions start with. Nothing but a function starts with a `frame`. */
export type Prologue = "frame" | "strong" | "weak";

export function prologueAt(run: CodeRun, at: number): Prologue | undefined {
  const b = run.bytes.subarray(at - run.start, at - run.start + 12);
  const [b0, b1, b2] = b;
  // mov edi, edi; push ebp; mov ebp, esp
  if (b0 === 0x8b && b1 === 0xff && b2 === 0x55) return "frame";
  // mov edi, edi is room for a patch; push ecx behind it makes room for a variable.
  if (b0 === 0x8b && b1 === 0xff && b2 !== 0x8b) return b2 === 0x51 ? "weak" : prologueAt(run, at + 2);
  // push ebp; mov ebp, esp in both encodings
  if (b0 === 0x55 && ((b1 === 0x8b && b2 === 0xec) || (b1 === 0x89 && b2 === 0xe5))) return "frame";
  // lea ecx, [esp+4]; and esp, -16: gcc aligns the stack
  if (b0 === 0x8d && b1 === 0x4c && b2 === 0x24 && b[3] === 0x04 && b[4] === 0x83 && b[5] === 0xe4)
    return "frame";
  // endbr32
  if (b0 === 0xf3 && b1 === 0x0f && b2 === 0x1e) return "frame";
  // push n; push scope table; call __SEH_prolog
  if (b0 === 0x6a && b2 === 0x68 && b[7] === 0xe8) return "strong";
  if (b0 === 0x68 && b[5] === 0x68 && b[10] === 0xe8) return "strong";
  // push n; mov eax, handler; call __EH_prolog3
  if (b0 === 0x6a && b2 === 0xb8 && b[7] === 0xe8) return "strong";
  // push ebp, edi, esi or ebx
  if (b0 === 0x55 || b0 === 0x57 || b0 === 0x56 || b0 === 0x53) return "weak";
  // sub esp, n
  if ((b0 === 0x83 || b0 === 0x81) && b1 === 0xec) return "weak";
  // mov reg, [esp+n]: one of the first arguments of a function without a frame
  if (b0 === 0x8b && b2 === 0x24 && ((b1 ?? 0) & 0xc7) === 0x44 && FIRST_ARGUMENTS.has(b[3] ?? 0))
    return "weak";
  return undefined;
}

const FIRST_ARGUMENTS: ReadonlySet<number> = new Set([4, 8, 12, 16, 20]);

/** mov edi, edi; push ebp; mov ebp, esp: five bytes that stand nowhere but where a function starts. */
export function isPatchedFrame({ bytes, start }: CodeRun, at: number): boolean {
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
export function isBehindIndirectJump(bytes: Uint8Array, offset: number): boolean {
  const jump = (back: number, mask: number, form: number): boolean =>
    offset >= back && bytes[offset - back] === 0xff && ((bytes[offset - back + 1] ?? 0) & mask) === form;
  return jump(2, 0xf8, 0xe0) || jump(3, 0xf8, 0x60) || jump(6, 0xff, 0x25);
}

/** `jmp [slot]` */
export function isThunk(run: CodeRun, at: number): boolean {
  return run.bytes[at - run.start] === 0xff && run.bytes[at - run.start + 1] === 0x25;
}

/** `pop reg`, `leave`, or `add esp, n`: the end of a frame. */
export function isFrameEnd(run: CodeRun, at: number): boolean {
  const byte = run.bytes[at - run.start] ?? 0;
  if ((byte >= 0x58 && byte <= 0x5f) || byte === 0xc9) return true;
  return (byte === 0x83 || byte === 0x81) && run.bytes[at - run.start + 1] === 0xc4;
}
