import { hex } from "../../core/address.ts";
import { printable } from "../../core/text.ts";
import type { Reference, Scan } from "../../trail/trail.ts";
import { renderTable } from "../table.ts";
import { plural } from "../words.ts";
import { plus } from "./near.ts";
import { renderCoverage } from "./pointers.ts";
import { at, blocks, renderNotes, type View } from "./view.ts";

/** `scan`: every place where the tag stands, what the code does there, and in which function. */
export function renderScan(scan: Scan, view: View): string {
  const found =
    scan.references.length === 0
      ? scan.undecoded.length > 0
        ? `\`${scan.tag}\` was not found; the code of ${plural(scan.undecoded.length, "module")} was not looked at as a whole.`
        : `\`${scan.tag}\` stands nowhere in what could be read.`
      : `${plural(scan.references.length, "reference")} to \`${scan.tag}\``;
  return blocks(
    scan.references.length === 0 ? "" : renderReferences(scan.references, view),
    printable(found),
    renderCoverage(scan.coverage, view),
    renderNotes(scan.notes, view),
  );
}

/** A table of references. */
function renderReferences(references: readonly Reference[], view: View): string {
  return renderTable(
    [{ title: "address" }, { title: "bytes" }, { title: "text" }, { title: "use" }, { title: "stands in" }],
    references.map((reference) => [
      at(view, reference.address),
      reference.bytes,
      reference.text,
      reference.use + (reference.origin === "file" ? " (from file)" : ""),
      standsIn(reference, view),
    ]),
    view.style,
  );
}

/** The function where one is known; else the module and offset, with the nearest export as a hint. */
export function standsIn(reference: Reference, view: View): string {
  const place = reference.function;
  const where = `${reference.module}+${hex(reference.rva)}`;
  if (place?.name != null) {
    const far = place.fragment !== null && place.fragment.start !== place.entry;
    const offset = Number(reference.address - place.entry);
    return `${place.module}!${place.name}${far ? ` (cold part at ${at(view, place.fragment.start)})` : plus(offset)}`;
  }
  const section = reference.section === null ? "" : ` ${reference.section}`;
  if (place !== null) {
    return `${where}${section}, in the unnamed function ${at(view, place.entry)}`;
  }
  if (reference.nearest === null) return `${where}${section}`;
  return `${where}${section} (nearest export ${reference.nearest.name}${plus(reference.nearest.offset)})`;
}
