import { Bytes } from "../core/bytes.ts";
import type { MemoryFault } from "../core/errors.ts";
import { readStruct } from "../core/kaitai.ts";
import { MAX_VERSION_BYTES, MAX_VERSION_RESOURCES, MAX_VERSION_STRINGS } from "../core/limits.ts";
import { utf16Z } from "../core/text.ts";
import { PeResources } from "../generated/pe_resources.js";
import type { Finding } from "./finding.ts";
import type { DataDirectory } from "./headers.ts";
import { findResources, type ResourceData } from "./resources.ts";
import { type RvaReader, toTableStop } from "./rva-reader.ts";

/** What an image says of itself. `null`: it does not say, or, with `cut`, that part cannot be read. */
export interface VersionInfo {
  readonly company: string | null;
  readonly product: string | null;
  readonly description: string | null;
  /** As its maker wrote it, with any words. */
  readonly fileVersion: string | null;
  readonly productVersion: string | null;
  readonly originalFilename: string | null;
  readonly internalName: string | null;
  readonly copyright: string | null;
  /** The file's version in numbers, `10.0.19041.1`. */
  readonly fixedFileVersion: string | null;
  /** All strings of the first language that has any. */
  readonly strings: ReadonlyMap<string, string>;
  /** Why the end of the record is not read. */
  readonly cut?: MemoryFault | "limit";
}

const RT_VERSION = 16;
const KEY_AT = 6;

/**
 * Reads the version resource; the strings of its first language.
 *
 * @see VS_VERSIONINFO structure
 */
export function readVersion(reader: RvaReader, directory: DataDirectory): Finding<VersionInfo> {
  const { items, stopped } = findResources(reader, directory, RT_VERSION, MAX_VERSION_RESOURCES);
  let reason = typeof stopped === "string" ? undefined : stopped;
  for (const item of items) {
    try {
      return { state: "present", value: readRecord(reader, item) };
    } catch (error) {
      reason ??= toTableStop(error);
    }
  }
  return reason === undefined ? { state: "absent" } : { state: "unreadable", reason };
}

/** @throws {MemoryError} not even the record's head can be read @throws {FormatError} it is no VS_VERSIONINFO */
function readRecord(reader: RvaReader, { rva, size }: ResourceData): VersionInfo {
  const wanted = Math.min(size, MAX_VERSION_BYTES);
  const table = reader.table(rva, wanted);
  const cut = table.fault(0, wanted);
  const readable = cut === undefined ? wanted : (table.holes[0]?.offset ?? table.length);
  if (readable < KEY_AT) reader.read(rva, Math.min(KEY_AT, wanted));
  const record = new Bytes(table.bytes.subarray(0, readable), reader.label, rva);

  const root = blockAt(record, 0, readable);
  if (root?.key !== "VS_VERSION_INFO") {
    const found = JSON.stringify(root?.key ?? "");
    return record.fail(KEY_AT, "key of the version resource", "VS_VERSION_INFO", found);
  }
  const strings = new Map<string, string>();
  let tooMany = false;
  for (const info of childrenOf(record, root)) {
    if (info.key !== "StringFileInfo") continue;
    for (const language of childrenOf(record, info)) {
      if (strings.size > 0) break;
      for (const { key, value, end, whole } of childrenOf(record, language)) {
        if (!whole && cut !== undefined) break;
        tooMany = strings.size >= MAX_VERSION_STRINGS;
        if (tooMany) break;
        if (!strings.has(key)) strings.set(key, utf16Z(record.array.subarray(value, end)));
      }
    }
  }
  const text = (key: string): string | null => strings.get(key) ?? null;
  return {
    company: text("CompanyName"),
    product: text("ProductName"),
    description: text("FileDescription"),
    fileVersion: text("FileVersion"),
    productVersion: text("ProductVersion"),
    originalFilename: text("OriginalFilename"),
    internalName: text("InternalName"),
    copyright: text("LegalCopyright"),
    fixedFileVersion: fixedVersion(record, root),
    strings,
    ...(tooMany ? { cut: "limit" } : cut === undefined ? {} : { cut }),
  };
}

/** One node of the tree; offsets from the start of the record. */
interface Block {
  readonly key: string;
  readonly value: number;
  readonly valueBytes: number;
  readonly end: number;
  /** False: it says that it goes on past what is there. */
  readonly whole: boolean;
}

/** The node at `at`. `undefined`: what is left cannot be one. */
function blockAt(record: Bytes, at: number, limit: number): Block | undefined {
  if (at + KEY_AT > limit) return undefined;
  const length = record.u16(at, "length");
  if (length < KEY_AT) return undefined;
  const valueLength = record.u16(at + 2, "length of the value");
  const isText = record.u16(at + 4, "type of the value") === 1;
  const end = Math.min(at + length, limit);
  const key = utf16Z(record.array.subarray(at + KEY_AT, end));
  const value = Math.min(roundUp4(at + KEY_AT + (key.length + 1) * 2), end);
  // Of text the length counts characters, though some compilers count bytes.
  const valueBytes = isText ? valueLength * 2 : valueLength;
  return { key, value, valueBytes, end, whole: at + length <= limit };
}

function* childrenOf(record: Bytes, parent: Block): Generator<Block> {
  // Of the nodes with children, only the root has a value before them.
  let at = parent.key === "VS_VERSION_INFO" ? roundUp4(parent.value + parent.valueBytes) : parent.value;
  for (;;) {
    const child = blockAt(record, at, parent.end);
    if (child === undefined) return;
    yield child;
    at = roundUp4(child.end);
  }
}

function fixedVersion(record: Bytes, root: Block): string | null {
  if (root.valueBytes < 24 || root.value + 24 > root.end) return null;
  const bytes = record.slice(root.value, root.end - root.value, "VS_FIXEDFILEINFO");
  const { fileVersionHigh: high, fileVersionLow: low } = readStruct(
    PeResources.FixedFileInfo,
    bytes,
    "VS_FIXEDFILEINFO",
  );
  return [high >>> 16, high & 0xffff, low >>> 16, low & 0xffff].join(".");
}

function roundUp4(value: number): number {
  return (value + 3) & ~3;
}
