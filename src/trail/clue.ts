import type { Keeping } from "../code/fates.ts";
import type { Va } from "../core/address.ts";

/** A function of a module, as clues name it. */
export interface NamedFunction {
  readonly module: string;
  readonly name: string;
  /** Null where the module that exports it is not there, or its exports cannot be read. */
  readonly address: Va | null;
}

/** How a function is called by a module that was seen to call it. */
export type CallWay =
  /** Through an import slot, or directly in its own image. */
  | "direct"
  /** Through a variable that the answer of a look-up by name is kept in. */
  | "looked-up";

/** A function that leads to the tag or takes objects of it, as far as it matters for whoever calls it. */
export interface Acquired {
  /** The function that is called. */
  readonly function: NamedFunction;
  /** Functions from it to the one that allocates or takes a reference; only itself where it does so. */
  readonly path: readonly string[];
  /**
   * On what it stands that it acquires something of the tag: its documentation, or code that was followed to an
   * allocation with it.
   */
  readonly basis: "documented" | "code" | "nearest-export";
  /** Calls between it and the allocation, in its own module and in others. */
  readonly depth: number;
  /** Modules in between, which call it for others. */
  readonly libraries: number;
  /** Whether what it takes comes out to its caller, who has to give it back; false: it stays inside. */
  readonly handsOut: boolean;
  /** What gives it back; empty where nothing is known to. */
  readonly releases: readonly string[];
  /** It takes a reference to, or opens, what is there already and stays: it keeps one object, and makes none. */
  readonly existing: boolean;
}

/** Where calls of one function stand in one module. */
export interface CallPlace {
  readonly at: Va;
  /** What the call comes back to. */
  readonly returnsTo: Va;
  /** The function it stands in: its name, or its place. */
  readonly caller: string;
  readonly callerEntry: Va;
  /** Arguments that are constants, from the first; null for the others. */
  readonly constants: readonly (number | null)[];
}

/** A module calls a function that leads to the tag. */
export interface Calls {
  readonly kind: "calls";
  readonly acquired: Acquired;
  readonly way: CallWay;
  /** What is acquired is of the tag for certain; false: it may be an object of any type. */
  readonly typed: boolean;
  readonly places: readonly CallPlace[];
  /** Only code that runs once, as the driver starts, calls it. */
  readonly onceOnly: boolean;
}

/** On some way behind a call that acquires, the function ends and nothing was given back, kept or handed on. */
export interface Forgets {
  readonly kind: "forgotten";
  readonly acquired: Acquired;
  readonly ways: readonly {
    readonly call: Va;
    /** The instruction that returns. */
    readonly end: Va;
    /** Conditional jumps in between, the last ones. */
    readonly branches: readonly Va[];
    /** The function returns an error: something else went wrong on this way. */
    readonly failing: boolean;
  }[];
  /** Calls that give it back on other ways. */
  readonly releasedOnOthers: readonly Va[];
  /** Not all of the function could be followed. */
  readonly partly: boolean;
  readonly onceOnly: boolean;
}

/** What it acquires is put where it outlives the function. */
export interface Keeps {
  readonly kind: "kept";
  readonly acquired: Acquired;
  readonly places: readonly { readonly call: Va; readonly at: Va; readonly keeping: Keeping }[];
  /**
   * Whether something gives it back later: `same-place`: what is kept there is seen to be; `perhaps`: the module calls what
   * could, with something that cannot be told; `any-free`: the same, with what frees whatever memory; `none`: no code of it does; `unread`: none that could be read does.
   */
  readonly released: "same-place" | "perhaps" | "any-free" | "none" | "unread";
  /** Where it, or something that may be it, is given back. */
  readonly releasedAt: readonly Va[];
  /** Bytes of the module's code that could not be read. */
  readonly codeMissing: number;
  /** Only code that runs once, as the driver starts, acquires it, or only while a variable is empty that this fills. */
  readonly onceOnly: boolean;
}

/** What it acquires is given back on every way. */
export interface Releases {
  readonly kind: "releases";
  readonly acquired: Acquired;
  readonly calls: readonly Va[];
  readonly releasedAt: readonly { readonly at: Va; readonly name: string }[];
}

/** What it acquires goes to whoever calls an exported function of it. */
export interface HandsOn {
  readonly kind: "hands-on";
  readonly acquired: Acquired;
  readonly calls: readonly Va[];
  /** The exported functions. */
  readonly through: readonly string[];
}

/** What it acquires goes to code of which it is not known what it does with it. */
export interface HandsOver {
  readonly kind: "may-release";
  readonly acquired: Acquired;
  readonly calls: readonly Va[];
  readonly to: readonly { readonly at: Va; readonly name: string | null }[];
}

/** The module's import table, or its data, holds the address of a function that leads to the tag. */
export interface Holds {
  readonly kind: "imports" | "pointer";
  readonly function: NamedFunction;
  readonly at: Va;
  readonly slot: "iat" | "delay-iat" | null;
  /** As `Holding.basis`. */
  readonly basis: "both" | "address" | "name" | "disagree";
  /** Bytes of its code that could not be read; null where nothing of it could be looked at. */
  readonly codeMissing: number | null;
}

/** The module holds the name of a function that leads to the tag, as text. */
export interface LooksUp {
  readonly kind: "looks-up-at-run-time";
  readonly function: NamedFunction;
  /** The text, and the call that takes it; null where none was seen. */
  readonly text: Va;
  readonly encoding: "ansi" | "utf-16";
  readonly call: { readonly at: Va; readonly routine: string } | null;
  /** The variable that the answer is kept in. */
  readonly keptIn: Va | null;
}

/** The module's own code allocates with the tag. */
export interface Allocates {
  readonly kind: "allocates";
  readonly at: readonly Va[];
  /** In bytes, where all places ask for as much. */
  readonly size: number | null;
  readonly forgets: Forgets["ways"];
  /** What becomes of it: as of `Keeps`. */
  readonly released: "every-way" | "same-place" | "perhaps" | "any-free" | "none" | "unread";
  readonly releasedAt: readonly Va[];
  /** Only code that runs once, as the driver starts, allocates, or only while a variable is empty that this fills. */
  readonly onceOnly: boolean;
  /** Modules that call the functions which allocate for them. */
  readonly forOthers: readonly string[];
}

/** The module registers contexts with the tag: the filter manager allocates them for it. */
export interface RegistersContexts {
  readonly kind: "registers-contexts";
  /** The registrations' tags. */
  readonly at: readonly Va[];
  /** Of one context, in bytes, where all that are registered are as long. */
  readonly size: number | null;
}

/** A kernel stack holds a return address behind such a call. */
export interface OnStack {
  readonly kind: "on-stack";
  readonly function: NamedFunction;
  readonly hits: readonly {
    readonly at: Va;
    readonly returnsTo: Va;
    readonly thread: Va;
    readonly process: string | null;
    /** `live`: in the part in use; `stale`: below it; `unknown`: the thread ran. */
    readonly state: "live" | "stale" | "unknown";
  }[];
}

/** Blocks of the tag hold pointers into the module. */
export interface Contents {
  readonly kind: "pool-content";
  readonly blocks: number;
  /** Blocks of the tag that were looked at. */
  readonly of: number;
  /** How the blocks lead there. */
  readonly through: "list-head" | "direct" | "one-step";
  readonly examples: readonly { readonly at: Va; readonly target: Va }[];
}

/** The module asks for as many bytes as each allocation of the tag has. */
export interface SizeMatches {
  readonly kind: "size-match";
  readonly at: Va;
  /** In bytes, as asked for, and as the pool takes. */
  readonly size: number;
  readonly block: number;
  readonly strength: "all" | "most" | "some";
  /** Other places that ask for as much. */
  readonly others: number;
}

/** Driver Verifier stopped the machine, for the module was unloaded and had not freed all that it had allocated. */
export interface LeftUnfreed {
  readonly kind: "left-unfreed";
  /** In both pools, of whatever tags; null where the number is not known. */
  readonly allocations: number | null;
  /** As many are outstanding of the tag; null where that is not known. */
  readonly outstanding: number | null;
}

/** Driver Verifier lists allocations with the tag that the module made and has not freed. */
export interface Tracked {
  readonly kind: "tracked";
  readonly allocations: number;
  readonly bytes: bigint;
  /** Behind the calls that asked for them, the most first. */
  readonly callers: readonly { readonly at: Va; readonly allocations: number }[];
  /** How many there are of the tag in all; null where that is not known. */
  readonly outstanding: number | null;
}

/** One thing seen in code or dump that speaks for or against a module. */
export type Clue =
  | Calls
  | Forgets
  | Keeps
  | Releases
  | HandsOn
  | HandsOver
  | Holds
  | LooksUp
  | Allocates
  | RegistersContexts
  | OnStack
  | Contents
  | SizeMatches
  | LeftUnfreed
  | Tracked;

/** A clue with the module that it is about. */
export interface ModuleClue {
  readonly module: string;
  readonly clue: Clue;
}
