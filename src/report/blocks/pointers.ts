import { hex } from "../../core/address.ts";
import { grouped } from "../../core/text.ts";
import type { Coverage } from "../../trail/module-search.ts";
import {
  at,
  type Block,
  heading,
  type Line,
  notes,
  type PointerSize,
  rowsOf,
  table,
  warn,
} from "../block.ts";
import type { PointersDocument } from "../documents.ts";
import { percent, plural } from "../words.ts";

/** `pointers`: who holds an address, and which of the places are import slots. */
export function pointersBlocks(document: PointersDocument, size: PointerSize): readonly Block[] {
  const rows = rowsOf(document.pointers, (pointer) => [
    at(size, pointer.address),
    pointer.bytes,
    pointer.module,
    `+${hex(pointer.rva)}`,
    pointer.section ?? "",
    pointer.slot === null ? "" : pointer.slot === "iat" ? "import slot" : "delay-import slot",
  ]);
  const columns = ["address", "bytes", "module", "offset", "section", "slot"].map((title) => ({ title }));
  const target = at(size, document.target);
  return [
    ...table(columns, rows),
    heading(
      rows.length === 0
        ? `Nothing that could be read holds ${target}.`
        : `${plural(rows.length, "place holds", "places hold")} ${target}`,
    ),
    heading(...coverageLines(document.coverage)),
    notes(document.notes),
  ];
}

/** One line on all that was looked through, and one for each image that could not be read whole. */
export function coverageLines(coverage: readonly Coverage[]): readonly Line[] {
  const size = coverage.reduce((sum, row) => sum + row.size, 0);
  const readable = coverage.reduce((sum, row) => sum + row.readable, 0);
  const fromFile = coverage.reduce((sum, row) => sum + row.fromFile, 0);
  const filled = fromFile === 0 ? "" : `, ${grouped(fromFile)} of them from the files given`;
  const total = `Read ${grouped(readable)} of ${grouped(size)} bytes (${percent(readable, size)}) in ${plural(coverage.length, "module")}${filled}.`;
  const partly = coverage.filter((row) => row.readable < row.size);
  if (partly.length === 0) return [total];
  const worst = [...partly].sort((a, b) => a.readable / a.size - b.readable / b.size).slice(0, SHOWN);
  const names = worst.map((row) => `${row.module} ${percent(row.readable, row.size)}`);
  const more = partly.length > SHOWN ? ` and ${partly.length - SHOWN} more` : "";
  return [
    total,
    [warn("Not read whole:"), ` ${names.join(", ")}${more}. What is missing there is unknown, not absent.`],
  ];
}

const SHOWN = 12;
