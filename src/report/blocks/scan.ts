import { hex } from "../../core/address.ts";
import { at, type Block, heading, notes, type PointerSize, table } from "../block.ts";
import type { Reference, Scan } from "../scan-document.ts";
import { plural } from "../words.ts";
import { plus } from "./near.ts";
import { coverageLines } from "./pointers.ts";

/** `scan`: every place where the tag stands, what the code does there, and in which function. */
export function scanBlocks(scan: Scan, size: PointerSize): readonly Block[] {
  const found =
    scan.references.length === 0
      ? scan.undecoded.length > 0
        ? `\`${scan.tag}\` was not found; the code of ${plural(scan.undecoded.length, "module")} was not looked at as a whole.`
        : `\`${scan.tag}\` stands nowhere in what could be read.`
      : `${plural(scan.references.length, "reference")} to \`${scan.tag}\``;
  const rows = scan.references.map((reference) => [
    at(size, reference.address),
    reference.bytes,
    reference.text,
    reference.use + (reference.origin === "file" ? " (from file)" : ""),
    standsIn(reference, size),
  ]);
  return [
    ...table(
      ["address", "bytes", "text", "use", "stands in"].map((title) => ({ title })),
      rows,
    ),
    heading(found),
    heading(...coverageLines(scan.coverage)),
    notes(scan.notes),
  ];
}

/** The function where one is known; else the module and offset, with the nearest export as a hint. */
export function standsIn(reference: Reference, size: PointerSize): string {
  const place = reference.function;
  const where = `${reference.module}+${hex(reference.rva)}`;
  if (place?.name != null) {
    const far = place.fragment !== null && place.fragment.start !== place.entry;
    const offset = Number(reference.address - place.entry);
    return `${place.module}!${place.name}${far ? ` (cold part at ${at(size, place.fragment.start)})` : plus(offset)}`;
  }
  const section = reference.section === null ? "" : ` ${reference.section}`;
  if (place !== null) {
    return `${where}${section}, in the unnamed function ${at(size, place.entry)}`;
  }
  if (reference.nearest === null) return `${where}${section}`;
  return `${where}${section} (nearest export ${reference.nearest.name}${plus(reference.nearest.offset)})`;
}
