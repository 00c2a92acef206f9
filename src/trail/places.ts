import { rva, type Va } from "../core/address.ts";
import type { FunctionPlace } from "./place.ts";
import type { TrailModule } from "./target.ts";

/**
 * The function that an address stands in: by unwind data where the image has any. A function is called
 * by a name only where an export stands at its very start.
 */
export function placeOf(module: TrailModule, address: Va): FunctionPlace | null {
  const { image } = module;
  if (image === undefined) return null;
  const at = rva(Number(address - module.base));
  const found = image.unwind.ownerAt(at);
  const fragment = image.unwind.fragmentAt(at);
  if (found === undefined || fragment === undefined || !found.entryKnown) return null;
  return {
    module: module.name,
    name: image.exports.at(found.entry).find((item) => item.name !== null)?.name ?? null,
    entry: image.addressOf(rva(found.entry)),
    fragment: { start: image.addressOf(fragment.start), end: image.addressOf(fragment.end) },
    offset: at - fragment.start,
    basis: "pdata",
  };
}
