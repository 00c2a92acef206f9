import { type Rva, rva } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import { FormatError } from "../core/errors.ts";
import { MAX_COFF_STRING_BYTES, MAX_COFF_SYMBOLS, MAX_NAME_BYTES } from "../core/limits.ts";
import { asciiZ } from "../core/text.ts";
import type { Finding } from "./finding.ts";
import type { HeaderReader, ImageHeaders } from "./headers.ts";
import { type Section, sectionSpan } from "./sections.ts";

/** A function or a variable that the linker's own symbol table names. */
export interface CoffSymbol {
  /** As it stands there, with whatever the compiler put around it. */
  readonly name: string;
  readonly rva: Rva;
  readonly code: boolean;
}

/** The symbols of one file, and why some are missing. */
export interface CoffSymbols {
  /** In the order of the table. */
  readonly items: readonly CoffSymbol[];
  /** Symbols whose names or places make no sense, and those behind the cap. */
  readonly leftOut: number;
}

const RECORD = 18;
/** Records that are read at a time. */
const PIECE = 4096;
const EXTERNAL = 2;
const STATIC = 3;
/** A function, in the upper part of a symbol's type. */
const FUNCTION = 2;

/**
 * Reads the COFF symbol table, which GNU's linker leaves in a file unless it is stripped. The loader never maps it: only
 * the file has an answer. Names of sections, files and compiler labels are left out.
 *
 * @param readFile reads by file offset; absent for an image in memory
 * @see Microsoft PE Format, "COFF Symbol Table", "COFF String Table"
 */
export function readCoffSymbols(
  readFile: HeaderReader | undefined,
  { symbolTableOffset: start, symbolCount, sections, imageSize }: ImageHeaders,
): Finding<CoffSymbols> {
  if (readFile === undefined || start === 0 || symbolCount === 0) return { state: "absent" };
  try {
    const count = Math.min(symbolCount, MAX_COFF_SYMBOLS);
    const strings = readStrings(readFile, start + symbolCount * RECORD);
    const items: CoffSymbol[] = [];
    let leftOut = symbolCount - count;
    let skip = 0;
    for (let first = 0; first < count; first += PIECE) {
      const records = Math.min(PIECE, count - first);
      const bytes = readFile(start + first * RECORD, records * RECORD, "COFF symbols");
      for (let index = 0; index < records; index++) {
        if (skip > 0) {
          skip--;
          continue;
        }
        const record = bytes.slice(index * RECORD, RECORD, "COFF symbol");
        skip = record.u8(17, "number of auxiliary symbols");
        const symbol = symbolOf(record, strings, sections, imageSize);
        if (symbol === "odd") leftOut++;
        else if (symbol !== undefined) items.push(symbol);
      }
    }
    return { state: "present", value: { items, leftOut } };
  } catch (error) {
    if (error instanceof FormatError) return { state: "unreadable", reason: error };
    throw error;
  }
}

/** What a record names; undefined for what is neither a function nor a variable. */
function symbolOf(
  record: Bytes,
  strings: StringTable,
  sections: readonly Section[],
  imageSize: number,
): CoffSymbol | "odd" | undefined {
  const storage = record.u8(16, "storage class");
  const number = (record.u16(12, "section number") << 16) >> 16;
  if ((storage !== EXTERNAL && storage !== STATIC) || number <= 0) return undefined;
  const section = sections[number - 1];
  const value = record.u32(8, "value");
  if (section === undefined || value > sectionSpan(section) || section.rva + value > imageSize) return "odd";
  const name = nameOf(record, strings);
  if (name === undefined) return "odd";
  const isFunction = record.u16(14, "type") >> 4 === FUNCTION;
  // Sections, and labels that compilers make, begin with a point; in code only a function has a name of its own.
  if (name === "" || name.startsWith(".") || (section.executable && !isFunction)) return undefined;
  return { name, rva: rva(section.rva + value), code: section.executable };
}

function nameOf(record: Bytes, strings: StringTable): string | undefined {
  if (record.u32(0, "name") !== 0) return asciiZ(record.array.subarray(0, 8));
  return strings.at(record.u32(4, "offset of the name"));
}

/** The string table behind the symbols. */
class StringTable {
  readonly #bytes: Uint8Array;
  /** Bytes that names may still have: those that share them cannot multiply them. */
  #room = MAX_COFF_STRING_BYTES;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** `undefined`: no name stands there, or those before it have as many bytes as there can be. */
  at(offset: number): string | undefined {
    if (offset < 4 || offset >= this.#bytes.length || this.#room <= 0) return undefined;
    const rest = this.#bytes.subarray(offset, offset + MAX_NAME_BYTES);
    const length = rest.indexOf(0);
    this.#room -= length === -1 ? MAX_NAME_BYTES : length;
    return length === -1 ? undefined : asciiZ(rest);
  }
}

/** Empty where the file ends behind the symbols. */
function readStrings(readFile: HeaderReader, at: number): StringTable {
  const size = readFile(at, 4, "COFF string table").u32(0, "size of the COFF string table");
  if (size <= 4) return new StringTable(new Uint8Array(0));
  return new StringTable(readFile(at, Math.min(size, MAX_COFF_STRING_BYTES), "COFF string table").array);
}
