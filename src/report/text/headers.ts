import { hex } from "../../core/address.ts";
import { printable } from "../../core/text.ts";
import type { HeadersDocument } from "../documents.ts";
import { renderTable } from "../table.ts";
import { percent } from "../words.ts";
import { at, blocks, renderNotes, type View } from "./view.ts";

/** `headers`: the file and optional header, the directories and the sections, as `!dh`. */
export function renderHeaders(document: HeadersDocument, view: View): string {
  const title = printable(`${document.module} at ${at(view, document.base)}, ${document.machine}`);
  const fields = Object.entries(document.header).map(
    ([name, value]) =>
      `${value.toString(16).toUpperCase().padStart(16)} ${spaced(name)}${annotation(name, value)}`,
  );
  const directories = document.directories.map(
    (directory) =>
      `${directory.rva.toString(16).toUpperCase().padStart(8)} [${directory.size.toString(16).toUpperCase().padStart(8)}] ${directory.name}${directory.name === "security" && directory.rva !== 0 ? " (offset in the file)" : ""}`,
  );
  const sections = renderTable(
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
    view.style,
  );
  return blocks(
    view.style.bold(title),
    fields.join("\n"),
    `${view.style.bold("directories")} (offset from the base [size], hex)\n${directories.join("\n")}`,
    sections,
    identity(document),
    renderNotes(document.notes, view),
  );
}

/** `sizeOfCode` is `size of code`. */
function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** Fields that the format calls addresses, and that are none by themselves. */
const OFFSETS: ReadonlySet<string> = new Set(["addressOfEntryPoint", "baseOfCode"]);

function annotation(name: string, value: number | bigint): string {
  if (OFFSETS.has(name)) return " (offset from the base)";
  if (name === "filePointerToSymbolTable") return " (offset in the file)";
  if (name !== "timestamp" || typeof value !== "number") return "";
  return ` (${new Date(value * 1000).toISOString().replace("T", " ").slice(0, 19)} UTC, if it is a time)`;
}

function identity(document: HeadersDocument): string {
  const lines: string[] = [];
  if (document.pdb !== null) {
    lines.push(`pdb      ${document.pdb.path} ${document.pdb.signature} age ${document.pdb.age}`);
  }
  for (const [name, value] of Object.entries(document.version ?? {}))
    lines.push(`version  ${name}: ${value}`);
  return lines.map(printable).join("\n");
}
