import { hex } from "../../core/address.ts";
import { printable } from "../../core/text.ts";
import type { ExportsDocument, ImportRow, ImportsDocument } from "../documents.ts";
import { renderTable } from "../table.ts";
import { plural } from "../words.ts";
import { plus } from "./near.ts";
import { at, blocks, renderNotes, type View } from "./view.ts";

/** `imports`: each slot with the function that it points to, as `dps` over the IAT. */
export function renderImports(document: ImportsDocument, view: View): string {
  const rows = document.imports.map((slot) => [
    at(view, slot.slot),
    at(view, slot.target),
    resolved(slot),
    declared(slot),
  ]);
  const table = renderTable(
    [{ title: "slot address" }, { title: "holds address" }, { title: "which is" }, { title: "declared as" }],
    rows,
    view.style,
  );
  return blocks(
    rows.length === 0 ? "" : table,
    printable(counted(rows.length, "import slot", `in ${document.module}`, document.notes)),
    renderNotes(document.notes, view),
  );
}

function resolved(slot: ImportRow): string {
  if (slot.pending) return "(not used yet)";
  if (slot.resolved === null) return slot.target === null ? "" : "(in no module's exports)";
  const { module, name, offset } = slot.resolved;
  return `${module}${name === null ? "" : `!${name}`}${plus(offset)}`;
}

function declared(slot: ImportRow): string {
  if (slot.declared === null) return "(not readable)";
  const { dll, name, ordinal } = slot.declared;
  const function_ = name ?? (ordinal === null ? "(name not readable)" : `#${ordinal}`);
  const late = slot.kind === "delay-iat" ? ", delayed" : "";
  return `${dll ?? "?"}!${function_}${late}${slot.disagree ? "  <- another function than the slot holds" : ""}`;
}

/** Where a table could not be looked through, none found is not none there. */
function counted(count: number, what: string, where: string, notes: readonly string[]): string {
  if (count === 0 && notes.length > 0) return `No ${what} ${where} could be read.`;
  return `${plural(count, what)} ${where}`;
}

/** `exports`: the export table by ordinal. */
export function renderExports(document: ExportsDocument, view: View): string {
  const rows = document.exports.map((row) => [
    `${row.ordinal}`,
    at(view, row.address),
    hex(row.rva),
    row.name ?? "(by ordinal only)",
    forwarded(row),
  ]);
  const table = renderTable(
    [
      { title: "ordinal", align: "right" },
      { title: "address" },
      { title: "offset" },
      { title: "name" },
      { title: "forwarded to" },
    ],
    rows,
    view.style,
  );
  return blocks(
    rows.length === 0 ? "" : table,
    printable(counted(rows.length, "export", `of ${document.module}`, document.notes)),
    renderNotes(document.notes, view),
  );
}

function forwarded(row: ExportsDocument["exports"][number]): string {
  if (row.forwarder === null) return "";
  const to = row.forwardedTo;
  return to === null
    ? `${row.forwarder} (not found here)`
    : `${row.forwarder} = ${to.module}!${to.name ?? "(by ordinal)"}`;
}
