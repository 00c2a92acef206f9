import { advance, type Va } from "../core/address.ts";
import { MemoryError, type MemoryFault } from "../core/errors.ts";
import type { Stop, Walk } from "../core/walk.ts";
import type { AddressSpace } from "../memory/address-space.ts";

/** The links of a LIST_ENTRY chain, in order, without its head. */
export interface ListWalk<T> extends Walk<T> {
  /** How many of the last items were found from the end backwards, after the forward links led no further. */
  readonly recovered: number;
}

/**
 * Walks a circular LIST_ENTRY chain forwards, and where that ends early, backwards from the head: a
 * broken link costs the rest of neither direction. `stopped` is the reason why the forward links
 * ended, and stands also where the way back met them, so that nothing is missing.
 *
 * @param max items
 * @param readEntry the entry at a link; `undefined` where none stands
 * @throws what `readEntry` throws, `MemoryError` excepted: that ends the walk
 */
export function walkList<T>(
  space: AddressSpace,
  head: Va,
  max: number,
  readEntry: (link: Va) => T | undefined,
): ListWalk<T> {
  const seen = new Map<Va, T>();
  const stopped = follow(space, head, 0, max, seen, readEntry);
  if (stopped === undefined) return { items: [...seen.values()], recovered: 0 };
  const forward = seen.size;
  if (stopped !== "limit") follow(space, head, space.pointerSize, max, seen, readEntry);
  const items = [...seen.values()];
  const back = items.splice(forward).reverse();
  return { items: [...items, ...back], stopped, recovered: back.length };
}

/**
 * Follows one direction's links from the head, adding to `seen` what is new.
 *
 * @param offset of the link in an entry: Flink or Blink
 * @returns why it ended before it came back to the head
 */
function follow<T>(
  space: AddressSpace,
  head: Va,
  offset: number,
  max: number,
  seen: Map<Va, T>,
  readEntry: (link: Va) => T | undefined,
): Stop | undefined {
  let link = head;
  for (;;) {
    const next = faultOr(() => space.readPointer(advance(link, offset)));
    if (typeof next === "object") return next.fault;
    if (next === head) return undefined;
    if (seen.has(next)) return "cycle";
    if (seen.size >= max) return "limit";
    if (next % BigInt(space.pointerSize) !== 0n) return "broken";
    const entry = faultOr(() => ({ found: readEntry(next) }));
    if ("fault" in entry) return entry.fault;
    if (entry.found === undefined) return "broken";
    seen.set(next, entry.found);
    link = next;
  }
}

function faultOr<R>(read: () => R): R | { readonly fault: MemoryFault } {
  try {
    return read();
  } catch (error) {
    if (error instanceof MemoryError) return { fault: error.fault };
    throw error;
  }
}
