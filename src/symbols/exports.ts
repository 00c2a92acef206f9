import type { Image } from "../pe/image.ts";
import { type Names, NameTable } from "./names.ts";

const known = new WeakMap<Image, Names>();

/**
 * What an image exports by name, forwarders left out: they stand in another image. Only these names say what others can
 * call; what is exported by ordinal alone has none.
 */
export function exportNames(image: Image): Names {
  const found = known.get(image);
  if (found !== undefined) return found;
  const names = new NameTable(
    "export",
    image.exports.items.flatMap(({ name, rva, forwarder }) =>
      name === null || forwarder !== undefined ? [] : [{ name, rva }],
    ),
  );
  known.set(image, names);
  return names;
}
