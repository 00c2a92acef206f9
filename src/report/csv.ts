import { joined, printable } from "../core/text.ts";
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
  return joined(blocksOf(command, document, pointerSize).flatMap(tablesOf), "\r\n\r\n");
}

/** What tables an answer has, as CSV. */
function tablesOf(block: Block): readonly string[] {
  if (block.kind === "table") return [tableOf(block)];
  if (block.kind !== "facts") return [];
  const own: string[] = [];
  const tables: string[] = [];
  for (const { label, value } of block.facts) {
    for (const one of value) {
      if (typeof one === "object" && "kind" in one) tables.push(tableOf(one));
      else own.push(record([label, one]));
    }
  }
  return own.length === 0 ? tables : [own.join("\r\n"), ...tables];
}

function tableOf(table: Table): string {
  return joined(recordsOf(table), "\r\n");
}

function* recordsOf({ columns, rows }: Table): Generator<string> {
  const titles = columns.map(({ title = "" }) => title);
  if (titles.some((title) => title !== "")) yield record(titles);
  for (const row of rows) yield record(row);
}

function record(cells: readonly Line[]): string {
  return cells.map((cell) => field(textOf(cell).trim())).join(",");
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
