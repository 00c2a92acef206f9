import type { Atom, Value } from "./abstract-value.ts";
import type { Stored } from "./fates.ts";

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
  /** Keys of answers to whether it can be used at all. */
  readonly checks: ReadonlySet<string>;
  /** Another call has failed on this way since. */
  readonly failing: boolean;
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
    checks: NONE,
    failing: false,
  };
}

/** Equal for ways on which the same is known. */
export function heldKey({ aliases, certain, failing, stored, handed, routines }: Held): string {
  const places = stored.map(({ at }) => at).join();
  return `${[...aliases].join()};${certain};${failing};${places};${handed?.at};${[...routines].join()}`;
}

/** Whether a value is it, or a place in it. */
export function isHeld(held: Held, value: Value): boolean {
  return value.some((atom) => isInside(held, atom));
}

/** Whether an address is it, or a place in it. */
export function isInside({ aliases }: Held, base: Atom): boolean {
  return aliases.has(base.key) || (base.kind === "offset" && aliases.has(base.of.key));
}

/** Whether an address is one in it, or in what it points to. */
export function leadsFrom(held: Held, base: Atom): boolean {
  if (isInside(held, base)) return true;
  return (base.kind === "field" || base.kind === "offset") && leadsFrom(held, base.of);
}

export function keysOf(value: Value): Set<string> {
  return new Set(value.filter(({ kind }) => kind !== "unknown" && kind !== "constant").map(({ key }) => key));
}
