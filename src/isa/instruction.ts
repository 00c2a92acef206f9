import type { Rva } from "../core/address.ts";

/** Code bytes that stand together, with no hole among them. */
export interface CodeRun {
  /** An RVA; `bytes[0]` stands there. */
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
  readonly bytes: Uint8Array;
}

/** RVAs from `start` to `end`, which is not among them. */
export interface CodeRange {
  readonly start: Rva;
  readonly end: Rva;
}

/** The code of one image, as far as instructions need to know it. */
export interface CodeBytes {
  /** 64-bit code. */
  readonly wide: boolean;
  /** Of the image, in bytes. */
  readonly size: number;
  /** The low 32 bits of the image's base: absolute addresses in 32-bit code are offsets from it. */
  readonly base32: number;
  /** By address. */
  readonly runs: readonly CodeRun[];
  /** The executable sections, by address. */
  readonly sections: readonly CodeRange[];
  /** The run that holds `at`. */
  runAt(at: number): CodeRun | undefined;
  /** Whether `at` lies in an executable section, readable or not. */
  isCode(at: number): boolean;
}

/** Where an instruction leads. */
export const Flow = {
  /** To the instruction behind it. */
  Next: 0,
  /** `call rel32`. */
  Call: 1,
  /** `jmp rel8` or `jmp rel32`. */
  Jump: 2,
  /** A conditional jump, `loop`, `jcxz`. */
  Branch: 3,
  Return: 4,
  /** `call` through a register or memory. */
  CallIndirect: 5,
  /** `jmp` through a register or memory. */
  JumpIndirect: 6,
  /** Never goes on: `int 3`, `ud2`, `int 29h`. */
  Stop: 7,
} as const;
export type Flow = (typeof Flow)[keyof typeof Flow];

/** `lengthAt` gives the length in these bits, 0 where it does not know. */
export const LENGTH_MASK = 15;
/** `lengthAt` gives the `Flow` above this many bits. */
export const FLOW_SHIFT = 4;
/** An instruction has at most 15 bytes. */
export const MAX_INSTRUCTION = 15;

/** What an instruction works on. */
export type Operand =
  | {
      readonly kind: "register";
      /** 0 to 15. */
      readonly register: number;
      /** In bytes. */
      readonly size: number;
    }
  | { readonly kind: "immediate"; readonly value: number }
  | {
      readonly kind: "memory";
      readonly base: number | undefined;
      readonly index: number | undefined;
      readonly scale: number;
      readonly displacement: number;
      /** In bytes; 0 for an address only (`lea`). */
      readonly size: number;
      /** RIP-relative, or absolute in 32-bit code: an offset from the image's base, before `index` is added. */
      readonly address: number | undefined;
    }
  | { readonly kind: "other" };

/** One instruction, with the operands that matter. All places are offsets from the image's base. */
export interface Instruction {
  readonly start: number;
  /** In bytes. */
  readonly length: number;
  readonly flow: Flow;
  /** Where a near call, jump or branch leads; it may lie outside the image. */
  readonly target: number | undefined;
  /** Lower case, as in Intel's manuals: `mov`. */
  readonly mnemonic: string;
  readonly operands: readonly Operand[];
  /** General-purpose registers that it changes; of a call, only what the instruction itself changes. */
  readonly writes: readonly number[];
  /** Where the immediate's first byte stands. */
  readonly immediateAt: number | undefined;
  /** Bytes of the immediate. */
  readonly immediateSize: number;
  /** Where the displacement's first byte stands. */
  readonly displacementAt: number | undefined;
}

/** Decodes single instructions of one module. */
export interface Decoder {
  /** The instruction at an offset; `undefined` where there is none, or a hole before its end. */
  at(offset: number): Instruction | undefined;
  /** As `at`, only its length; 0 where there is none. */
  lengthAt(offset: number): number;
}
