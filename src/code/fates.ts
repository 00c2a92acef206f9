import type { ArgumentPlace } from "../isa/abi.ts";
import type { Atom } from "./abstract-value.ts";
import type { Subject } from "./call-outcome.ts";
import type { CallSite } from "./call-site.ts";
import type { Callee } from "./callees.ts";

/** Where what a call acquires comes out. Arguments count from 1. */
export type Gives =
  /** What the call returns. */
  | { readonly by: "return" }
  /** What the argument points to, so many bytes further on. */
  | { readonly by: "out"; readonly argument: number; readonly offset?: number }
  /** The structure that the argument points to holds it, and gives it back by its address, or by a `value` so far into it. */
  | { readonly by: "structure"; readonly argument: number; readonly offset?: number; readonly value?: number }
  /** The argument is an object that gets one more reference. */
  | { readonly by: "argument"; readonly argument: number };

/**
 * How a call tells that it acquired nothing: NULL, a negative NTSTATUS, another status than 0, FALSE, any but
 * STATUS_PENDING, or any but one error. `unknown`: a status, or a number of things; what 0 means is not known.
 */
export type Fails =
  | "null"
  | "status"
  | "nonzero"
  | "false"
  | "done"
  | "never"
  | "unknown"
  | { readonly only: number };

/** Where something is kept that outlives the function that put it there. */
export type Keeping =
  /** A variable of the image, by its offset. */
  | { readonly in: "global"; readonly rva: number }
  /** A field of a structure, so many bytes into it: of one that the function was given as `of`, or that the call at `by` returned. */
  | { readonly in: "field"; readonly offset: number; readonly of?: ArgumentOrigin; readonly by?: number }
  /** Where an argument points to: the caller has it. */
  | { readonly in: "argument"; readonly argument: ArgumentOrigin }
  /** With a function that was given it. */
  | { readonly in: "callee"; readonly name: string | undefined; readonly target: number | undefined }
  /** Somewhere that cannot be told; `of`: in a list whose head is in a structure that the function was given so. */
  | { readonly in: "unknown"; readonly of?: ArgumentOrigin };

/** An argument as the function itself knows it: a register, or a place above the return address. */
export type ArgumentOrigin = { readonly register: number } | { readonly stack: number };

/** How one way ends on which something is still held. */
export interface Ending {
  /** The instruction that returns. */
  readonly at: number;
  /** Conditional jumps on the way there, the last ones. */
  readonly branches: readonly number[];
  /** The function returns a negative status: something else went wrong on this way. */
  readonly failing: boolean;
  /** Arguments that were 0 on this way; absent where none is known to have been. */
  readonly nulls?: readonly ArgumentOrigin[];
}

/** Something that was put away. */
export interface Stored {
  /** The instruction that stores, or the call that takes it. */
  readonly at: number;
  readonly keeping: Keeping;
  /** Where else it stands by then, on all the ways: whoever empties one of the places has it. */
  readonly also?: readonly Keeping[];
}

/** What becomes of something on all the ways of a function, each place once. */
export interface Fates {
  /** Calls that give it back. */
  readonly released: readonly number[];
  /** Ways that end without anything of the others. */
  readonly forgotten: readonly Ending[];
  /** Where it is put, on ways that do not give it back. */
  readonly stored: readonly Stored[];
  /** The function returns 1, as a BOOLEAN is true, on all ways on which it is stored so. */
  readonly saysTrue?: true;
  /** On some such way it returns what nobody knows: a status, or how many there are. */
  readonly saysUnknown?: true;
  /** Calls that are given it, of which it is not known what they do with it. */
  readonly handed: readonly Stored[];
  /** Where it is returned to the caller. */
  readonly returned: readonly number[];
  /** Where it may be returned besides being stored: a function that returns nothing may leave it there as well. */
  readonly leftAsResult?: readonly number[];
  /** Variables of the image that are 0 on all ways that come to the acquiring call. */
  readonly emptyBefore?: readonly number[];
  /** All ways were gone. */
  readonly whole: boolean;
}

/** Where an object is kept that was there before. */
export function originOf(atom: Atom): Keeping | undefined {
  if (atom.kind === "loaded") return { in: "global", rva: atom.rva };
  return atom.kind === "field" ? { in: "field", offset: atom.offset } : undefined;
}

/** What a place behind a pointer is. */
export function keepingBehind(pointer: Atom): Keeping {
  switch (pointer.kind) {
    case "address":
      return { in: "global", rva: pointer.rva };
    case "offset": {
      const of = argumentOrigin(pointer.of);
      return { in: "field", offset: pointer.offset, ...(of === undefined ? madeBy(pointer.of) : { of }) };
    }
    case "register":
    case "argument":
      return { in: "argument", argument: argumentOrigin(pointer) as ArgumentOrigin };
    case "unknown":
    case "constant":
    case "part":
      return { in: "unknown" };
    default:
      return { in: "field", offset: 0, ...madeBy(pointer) };
  }
}

function madeBy(pointer: Atom): { readonly by?: number } {
  return pointer.kind === "result" ? { by: pointer.call } : {};
}

/** The argument whose key it is, as atoms have them. */
export function argumentOfKey(key: string): ArgumentOrigin | undefined {
  const [, kind, number] = /^([ra])(\d+)$/.exec(key) ?? [];
  if (kind === undefined) return undefined;
  return kind === "r" ? { register: Number(number) } : { stack: Number(number) };
}

function argumentOrigin(atom: Atom): ArgumentOrigin | undefined {
  if (atom.kind === "register") return { register: atom.register };
  return atom.kind === "argument" ? { stack: atom.offset } : undefined;
}

/** Whether the function's caller has it there: behind a pointer that it gave. */
export function isCallers(keeping: Keeping): boolean {
  return keeping.in === "argument" || (keeping.in === "field" && keeping.of !== undefined);
}

export function sameKeeping(a: Keeping, b: Keeping): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function keyOf({ keeping, at }: Stored): string {
  return `${at}:${JSON.stringify(keeping)}`;
}

/**
 * What a call does with something that it is given: it gives it back, on all its ways or on some; it keeps it where it
 * outlives the call; it takes one more reference to it; it only uses it; or it cannot be told.
 */
export type Effect = "releases" | "may-release" | "keeps" | "references" | "uses" | "unknown";

/** Whether a call gives it back, on some of its ways at least. */
export function givesBack(effect: Effect | undefined): boolean {
  return effect === "releases" || effect === "may-release";
}

/** How something is given to a callee. */
export interface Given {
  /** A variable of the image: the callee finds it there by itself. */
  readonly place: ArgumentPlace | { readonly kind: "variable"; readonly rva: number };
  /** Counted from 1, as documentation does; 0: it is no argument. */
  readonly argument: number;
  /** The argument points to where it stands, so many bytes further on; `undefined`: the argument is it. */
  readonly within: number | undefined;
  /** The argument is a place in it: who gives back or keeps that gives back or keeps it, and all others only use it. */
  readonly isPart?: true;
}

/** A call writes one of its arguments into the structure that another one points to. */
export interface Putting {
  readonly what: ArgumentPlace;
  readonly into: ArgumentPlace;
  /** Bytes into the structure. */
  readonly offset: number;
}

/** A way on which a function loses what it is given, and whether it asked what stands in that. */
export interface OwnLoss {
  readonly ending: Ending;
  readonly asked: "nothing" | "it";
}

/** What calls do with something that they are given. */
export interface Dealings {
  /** Whether a call only answers a question about what it is given: that the answer is no is no error. */
  asks(callee: Callee): boolean;
  /** How what a function returns tells that it acquired nothing; `undefined` where nobody says. */
  tells(callee: Callee): Subject | undefined;
  /** Which of its arguments a function is documented to write into which structure; `undefined` where it is not. */
  puts(callee: Callee): Putting | undefined;
  effect(callee: Callee, given: Given, site: CallSite): Effect;
  /**
   * The way on which a function of the image that gives it back elsewhere loses it, by nothing that its caller can know
   * besides its answer; `undefined` where there is none.
   */
  loses(callee: Callee, given: Given, site: CallSite): OwnLoss | undefined;
  /** Whether it returns it, as functions that fill memory do. */
  returns(callee: Callee, given: Given, site: CallSite): boolean;
  /** How a call tells that it neither kept nor gave back what it was given; `undefined` where it always does. */
  fails(callee: Callee, given: Given, site: CallSite): Fails | undefined;
  /** Which argument of a routine of the image's own it comes back as; `undefined` where that is not known. */
  comesAs(callee: Callee, given: Given, site: CallSite): number | undefined;
}

/** Whether a call gives back what one function acquires, though it only takes over what another acquires. */
export type IsRelease = (callee: Callee, given: Given, site: CallSite) => boolean;

/** An acquiring call: where it stands, how it hands out what it acquires, and how it tells that it did not. */
export interface AcquiringCall {
  readonly at: number;
  readonly gives: Gives;
  readonly fails: Fails;
  /** It was not there before, as memory is not: nothing that the function has otherwise is it. */
  readonly isNew?: boolean | undefined;
  /** What gives it back besides what gives back everything of its kind. */
  readonly isRelease?: IsRelease | undefined;
}

/** Something that happens to the thing that is followed. */
export interface Happening {
  readonly at: number;
  readonly what: "acquires" | "copies" | "tests" | "passes" | "stores" | "releases" | "returns" | "forgets";
  /** The function that it is passed to, or that gives it back. */
  readonly name?: string | undefined;
}

export type OnHappening = (happening: Happening) => void;
