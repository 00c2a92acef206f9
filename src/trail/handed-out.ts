import type {
  AcquiringCall,
  ArgumentOrigin,
  Fails,
  Fates,
  Gives,
  IsRelease,
  Keeping,
} from "../code/fates.ts";
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
  /** As of `AcquiringCall`. */
  readonly isRelease?: IsRelease | undefined;
  /** The module keeps it as well: it is the caller's only where the module gives it back for its callers, and for nobody else. */
  readonly shared?: boolean | undefined;
}

/** A call that allocates, and what gives that back besides plain frees. */
export interface Allocation {
  readonly at: number;
  readonly isRelease?: IsRelease | undefined;
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

/** A structure in a structure in a structure is handed out with it. */
const MOST_STRUCTURES = 3;

/**
 * The same, of an exported function: its callers have as well what it puts into a structure that it hands out, and what
 * the module keeps besides.
 *
 * @param at the call that gave it
 */
export function handedOutOf(
  ownership: Ownership,
  decoded: DecodedModule,
  found: CodeFunction,
  at: number,
  fates: Fates,
  depth = 0,
): HandedOut | undefined {
  const { flows, image } = decoded;
  const { abi } = image.code.set;
  const direct = handedOut(fates, abi);
  if (direct !== undefined) return direct;
  const structures = new Set(
    fates.stored.flatMap(({ keeping }) => (keeping.in === "field" ? (keeping.by ?? []) : [])),
  );
  for (const by of depth === MOST_STRUCTURES ? [] : structures) {
    const structure: AcquiringCall = { at: by, gives: { by: "return" }, fails: "null", isNew: true };
    const fatesOfIt = ownership.fatesOf(flows, found, structure);
    const out = handedOutOf(ownership, decoded, found, by, fatesOfIt, depth + 1);
    if (out !== undefined) return out;
  }
  // what is in a list of the caller's structure goes with that
  const listed = fates.stored.flatMap(({ keeping, also = [] }) => [keeping, ...also]);
  if (listed.some((place) => place.in === "unknown" && place.of !== undefined)) return undefined;
  const outs = fates.stored.flatMap(({ also = [] }) => also.flatMap((place) => outOf(place, abi) ?? []));
  const out = outs.find(({ by }) => by === "structure") ?? outs[0];
  const ways: HandedOut[] = out === undefined ? [] : [{ gives: out, fails: failsOf(fates), shared: true }];
  if (fates.leftAsResult !== undefined) ways.push({ gives: { by: "return" }, fails: "null", shared: true });
  return ways.find(({ fails }) => ownership.succeedsOnlyThrough(flows, found, at, fails));
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
 * @param allocations calls by which a function allocates with the tag, by its entry
 */
export function allocationCarrier(
  ownership: Ownership,
  decoded: DecodedModule,
  allocations: ReadonlyMap<number, readonly Allocation[]>,
): Carrier<Carried> & { readonly cut: boolean } {
  let left = MAX_CARRIED;
  let cut = false;
  const from = (found: CodeFunction, at: number, out: HandedOut): Carried | undefined => {
    if (left === 0) {
      cut = true;
      return null;
    }
    left--;
    const fates = ownership.fatesOf(decoded.flows, found, { at, ...out });
    if (isGivenBack(fates)) return undefined;
    const further = handedOutOf(ownership, decoded, found, at, fates);
    if (further === undefined) return null;
    return { ...further, shared: further.shared ?? out.shared, isRelease: out.isRelease };
  };
  return {
    lead: (found) => {
      const calls = allocations.get(found.entry) ?? [];
      if (calls.length === 0) return null;
      const ways = calls.map(({ at, isRelease }) =>
        from(found, at, { gives: { by: "return" }, fails: "null", isRelease }),
      );
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
