import { hex } from "../../core/address.ts";
import { at, type Block, dim, heading, notes, type PointerSize, table } from "../block.ts";
import type { ReadDocument } from "../documents.ts";
import { plural } from "../words.ts";
import { plus } from "./near.ts";

/** `read`: a hex dump as `db` prints it, `??` where a byte cannot be read. */
export function readBlocks(document: ReadDocument, size: PointerSize): readonly Block[] {
  const bytes = document.bytes === "" ? [] : document.bytes.split(" ");
  const rows: string[][] = [];
  for (let i = 0; i < bytes.length; i += 16) {
    const row = bytes.slice(i, i + 16);
    const left = row.slice(0, 8).join(" ");
    const hexDigits = row.length > 8 ? `${left}-${row.slice(8).join(" ")}` : left;
    rows.push([at(size, document.address + BigInt(i)), hexDigits, row.map(character).join("")]);
  }
  const doubts = document.holes.map(
    (hole) => `${plural(hole.length, "byte")} from ${at(size, hole.address)}: ${hole.fault.detail}`,
  );
  if (document.fromFile > 0)
    doubts.push(`${plural(document.fromFile, "byte")} came from a PE file, not from the dump`);
  const where = standing(document, size);
  return [
    ...table([{}, { width: DIGITS }, {}], rows),
    ...(where === "" ? [] : [heading(dim(where))]),
    notes(doubts),
  ];
}

/** Sixteen bytes with what stands between them. */
const DIGITS = 47;

/** Where the first byte stands; the export below it is a neighbour, and may be far. */
function standing({ address, module, rva, below }: ReadDocument, size: PointerSize): string {
  if (module === null || rva === null) return "";
  const where = `${at(size, address)} is ${module}+${hex(rva)}`;
  const name = below === null ? "" : `${module}!${below.name}`;
  const near =
    below === null
      ? ", with no exported name at or below it"
      : below.offset === 0
        ? `, ${name}`
        : ` (nearest export ${name}${plus(below.offset)})`;
  return where + near;
}

function character(byte: string): string {
  if (byte === "??") return "?";
  const code = Number.parseInt(byte, 16);
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ".";
}
