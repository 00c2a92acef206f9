import { hex } from "../../core/address.ts";
import { printable } from "../../core/text.ts";
import type { ReadDocument } from "../documents.ts";
import { plural } from "../words.ts";
import { plus } from "./near.ts";
import { at, blocks, renderNotes, type View } from "./view.ts";

/** `read`: a hex dump as `db` prints it, `??` where a byte cannot be read. */
export function renderRead(document: ReadDocument, view: View): string {
  const bytes = document.bytes === "" ? [] : document.bytes.split(" ");
  const lines: string[] = [];
  for (let i = 0; i < bytes.length; i += 16) {
    const row = bytes.slice(i, i + 16);
    const left = row.slice(0, 8).join(" ");
    const hexDigits = row.length > 8 ? `${left}-${row.slice(8).join(" ")}` : left;
    lines.push(
      `${at(view, document.address + BigInt(i))}  ${hexDigits.padEnd(47)}  ${row.map(character).join("")}`,
    );
  }
  const notes = document.holes.map(
    (hole) => `${plural(hole.length, "byte")} from ${at(view, hole.address)}: ${hole.fault.detail}`,
  );
  if (document.fromFile > 0)
    notes.push(`${plural(document.fromFile, "byte")} came from a PE file, not from the dump`);
  return blocks(lines.join("\n"), standing(document, view), renderNotes(notes, view));
}

/** Where the first byte stands; the export below it is a neighbour, and may be far. */
function standing({ address, module, rva, below }: ReadDocument, view: View): string {
  if (module === null || rva === null) return "";
  const where = `${at(view, address)} is ${module}+${hex(rva)}`;
  const name = below === null ? "" : `${module}!${below.name}`;
  const near =
    below === null
      ? ", with no exported name at or below it"
      : below.offset === 0
        ? `, ${name}`
        : ` (nearest export ${name}${plus(below.offset)})`;
  return view.style.dim(printable(where + near));
}

function character(byte: string): string {
  if (byte === "??") return "?";
  const code = Number.parseInt(byte, 16);
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ".";
}
