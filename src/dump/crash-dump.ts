import { asciiZ } from "../core/text.ts";
import type { ByteSource } from "../source/source.ts";
import { mapBitmap } from "./bitmap.ts";
import { type MappedPages, mapFullDump } from "./full.ts";
import { type DumpHeader, readDumpHeader } from "./header.ts";
import { PAGE_SIZE, type PageMap } from "./page-map.ts";
import { mapRdmp } from "./rdmp.ts";
import { readTriage, type TriageDump } from "./triage.ts";

/** The forms of a dump that holds physical memory. */
export type PagesKind =
  | "full"
  | "summary"
  | "bitmap-full"
  | "bitmap-kernel"
  | "rdmp-kernel"
  | "rdmp-kernel-user"
  | "rdmp-full";

/** What stands behind the header. */
export type DumpBody =
  | { readonly kind: PagesKind; readonly pages: PageMap }
  | { readonly kind: "triage"; readonly triage: TriageDump }
  | { readonly kind: "header-only" };

/** A kernel dump: its header, and what of memory stands where in the file. */
export interface Dump {
  /** The bytes of the dump; whoever opened them closes them. */
  readonly source: ByteSource;
  readonly header: DumpHeader;
  readonly body: DumpBody;
  /** What is missing from the file, or is odd about it; one sentence each. */
  readonly notes: readonly string[];
}

const DUMP_TYPE = { full: 1, summary: 2, header: 3, triage: 4, rdmpKernelUser: 9, rdmpFull: 10 } as const;

/**
 * Reads what a dump is and where its memory stands. A dump that was cut off opens, and `notes`
 * says what is missing.
 *
 * @throws {FormatError} it is no kernel dump, or is cut off before its first page; the message says what
 * the file is and what to do
 */
export function readDump(source: ByteSource): Dump {
  const header = readDumpHeader(source);
  const { body, notes } = readBody(source, header);
  return { source, header, body, notes: [...headerNotes(header, source.size), ...notes, ...bodyNotes(body)] };
}

/** By the signature behind the header first: tools that convert dumps do not always set the type. */
function readBody(source: ByteSource, header: DumpHeader): { body: DumpBody; notes: readonly string[] } {
  const start = header.headerSize;
  const head = new Uint8Array(12);
  source.read(start, head);
  const text = asciiZ(head.subarray(0, 8));
  if (text === "SDMPDUMP" || text === "FDMPDUMP") {
    const { layout, ...mapped } = mapBitmap(source, header, text === "FDMPDUMP");
    if (layout === "summary") return withPages("summary", mapped);
    return withPages(text === "FDMPDUMP" ? "bitmap-full" : "bitmap-kernel", mapped);
  }
  if (asciiZ(head.subarray(4)) === "RDMPDUMP") {
    const complete = header.dumpType === DUMP_TYPE.rdmpFull;
    const kernel = header.dumpType === DUMP_TYPE.rdmpKernelUser ? "rdmp-kernel-user" : "rdmp-kernel";
    return withPages(complete ? "rdmp-full" : kernel, mapRdmp(source, start, complete));
  }
  if (header.dumpType === DUMP_TYPE.triage) {
    const { triage, notes } = readTriage(source, header);
    return { body: { kind: "triage", triage }, notes };
  }
  if (header.dumpType === DUMP_TYPE.full || header.dumpType === undefined) {
    const mapped = mapFullDump(header, source.size);
    if (mapped !== undefined) return withPages("full", mapped);
  }
  return { body: { kind: "header-only" }, notes: [withoutBody(header)] };
}

function withPages(
  kind: PagesKind,
  { pages, notes }: MappedPages,
): { body: DumpBody; notes: readonly string[] } {
  return { body: { kind, pages }, notes };
}

function withoutBody({ dumpType }: DumpHeader): string {
  if (dumpType === DUMP_TYPE.header) return "this dump is a header only: it holds no memory";
  if (dumpType === undefined || dumpType === DUMP_TYPE.full) {
    return "the header has no table of physical memory, so that no page can be placed";
  }
  return `no body of a dump of type ${dumpType} follows the header, so that no memory can be read`;
}

function headerNotes(header: DumpHeader, size: number): readonly string[] {
  const notes: string[] = [];
  if (header.processors === undefined) notes.push("the header gives no number of processors");
  const required = header.requiredDumpSpace;
  if (required !== undefined && required !== BigInt(size)) {
    const usual =
      header.dumpType === DUMP_TYPE.triage ? ", as is usual when a debugger wrote a triage dump" : "";
    notes.push(`the header says that the dump takes ${required} bytes, and the file has ${size}${usual}`);
  }
  return notes;
}

function bodyNotes(body: DumpBody): readonly string[] {
  if (!("pages" in body) || body.pages.missing === 0) return [];
  const { present, missing } = body.pages;
  const bytes = (missing * PAGE_SIZE) / 0x100000;
  return [
    `the file ends early: ${missing} of ${present + missing} pages (${bytes.toFixed(1)} MB) are missing; copy the dump again`,
  ];
}
