import type { ArgumentOrigin, Fails, Fates, Gives, Keeping } from "../code/fates.ts";
import type { CodeFunction } from "../code/function-table.ts";
import type { Ownership } from "../code/ownership.ts";
import { MAX_CARRIED } from "../core/limits.ts";
import { type Abi, argumentNumber } from "../isa/abi.ts";
import type { DecodedModule } from "./module-codes.ts";
import type { Carrier } from "./reach.ts";

/** How a function hands on what it acquired; `undefined`: it stays inside, or where it goes is not known. */
export interface HandedOut {
  readonly gives: Gives;
  readonly fails: Fails;
  /** As of `AcquiringCall`. */
  readonly isNew?: boolean;
}

/** How a function on the way from an allocation to an exported function hands it on; null: it stays inside. */
export type Carried = HandedOut | null;

/** How a function gives to its callers what becomes of something in it so. */
export function handedOut(fates: Fates, abi: Abi): HandedOut | undefined {
  if (fates.returned.length > 0) return { gives: { by: "return" }, fails: "null" };
  for (const { keeping } of fates.stored) {
    const gives = outOf(keeping, abi);
    if (gives !== undefined) return { gives, fails: failsOf(fates) };
  }
  return undefined;
}

function failsOf({ saysTrue, saysUnknown }: Fates): Fails {
  if (saysTrue === true) return "false";
  return saysUnknown === true ? "unknown" : "status";
}

/**
 * Follows what functions allocate upwards, through those that call them: an exported function that gives it back itself
 * leads nowhere.
 *
 * @returns `cut`: there were more calls than are followed, and what they give is taken to stay inside
 * @param allocations places where a function allocates with the tag, by its entry
 */
export function allocationCarrier(
  ownership: Ownership,
  { flows, image }: DecodedModule,
  allocations: ReadonlyMap<number, readonly number[]>,
): Carrier<Carried> & { readonly cut: boolean } {
  const { abi } = image.code.set;
  let left = MAX_CARRIED;
  let cut = false;
  const from = (found: CodeFunction, at: number, out: HandedOut): Carried | undefined => {
    if (left === 0) {
      cut = true;
      return null;
    }
    left--;
    const fates = ownership.fatesOf(flows, found, { at, ...out });
    return isGivenBack(fates) ? undefined : (handedOut(fates, abi) ?? null);
  };
  return {
    lead: (found) => {
      const calls = allocations.get(found.entry) ?? [];
      if (calls.length === 0) return null;
      const ways = calls.map((at) => from(found, at, { gives: { by: "return" }, fails: "null" }));
      const open = ways.filter((way) => way !== undefined);
      return open.find((way) => way !== null) ?? open[0];
    },
    through: (edge, carried) => (carried === null ? null : from(edge.from, edge.at, carried)),
    get cut() {
      return cut;
    },
  };
}

/** Whether nothing of it is left when the function returns. */
function isGivenBack(fates: Fates): boolean {
  const { released, forgotten, stored, handed, returned, whole } = fates;
  return (
    whole && released.length > 0 && forgotten.length + stored.length + handed.length + returned.length === 0
  );
}

function outOf(keeping: Keeping, abi: Abi): Gives | undefined {
  if (keeping.in === "argument") {
    const argument = numberOf(keeping.argument, abi);
    return argument === undefined ? undefined : { by: "out", argument };
  }
  if (keeping.in !== "field" || keeping.of === undefined) return undefined;
  const argument = numberOf(keeping.of, abi);
  return argument === undefined ? undefined : { by: "structure", argument, offset: keeping.offset };
}

/** The argument's number by where the function finds it. */
function numberOf(origin: ArgumentOrigin, abi: Abi): number | undefined {
  return "stack" in origin ? stackArgument(abi, origin.stack) : registerArgument(abi, origin.register);
}

/** @param offset above the place of the return address */
export function stackArgument({ pointerSize }: Abi, offset: number): number {
  return offset / pointerSize;
}

export function registerArgument(abi: Abi, register: number): number | undefined {
  const place = abi.volatile.indexOf(register);
  if (!abi.takesRegisters(undefined)) return place < 0 ? undefined : 0 - place;
  const number = argumentNumber(abi, { kind: "register", register });
  return number === 0 ? undefined : number;
}
