import { printable } from "../core/text.ts";
import type { Block, Line, Table } from "./block.ts";
import { blocksOf, type Documents } from "./blocks.ts";

/**
 * The tables of an answer as CSV (RFC 4180), an empty line between them; names and values as a table of two columns. What
 * a spreadsheet would take for a formula has an apostrophe before it.
 */
export function renderCsv<C extends keyof Documents>(
  command: C,
  document: Documents[C],
  { pointerSize }: { readonly pointerSize: 4 | 8 },
): string {
  const tables = blocksOf(command, document, pointerSize).flatMap(tablesOf);
  return tables.map((rows) => rows.map((row) => row.map(field).join(",")).join("\r\n")).join("\r\n\r\n");
}

type Rows = readonly (readonly string[])[];

function tablesOf(block: Block): readonly Rows[] {
  if (block.kind === "table") return [rowsOf(block)];
  if (block.kind !== "facts") return [];
  const own: string[][] = [];
  const tables: Rows[] = [];
  for (const { label, value } of block.facts) {
    for (const one of value) {
      if (typeof one === "object" && "kind" in one) tables.push(rowsOf(one));
      else own.push([label, textOf(one).trim()]);
    }
  }
  return own.length === 0 ? tables : [own, ...tables];
}

function rowsOf({ columns, rows }: Table): Rows {
  const titles = columns.map(({ title = "" }) => title);
  const body = rows.map((row) => row.map((cell) => textOf(cell).trim()));
  return titles.every((title) => title === "") ? body : [titles, ...body];
}

function textOf(line: Line): string {
  const parts = typeof line === "string" || "text" in line ? [line] : line;
  return parts.map((part) => (typeof part === "string" ? part : part.text)).join("");
}

function field(value: string): string {
  const text = printable(value);
  const safe = /^[=+\-@\t\r]/.test(text) && !/^[+-]?[\d.,]+$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
