import { hex } from "../../core/address.ts";
import { at, type Block, heading, notes, type PointerSize, rowsOf, table } from "../block.ts";
import type { ExportsDocument, ImportRow, ImportsDocument } from "../documents.ts";
import { plural } from "../words.ts";
import { plus } from "./near.ts";

/** `imports`: each slot with the function that it points to, as `dps` over the IAT. */
export function importsBlocks(document: ImportsDocument, size: PointerSize): readonly Block[] {
  const rows = rowsOf(document.imports, (slot) => [
    at(size, slot.slot),
    at(size, slot.target),
    resolved(slot),
    declared(slot),
  ]);
  const [first] = document.imports;
  const counts =
    document.module === null && first !== undefined
      ? `${plural(rows.length, "pointer")} from ${at(size, first.slot)}`
      : counted(rows.length, "import slot", `in ${document.module}`, document.notes);
  return [
    ...table(
      [
        { title: "slot address" },
        { title: "holds address" },
        { title: "which is" },
        { title: "declared as" },
      ],
      rows,
    ),
    heading(counts),
    notes(document.notes),
  ];
}

function resolved(slot: ImportRow): string {
  if (slot.pending) return "(not used yet)";
  if (slot.resolved === null)
    return slot.target === null || slot.kind === null ? "" : "(in no module's exports)";
  const { module, name, offset } = slot.resolved;
  return `${module}${name === null ? "" : `!${name}`}${plus(offset)}`;
}

function declared(slot: ImportRow): string {
  if (slot.declared === null) return slot.kind === null ? "" : "(not readable)";
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
export function exportsBlocks(document: ExportsDocument, size: PointerSize): readonly Block[] {
  const rows = rowsOf(document.exports, (row) => [
    `${row.ordinal}`,
    at(size, row.address),
    hex(row.rva),
    row.name ?? "(by ordinal only)",
    forwarded(row),
  ]);
  const columns = [
    { title: "ordinal", align: "right" },
    { title: "address" },
    { title: "offset" },
    { title: "name" },
    { title: "forwarded to" },
  ] as const;
  return [
    ...table(columns, rows),
    heading(counted(rows.length, "export", `of ${document.module}`, document.notes)),
    notes(document.notes),
  ];
}

function forwarded(row: ExportsDocument["exports"][number]): string {
  if (row.forwarder === null) return "";
  const to = row.forwardedTo;
  return to === null
    ? `${row.forwarder} (not found here)`
    : `${row.forwarder} = ${to.module}!${to.name ?? "(by ordinal)"}`;
}
