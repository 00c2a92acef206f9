import { joined, printable } from "../core/text.ts";
import type { Block, Column, Facts, Heading, Line, Notes, PointerSize, Rows, Table, Text } from "./block.ts";
import { blocksOf, type Documents } from "./blocks.ts";

import type { Style } from "./style.ts";

/** How a text is set: its colours, how wide an address is, and how wide the text. */
export interface View {
  readonly style: Style;
  readonly pointerSize: PointerSize;
  /** In characters, of a terminal; lines are broken between words to fit it. Left out, none is broken. */
  readonly width?: number | undefined;
}

/** The answer of a command as a person reads it. */
export function renderText<C extends keyof Documents>(
  command: C,
  document: Documents[C],
  view: View,
): string {
  const { style, width = Number.POSITIVE_INFINITY } = view;
  return renderBlocks(blocksOf(command, document, view.pointerSize), { style, width });
}

/** How lines are set, and the characters that there are for one. */
interface Setting {
  readonly style: Style;
  readonly width: number;
}

/** Blocks with an empty line between them. What comes from a dump is made printable here, so that no name drives the terminal. */
function renderBlocks(blocks: readonly Block[], setting: Setting): string {
  return joined(
    blocks.map((block) => renderBlock(block, setting)).filter((text) => text !== ""),
    "\n\n",
  );
}

function renderBlock(block: Block, setting: Setting): string {
  switch (block.kind) {
    case "heading":
      return renderHeading(block, setting);
    case "facts":
      return renderFacts(block, setting);
    case "table":
      return renderTable(block, setting);
    case "notes":
      return renderNotes(block, setting);
    case "bars":
    case "graph":
    case "strips":
      return "";
  }
}

function renderHeading({ lines, notes = [] }: Heading, setting: Setting): string {
  const below = renderNotes({ kind: "notes", label: "note:", notes }, setting);
  const set = lines.map((line) => renderLine(line, setting, { hang: HANG }));
  return [...set, ...(below === "" ? [] : [below])].join("\n");
}

/** By how much what goes on in the next line is moved in. */
const HANG = 2;

function renderNotes({ label, notes }: Notes, setting: Setting): string {
  return notes
    .map((note) => renderLine([{ tone: "warn", text: label }, ` ${note}`], setting, { hang: HANG }))
    .join("\n");
}

const FACT_GAP = 2;

function renderFacts({ facts, labels, width = 0 }: Facts, setting: Setting): string {
  const { style } = setting;
  const column = facts.reduce(
    (most, { label }) => Math.max(most, label.length + (width === 0 ? FACT_GAP : 1)),
    width,
  );
  const narrower = { style, width: setting.width - column };
  return facts
    .flatMap(({ label, value }) => {
      const lines = value.flatMap((one) =>
        (isTable(one) ? renderTable(one, narrower) : renderLine(one, narrower, { hang: HANG })).split("\n"),
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

/** Where a column stands: its first character, whether that is in a line below, and how wide it is. */
interface Placed {
  readonly start: number;
  readonly below: boolean;
  readonly width: number;
}

/** Rows under their titles, two spaces between columns. The last column is not padded. */
function renderTable(made: Table, setting: Setting): string {
  return joined(linesOf(made, setting), "\n");
}

function* linesOf({ heading, columns, rows }: Table, setting: Setting): Generator<string> {
  const places = placesOf(columns, rows, setting.width);
  const titles = columns.map(({ title = "" }) => title);
  if (heading !== undefined) yield renderLine(heading, setting, { hang: HANG });
  if (columns.some(({ title }) => title !== undefined))
    yield setting.style.dim(renderRow(titles, columns, places, setting));
  for (const row of rows) yield renderRow(row, columns, places, setting);
}

/** What of the columns has no room beside the others stands in a line below them, in every row. */
function placesOf(columns: readonly Column[], rows: Rows, room: number): Placed[] {
  const widest = columns.map(({ title = "" }) => title.length);
  if (columns.some(({ width }) => width === undefined)) {
    for (const row of rows)
      row.forEach((cell, i) => {
        widest[i] = Math.max(widest[i] ?? 0, Math.min(lengthOf(cell), WIDEST_COLUMN));
      });
  }
  let next = 0;
  return columns.map(({ width: given }, i) => {
    const width = given ?? widest[i] ?? 0;
    const least = i === columns.length - 1 ? Math.min(width, NARROWEST) : width;
    const below = i > 0 && next + least > room;
    const start = below ? 2 * HANG : next;
    next = start + width + 2;
    return { start, below, width };
  });
}

/** The last cell goes on below itself where there is no room for it; the others are never broken. */
function renderRow(
  row: readonly Line[],
  columns: readonly Column[],
  places: readonly Placed[],
  setting: Setting,
): string {
  let set = "";
  row.forEach((cell, i) => {
    const { start, below, width } = places[i] ?? { start: 0, below: false, width: 0 };
    const isLast = i === columns.length - 1;
    const room = " ".repeat(Math.max(0, width - lengthOf(cell)));
    if (below) set = `${set.trimEnd()}\n${" ".repeat(start)}`;
    else if (i > 0) set += "  ";
    const whole = isLast ? setting : { ...setting, width: Number.POSITIVE_INFINITY };
    const text = renderLine(cell, whole, { start, hang: start });
    set += columns[i]?.align === "right" ? room + text : text + (isLast ? "" : room);
  });
  return set.trimEnd();
}

/** Where a line starts, and where what goes on in the next one does. */
interface Place {
  readonly start?: number;
  readonly hang?: number;
}

/** Lines are not broken to be narrower than this. */
const NARROWEST = 20;

/** A line; broken between words where it is wider than there is room. */
function renderLine(line: Line, { style, width }: Setting, { start = 0, hang = 0 }: Place): string {
  const parts = partsOf(line).map((part) => (typeof part === "string" ? { text: part } : part));
  const tone = (part: Exclude<Text, string> | { readonly text: string }, text: string): string =>
    "tone" in part ? style[part.tone](text) : text;
  if (start + lengthOf(line) <= width || width - hang < NARROWEST) {
    return parts.map((part) => tone(part, printable(part.text))).join("");
  }
  let at = start;
  let set = "";
  for (const part of parts) {
    const words = printable(part.text).split(/(?<= )(?=[^ ])/);
    let run = "";
    for (const word of words) {
      if (at + word.trimEnd().length > width && at > hang) {
        set += `${tone(part, run.trimEnd())}\n${" ".repeat(hang)}`;
        run = "";
        at = hang;
      }
      run += word;
      at += word.length;
    }
    set += run === "" ? "" : tone(part, run);
  }
  return set;
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
