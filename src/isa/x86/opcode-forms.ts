import { Flow } from "../instruction.ts";

/**
 * What follows an opcode, and where the instruction leads.
 *
 * @see Intel SDM volume 2, appendix A "Opcode Map"
 */
export interface OpcodeMap {
  /** A form by opcode; 0 where there is none. */
  readonly forms: Uint8Array;
  /** A `Flow` by opcode; what only the operand tells is not in it. */
  readonly flows: Uint8Array;
}

/** What follows an opcode: nothing, a ModR/M byte with what it calls for, immediates of a length or of the operand's. */
export const NONE = 1;
export const MODRM = 2;
export const MODRM_IMM8 = 3;
export const MODRM_IMMZ = 4;
export const IMM8 = 5;
export const IMM16 = 6;
export const IMMZ = 7;
/** `mov reg, imm`, as wide as the register. */
export const IMM_REGISTER = 8;
/** An address, as wide as addresses are. */
export const ADDRESS = 9;
export const REL8 = 10;
export const REL32 = 11;
/** `enter`. */
export const IMM16_IMM8 = 12;
/** `int`, whose number tells whether it comes back. */
export const INTERRUPT = 13;
/** F6 and F7, of which only `test` has an immediate. */
export const GROUP_3 = 14;
/** FF: `inc`, `dec`, `call`, `jmp`, `push`. */
export const GROUP_5 = 15;
/** `les` and `lds`, or VEX prefixes. */
export const LOAD_SEGMENT = 16;
/** A third byte of the opcode, then as `MODRM` or `MODRM_IMM8`. */
export const THREE_BYTES = 17;
export const THREE_BYTES_IMM8 = 18;
/** `mov` of control and debug registers: a ModR/M byte that calls for nothing more. */
export const REGISTERS_ONLY = 19;
/** `vmread`, or another instruction behind a prefix. */
export const VMREAD = 20;
/** This and what is above are prefixes. */
export const PREFIX = 32;
export const REX = 33;

/** What follows each first byte of an opcode. */
export function oneByteMap(bits: 32 | 64): OpcodeMap {
  const forms = new Uint8Array(256);
  const flows = new Uint8Array(256);
  /** A form that 64-bit code has no more. */
  const old = (form: number): number => (bits === 64 ? 0 : form);
  const set = (first: number, last: number, form: number, flow: number = Flow.Next): void => {
    forms.fill(form, first, last + 1);
    flows.fill(flow, first, last + 1);
  };
  for (let row = 0; row < 0x40; row += 8) {
    set(row, row + 3, MODRM);
    set(row + 4, row + 4, IMM8);
    set(row + 5, row + 5, IMMZ);
    set(row + 6, row + 7, old(NONE));
  }
  for (const prefix of [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3])
    set(prefix, prefix, PREFIX);
  set(0x40, 0x4f, bits === 64 ? REX : NONE);
  set(0x50, 0x5f, NONE);
  set(0x60, 0x61, old(NONE));
  for (const [at, form] of [
    [0x63, MODRM],
    [0x68, IMMZ],
    [0x69, MODRM_IMMZ],
    [0x6a, IMM8],
    [0x6b, MODRM_IMM8],
  ] as const)
    set(at, at, form);
  set(0x6c, 0x6f, NONE);
  set(0x70, 0x7f, REL8, Flow.Branch);
  set(0x80, 0x83, MODRM_IMM8);
  set(0x81, 0x81, MODRM_IMMZ);
  set(0x82, 0x82, old(MODRM_IMM8));
  set(0x84, 0x8f, MODRM);
  set(0x90, 0x99, NONE);
  set(0x9b, 0x9f, NONE);
  upperHalf(set, old);
  return { forms, flows };
}

type Set = (first: number, last: number, form: number, flow?: number) => void;

/** From A0 on. */
function upperHalf(set: Set, old: (form: number) => number): void {
  set(0xa0, 0xa3, ADDRESS);
  set(0xa4, 0xa7, NONE);
  set(0xa8, 0xa8, IMM8);
  set(0xa9, 0xa9, IMMZ);
  set(0xaa, 0xaf, NONE);
  set(0xb0, 0xb7, IMM8);
  set(0xb8, 0xbf, IMM_REGISTER);
  set(0xc0, 0xc1, MODRM_IMM8);
  set(0xc2, 0xc2, IMM16, Flow.Return);
  set(0xc3, 0xc3, NONE, Flow.Return);
  set(0xc4, 0xc5, LOAD_SEGMENT);
  set(0xc6, 0xc6, MODRM_IMM8);
  set(0xc7, 0xc7, MODRM_IMMZ);
  set(0xc8, 0xc8, IMM16_IMM8);
  set(0xc9, 0xc9, NONE);
  set(0xca, 0xca, IMM16, Flow.Return);
  set(0xcb, 0xcb, NONE, Flow.Return);
  set(0xcc, 0xcc, NONE, Flow.Stop);
  set(0xcd, 0xcd, INTERRUPT);
  set(0xce, 0xce, old(NONE));
  set(0xcf, 0xcf, NONE, Flow.Return);
  set(0xd0, 0xd3, MODRM);
  set(0xd4, 0xd5, old(IMM8));
  set(0xd7, 0xd7, NONE);
  set(0xd8, 0xdf, MODRM);
  set(0xe0, 0xe3, REL8, Flow.Branch);
  set(0xe4, 0xe7, IMM8);
  set(0xe8, 0xe8, REL32, Flow.Call);
  set(0xe9, 0xe9, REL32, Flow.Jump);
  set(0xeb, 0xeb, REL8, Flow.Jump);
  set(0xec, 0xef, NONE);
  set(0xf1, 0xf1, NONE);
  set(0xf4, 0xf5, NONE);
  set(0xf6, 0xf7, GROUP_3);
  set(0xf8, 0xfd, NONE);
  set(0xfe, 0xfe, MODRM);
  set(0xff, 0xff, GROUP_5);
}

/** What follows each byte behind 0F. */
export function twoByteMap(): OpcodeMap {
  const forms = new Uint8Array(256).fill(MODRM);
  const flows = new Uint8Array(256);
  const set = (first: number, last: number, form: number, flow: number = Flow.Next): void => {
    forms.fill(form, first, last + 1);
    flows.fill(flow, first, last + 1);
  };
  for (const none of [0x05, 0x06, 0x08, 0x09, 0x0e, 0x34, 0x37, 0x77, 0xa0, 0xa1, 0xa2, 0xa8, 0xa9])
    set(none, none, NONE);
  set(0x07, 0x07, NONE, Flow.Return);
  set(0x0b, 0x0b, NONE, Flow.Stop);
  set(0x20, 0x23, REGISTERS_ONLY);
  set(0x24, 0x27, 0);
  set(0x30, 0x33, NONE);
  set(0x35, 0x35, NONE, Flow.Return);
  set(0x38, 0x38, THREE_BYTES);
  set(0x3a, 0x3a, THREE_BYTES_IMM8);
  set(0x3b, 0x3f, 0);
  for (const imm8 of [0x70, 0x71, 0x72, 0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6])
    set(imm8, imm8, MODRM_IMM8);
  set(0x78, 0x78, VMREAD);
  set(0x80, 0x8f, REL32, Flow.Branch);
  set(0xc8, 0xcf, NONE);
  for (const none of [0x04, 0x0a, 0x0c, 0x0f, 0x36, 0x39, 0x79, 0x7a, 0x7b, 0xa6, 0xa7, 0xaa, 0xb9, 0xff])
    set(none, none, 0);
  return { forms, flows };
}
