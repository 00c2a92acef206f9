import type { Image } from "../pe/image.ts";
import { type Names, NameTable } from "./names.ts";

const known = new WeakMap<Image, Names>();

/** What GNU's linker left in the image's file, undecorated as debuggers show it. */
export function coffNames(image: Image): Names {
  const found = known.get(image);
  if (found !== undefined) return found;
  const { symbols } = image;
  const items = symbols.state === "present" ? symbols.value.items : [];
  const shown = image.machine === "x86" ? undecorated : (name: string) => name;
  const names = new NameTable(
    "symbol",
    items.map(({ name, rva }) => ({ name: shown(name), rva })),
  );
  known.set(image, names);
  return names;
}

/**
 * The name in C of a symbol of 32-bit code: `_name`, `_name@8` and `@name@8` are `name`.
 *
 * @see Microsoft C++ documentation, "Decorated names", "Format of a C decorated name"
 */
function undecorated(symbol: string): string {
  const [, name = symbol] = /^[_@]([A-Za-z_]\w*)(?:@\d+)?$/.exec(symbol) ?? [];
  return name;
}
