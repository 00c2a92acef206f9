import { fieldOf, leftBy, type MachineState, movedBy, type Value } from "./abstract-value.ts";
import { type AcquiringCall, originOf, type Stored } from "./fates.ts";
import { begun, type Held, keysOf } from "./held.ts";
import type { Outcomes } from "./outcomes.ts";
import { placesOf } from "./writes.ts";

/**
 * What is known right behind the acquiring call, whose state gets it where the call puts it.
 *
 * @param given what stands in the argument that tells the call where to put it, or that is it
 */
export function acquired(
  { gives, at, fails }: AcquiringCall,
  state: MachineState,
  given: Value,
  outcomes: Outcomes,
): Held {
  const certain = fails === "never";
  if (gives.by === "return") return begun(new Set([`=${at}`]), certain);
  if (gives.by === "argument") {
    const kept = given.flatMap((atom): Stored[] => {
      const keeping = originOf(atom);
      return keeping === undefined ? [] : [{ at, keeping }];
    });
    return begun(keysOf(given), certain, new Map(), kept);
  }
  const offset = gives.offset ?? 0;
  // a call may leave several things behind the pointers that it is given, as one that opens a file does
  const left = leftBy(at, gives.argument);
  for (const [place, [only]] of state.stack)
    if (only?.kind === "left" && only.call === at) outcomes.isLeft(place);
  const aliases = keysOf(left);
  const structures = new Map<string, number>();
  if (gives.by === "structure") for (const key of keysOf(given)) structures.set(key, offset);
  const value = gives.by === "structure" ? gives.value : undefined;
  for (const atom of given) {
    for (const into of value === undefined ? [offset] : [offset, value]) {
      if (atom.kind === "stack") state.put(atom.offset + into, left);
      else if (atom.kind === "address") aliases.add(`*${atom.rva + into}`);
      else for (const { key, kind } of fieldOf(atom, into)) if (kind !== "unknown") aliases.add(key);
    }
  }
  const unknown = given.every(({ kind }) => kind === "unknown" || kind === "constant" || kind === "part");
  const stored = unknown
    ? [{ at, keeping: { in: "unknown" } as const }]
    : placesOf(pointersBehind(given, gives), at);
  return begun(aliases, certain, structures, stored);
}

/** Pointers to where a function puts what it gives, of the pointers that it is given. */
export function pointersBehind(given: Value, gives: AcquiringCall["gives"]): Value {
  const offset = "offset" in gives ? (gives.offset ?? 0) : 0;
  return given.flatMap((atom) => movedBy(atom, offset));
}
