import { printable } from "../core/text.ts";
import type { Block, Column, Facts, Heading, Line, Notes, PointerSize, Table, Text } from "./block.ts";
import { blocksOf, type Documents } from "./blocks.ts";

import type { Style } from "./style.ts";

/** How a text is set: its colours, and how wide an address is. */
export interface View {
  readonly style: Style;
  readonly pointerSize: PointerSize;
}

/** The answer of a command as a person reads it. */
export function renderText<C extends keyof Documents>(
  command: C,
  document: Documents[C],
  view: View,
): string {
  return renderBlocks(blocksOf(command, document, view.pointerSize), view.style);
}

/** Blocks with an empty line between them. What comes from a dump is made printable here, so that no name drives the terminal. */
function renderBlocks(blocks: readonly Block[], style: Style): string {
  return blocks
    .map((block) => renderBlock(block, style))
    .filter((text) => text !== "")
    .join("\n\n");
}

function renderBlock(block: Block, style: Style): string {
  switch (block.kind) {
    case "heading":
      return renderHeading(block, style);
    case "facts":
      return renderFacts(block, style);
    case "table":
      return renderTable(block, style);
    case "notes":
      return renderNotes(block, style);
    case "bars":
    case "graph":
      return "";
  }
}

function renderHeading({ lines, notes = [] }: Heading, style: Style): string {
  const below = renderNotes({ kind: "notes", label: "note:", notes }, style);
  return [...lines.map((line) => renderLine(line, style)), ...(below === "" ? [] : [below])].join("\n");
}

function renderNotes({ label, notes }: Notes, style: Style): string {
  return notes.map((note) => `${style.warn(label)} ${printable(note)}`).join("\n");
}

const FACT_GAP = 2;

function renderFacts({ facts, labels, width = 0 }: Facts, style: Style): string {
  const column = facts.reduce(
    (most, { label }) => Math.max(most, label.length + (width === 0 ? FACT_GAP : 1)),
    width,
  );
  return facts
    .flatMap(({ label, value }) => {
      const lines = value.flatMap((one) =>
        isTable(one) ? renderTable(one, style).split("\n") : [renderLine(one, style)],
      );
      const name = style[labels](printable(label)) + " ".repeat(Math.max(0, column - label.length));
      return lines.map((line, i) => (i === 0 ? name : " ".repeat(column)) + line);
    })
    .join("\n");
}

function isTable(value: Line | Table): value is Table {
  return typeof value === "object" && "kind" in value;
}

/** What cells are padded to at most: one longer cell moves what stands behind it, and not thousands of others. */
const WIDEST_COLUMN = 200;

/** Rows under their titles, two spaces between columns. The last column is not padded. */
function renderTable({ heading, columns, rows }: Table, style: Style): string {
  const widths = columns.map(
    ({ title = "", width }, i) =>
      width ??
      rows.reduce(
        (most, row) => Math.max(most, Math.min(lengthOf(row[i] ?? ""), WIDEST_COLUMN)),
        title.length,
      ),
  );
  const titled = columns.some(({ title }) => title !== undefined);
  const titles = columns.map(({ title = "" }) => title);
  return [
    ...(heading === undefined ? [] : [renderLine(heading, style)]),
    ...(titled ? [style.dim(renderRow(titles, columns, widths, style))] : []),
    ...rows.map((row) => renderRow(row, columns, widths, style)),
  ].join("\n");
}

function renderRow(
  row: readonly Line[],
  columns: readonly Column[],
  widths: readonly number[],
  style: Style,
): string {
  const cells = row.map((cell, i) => {
    const room = " ".repeat(Math.max(0, (widths[i] ?? 0) - lengthOf(cell)));
    if (columns[i]?.align === "right") return room + renderLine(cell, style);
    return renderLine(cell, style) + (i === columns.length - 1 ? "" : room);
  });
  return cells.join("  ").trimEnd();
}

function renderLine(line: Line, style: Style): string {
  return partsOf(line)
    .map((part) => (typeof part === "string" ? printable(part) : style[part.tone](printable(part.text))))
    .join("");
}

/** In characters as they are shown. */
function lengthOf(line: Line): number {
  return partsOf(line).reduce(
    (sum, part) => sum + printable(typeof part === "string" ? part : part.text).length,
    0,
  );
}

function partsOf(line: Line): readonly Text[] {
  return typeof line === "string" || "text" in line ? [line] : line;
}
