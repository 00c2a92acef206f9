import { hex } from "../../core/address.ts";
import { at, type Block, bold, heading, notes, type PointerSize, table } from "../block.ts";
import type { HeadersDocument } from "../documents.ts";
import { headerWords } from "../header-words.ts";
import { percent } from "../words.ts";

/** `headers`: the file and optional header, the directories and the sections, as `!dh`. */
export function headersBlocks(document: HeadersDocument, size: PointerSize): readonly Block[] {
  const title = `${document.module} at ${at(size, document.base)}, ${document.machine}`;
  const fields = Object.entries(document.header).map(
    ([name, value]) =>
      `${value.toString(16).toUpperCase().padStart(16)} ${spaced(name)}${annotation(name, value)}`,
  );
  const directories = document.directories.map(
    (directory) =>
      `${directory.rva.toString(16).toUpperCase().padStart(8)} [${directory.size.toString(16).toUpperCase().padStart(8)}] ${directory.name}${directory.name === "security" && directory.rva !== 0 ? " (offset in the file)" : ""}`,
  );
  const sections = table(
    [
      { title: "section" },
      { title: "offset", align: "right" },
      { title: "size", align: "right" },
      { title: "file offset", align: "right" },
      { title: "file size", align: "right" },
      { title: "flags", align: "right" },
      { title: "readable", align: "right" },
    ],
    document.sections.map((section) => [
      section.name,
      hex(section.rva),
      hex(section.virtualSize),
      hex(section.fileOffset),
      hex(section.fileSize),
      hex(section.characteristics),
      percent(section.readable, section.virtualSize),
    ]),
  );
  return [
    heading(bold(title)),
    heading(...fields),
    heading([bold("directories"), " (offset from the base [size], hex)"], ...directories),
    ...sections,
    heading(...identity(document)),
    notes(document.notes),
  ];
}

/** `sizeOfCode` is `size of code`. */
function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function annotation(name: string, value: number | bigint): string {
  const words = headerWords(name, value);
  return words === "" ? "" : ` (${words})`;
}

function identity(document: HeadersDocument): readonly string[] {
  const lines: string[] = [];
  if (document.pdb !== null) {
    lines.push(`pdb      ${document.pdb.path} ${document.pdb.signature} age ${document.pdb.age}`);
  }
  for (const [name, value] of Object.entries(document.version ?? {}))
    lines.push(`version  ${name}: ${value}`);
  return lines;
}
