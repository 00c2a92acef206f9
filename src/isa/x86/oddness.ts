import type { BitSet } from "../../core/bit-set.ts";
import type { CodeBytes, CodeRun } from "../instruction.ts";

/** At this sum of `Oddness.of`, bytes are no code that a compiler wrote. */
export const TOO_ODD = 3;

/**
 * How unlike compiled 32-bit code instructions are. Any bytes decode to something: texts to `outs`, `arpl` and
 * `popa`, numbers to zeros and far calls, tables of pointers to instructions with an address where no operand is.
 */
export class Oddness {
  readonly #code: CodeBytes;
  readonly #relocated: BitSet | undefined;

  /** @param relocated the places that change with the base, where that is known */
  constructor(code: CodeBytes, relocated: BitSet | undefined) {
    this.#code = code;
    this.#relocated = relocated;
  }

  /** 0 for what compilers write, 1 for what only assembler sources hold, `TOO_ODD` for what neither does. */
  of(run: CodeRun, at: number, length: number): number {
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
    return this.#cutsPointer(run, at, length) ? TOO_ODD : 0;
  }

  /** A pointer starts with the instruction, or reaches over its end: it is no operand. */
  #cutsPointer(run: CodeRun, at: number, length: number): boolean {
    const relocated = this.#relocated;
    if (relocated === undefined) return this.#isPointer(run, at) && this.#isPointer(run, at + 4);
    if (relocated.has(at)) return true;
    for (let place = Math.max(at + 1, at + length - 3); place < at + length; place++)
      if (relocated.has(place)) return true;
    return false;
  }

  #isPointer({ bytes, start, end }: CodeRun, at: number): boolean {
    if (at % 4 !== 0 || at + 4 > end) return false;
    const i = at - start;
    const word =
      ((bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24)) >>>
      0;
    const offset = word - this.#code.base32;
    return offset >= 0x1000 && offset < this.#code.size;
  }
}

const ODD = new Uint8Array(256);
// push and pop of segment registers, pusha, popa, iret: what interrupt handlers are made of.
for (const byte of [0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x60, 0x61, 0xcf]) ODD[byte] = 1;
// Decimal arithmetic, bound, arpl, address size, port strings without rep, far calls and returns, loops, int1.
for (const byte of [0x27, 0x2f, 0x37, 0x3f, 0x62, 0x63, 0x67, 0x6c, 0x6d, 0x6e, 0x6f, 0x82, 0x9a])
  ODD[byte] = TOO_ODD;
for (const byte of [0xc4, 0xc5, 0xca, 0xcb, 0xce, 0xd4, 0xd5, 0xd6, 0xe0, 0xe1, 0xea, 0xf1])
  ODD[byte] = TOO_ODD;
