import { hex } from "../core/address.ts";
import type { MemoryFault } from "../core/errors.ts";
import { printable } from "../core/text.ts";
import type { Origin } from "../memory/mapping.ts";
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
  const others = more === 0 ? [] : [`and ${more} more sections overlap the one before them`];
  return [...notes, ...others, ...passedOver(image)];
}

function passedOver({ layout, space, base, size }: Image): readonly string[] {
  if (layout !== "file") return [];
  const left = space
    .spans(base, size)
    .reduce((sum, { content, length }) => (isPassedOver(content) ? sum + length : sum), 0);
  if (left === 0) return [];
  return [
    `${plural(left, "byte")} of its sections were passed over: all of them together have more than the file`,
  ];
}

function isPassedOver(content: Origin | MemoryFault): boolean {
  return typeof content !== "string" && content.kind === "passed-over";
}
