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
  /** Codes of the four characters; a wildcard is a code of its own. */
  readonly codes: readonly number[];
  readonly literals: number;
}

const ANY_ONE = -1;
const ANY_RUN = -2;
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
  const exact = new Map<string, Entry>();
  const wild: Entry[] = [];
  const notes: string[] = [];
  let irregular = 0;
  const lines = text.split(/\r\n|\r|\n/, MAX_POOLTAG_LINES + 1);
  lines.slice(0, MAX_POOLTAG_LINES).forEach((whole, index) => {
    const line = whole.slice(0, MAX_LINE);
    if (/^\s*(?:rem\b|\/\/|;|$)/i.test(line)) return;
    const entry = parseLine(line);
    if (entry === undefined) {
      if (++irregular <= MAX_NOTES) notes.push(`line ${index + 1}: ${printable(line.slice(0, 80))}`);
    } else if (entry.literals < 4) wild.push(entry);
    else if (!exact.has(entry.codes.join())) exact.set(entry.codes.join(), entry);
  });
  if (irregular > MAX_NOTES) notes.push(`${irregular - MAX_NOTES} more lines that are no entry`);
  if (lines.length > MAX_POOLTAG_LINES) notes.push(`lines after ${MAX_POOLTAG_LINES} are not read`);
  wild.sort((a, b) => b.literals - a.literals);
  return {
    entries: exact.size + wild.length,
    notes,
    describe(key) {
      const bytes = [...wordBytes(tableKey(key))];
      const entry = exact.get(bytes.join()) ?? wild.find((candidate) => fits(candidate.codes, bytes));
      if (entry === undefined) return undefined;
      const { pattern, binary, description } = entry;
      return { pattern, binary, description };
    },
  };
}

function parseLine(line: string): Entry | undefined {
  // four characters however they look, or fewer where the column is not padded
  const column = /^(.{4})\s*-\s*/.exec(line) ?? /^(.{1,3}?)\s+-\s*/.exec(line);
  const tag = column?.[1];
  if (column === null || tag === undefined || tag.trim() === "") return undefined;
  const rest = line.slice(column[0].length);
  const cut = /\s+-\s*/.exec(rest);
  const binary = (cut === null ? rest : rest.slice(0, cut.index)).trim();
  const description = cut === null ? "" : rest.slice(cut.index + cut[0].length).trim();
  if (binary === "" && description === "") return undefined;
  const codes = [...tag.padEnd(4, " ")].map((character) => {
    if (character === "?") return ANY_ONE;
    if (character === "*") return ANY_RUN;
    return character.charCodeAt(0);
  });
  const run = codes.indexOf(ANY_RUN);
  const start = codes.findIndex((code) => code < 0);
  return {
    pattern: tag.padEnd(4, " "),
    binary: binary === "" || /^<?unknown>?$/i.test(binary) ? null : printable(binary),
    description: printable(description),
    // what follows a star is padding
    codes: run === -1 ? codes : codes.slice(0, run + 1),
    literals: start === -1 ? 4 : start,
  };
}

function fits(codes: readonly number[], bytes: readonly number[]): boolean {
  for (let at = 0; at < 4; at++) {
    const code = codes[at];
    if (code === ANY_RUN) return true;
    if (code !== ANY_ONE && code !== bytes[at]) return false;
  }
  return true;
}
