import type { Basis, CodeFunction } from "../code/function-table.ts";
import { functionsAt } from "../code/functions.ts";
import type { Va } from "../core/address.ts";
import type { Image } from "../pe/image.ts";
import { namesAt } from "../symbols/image-names.ts";
import type { NameBasis } from "../symbols/names.ts";
import type { TrailModule } from "./target.ts";

/** Where in a function an address stands. */
export interface FunctionPlace {
  readonly module: string;
  /** Null where nothing names it: a neighbour's name is never lent. */
  readonly name: string | null;
  /** What says so; null where nothing names it. */
  readonly nameBasis: NameBasis | null;
  /** The function's own start. */
  readonly entry: Va;
  /** The contiguous piece that holds the address; null where only the function's start is known. */
  readonly fragment: { readonly start: Va; readonly end: Va } | null;
  /** In bytes from the fragment's start, or from the entry where the fragment is not known. */
  readonly offset: number;
  readonly basis: Basis;
}

/**
 * Where in its function an address stands: the first of several where compilers let them share a block; null where the
 * code there is nobody's. A function is called by a name only where an export or a symbol stands at its very start.
 */
export function placeOf(module: TrailModule, address: Va): FunctionPlace | null {
  const { image } = module;
  if (image === undefined) return null;
  const at = Number(address - module.base);
  const [found] = functionsAt(image, at);
  return found === undefined ? null : placeIn(module.name, image, found, at);
}

/** Where in a function of an image the offset `at` stands. */
export function placeIn(module: string, image: Image, found: CodeFunction, at: number): FunctionPlace {
  const [named] = namesAt(image, found.entry);
  const fragment = found.fragments.find(({ start, end }) => at >= start && at < end);
  return {
    module,
    name: named?.name ?? null,
    nameBasis: named?.basis ?? null,
    entry: image.addressOf(found.entry),
    fragment:
      fragment === undefined
        ? null
        : { start: image.addressOf(fragment.start), end: image.addressOf(fragment.end) },
    offset: at - (fragment?.start ?? found.entry),
    basis: found.basis,
  };
}
