import type { Rva, Va } from "../core/address.ts";

/** What code does with a tag. */
export type UseKind = "allocate" | "free" | "lookaside" | "compare" | "store" | "data" | "unknown";

/** A function as a call shows it: by its name, else by its offset in the image; neither where nothing tells. */
export interface CalledBy {
  readonly name?: string | undefined;
  readonly offset?: number | undefined;
}

/** What was seen of a tag, for a person to check; places are RVAs. */
export type Seen =
  /** A call takes it as an argument, counted from 1; `known`: of a pool routine. */
  | {
      readonly kind: "argument";
      readonly index: number;
      readonly of: CalledBy;
      readonly at: number;
      readonly known: boolean;
    }
  /** A call passes it to a function that passes it on. */
  | {
      readonly kind: "passed";
      readonly at: number;
      readonly to: CalledBy;
      readonly routine: string | undefined;
    }
  /** It stands in a structure that a call is given. */
  | { readonly kind: "structure"; readonly name: string; readonly to: CalledBy; readonly at: number }
  | { readonly kind: "compared" | "returned"; readonly at: number }
  | {
      readonly kind: "stored";
      readonly at: number;
      readonly into: "structure" | "stack" | "unknown" | { readonly variable: number };
    }
  | { readonly kind: "registration"; readonly at: number }
  /** The bytes are letters. */
  | { readonly kind: "text"; readonly text: string }
  /** Data that no code is seen to read, and why. */
  | {
      readonly kind: "data";
      readonly readers: "none" | "not-looked-for" | "not-decoded";
      readonly machine: string;
    }
  | { readonly kind: "outside-functions" | "unreadable" | "too-large" | "no-instruction" | "nowhere" }
  | { readonly kind: "not-decoded" | "no-load"; readonly machine: string }
  | { readonly kind: "no-operand"; readonly mnemonic: string }
  /** A line of code makes or loads it, and was followed no further. */
  | {
      readonly kind: "left";
      readonly how: "made" | "loaded";
      readonly at: number;
      readonly register: number;
      readonly machine: string;
    }
  /** A variable holds it: what whoever reads that does. */
  | { readonly kind: "in-variable"; readonly there: Seen }
  | { readonly kind: "from-there"; readonly first: Seen; readonly there: Seen }
  | { readonly kind: "also"; readonly first: Seen; readonly uses: readonly UseKind[] };

/** What stands between the bytes and the routine. */
export type Via =
  | { readonly kind: "jump" | "variable"; readonly at: number }
  | { readonly kind: "wrapper"; readonly wrapper: CalledBy; readonly routine: string | undefined }
  | { readonly kind: "structure"; readonly name: string };

/** What happens to the tag whose bytes stand at one place. */
export interface TagUse {
  readonly use: UseKind;
  /** The instruction that holds the bytes; `undefined` where none does. */
  readonly instruction: Rva | undefined;
  /** The function that the instruction is in; the first that has it, where several share it. */
  readonly function: Rva | undefined;
  /** All functions that do this with the tag, where its bytes stand in data. */
  readonly users?: readonly Rva[];
  /** The call that the tag reaches. */
  readonly call?: {
    readonly at: Rva;
    /** `undefined` through an import slot of a file. */
    readonly target: Va | undefined;
    readonly module?: string;
    readonly name?: string;
    /** Where the function that is called passes it on to routines that allocate, in its own image. */
    readonly within?: readonly Rva[];
  };
  /** In bytes, where it is a constant. */
  readonly size?: number;
  /** POOL_TYPE, where it is a constant. */
  readonly poolType?: number;
  /** POOL_FLAGS, where they are a constant. */
  readonly poolFlags?: number;
  readonly seen: Seen;
  /** From the bytes on. */
  readonly via?: readonly Via[];
}
