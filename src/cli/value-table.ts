import { inspect } from "node:util";
import { hex } from "../core/address.ts";
import { grouped, printable } from "../core/text.ts";

type Row = Readonly<Record<string, unknown>>;

/** Rows that are shown. */
const MOST_ROWS = 200;
/** Characters of one cell. */
const MOST_CELL = 60;
const GAP = "  ";

/**
 * A list of things of one kind as a table: their fields that are one value each, as many as the width has room for, and
 * below it what is not shown.
 *
 * @param width in characters
 * @returns undefined where the value is no such list
 */
export function valueTable(value: unknown, width: number): string | undefined {
  if (!Array.isArray(value) || value.length === 0 || inspect.custom in value) return undefined;
  const rows: unknown[] = value.slice(0, MOST_ROWS);
  if (!rows.every(isRow)) return undefined;
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const single = names.filter((name) => rows.every((row) => isSingle(row[name])));
  if (single.length < 2) return undefined;
  const columns = single.map((name) => columnOf(name, rows));
  const shown = columns.filter((_, i) => widthOf(columns.slice(0, i + 1)) <= width || i === 0);
  const lines = [-1, ...rows.keys()].map((i) =>
    shown
      .map((column) => cellOf(column, i))
      .join(GAP)
      .trimEnd(),
  );
  const left = names.filter((name) => !shown.some((column) => column.name === name));
  const more = value.length - rows.length;
  return [
    ...lines,
    ...(more > 0 ? [`... ${grouped(more)} more`] : []),
    ...(left.length === 0 ? [] : [`(and ${left.map(printable).join(", ")}: last[0] shows one whole)`]),
  ].join("\n");
}

interface Column {
  readonly name: string;
  readonly cells: readonly string[];
  /** Of numbers, which stand to the right. */
  readonly numbers: boolean;
  readonly width: number;
}

function columnOf(name: string, rows: readonly Row[]): Column {
  const cells = rows.map((row) => cellText(row[name]));
  const width = cells.reduce((most, cell) => Math.max(most, cell.length), printable(name).length);
  return { name, cells, numbers: rows.every((row) => typeof row[name] === "number"), width };
}

function widthOf(columns: readonly Column[]): number {
  return columns.reduce((sum, { width }) => sum + width + GAP.length, -GAP.length);
}

/** The title for -1. */
function cellOf({ name, cells, numbers, width }: Column, row: number): string {
  const text = row < 0 ? printable(name) : (cells[row] ?? "");
  return numbers ? text.padStart(width) : text.padEnd(width);
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "-";
  const text = typeof value === "bigint" ? hex(value) : printable(String(value));
  return text.length > MOST_CELL ? `${text.slice(0, MOST_CELL - 3)}...` : text;
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(inspect.custom in value);
}

function isSingle(value: unknown): boolean {
  return value === null || ["string", "number", "bigint", "boolean", "undefined"].includes(typeof value);
}
