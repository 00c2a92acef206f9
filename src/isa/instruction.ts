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

/** `InstructionSet.step` gives the length in these bits. */
export const LENGTH_MASK = 15;
/** … and the `Flow` above this many. */
export const FLOW_SHIFT = 4;
/** No instruction of any set is longer, in bytes. */
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
  /** A register of the vector unit: compilers copy structures by them. */
  | { readonly kind: "vector"; readonly register: number }
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
  /** Lower case, as in Intel's manuals: `mov`, `rep movsb`. */
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
  /** It counts up or down under a `lock`. */
  readonly locked?: true;
}

/** `sbb` of a register with itself: -1 where the last result was borrowed for, and else 0. */
export function isBorrow({ mnemonic, operands: [to, from] }: Instruction): boolean {
  return (
    mnemonic === "sbb" &&
    to?.kind === "register" &&
    from?.kind === "register" &&
    to.register === from.register
  );
}

/**
 * What calls and tags are made of, in sets that are not decoded in full; of all other instructions only which registers
 * they change and whether they branch. Places are offsets from the image's base.
 */
export type SimpleInstruction =
  /** A number, in `register`. `keep`: only the 16 bits from `shift` on are replaced. */
  | {
      readonly kind: "number";
      readonly register: number;
      readonly value: number;
      readonly shift: number;
      readonly keep: boolean;
    }
  /** What stands at a place near the code. */
  | { readonly kind: "literal"; readonly register: number; readonly place: number; readonly size: 4 | 8 }
  /** An address in the image. */
  | { readonly kind: "address"; readonly register: number; readonly place: number }
  /** `from` plus a number; a plain copy where that is 0. */
  | { readonly kind: "add"; readonly register: number; readonly from: number; readonly by: number }
  | {
      readonly kind: "load" | "store";
      readonly register: number;
      readonly base: number;
      readonly offset: number;
      readonly size: 4 | 8;
    }
  | { readonly kind: "compare"; readonly registers: readonly [number, number] }
  | { readonly kind: "call" | "jump"; readonly target: number }
  | { readonly kind: "call-register" | "jump-register"; readonly register: number }
  /** A conditional branch: what follows may be reached too. */
  | { readonly kind: "branch"; readonly target: number }
  | { readonly kind: "return" }
  /** `brk`: nothing follows. */
  | { readonly kind: "stop" }
  | { readonly kind: "other"; readonly writes: readonly number[] };

/** Decodes single instructions of one module. */
export interface Decoder {
  /** The instruction at an offset; `undefined` where there is none, or a hole before its end. */
  at(offset: number): Instruction | undefined;
  /** As `at`, only its length; 0 where there is none. */
  lengthAt(offset: number): number;
}

/** The 32 bits at an index, little-endian, with a sign. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}
