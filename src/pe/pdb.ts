import { hex } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import { FormatError } from "../core/errors.ts";
import { readStruct } from "../core/kaitai.ts";
import { MAX_CODEVIEW_BYTES, MAX_DEBUG_ENTRIES } from "../core/limits.ts";
import { asciiZ } from "../core/text.ts";
import { PeDebug } from "../generated/pe_debug.js";
import type { Finding } from "./finding.ts";
import type { DataDirectory, HeaderReader } from "./headers.ts";
import { type RvaReader, toTableStop } from "./rva-reader.ts";

/** Which PDB file was made with an image. */
export interface PdbRecord {
  readonly form: "RSDS" | "NB10";
  /** RSDS: the GUID as `8-4-4-4-12` lower-case hex digits; NB10: the time stamp as 8. */
  readonly signature: string;
  /** Counts up each time the PDB is written. */
  readonly age: number;
  /** As it was on the linker's machine; often the file's name alone. */
  readonly path: string;
  /** The folder name on a symbol server: GUID or time stamp, then the age, in hex. */
  readonly key: string;
}

const ENTRY_SIZE = 28;
const CODEVIEW = 2;

/**
 * Reads the CodeView record of the debug directory.
 *
 * @param readFile for a file, reads by file offset: the record need not be mapped into memory
 * @see Microsoft PE Format, "Debug Directory (Image Only)"
 */
export function readPdbRecord(
  reader: RvaReader,
  directory: DataDirectory,
  readFile: HeaderReader | undefined,
): Finding<PdbRecord> {
  const entries = Math.floor(directory.size / ENTRY_SIZE);
  const count = Math.min(entries, MAX_DEBUG_ENTRIES);
  try {
    for (let index = 0; index < count; index++) {
      const bytes = reader.bytes(directory.rva + index * ENTRY_SIZE, ENTRY_SIZE);
      const entry = readStruct(PeDebug.Entry, bytes, "debug directory entry");
      if (entry.kind !== CODEVIEW) continue;
      const { size } = entry;
      if (size > MAX_CODEVIEW_BYTES) {
        bytes.fail(16, "size of the CodeView record", `at most ${hex(MAX_CODEVIEW_BYTES)} bytes`, hex(size));
      }
      if (entry.rva !== 0) return parseCodeView(reader.bytes(entry.rva, size));
      if (readFile !== undefined) return parseCodeView(readFile(entry.fileOffset, size, "CodeView record"));
      bytes.fail(20, "address of the CodeView record", "an RVA", "0: only the file has the record");
    }
    if (entries === count) return { state: "absent" };
    const [expected, found] = [`at most ${MAX_DEBUG_ENTRIES}`, String(entries)];
    const field = "entries of the debug directory";
    const reason = new FormatError({ file: reader.label, offset: directory.rva, field, expected, found });
    return { state: "unreadable", reason };
  } catch (error) {
    return { state: "unreadable", reason: toTableStop(error) };
  }
}

/** @throws {FormatError} cut short, or neither RSDS nor NB10 */
function parseCodeView(record: Bytes): Finding<PdbRecord> {
  const form = asciiZ(record.slice(0, 4, "CodeView signature").array);
  if (form === "RSDS") {
    const { guid1, guid2, guid3, guid4, age, path } = readStruct(PeDebug.Rsds, record, "RSDS record");
    const tail = Array.from(guid4, (byte) => digits(byte, 2)).join("");
    const signature = [
      digits(guid1, 8),
      digits(guid2, 4),
      digits(guid3, 4),
      tail.slice(0, 4),
      tail.slice(4),
    ].join("-");
    const key = keyOf(signature, age);
    return { state: "present", value: { form, signature, age, path: asciiZ(path), key } };
  }
  if (form === "NB10") {
    const { timestamp, age, path } = readStruct(PeDebug.Nb10, record, "NB10 record");
    const signature = digits(timestamp, 8);
    const key = keyOf(signature, age);
    return { state: "present", value: { form, signature, age, path: asciiZ(path), key } };
  }
  return record.fail(0, "CodeView signature", "RSDS or NB10", JSON.stringify(form));
}

function keyOf(signature: string, age: number): string {
  return (signature.replaceAll("-", "") + age.toString(16)).toUpperCase();
}

function digits(value: number, count: number): string {
  return value.toString(16).padStart(count, "0");
}
