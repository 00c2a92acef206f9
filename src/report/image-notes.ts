import { hex } from "../core/address.ts";
import { printable } from "../core/text.ts";
import type { Image } from "../pe/image.ts";
import { overlapsOf } from "../pe/sections.ts";
import { plural } from "./words.ts";

/** Overlaps that are told one by one. */
const SHOWN = 3;

/** What is wrong with an image as a whole, and bears on all that is read from it. */
export function layoutNotes(image: Image): readonly string[] {
  const overlaps = overlapsOf(image.sections);
  const notes = overlaps.slice(0, SHOWN).map(({ shown, hidden, start, length }) => {
    const [over, under] = [printable(shown.name), printable(hidden.name)];
    return `sections ${over} and ${under} overlap, which no loader takes: the ${plural(length, "byte")} from RVA ${hex(start)} are read as those of ${over}`;
  });
  const more = overlaps.length - notes.length;
  return more === 0 ? notes : [...notes, `and ${more} more sections overlap the one before them`];
}
