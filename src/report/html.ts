import { joined } from "../core/text.ts";
import {
  type Block,
  type Column,
  type Facts,
  type Heading,
  type Line,
  mapped,
  type Notes,
  type Table,
  type Text,
} from "./block.ts";
import { blocksOf, type Documents } from "./blocks.ts";
import { HTML_SCRIPT, HTML_SCRIPT_HASH, HTML_STYLE, HTML_STYLE_HASH } from "./html-parts.ts";
import { escaped, worded } from "./markup.ts";
import { barsSvg, graphSvg, stripsSvg } from "./svg.ts";

/** What stands around an answer. */
export interface PageView {
  /** Bytes of an address. */
  readonly pointerSize: 4 | 8;
  /** The page's title: the file, as a rule. */
  readonly title: string;
  /** The command that gives this answer again. */
  readonly command: string;
}

/**
 * An answer as one HTML file that needs nothing else: no network, readable without its script, which sorts and filters
 * tables. Nothing in it runs but that script, by the page's own policy; every text is escaped.
 */
export function renderHtml<C extends keyof Documents>(
  command: C,
  document: Documents[C],
  view: PageView,
): string {
  const blocks = blocksOf(command, document, view.pointerSize);
  const body = blocks.map(renderBlock).join("\n");
  const title = escaped(`${view.title}: pooltrail ${command}`);
  const policy = `default-src 'none'; style-src '${HTML_STYLE_HASH}'; script-src '${HTML_SCRIPT_HASH}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${HTML_STYLE}</style>
</head>
<body>
<header><h1>${escaped(view.title)}</h1><p>The same in a terminal: <code>${escaped(view.command)}</code></p></header>
<main>
${body}
</main>
<script>${HTML_SCRIPT}</script>
</body>
</html>
`;
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case "heading":
      return renderHeading(block);
    case "facts":
      return renderFacts(block);
    case "table":
      return renderTable(block);
    case "notes":
      return renderNotes(block);
    case "bars":
      return figure(block.title, barsSvg(block));
    case "graph":
      return figure(block.title, graphSvg(block));
    case "strips":
      return figure(block.title, stripsSvg(block));
  }
}

function figure(title: string, svg: string): string {
  return `<figure tabindex="0" aria-label="${escaped(title)}">${svg}<figcaption>${worded(title)}</figcaption></figure>`;
}

function renderHeading({ lines, notes = [] }: Heading): string {
  const paragraphs = lines.map((line) => `<p class="lead">${renderLine(line)}</p>`).join("\n");
  return `${paragraphs}${renderNotes({ kind: "notes", label: "note:", notes })}`;
}

function renderNotes({ label, notes }: Notes): string {
  if (notes.length === 0) return "";
  const items = notes.map((note) => `<li><span class="warn">${escaped(label)}</span> ${worded(note)}</li>`);
  return `<ul class="notes">${items.join("\n")}</ul>`;
}

/** Facts whose names are set off as titles are sections; others a list of names and values. */
function renderFacts({ facts, labels }: Facts): string {
  if (labels === "bold") {
    return facts
      .map(
        ({ label, value }) =>
          `<section><h2>${worded(label)}</h2>\n${value.map(renderValue).join("\n")}</section>`,
      )
      .join("\n");
  }
  const rows = facts.map(
    ({ label, value }) => `<dt>${escaped(label)}</dt><dd>${value.map(renderValue).join("\n")}</dd>`,
  );
  return `<dl>${rows.join("\n")}</dl>`;
}

function renderValue(value: Line | Table): string {
  if (typeof value === "object" && "kind" in value) return renderTable(value);
  const text = textOf(value);
  const depth = Math.min(4, Math.floor((text.length - text.trimStart().length) / 2));
  return `<p class="in${depth}">${renderLine(value)}</p>`;
}

function renderTable({ heading, columns, rows }: Table): string {
  const titled = columns.some(({ title }) => title !== undefined && title !== "");
  const caption = heading === undefined ? "" : `<caption>${renderLine(heading)}</caption>`;
  const titles = titled ? `<thead><tr>${columns.map(titleCell).join("")}</tr></thead>` : "";
  const cellOf = (cell: Line, i: number): string => `<td${side(columns[i])}>${renderLine(cell)}</td>`;
  const body = joined(
    mapped(rows, (row) => `<tr>${row.map(cellOf).join("")}</tr>`),
    "\n",
  );
  const [[first = ""] = []] = rows;
  // its name says what it has, so that those of a page are told apart
  const name = escaped(
    `table of ${columns
      .map(({ title = "" }) => title)
      .filter((title) => title !== "")
      .join(", ")}, ${rows.length} rows, ${textOf(first)}`,
  );
  return `<div class="table" tabindex="0" role="region" aria-label="${name}"><table>${caption}${titles}<tbody>${body}</tbody></table></div>`;
}

function titleCell(column: Column): string {
  const { title = "" } = column;
  return title === "" ? "<td></td>" : `<th scope="col"${side(column)}>${escaped(title)}</th>`;
}

function side(column: Column | undefined): string {
  return column?.align === "right" ? ' class="right"' : "";
}

function renderLine(line: Line): string {
  return partsOf(line)
    .map((part) =>
      typeof part === "string" ? worded(part) : `<span class="${part.tone}">${worded(part.text)}</span>`,
    )
    .join("");
}

function textOf(line: Line): string {
  return partsOf(line)
    .map((part) => (typeof part === "string" ? part : part.text))
    .join("");
}

function partsOf(line: Line): readonly Text[] {
  return typeof line === "string" || "text" in line ? [line] : line;
}
