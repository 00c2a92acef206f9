import { type Atom, type MachineState, movedBy, UNKNOWN, type Value } from "./abstract-value.ts";
import type { Comparison } from "./conditions.ts";
import { type Ending, type Fails, type Keeping, keepingBehind, type Stored } from "./fates.ts";
import type { Memory, Transfer } from "./transfer.ts";

/**
 * What the conditions on a way are about: nothing but answers to questions about the thing, what stands in it, or anything
 * else, which the caller may know.
 */
export type Asked = "nothing" | "it" | "caller";

/** What is known of the thing that is followed, on one way. */
export interface Held {
  /** Keys of the atoms that are it. */
  readonly aliases: ReadonlySet<string>;
  /** Keys of pointers to structures that hold it, and how many bytes into them. */
  readonly structures: ReadonlyMap<string, number>;
  /** The acquisition is known to have come out well. */
  readonly certain: boolean;
  readonly stored: readonly Stored[];
  readonly handed: Stored | undefined;
  /** Functions of the image whose addresses were put into it, by where they start: whoever gets it may call them. */
  readonly routines: ReadonlySet<number>;
  /** Keys of what was put into it: to what it points. */
  readonly pointers: ReadonlySet<string>;
  /** Keys of answers to whether it can be used at all. */
  readonly checks: ReadonlySet<string>;
  /** It came of the turn of a loop before: what the acquiring call gives now is another thing. */
  readonly isEarlier: boolean;
  /** References to it that a function took of what it is given: its own, to be given back first. */
  readonly references: number;
  /** A reference to it was given up that its own memory counts: it ends with the last. */
  readonly counted: boolean;
  /** Another call has failed on this way since. */
  readonly failing: boolean;
  /** A function that is given it has asked something that its caller may know, or what stands in it. */
  readonly asked: Asked;
  /** Keys of what calls answered that such a function asked about it. */
  readonly answers: ReadonlySet<string>;
  /** A call that gave it back, unless it went the way on which it loses it; its answer has not been asked on this way. */
  readonly lost: { readonly call: number; readonly ending: Ending } | undefined;
  /** The last call that may have taken it. */
  readonly taken: Taken | undefined;
}

/** A call that kept it or gave it back, unless it says otherwise, which has not been asked on this way yet. */
export interface Taken {
  readonly at: number;
  readonly fails: Fails;
  /** Given back, and not kept. */
  readonly gone: boolean;
  /** The way on which what was called loses it. */
  readonly loses?: Ending | undefined;
  /** Where it was before. */
  readonly before: Pick<Held, "stored" | "handed">;
}

const NONE: ReadonlySet<never> = new Set();

/** What is known when something has just come into the function's hands. */
export function begun(
  aliases: ReadonlySet<string>,
  certain: boolean,
  structures: ReadonlyMap<string, number> = new Map(),
  stored: readonly Stored[] = [],
): Held {
  return {
    aliases,
    structures,
    certain,
    stored,
    handed: undefined,
    routines: NONE,
    pointers: NONE,
    checks: NONE,
    isEarlier: false,
    references: 0,
    counted: false,
    failing: false,
    asked: "nothing",
    answers: NONE,
    lost: undefined,
    taken: undefined,
  };
}

const keys = new WeakMap<Held, string>();

/** Equal for ways on which the same is known. */
export function heldKey(held: Held): string {
  const known = keys.get(held);
  if (known !== undefined) return known;
  const key = keyOf(held);
  keys.set(held, key);
  return key;
}

function keyOf({
  aliases,
  certain,
  counted,
  failing,
  stored,
  handed,
  routines,
  pointers,
  taken,
  isEarlier,
  references,
  asked,
  lost,
}: Held): string {
  const places = stored.map(({ at }) => at).join();
  return `${[...aliases].join()};${certain};${isEarlier};${references};${counted};${failing};${places};${handed?.at};${[...routines].join()};${[...pointers].join()};${taken?.at};${asked};${lost?.call}`;
}

/**
 * Gives it another name wherever a function still has it that is about to acquire another: in registers that calls
 * preserve, and on its stack.
 *
 * @param written where on the stack the call writes
 * @returns undefined where it is nowhere any more
 */
export function carriedOver(
  held: Held,
  state: MachineState,
  preserved: ReadonlySet<number>,
  written: ReadonlySet<number>,
): Held | undefined {
  const key = "~";
  const isIt = (value: Value): boolean => value.some((atom) => held.aliases.has(atom.key));
  const renamed = (value: Value): Value =>
    value.map((atom) => (held.aliases.has(atom.key) ? { kind: "left", key, call: -1 } : atom));
  let found = false;
  for (const register of preserved) {
    const value = state.registers[register] ?? UNKNOWN;
    if (!isIt(value)) continue;
    state.registers[register] = renamed(value);
    found = true;
  }
  for (const [offset, value] of [...state.stack]) {
    if (offset < state.sp || written.has(offset) || !isIt(value)) continue;
    state.put(offset, renamed(value));
    found = true;
  }
  return found ? { ...held, aliases: new Set([key]), certain: true, isEarlier: true } : undefined;
}

/** Gives another name to what registers and the stack hold by a name. */
export function renamed(state: MachineState, from: string, key: string): boolean {
  const isIt = (value: Value): boolean => value.some((atom) => atom.key === from);
  const other = (value: Value): Value =>
    value.map((atom) => (atom.key === from ? { kind: "left", key, call: -1 } : atom));
  let found = false;
  for (const [register, value] of state.registers.entries()) {
    if (!isIt(value)) continue;
    state.registers[register] = other(value);
    found = true;
  }
  for (const [offset, value] of [...state.stack]) {
    if (!isIt(value)) continue;
    state.put(offset, other(value));
    found = true;
  }
  return found;
}

/** How far behind a pointer a structure may hold it that is passed by its address. */
export const STRUCTURE = 0x40;

/** How many bytes behind a pointer it stands, in memory that is not the stack's. */
export function fieldsBehind({ aliases }: Held, atom: Atom): readonly number[] {
  const [base, start] = atom.kind === "offset" ? [atom.of, atom.offset] : [atom, 0];
  const before = base.kind === "address" ? "*" : `${base.key}+`;
  const from = base.kind === "address" ? base.rva : start;
  // of what a pointer into a larger structure points to nobody knows the size
  const limit = base === atom && base.kind !== "address" ? Number.POSITIVE_INFINITY : STRUCTURE;
  return [...aliases].flatMap((key) => {
    const at = key.startsWith(before) ? Number(key.slice(before.length)) : Number.NaN;
    return at >= from && at - from < limit ? [at - from] : [];
  });
}

/** Whether a value is it, or a place in it. */
export function isHeld(held: Held, value: Value): boolean {
  return value.some((atom) => isInside(held, atom));
}

/** Whether an address is it, or a place in it. */
export function isInside(held: Held, base: Atom): boolean {
  const { aliases } = held;
  if (aliases.has(base.key)) return true;
  if (base.kind === "offset") return aliases.has(base.of.key);
  return base.kind === "unknown" && base.from !== undefined && isInside(held, base.from);
}

/** What a comparison is about. */
export function askedBy(held: Held, { left, right }: Comparison): Asked {
  const about = [...left, ...right].map((atom) => askedOf(held, atom));
  return about.find((one) => one === "caller") ?? about.find((one) => one === "it") ?? "nothing";
}

function askedOf(held: Held, atom: Atom): Asked {
  if (atom.kind === "constant" || held.aliases.has(atom.key) || held.answers.has(atom.key)) return "nothing";
  switch (atom.kind) {
    case "part":
      return askedOf(held, atom.of);
    case "field":
    case "offset":
      return askedOf(held, atom.of) === "nothing" ? "it" : askedOf(held, atom.of);
    default:
      return "caller";
  }
}

/** Whether an address is one in it, or in what it points to. */
export function leadsFrom(held: Held, base: Atom): boolean {
  if (isInside(held, base)) return true;
  return (base.kind === "field" || base.kind === "offset") && leadsFrom(held, base.of);
}

export function keysOf(value: Value): Set<string> {
  return new Set(value.filter(({ kind }) => kind !== "unknown" && kind !== "constant").map(({ key }) => key));
}

/** Where something is put: what keeps it there, the key of what then stands there, and what the address is made of. */
interface Place {
  readonly keeping: Keeping;
  readonly alias: string | undefined;
  readonly base: Atom | undefined;
  /** The address, where it is one behind a pointer. */
  readonly pointer?: Atom;
}

/** Where an operand in memory is, that is not on the stack. */
export function placeOf(transfer: Transfer, state: MachineState, at: Memory): Place {
  const to = transfer.withoutIndex(state, at);
  const rva = transfer.imagePlaceOf(state, to);
  if (rva !== undefined) return { keeping: { in: "global", rva }, alias: `*${rva}`, base: undefined };
  const [base, ...others] = to.base === undefined ? [] : (state.registers[to.base] ?? UNKNOWN);
  if (base === undefined || others.length > 0 || base.kind === "unknown" || to.index !== undefined)
    return { keeping: { in: "unknown" }, alias: undefined, base: undefined };
  const [field] = transfer.whole(state, to);
  const [pointer = base] = movedBy(base, to.displacement);
  return {
    keeping: keepingBehind(pointer),
    alias: field?.kind === "unknown" ? undefined : field?.key,
    base,
    pointer,
  };
}
