import { hex } from "../../core/address.ts";
import { grouped, printable } from "../../core/text.ts";
import type { Coverage } from "../../trail/coverage.ts";
import type { PointersDocument } from "../documents.ts";
import { renderTable } from "../table.ts";
import { percent, plural } from "../words.ts";
import { at, blocks, renderNotes, type View } from "./view.ts";

/** `pointers`: who holds an address, and which of the places are import slots. */
export function renderPointers(document: PointersDocument, view: View): string {
  const rows = document.pointers.map((pointer) => [
    at(view, pointer.address),
    pointer.bytes,
    pointer.module,
    `+${hex(pointer.rva)}`,
    pointer.section ?? "",
    pointer.slot === null ? "" : pointer.slot === "iat" ? "import slot" : "delay-import slot",
  ]);
  const table = renderTable(
    [
      { title: "address" },
      { title: "bytes" },
      { title: "module" },
      { title: "offset" },
      { title: "section" },
      { title: "slot" },
    ],
    rows,
    view.style,
  );
  return blocks(
    rows.length === 0 ? `Nothing that could be read holds ${at(view, document.target)}.` : table,
    rows.length === 0
      ? ""
      : `${plural(rows.length, "place holds", "places hold")} ${at(view, document.target)}`,
    renderCoverage(document.coverage, view),
    renderNotes(document.notes, view),
  );
}

/** One line on all that was looked through, and one for each image that could not be read whole. */
export function renderCoverage(coverage: readonly Coverage[], view: View): string {
  const size = coverage.reduce((sum, row) => sum + row.size, 0);
  const readable = coverage.reduce((sum, row) => sum + row.readable, 0);
  const fromFile = coverage.reduce((sum, row) => sum + row.fromFile, 0);
  const filled = fromFile === 0 ? "" : `, ${grouped(fromFile)} of them from the files given`;
  const total = `Read ${grouped(readable)} of ${grouped(size)} bytes (${percent(readable, size)}) in ${plural(coverage.length, "module")}${filled}.`;
  const partly = coverage.filter((row) => row.readable < row.size);
  if (partly.length === 0) return total;
  const worst = [...partly].sort((a, b) => a.readable / a.size - b.readable / b.size).slice(0, SHOWN);
  const names = worst.map((row) => printable(`${row.module} ${percent(row.readable, row.size)}`));
  const more = partly.length > SHOWN ? ` and ${partly.length - SHOWN} more` : "";
  return `${total}\n${view.style.warn("Not read whole:")} ${names.join(", ")}${more}. What is missing there is unknown, not absent.`;
}

const SHOWN = 12;
