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

export const NOTHING = 1;
/** A ModR/M byte with what it calls for; then perhaps an immediate. */
export const MODRM = 2;
export const MODRM_IMM8 = 3;
export const MODRM_IMMZ = 4;
export const IMM8 = 5;
export const IMM16 = 6;
/** An immediate of 16 or 32 bits, as the operand has. */
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

/** The letters of the maps below; `-` is no instruction that is known here. */
const LETTERS: Readonly<Record<string, readonly [form: number, flow?: Flow]>> = {
  ".": [NOTHING],
  m: [MODRM],
  M: [MODRM_IMM8],
  Z: [MODRM_IMMZ],
  i: [IMM8],
  z: [IMMZ],
  r: [IMM_REGISTER],
  a: [ADDRESS],
  b: [REL8, Flow.Branch],
  B: [REL32, Flow.Branch],
  j: [REL8, Flow.Jump],
  J: [REL32, Flow.Jump],
  C: [REL32, Flow.Call],
  t: [NOTHING, Flow.Return],
  T: [IMM16, Flow.Return],
  s: [NOTHING, Flow.Stop],
  n: [INTERRUPT],
  e: [IMM16_IMM8],
  3: [GROUP_3],
  5: [GROUP_5],
  l: [LOAD_SEGMENT],
  h: [THREE_BYTES],
  H: [THREE_BYTES_IMM8],
  g: [REGISTERS_ONLY],
  v: [VMREAD],
  p: [PREFIX],
};

/** 16 opcodes a row, as in the manual. */
const ONE_BYTE = [
  "mmmmiz..mmmmiz.-",
  "mmmmiz..mmmmiz..",
  "mmmmizp.mmmmizp.",
  "mmmmizp.mmmmizp.",
  "................",
  "................",
  "..-mppppzZiM....",
  "bbbbbbbbbbbbbbbb",
  "MZMMmmmmmmmmmmmm",
  "..........-.....",
  "aaaa....iz......",
  "iiiiiiiirrrrrrrr",
  "MMTtllMZe.Ttsn.t",
  "mmmmii-.mmmmmmmm",
  "bbbbiiiiCJ-j....",
  "p.pp..33......m5",
];
/** Opcodes that 64-bit code has no more, from and up to. */
const OLD: readonly (readonly [number, number])[] = [
  ...[0x00, 0x10, 0x20, 0x30].flatMap((row) => [[row + 6, row + 8] as const, [row + 14, row + 16] as const]),
  [0x60, 0x62],
  [0x82, 0x83],
  [0xce, 0xcf],
  [0xd4, 0xd6],
];
const SEGMENTS = [0x26, 0x2e, 0x36, 0x3e];

/** What follows each first byte of an opcode. */
export function oneByteMap(bits: 32 | 64): OpcodeMap {
  const map = mapOf(ONE_BYTE);
  if (bits === 32) return map;
  for (const [from, to] of OLD) map.forms.fill(0, from, to);
  for (const segment of SEGMENTS) map.forms[segment] = PREFIX;
  map.forms.fill(REX, 0x40, 0x50);
  return map;
}

/** What follows each byte behind 0F. */
export function twoByteMap(): OpcodeMap {
  return mapOf([
    "mmmm-..t..-s-m.-",
    "mmmmmmmmmmmmmmmm",
    "gggg----mmmmmmmm",
    ".....t-.h-H-----",
    "mmmmmmmmmmmmmmmm",
    "mmmmmmmmmmmmmmmm",
    "mmmmmmmmmmmmmmmm",
    "MMMMmmm.v---mmmm",
    "BBBBBBBBBBBBBBBB",
    "mmmmmmmmmmmmmmmm",
    "...mMm--..-mMmmm",
    "mmmmmmmmm-Mmmmmm",
    "mmMmMMMm........",
    "mmmmmmmmmmmmmmmm",
    "mmmmmmmmmmmmmmmm",
    "mmmmmmmmmmmmmmm-",
  ]);
}

function mapOf(rows: readonly string[]): OpcodeMap {
  const letters = Array.from(rows.join(""), (letter) => LETTERS[letter] ?? [0]);
  return {
    forms: Uint8Array.from(letters, ([form]) => form),
    flows: Uint8Array.from(letters, ([, flow]) => flow ?? Flow.Next),
  };
}
