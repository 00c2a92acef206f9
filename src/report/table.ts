import { printable } from "../core/text.ts";
import type { Style } from "./style.ts";

/** How one column of a table is set. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/**
 * Sets rows under their titles, two spaces between columns. The last column is not padded.
 * Cells from a dump are made printable here, so that no name can drive the terminal.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: Style,
): string {
  const cells = rows.map((row) => row.map(printable));
  const widths = columns.map((column, i) =>
    cells.reduce((width, row) => Math.max(width, (row[i] ?? "").length), column.title.length),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        if (columns[i]?.align === "right") return cell.padStart(widths[i] ?? 0);
        return i === columns.length - 1 ? cell : cell.padEnd(widths[i] ?? 0);
      })
      .join("  ")
      .trimEnd();
  return [style.dim(line(columns.map((column) => column.title))), ...cells.map(line)].join("\n");
}
