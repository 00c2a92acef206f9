import type { Image } from "../pe/image.ts";
import type { Atom } from "./values.ts";

/**
 * The framework's functions that take a tag, by their place in the table that drivers call them through. The table only
 * ever grew at its end, so that the places hold for all versions of KMDF 1.
 *
 * @see KMDF, wdffuncenum.h, enum WDFFUNCENUM
 */
const TABLE: ReadonlyMap<number, string> = new Map([
  [116, "WdfDriverCreate"],
  [192, "WdfMemoryCreate"],
  [198, "WdfLookasideListCreate"],
]);

/** The framework's function that is called through a pointer in the table; `undefined` for all others. */
export function wdfFunction(image: Image, atom: Atom): string | undefined {
  if (atom.kind !== "field" || atom.of.kind !== "loaded" || !usesFramework(image)) return undefined;
  return TABLE.get(atom.offset / image.pointerSize);
}

/** The loader of the framework fills the pointer to the table when the driver starts. */
function usesFramework(image: Image): boolean {
  return image.imports.slots.some(
    ({ declared }) => declared?.name === "WdfVersionBind" || declared === undefined,
  );
}
