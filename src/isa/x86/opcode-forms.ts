/**
 * What follows an opcode: operands by a ModR/M byte, immediates, or something that only the opcode tells.
 *
 * @see Intel SDM volume 2, appendix A "Opcode Map"
 */

const NONE = 1;
export const MODRM = 2;
export const MODRM_IMM8 = 3;
export const MODRM_IMMZ = 4;
export const IMM8 = 5;
export const IMMZ = 6;
export const OTHER = 7;
export const PREFIX = 8;
export const REX = 9;

/** What follows each first byte of an opcode. */
export function oneByteForms(wide: boolean): Uint8Array {
  const forms = new Uint8Array(256);
  const set = (first: number, last: number, form: number): Uint8Array => forms.fill(form, first, last + 1);
  for (let row = 0; row < 0x40; row += 8) {
    set(row, row + 3, MODRM);
    forms[row + 4] = IMM8;
    forms[row + 5] = IMMZ;
    set(row + 6, row + 7, wide ? 0 : NONE);
  }
  forms[0x0f] = OTHER;
  for (const prefix of [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3])
    forms[prefix] = PREFIX;
  set(0x40, 0x4f, wide ? REX : NONE);
  set(0x50, 0x5f, NONE);
  set(0x60, 0x61, wide ? 0 : NONE);
  forms[0x63] = MODRM;
  forms[0x68] = IMMZ;
  forms[0x69] = MODRM_IMMZ;
  forms[0x6a] = IMM8;
  forms[0x6b] = MODRM_IMM8;
  set(0x6c, 0x6f, NONE);
  set(0x70, 0x7f, OTHER);
  set(0x80, 0x83, MODRM_IMM8);
  forms[0x81] = MODRM_IMMZ;
  if (wide) forms[0x82] = 0;
  set(0x84, 0x8f, MODRM);
  set(0x90, 0x9f, NONE);
  forms[0x9a] = 0;
  set(0xa0, 0xa3, OTHER);
  set(0xa4, 0xa7, NONE);
  forms[0xa8] = IMM8;
  forms[0xa9] = IMMZ;
  set(0xaa, 0xaf, NONE);
  set(0xb0, 0xb7, IMM8);
  set(0xb8, 0xbf, OTHER);
  set(0xc0, 0xc1, MODRM_IMM8);
  set(0xc2, 0xc5, OTHER);
  forms[0xc6] = MODRM_IMM8;
  forms[0xc7] = MODRM_IMMZ;
  forms[0xc8] = OTHER;
  forms[0xc9] = NONE;
  set(0xca, 0xcd, OTHER);
  forms[0xce] = wide ? 0 : NONE;
  forms[0xcf] = OTHER;
  set(0xd0, 0xd3, MODRM);
  set(0xd4, 0xd5, wide ? 0 : IMM8);
  forms[0xd7] = NONE;
  set(0xd8, 0xdf, MODRM);
  set(0xe0, 0xe3, OTHER);
  set(0xe4, 0xe7, IMM8);
  set(0xe8, 0xe9, OTHER);
  forms[0xeb] = OTHER;
  set(0xec, 0xef, NONE);
  forms[0xf1] = NONE;
  set(0xf4, 0xf5, NONE);
  set(0xf6, 0xf7, OTHER);
  set(0xf8, 0xfd, NONE);
  forms[0xfe] = MODRM;
  forms[0xff] = OTHER;
  return forms;
}

/** What follows each byte behind 0F. */
export function twoByteForms(): Uint8Array {
  const forms = new Uint8Array(256).fill(MODRM);
  const set = (first: number, last: number, form: number): Uint8Array => forms.fill(form, first, last + 1);
  for (const none of [0x05, 0x06, 0x08, 0x09, 0x0e, 0x34, 0x37, 0x77, 0xa0, 0xa1, 0xa2, 0xa8, 0xa9]) {
    forms[none] = NONE;
  }
  set(0x30, 0x33, NONE);
  set(0xc8, 0xcf, NONE);
  for (const imm8 of [0x70, 0x71, 0x72, 0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6])
    forms[imm8] = MODRM_IMM8;
  for (const other of [0x07, 0x0b, 0x35, 0x38, 0x3a, 0x78]) forms[other] = OTHER;
  set(0x20, 0x23, OTHER);
  set(0x80, 0x8f, OTHER);
  for (const none of [0x04, 0x0a, 0x0c, 0x0f, 0x36, 0x39, 0x79, 0x7a, 0x7b, 0xa6, 0xa7, 0xaa, 0xb9, 0xff])
    forms[none] = 0;
  set(0x24, 0x27, 0);
  set(0x3b, 0x3f, 0);
  return forms;
}
