import type { BitSet } from "../core/bit-set.ts";
import type { ImageMachine } from "../pe/headers.ts";
import type { Abi } from "./abi.ts";
import type { CodeBytes, CodeRun, Decoder, Instruction, SimpleInstruction } from "./instruction.ts";
import type { Printer } from "./printed.ts";

/**
 * What the rest of the program needs to know of a machine's instructions. A set is a value, and code that is written
 * against this type works for all of them. A member that may be absent is one that some set does not do yet: whoever
 * needs it says so in the answer.
 */
export interface InstructionSet {
  readonly machine: ImageMachine;
  readonly abi: Abi;
  /** Code writes addresses in its image as plain numbers: a constant may be one. */
  readonly numbersAreAddresses: boolean;

  /**
   * The length and flow of the instruction at an index of `bytes`: `length | flow << FLOW_SHIFT`. 0 when it is an
   * encoding that is not known here, is cut off by `end`, or is none. One number, since whole images are gone over so.
   */
  step(bytes: Uint8Array, at: number, end: number): number;
  /** The length alone, of every encoding there is: 100 times as slow where `step` does not know it. 0: none. */
  length(bytes: Uint8Array, at: number, end: number): number;
  /** Where the near call, jump or branch of `length` bytes at `at` leads: an index like `at`, perhaps negative. */
  target(bytes: Uint8Array, at: number, length: number): number;
  /** Bytes of arguments that the return at an index takes off the stack; `undefined`: not a return of this kind. */
  popped(bytes: Uint8Array, at: number): number | undefined;

  readonly padding: Padding;
  readonly thunks: Thunks;
  readonly references: References;

  /** Full decoding; absent: functions are not followed. */
  readonly withDecoder?: <T>(code: CodeBytes, work: (decoder: Decoder) => T) => T;
  /** What is decoded where full decoding is absent: calls and tags are told of straight lines of code. */
  readonly simple?: SimpleDecoding;
  /** Instructions as text; absent: they are not listed. */
  readonly withPrinter?: <T>(work: (printer: Printer) => T) => T;
  /** Tables of `switch`; absent: they are not told from other data. */
  readonly tables?: TableForms;
  /** How functions look; absent where unwind data tells of all but leaf ones. */
  readonly starts?: FunctionStarts;
}

/** Decodes what calls and tags are made of. All places are RVAs. */
export interface SimpleDecoding {
  /** Of every instruction, in bytes. */
  readonly length: number;
  /** `undefined` outside the run and where no instruction can stand. */
  at(run: CodeRun, at: number): SimpleInstruction | undefined;
  each(run: CodeRun, found: (at: number, instruction: SimpleInstruction) => void): void;
  /** The instructions that make a number of one half of it. */
  eachNumber(run: CodeRun, found: (at: number, instruction: SimpleInstruction) => void): void;
  /** The instructions between two places that load what stands at a place near them. */
  eachLiteral(
    run: CodeRun,
    from: number,
    to: number,
    found: (at: number, instruction: SimpleInstruction) => void,
  ): void;
}

/** What stands between functions and does nothing. */
export interface Padding {
  /** Bytes of which a run between functions is padding, whatever instructions it reads as. */
  readonly fillers: readonly number[];
  /** Where the padding that starts at `from` ends; `from` where there is none. */
  skip(run: CodeRun, from: number, end: number): number;
  /** As `skip`, but for what looks like padding and is the first instruction of the function behind it. */
  startBehind(run: CodeRun, from: number, end: number): number;
  /** Whether a `nop` of several bytes ends in front of `at`. */
  isBehindNop(run: CodeRun, at: number): boolean;
  /** The bytes of the `nop` at an index, in the forms that compilers align with; 0 where there is none. */
  nopLength(bytes: Uint8Array, at: number): number;
  /** Whether the byte starts a `nop` that compilers put behind a call that does not return. */
  mayStartNop(byte: number): boolean;
  /** A breakpoint that is padding, where it stands behind what never goes on. */
  isBreakpoint(bytes: Uint8Array, at: number): boolean;
}

/** Where a jump leads: to code, or through a pointer in the image. Both are RVAs. */
export type Thunk =
  | { readonly target: number; readonly slot?: undefined }
  | { readonly slot: number; readonly target?: undefined };

/** Stubs between a call and what it calls, and the forms of calls through pointers. */
export interface Thunks {
  /** The register that holds the slot's value where the kernel wrote a direct call over one through an import slot. */
  readonly importRegister?: number;
  /** The register whose value Control Flow Guard's dispatcher jumps to; absent: the guard only checks. */
  readonly guardRegister?: number;
  /** The pointer that the indirect call or jump of `length` bytes goes through, where the instruction names it. */
  slotOf(code: CodeBytes, run: CodeRun, at: number, length: number): number | undefined;
  /** The slot that the call at `at` goes through; `undefined` where no such call stands there. */
  calledSlot(code: CodeBytes, run: CodeRun, at: number): number | undefined;
  /** Whether a jump through a slot stands there, as linkers write one for each import. */
  isSlotJump(run: CodeRun, at: number): boolean;
  /** Where the function's first instruction stands that does anything. */
  behindIdleHead(run: CodeRun, entry: number): number;
  /** Where the jump leads that is all of the function. */
  jumpAt(code: CodeBytes, entry: number): Thunk | undefined;
  /** The register that a stub at `entry` jumps through, by its number. */
  registerOf(code: CodeBytes, entry: number): number | undefined;
}

/** How code refers to a place: a call or jump; the same through a slot; a load; a load in front of an overwritten call. */
export type ReferenceKind = "near" | "slot" | "load" | "optimized";

/**
 * References, told by bytes: instructions' starts are not known, so that some are none, and what is found is to be
 * confirmed. None is missed.
 */
export interface References {
  /** Calls and jumps to, and loads of, places that the instruction names. */
  each(code: CodeBytes, run: CodeRun, found: (at: number, place: number, kind: ReferenceKind) => void): void;
  /** Near calls, jumps and branches of the longest form, to code of the image. */
  near(code: CodeBytes, found: (at: number, target: number, kind: "call" | "jump" | "branch") => void): void;
  /** Where the bytes of an address or displacement stand that names any of `places`; absent: not looked for. */
  readonly naming?: (code: CodeBytes, places: ReadonlySet<number>, found: (at: number) => void) => void;
  /** Adds to `found` those of `wanted` whose address code takes; absent: not looked for. */
  readonly taken?: (code: CodeBytes, run: CodeRun, wanted: BitSet, found: BitSet) => void;
}

/** Where a table stands, and what its entries are offsets from. `undefined`: they are addresses. */
export interface TableForm {
  readonly start: number;
  readonly entrySize: 4 | 8;
  readonly relativeTo: number | undefined;
}

/** The code that jumps through tables. */
export interface TableForms {
  /** @param before the instructions in front of the jump, the last one first */
  of(code: CodeBytes, jump: Instruction, before: readonly Instruction[]): TableForm | undefined;
  /** How many entries the comparison before the jump lets through. */
  bound(before: readonly Instruction[]): number | undefined;
  /** A table of bytes that gives the index into the jump's own. */
  indexes(code: CodeBytes, instruction: Instruction): number | undefined;
  /** Tables that jumps name by their address, by bytes. */
  named(code: CodeBytes): readonly number[];
}

/** The bytes that functions start with. Nothing but a function starts with a `frame`. */
export type Prologue = "frame" | "strong" | "weak";

/** What tells functions from other code and from data, where no unwind data does. */
export interface FunctionStarts {
  prologueAt(run: CodeRun, at: number): Prologue | undefined;
  /** An instruction that takes down a frame. */
  endsFrame(run: CodeRun, at: number): boolean;
  /** What stands before is padding, or an instruction that nothing follows. */
  isBehindEnd(run: CodeRun, at: number): boolean;
  /** How an exception handler starts, which is a part of another function. */
  isHandler(run: CodeRun, at: number): boolean;
  /** Where the immediate operand of a `push` or a store stands, with which prologues name the table of `__try` blocks. */
  eachTableName(run: CodeRun, found: (at: number, operand: number) => void): void;
  /** Whether the function at `entry` is the compiler's helper that sets up its caller's frame and exception handler. */
  setsUpFrame(code: CodeBytes, entry: number): boolean;
  /**
   * How unlike compiled code an instruction is: 0 for what compilers write, 1 for what only assembler sources hold,
   * `TOO_ODD` for what neither does.
   */
  oddness(code: CodeBytes, relocated: BitSet | undefined, run: CodeRun, at: number, length: number): number;
}

/** At this sum of `FunctionStarts.oddness`, bytes are no code. */
export const TOO_ODD = 3;
