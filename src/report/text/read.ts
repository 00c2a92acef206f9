import type { ReadDocument } from "../documents.ts";
import { plural } from "../words.ts";
import { at, blocks, renderNotes, type View } from "./view.ts";

/** `read`: a hex dump as `db` prints it, `??` where a byte cannot be read. */
export function renderRead(document: ReadDocument, view: View): string {
  const bytes = document.bytes === "" ? [] : document.bytes.split(" ");
  const lines: string[] = [];
  for (let i = 0; i < bytes.length; i += 16) {
    const row = bytes.slice(i, i + 16);
    const left = row.slice(0, 8).join(" ");
    const hexDigits = row.length > 8 ? `${left}-${row.slice(8).join(" ")}` : left;
    lines.push(
      `${at(view, document.address + BigInt(i))}  ${hexDigits.padEnd(47)}  ${row.map(character).join("")}`,
    );
  }
  const notes = document.holes.map(
    (hole) => `${plural(hole.length, "byte")} from ${at(view, hole.address)}: ${hole.fault.detail}`,
  );
  if (document.fromFile > 0)
    notes.push(`${plural(document.fromFile, "byte")} came from a PE file, not from the dump`);
  return blocks(lines.join("\n"), renderNotes(notes, view));
}

function character(byte: string): string {
  if (byte === "??") return "?";
  const code = Number.parseInt(byte, 16);
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ".";
}
