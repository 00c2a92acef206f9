import { wordBytes } from "../core/bytes.ts";
import { MAX_POOLTAG_LINES } from "../core/limits.ts";
import { printable } from "../core/text.ts";
import { tableKey } from "./tag.ts";

/** What a tag file says of a tag. */
export interface TagDescription {
  /** The tag column as it stands there, wildcards included. */
  readonly pattern: string;
  /** `ntfs.sys`, or `nt!se` for a part of the kernel; null where the file does not know. */
  readonly binary: string | null;
  readonly description: string;
}

/** A file in pooltag.txt's format, read. */
export interface TagFile {
  readonly entries: number;
  /** Lines that are no entry, comment or blank: `line 12: <unknown>`; the first hundred. */
  readonly notes: readonly string[];
  /** The exact entry of a tag, else the one with the longest literal start; the first of equals. */
  describe(key: number): TagDescription | undefined;
}

interface Entry extends TagDescription {
  /** A dot for each character, a `?` for one wildcard, and nothing behind a `*`. */
  readonly shape: string;
  /** The characters that are no wildcards. */
  readonly key: string;
  /** Characters in front of the first wildcard. */
  readonly literals: number;
}

/** Entries whose wildcards stand at the same places: there are some thirty such shapes, and each is one look-up. */
interface Shape {
  /** Places of the characters that are no wildcards. */
  readonly places: readonly number[];
  readonly literals: number;
  /** By those characters: the first entry, and how many came before it. */
  readonly entries: Map<string, { readonly entry: Entry; readonly order: number }>;
}

const MAX_NOTES = 100;
/** Characters of a line that are looked at: the longest real line has some 200. */
const MAX_LINE = 2000;

/**
 * Reads a file in pooltag.txt's format: `Tag - binary - description`, `rem` before a comment, `*` and
 * `?` in the tag.
 *
 * @param text of any encoding that keeps ASCII
 */
export function parseTagFile(text: string): TagFile {
  const shapes = new Map<string, Shape>();
  let entries = 0;
  const notes: string[] = [];
  let irregular = 0;
  const lines = text.split(/\r\n|\r|\n/, MAX_POOLTAG_LINES + 1);
  lines.slice(0, MAX_POOLTAG_LINES).forEach((whole, index) => {
    const line = whole.slice(0, MAX_LINE);
    if (/^\s*(?:rem\b|\/\/|;|$)/i.test(line)) return;
    const entry = parseLine(line);
    if (entry === undefined) {
      if (++irregular <= MAX_NOTES) notes.push(`line ${index + 1}: ${printable(line.slice(0, 80))}`);
    } else if (addEntry(shapes, entry, index)) entries++;
  });
  if (irregular > MAX_NOTES) notes.push(`${irregular - MAX_NOTES} more lines that are no entry`);
  if (lines.length > MAX_POOLTAG_LINES) notes.push(`lines after ${MAX_POOLTAG_LINES} are not read`);
  const byLiterals = [...shapes.values()].sort((a, b) => b.literals - a.literals);
  return {
    entries,
    notes,
    describe(key) {
      const characters = Array.from(wordBytes(tableKey(key)), (byte) => String.fromCharCode(byte));
      let best: { readonly entry: Entry; readonly order: number } | undefined;
      for (const { places, literals, entries } of byLiterals) {
        if (best !== undefined && best.entry.literals > literals) break;
        const found = entries.get(places.map((place) => characters[place]).join(""));
        if (found !== undefined && (best === undefined || found.order < best.order)) best = found;
      }
      if (best === undefined) return undefined;
      const { pattern, binary, description } = best.entry;
      return { pattern, binary, description };
    },
  };
}

/** @returns whether it is the first of its pattern */
function addEntry(shapes: Map<string, Shape>, entry: Entry, order: number): boolean {
  const { shape: name, key, literals } = entry;
  let shape = shapes.get(name);
  if (shape === undefined) {
    const places = [0, 1, 2, 3].filter((place) => name[place] === ".");
    shape = { places, literals, entries: new Map() };
    shapes.set(name, shape);
  }
  if (shape.entries.has(key)) return false;
  shape.entries.set(key, { entry, order });
  return true;
}

function parseLine(line: string): Entry | undefined {
  // four characters however they look, or fewer where the column is not padded
  const column = /^(.{4})\s*-\s*/.exec(line) ?? /^(.{1,3}?)\s+-\s*/.exec(line);
  const tag = column?.[1];
  if (column === null || tag === undefined || tag.trim() === "") return undefined;
  const rest = line.slice(column[0].length);
  // one blank, and what stands before it is trimmed: `\s+` would be tried from each of a thousand blanks
  const cut = /\s-\s*/.exec(rest);
  const binary = (cut === null ? rest : rest.slice(0, cut.index)).trim();
  const description = cut === null ? "" : rest.slice(cut.index + cut[0].length).trim();
  if (binary === "" && description === "") return undefined;
  let [shape, key] = ["", ""];
  for (const character of tag.padEnd(4, " ")) {
    shape += character === "?" || character === "*" ? character : ".";
    if (character === "*") break;
    if (character !== "?") key += character;
  }
  return {
    pattern: tag.padEnd(4, " "),
    binary: binary === "" || /^<?unknown>?$/i.test(binary) ? null : printable(binary),
    description: printable(description),
    shape,
    key,
    literals: shape === "...." ? 4 : shape.search(/[?*]/),
  };
}
