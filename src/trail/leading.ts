import type { CodeFunction } from "../code/function-table.ts";
import type { Ownership } from "../code/ownership.ts";
import { MAX_CARRIED } from "../core/limits.ts";
import { type HandedOut, handedOut, isGivenBack } from "./carry.ts";
import type { DecodedModule } from "./module-codes.ts";
import type { Carrier } from "./reach.ts";

/** How a function on the way from an allocation to an exported function hands it on; null: it stays inside. */
export type Carried = HandedOut | null;

/**
 * Follows what functions allocate upwards, through those that call them: an exported function that gives it back itself
 * leads nowhere.
 *
 * @param allocations places where a function allocates with the tag, by its entry
 */
export function allocationCarrier(
  ownership: Ownership,
  { flows, image }: DecodedModule,
  allocations: ReadonlyMap<number, readonly number[]>,
): Carrier<Carried> {
  const { abi } = image.code.set;
  let left = MAX_CARRIED;
  const from = (found: CodeFunction, at: number, out: HandedOut): Carried | undefined => {
    if (left-- <= 0) return null;
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
  };
}
