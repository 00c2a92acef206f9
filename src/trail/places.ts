import type { CodeFunction } from "../code/function-table.ts";
import { functionsAt } from "../code/functions.ts";
import type { Va } from "../core/address.ts";
import type { Image } from "../pe/image.ts";
import type { FunctionPlace } from "./place.ts";
import type { TrailModule } from "./target.ts";

/**
 * The functions that an address stands in: several where compilers let them share a block. A function
 * is called by a name only where an export stands at its very start.
 */
function placesOf(module: TrailModule, address: Va): readonly FunctionPlace[] {
  const { image } = module;
  if (image === undefined) return [];
  const at = Number(address - module.base);
  return functionsAt(image, at).map((found) => placeIn(module.name, image, found, at));
}

/** The first of `placesOf`, or null where the code there is nobody's. */
export function placeOf(module: TrailModule, address: Va): FunctionPlace | null {
  return placesOf(module, address)[0] ?? null;
}

/** Where in a function of an image the offset `at` stands. */
export function placeIn(module: string, image: Image, found: CodeFunction, at: number): FunctionPlace {
  const fragment = found.fragments.find(({ start, end }) => at >= start && at < end);
  return {
    module,
    name: exportedName(image, found.entry),
    entry: image.addressOf(found.entry),
    fragment:
      fragment === undefined
        ? null
        : { start: image.addressOf(fragment.start), end: image.addressOf(fragment.end) },
    offset: at - (fragment?.start ?? found.entry),
    basis: found.basis,
  };
}

/** A name that an image exports at an offset, the first of several; null where it exports none there. */
export function exportedName(image: Image, offset: number): string | null {
  return exportedNames(image, offset)[0] ?? null;
}

/** All names that an image exports at an offset: linkers put functions that do the same at one place. */
export function exportedNames(image: Image, offset: number): readonly string[] {
  return image.exports.at(offset).flatMap(({ name }) => (name === null ? [] : [name]));
}
