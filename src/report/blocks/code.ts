import { accent, at, type Block, bold, type Line, notes, type PointerSize, type Text } from "../block.ts";
import type { CodeDocument, CodeLine, CodeReferral } from "../documents.ts";
import { KNOWN_BY } from "./near.ts";

type Piece = CodeDocument["pieces"][number];

/** Bytes that fit their column; an instruction with more moves the text to the right. */
const MOST_COLUMN = 10;
const LEAST_COLUMN = 6;

/** `code`: each piece under the function that it belongs to, one instruction a line, as `u` and `uf`. */
export function codeBlocks(document: CodeDocument, size: PointerSize): readonly Block[] {
  const sizes = document.pieces.flatMap(({ lines }) =>
    lines.flatMap(({ kind, length }) => (kind === "instruction" ? [length] : [])),
  );
  const width =
    sizes.reduce((most, size) => (size <= MOST_COLUMN ? Math.max(most, size) : most), LEAST_COLUMN) * 2;
  return [
    ...document.pieces.map(
      (piece): Block => ({
        kind: "table",
        heading: bold(title(piece, size)),
        columns: [{}, { width }, {}],
        rows: piece.lines.map((line) => row(line, size)),
      }),
    ),
    notes(document.notes),
  ];
}

function title({ name, function: place }: Piece, size: PointerSize): string {
  if (place === null) return name === null ? "in no module" : `${name}, no function known`;
  const piece =
    place.fragment === null
      ? ""
      : `, piece ${at(size, place.fragment.start)} to ${at(size, place.fragment.end)}`;
  return `${name ?? place.module}, entry ${at(size, place.entry)}${piece} (known by ${KNOWN_BY[place.basis]})`;
}

function row(line: CodeLine, size: PointerSize): readonly Line[] {
  const mark = line.here ? ">" : " ";
  const bytes =
    line.kind === "padding" || line.kind === "table"
      ? `${line.bytes.slice(0, 2)} ..`
      : line.bytes.replaceAll(" ", "");
  const comment = [
    ...line.refers.flatMap((one) => said(one)),
    ...(line.note === null ? [] : [`** ${line.note}`]),
  ];
  const here = (text: string): Text => (line.here ? bold(text) : text);
  const behind = comment.length === 0 ? [] : ["  ", accent(`; ${comment.join("; ")}`)];
  return [here(`${mark} ${at(size, line.address)}`), here(bytes), [here(content(line)), ...behind]];
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
