import { joined, printable } from "../core/text.ts";
import { type Block, type Facts, type Line, mapped, type Notes, type Table } from "./block.ts";
import { blocksOf, type Documents } from "./blocks.ts";
import { TAG_IN_TEXT } from "./markup.ts";

/** An answer in Markdown, for a ticket: titles, sentences, lists and tables. */
export function renderMarkdown<C extends keyof Documents>(
  command: C,
  document: Documents[C],
  { pointerSize }: { readonly pointerSize: 4 | 8 },
): string {
  return blocksOf(command, document, pointerSize)
    .map(renderBlock)
    .filter((text) => text !== "")
    .join("\n\n");
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case "heading":
      return [
        ...block.lines.map(lineOf),
        ...notesOf({ kind: "notes", label: "note:", notes: block.notes ?? [] }),
      ].join("\n\n");
    case "facts":
      return renderFacts(block);
    case "table":
      return renderTable(block);
    case "notes":
      return notesOf(block).join("\n");
    case "bars":
    case "graph":
    case "strips":
      return "";
  }
}

function notesOf({ label, notes }: Notes): readonly string[] {
  return notes.map((note) => `> ${escaped(label)} ${escaped(note)}`);
}

function renderFacts({ facts, labels }: Facts): string {
  if (labels === "bold") {
    return facts
      .map(({ label, value }) => [`## ${escaped(label)}`, ...value.map(renderValue)].join("\n\n"))
      .join("\n\n");
  }
  return facts
    .map(({ label, value }) => `- **${escaped(label)}**: ${value.map(renderValue).join(" ")}`)
    .join("\n");
}

function renderValue(value: Line | Table): string {
  return typeof value === "object" && "kind" in value ? renderTable(value) : lineOf(value).trimStart();
}

function renderTable({ heading, columns, rows }: Table): string {
  const titles = columns.map(({ title = "" }) => cell(title));
  const rules = columns.map(({ align }) => (align === "right" ? "---:" : "---"));
  const lineOfCells = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const body = joined(
    mapped(rows, (row) => lineOfCells(row.map(cell))),
    "\n",
  );
  const table = [lineOfCells(titles), lineOfCells(rules), body].join("\n");
  return heading === undefined ? table : `${lineOf(heading)}\n\n${table}`;
}

function cell(line: Line): string {
  return lineOf(line).trim();
}

function lineOf(line: Line): string {
  const parts = typeof line === "string" || "text" in line ? [line] : line;
  return parts
    .map((part) => {
      if (typeof part === "string") return escaped(part);
      const text = escaped(part.text);
      return part.tone === "accent" || part.tone === "bold" ? `**${text}**` : text;
    })
    .join("");
}

/** Nothing from a dump is markup, a link, a mention or the end of a table's cell. Tags in grave accents stay what they are. */
function escaped(text: string): string {
  return printable(text)
    .split(TAG_IN_TEXT)
    .map((part, i) =>
      i % 3 === 2
        ? `\`${part.replaceAll("|", "\\|")}\``
        : part.replace(/[\\*_[\]<>|#&@~`]/g, (character) => `\\${character}`),
    )
    .join("");
}
