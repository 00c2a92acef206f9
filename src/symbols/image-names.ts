import type { Image } from "../pe/image.ts";
import { coffNames } from "./coff.ts";
import { exportNames } from "./exports.ts";
import type { Name, Names } from "./names.ts";

/** Every source of names, the most trusted first. */
const SOURCES: readonly ((image: Image) => Names)[] = [exportNames, coffNames];

/** What a place of an image is called: by the first source that has a name for it. */
export function namesAt(image: Image, rva: number): readonly Name[] {
  for (const source of SOURCES) {
    const names = source(image).at(rva);
    if (names.length > 0) return names;
  }
  return [];
}

/** The place of a name; upper and lower case differ. */
export function placeNamed(image: Image, name: string): Name | undefined {
  for (const source of SOURCES) {
    const found = source(image).byName(name);
    if (found !== undefined) return found;
  }
  return undefined;
}
