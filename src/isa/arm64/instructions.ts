import type { SimpleInstruction } from "../instruction.ts";

/**
 * Decodes one word of code. Register 31 is zero or the stack pointer.
 *
 * @see Arm Architecture Reference Manual for A-profile, "A64 Base Instruction Descriptions"
 */
export function decodeArm(word: number, at: number): SimpleInstruction {
  const rd = word & 31;
  const rn = (word >>> 5) & 31;
  const isPage = word >>> 31 === 1;
  const is = (mask: number, value: number): boolean => (word & mask) >>> 0 === value;
  if (is(0xfc000000, 0x94000000)) return { kind: "call", target: at + ((word << 6) >> 4) };
  if (is(0xfc000000, 0x14000000)) return { kind: "jump", target: at + ((word << 6) >> 4) };
  if (is(0xfffffc1f, 0xd63f0000)) return { kind: "call-register", register: rn };
  // With pointer authentication: blraa and its like.
  if (is(0xfefff800, 0xd63f0800)) return { kind: "call-register", register: rn };
  if (is(0xfffffc1f, 0xd61f0000) || is(0xfefff800, 0xd61f0800))
    return { kind: "jump-register", register: rn };
  if (is(0xfffffc1f, 0xd65f0000) || is(0xfffffbff, 0xd65f0bff)) return { kind: "return" };
  if (is(0xffe0001f, 0xd4200000)) return { kind: "stop" };
  // b.cond, cbz, cbnz; tbz, tbnz
  if (is(0xff000010, 0x54000000) || is(0x7e000000, 0x34000000))
    return { kind: "branch", target: at + ((word << 8) >> 13) * 4 };
  if (is(0x7e000000, 0x36000000)) return { kind: "branch", target: at + ((word << 13) >> 18) * 4 };
  if (is(0x1f000000, 0x10000000)) {
    const distance = (((word << 8) >> 13) << 2) | ((word >>> 29) & 3);
    return {
      kind: "address",
      register: rd,
      place: isPage ? (at & ~0xfff) + distance * 0x1000 : at + distance,
    };
  }
  if (is(0x7f800000, 0x11000000) || is(0x7f800000, 0x51000000)) {
    const by = ((word >>> 10) & 0xfff) * (is(0x400000, 0x400000) ? 0x1000 : 1);
    return { kind: "add", register: rd, from: rn, by: is(0x40000000, 0) ? by : -by };
  }
  // orr rd, zr, rm
  if (is(0x7fe0ffe0, 0x2a0003e0)) return { kind: "add", register: rd, from: (word >>> 16) & 31, by: 0 };
  const move = { register: rd, value: (word >>> 5) & 0xffff, shift: ((word >>> 21) & 3) * 16 };
  if (is(0x7f800000, 0x52800000)) return { kind: "number", ...move, keep: false };
  if (is(0x7f800000, 0x72800000)) return { kind: "number", ...move, keep: true };
  if (is(0xff000000, 0x18000000) || is(0xff000000, 0x58000000)) {
    const place = at + ((word << 8) >> 13) * 4;
    return { kind: "literal", register: rd, place, size: is(0x40000000, 0) ? 4 : 8 };
  }
  if (is(0xbf800000, 0xb9000000)) {
    const size = is(0x40000000, 0) ? 4 : 8;
    const offset = ((word >>> 10) & 0xfff) * size;
    return { kind: is(0x400000, 0) ? "store" : "load", register: rd, base: rn, offset, size };
  }
  if (is(0x7f20001f, 0x6b00001f)) return { kind: "compare", registers: [rn, (word >>> 16) & 31] };
  return { kind: "other", writes: writes(word) };
}

/** The registers that any other instruction changes: by the groups of the encoding. */
function writes(word: number): readonly number[] {
  const group = (word >>> 25) & 15;
  const processes = (group & 0b1110) === 0b1000 || (group & 0b0111) === 0b0101;
  const loads = (group & 0b0101) === 0b0100 && (word & 0x400000) !== 0;
  if (!processes && !loads) return [];
  const isPair = loads && (word & 0x3a000000) === 0x28000000;
  return isPair ? [word & 31, (word >>> 10) & 31] : [word & 31];
}
