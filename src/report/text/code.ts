import { printable } from "../../core/text.ts";
import type { CodeDocument, CodeLine, CodeReferral } from "../documents.ts";
import { KNOWN_BY } from "./near.ts";
import { at, blocks, renderNotes, type View } from "./view.ts";

type Piece = CodeDocument["pieces"][number];

/** Bytes that fit their column; an instruction with more moves the text to the right. */
const MOST_COLUMN = 10;
const LEAST_COLUMN = 6;

/** `code`: each piece under the function that it belongs to, one instruction a line, as `u` and `uf`. */
export function renderCode(document: CodeDocument, view: View): string {
  const sizes = document.pieces.flatMap(({ lines }) =>
    lines.flatMap(({ kind, length }) => (kind === "instruction" ? [length] : [])),
  );
  const width = Math.max(LEAST_COLUMN, ...sizes.filter((size) => size <= MOST_COLUMN)) * 2;
  return blocks(
    ...document.pieces.map((piece) =>
      [
        view.style.bold(printable(heading(piece, view))),
        ...piece.lines.map((line) => row(line, width, view)),
      ].join("\n"),
    ),
    renderNotes(document.notes.map(printable), view),
  );
}

function heading({ name, function: place }: Piece, view: View): string {
  if (place === null) return name === null ? "in no module" : `${name}, no function known`;
  const piece =
    place.fragment === null
      ? ""
      : `, piece ${at(view, place.fragment.start)} to ${at(view, place.fragment.end)}`;
  return `${name ?? place.module}, entry ${at(view, place.entry)}${piece} (known by ${KNOWN_BY[place.basis]})`;
}

function row(line: CodeLine, width: number, view: View): string {
  const { style } = view;
  const mark = line.here ? ">" : " ";
  const bytes =
    line.kind === "padding" || line.kind === "table"
      ? `${line.bytes.slice(0, 2)} ..`
      : line.bytes.replaceAll(" ", "");
  const comment = [
    ...line.refers.flatMap((one) => said(one)),
    ...(line.note === null ? [] : [`** ${line.note}`]),
  ];
  const behind = comment.length === 0 ? "" : `  ${style.accent(printable(`; ${comment.join("; ")}`))}`;
  const text = `${mark} ${at(view, line.address)}  ${bytes.padEnd(width)}  ${printable(content(line))}`;
  return (line.here ? style.bold(text) : text) + behind;
}

function content({ kind, length, text, fault, bytes }: CodeLine): string {
  switch (kind) {
    case "hole":
      return `not readable: ${fault?.detail ?? "no reason is known"}`;
    case "cut":
      return "part of an instruction that cannot be read whole";
    case "padding":
      return `${length} bytes of padding`;
    case "table":
      return `${length} bytes of a jump table`;
    default:
      return text ?? `db      ${bytes.split(" ").join("h,")}h  (no instruction)`;
  }
}

/** What the instruction's own text does not say. */
function said({ kind, name, text, address, encoding, fault }: CodeReferral): readonly string[] {
  switch (kind) {
    case "callee":
      return [`-> ${name}`];
    case "pointer":
      return [`holds ${name}`];
    case "looked-up":
      return [`${name}, looked up by its name`];
    case "tag":
      return [address === null ? `'${text}'` : `holds '${text}'`];
    case "text":
      if (text === null) return [`what stands there cannot be read: ${fault?.detail}`];
      return [`${encoding === "utf-16" ? "L" : ""}${JSON.stringify(text)}`];
    default:
      return [];
  }
}
