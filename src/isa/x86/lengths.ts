import { FLOW_SHIFT, Flow, MAX_INSTRUCTION, wordAt } from "../instruction.ts";
import {
  ADDRESS,
  GROUP_3,
  GROUP_5,
  IMM_REGISTER,
  IMM8,
  IMM16,
  IMM16_IMM8,
  IMMZ,
  INTERRUPT,
  LOAD_SEGMENT,
  MODRM,
  MODRM_IMM8,
  MODRM_IMMZ,
  NOTHING,
  oneByteMap,
  PREFIX,
  REGISTERS_ONLY,
  REL8,
  REL32,
  REX,
  THREE_BYTES,
  THREE_BYTES_IMM8,
  twoByteMap,
  VMREAD,
} from "./opcode-forms.ts";

/**
 * How long an x86 instruction is and where it leads, for the passes that go over a whole image. It knows the
 * encodings that compilers write; what it does not know it says (0), and the decoder answers. It is 10 times as
 * fast as a full decode, and a test holds it against the decoder on every instruction of real images.
 *
 * @returns `InstructionSet.step` for code of so many bits
 */
export function stepOf(bits: 32 | 64): (bytes: Uint8Array, at: number, end: number) => number {
  const oneByte = oneByteMap(bits);
  const twoByte = twoByteMap();
  const wide = bits === 64;
  return (bytes, at, end) => {
    let next = at;
    let prefixes = 0;
    let op = 0;
    let form = 0;
    for (;;) {
      if (next >= end) return 0;
      op = bytes[next++] as number;
      form = oneByte.forms[op] as number;
      if (form < PREFIX) break;
      if (form === REX) prefixes = (prefixes & ~REX_W) | ((op & 8) === 0 ? 0 : REX_W);
      else {
        if (op === 0x67 && !wide) return 0;
        prefixes = (prefixes & ~REX_W) | prefixBit(op);
      }
      if (next - at > 4) return 0;
    }
    let flow = oneByte.flows[op] as number;
    if (op === 0x0f) {
      if (next >= end) return 0;
      op = bytes[next++] as number;
      form = twoByte.forms[op] as number;
      flow = twoByte.flows[op] as number;
    }
    if (form === GROUP_5) flow = next < end ? groupFlow(bytes[next] as number) : NO_FLOW;
    else if (form === INTERRUPT && bytes[next] === 0x29 && next < end) flow = Flow.Stop;
    const length = behindForm(form, bytes, next, end, prefixes, wide) - at;
    return at + length > end || length > MAX_INSTRUCTION || flow === NO_FLOW
      ? 0
      : length | (flow << FLOW_SHIFT);
  };
}

const OPERAND_16 = 1;
const REX_W = 2;
const REPEAT = 4;
const ADDRESS_32 = 8;

function prefixBit(op: number): number {
  if (op === 0x66) return OPERAND_16;
  if (op === 0x67) return ADDRESS_32;
  return op === 0xf2 || op === 0xf3 ? REPEAT : 0;
}

function immediateSize(prefixes: number): number {
  return (prefixes & (OPERAND_16 | REX_W)) === OPERAND_16 ? 2 : 4;
}

const NO_FLOW = 255;
/** `inc`, `dec`, two calls, two jumps, `push`, none. */
function groupFlow(modrm: number): number {
  const operation = (modrm >> 3) & 7;
  if (operation === 7) return NO_FLOW;
  if (operation === 2 || operation === 3) return Flow.CallIndirect;
  return operation === 4 || operation === 5 ? Flow.JumpIndirect : Flow.Next;
}

/** Past any end. */
const NOWHERE = 2 ** 31;

/** Behind all that an opcode calls for. */
function behindForm(
  form: number,
  bytes: Uint8Array,
  next: number,
  end: number,
  prefixes: number,
  wide: boolean,
): number {
  switch (form) {
    case NOTHING:
      return next;
    case MODRM:
    case GROUP_5:
      return behindOperand(bytes, next, end);
    case MODRM_IMM8:
      return behindOperand(bytes, next, end) + 1;
    case MODRM_IMMZ:
      return behindOperand(bytes, next, end) + immediateSize(prefixes);
    case IMM8:
    case INTERRUPT:
    case REGISTERS_ONLY:
      return next + 1;
    case IMMZ:
      return next + immediateSize(prefixes);
    case REL32:
      return (prefixes & OPERAND_16) === 0 ? next + 4 : NOWHERE;
    case REL8:
      return (prefixes & OPERAND_16) === 0 || wide ? next + 1 : NOWHERE;
    case IMM16:
      return next + 2;
    case IMM16_IMM8:
      return next + 3;
    case IMM_REGISTER:
      return next + ((prefixes & REX_W) === 0 ? immediateSize(prefixes) : 8);
    case ADDRESS:
      return next + (wide && (prefixes & ADDRESS_32) === 0 ? 8 : 4);
    case THREE_BYTES:
      return behindOperand(bytes, next + 1, end);
    case THREE_BYTES_IMM8:
      return behindOperand(bytes, next + 1, end) + 1;
    case VMREAD:
      return (prefixes & (OPERAND_16 | REPEAT)) === 0 ? behindOperand(bytes, next, end) : NOWHERE;
    case GROUP_3:
      return behindGroup3(bytes, next, end, prefixes);
    case LOAD_SEGMENT:
      return wide || (bytes[next] as number) >= 0xc0 ? NOWHERE : behindOperand(bytes, next, end);
    default:
      return NOWHERE;
  }
}

function behindGroup3(bytes: Uint8Array, next: number, end: number, prefixes: number): number {
  const isTest = ((bytes[next] as number) & 0x38) < 0x10;
  const size = bytes[next - 1] === 0xf6 ? 1 : immediateSize(prefixes);
  return behindOperand(bytes, next, end) + (isTest ? size : 0);
}

/** Behind a ModR/M byte, and the SIB byte and displacement that it calls for. */
function behindOperand(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return NOWHERE;
  const modrm = bytes[at] as number;
  const mod = modrm >> 6;
  if (mod === 3) return at + 1;
  const rm = modrm & 7;
  let next = at + 1;
  if (rm === 4) {
    if (next >= end) return NOWHERE;
    const base = (bytes[next++] as number) & 7;
    if (mod === 0 && base === 5) next += 4;
  } else if (mod === 0 && rm === 5) next += 4;
  return mod === 1 ? next + 1 : mod === 2 ? next + 4 : next;
}

/** Where the near call, jump or branch of `length` bytes at `at` leads: an offset like `at`, perhaps negative. */
export function nearTarget(bytes: Uint8Array, at: number, length: number): number {
  const end = at + length;
  if (isLongForm(bytes, at, length)) return end + wordAt(bytes, end - 4);
  return end + (((bytes[end - 1] as number) << 24) >> 24);
}

function isLongForm(bytes: Uint8Array, at: number, length: number): boolean {
  if (length < 5) return false;
  const opcode = bytes[at + length - 5] as number;
  return opcode === 0xe8 || opcode === 0xe9 || (opcode & 0xf0) === 0x80;
}

/** The n of `ret n`; `undefined` for other returns. */
export function poppedByReturn(bytes: Uint8Array, at: number): number | undefined {
  if (bytes[at] === 0xc3) return 0;
  return bytes[at] === 0xc2 ? (bytes[at + 1] ?? 0) | ((bytes[at + 2] ?? 0) << 8) : undefined;
}
