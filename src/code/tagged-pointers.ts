import { type Atom, movedBy, type Value } from "./abstract-value.ts";

/** What the lowest bits of a pointer may say; sums with 3 and 7 are rounded up by clearing them. */
const TAGS: ReadonlySet<number> = new Set([1, 2]);
/** Blocks of pool start where they can be divided by 16, in 32-bit code by 8. */
const ALIGNED = 8;

/** A pointer whose lowest bits say something else: set, or cleared again. */
export function tagged(mnemonic: string, value: Value, by: number, word: 4 | 8): Value | undefined {
  const [only, ...others] = value;
  if (only === undefined || others.length > 0) return undefined;
  if (mnemonic === "or" && TAGS.has(by) && POINTERS.has(only.kind)) return movedBy(only, by);
  const mask = by | 0;
  if (mnemonic !== "and" || mask >= 0 || mask < -ALIGNED) return undefined;
  if (only.kind === "offset" && TAGS.has(only.offset)) return movedBy(only.of, only.offset & mask);
  // numbers of 64 bits are seldom masked so
  return word === 8 && POINTERS.has(only.kind) ? value : undefined;
}

const POINTERS: ReadonlySet<Atom["kind"]> = new Set(["result", "left", "loaded", "field"]);
