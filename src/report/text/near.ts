import { hex } from "../../core/address.ts";
import { printable } from "../../core/text.ts";
import type { NearDocument, NearRow } from "../documents.ts";
import { at, renderNotes, type View } from "./view.ts";

/** `near`: as `ln`, and below it the function that the address really stands in, where it is known. */
export function renderNear(document: NearDocument, view: View): string {
  return document.symbols.map((row) => renderRow(row, view)).join("\n\n");
}

function renderRow(row: NearRow, view: View): string {
  const lines: string[] = [];
  if (row.module === null) {
    lines.push(`${at(view, row.address)} is in no loaded module`);
  } else {
    const own = `${row.module}+${hex(row.rva ?? 0)}`;
    const below =
      row.below === null
        ? `${own}, with no exported name at or below it`
        : `(${at(view, row.below.address)})   ${row.module}!${row.below.name}${plus(row.below.offset)}`;
    const above =
      row.above === null ? "" : `   |   (${at(view, row.above.address)})   ${row.module}!${row.above.name}`;
    lines.push(printable(below + above));
    lines.push(
      view.style.dim(printable(`  ${row.below === null ? "" : `${own}, `}${describePlace(row, view)}`)),
    );
  }
  if (row.notes.length > 0) lines.push(renderNotes(row.notes, view));
  return lines.join("\n");
}

/** The function that an address stands in, and on which basis that is known. */
function describePlace({ function: place, below, above }: NearRow, view: View): string {
  if (place === null) {
    const nearest = below === null && above === null ? "" : "; the names above are only the nearest exports";
    return `the function it stands in is not known${nearest}`;
  }
  const name =
    place.name === null ? `an unnamed function of ${place.module}` : `${place.module}!${place.name}`;
  const fragment =
    place.fragment === null
      ? ""
      : `, ${hex(place.offset)} into its piece ${at(view, place.fragment.start)} to ${at(view, place.fragment.end)}`;
  return `in ${name}, entry ${at(view, place.entry)}${fragment} (known by ${KNOWN_BY[place.basis]})`;
}

/** On which basis a function is known, in words. */
export const KNOWN_BY = {
  pdata: "unwind data",
  symbol: "a symbol",
  export: "the export table",
  flow: "the flow of the code",
} as const;

/** `+0x3d`, or nothing for 0. */
export function plus(offset: number): string {
  return offset === 0 ? "" : `+${hex(offset)}`;
}
