import { PAGE_SIZE } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import { asciiZ } from "../core/text.ts";
import { type ByteSource, readAt } from "../source/source.ts";
import { mapBitmap } from "./bitmap.ts";
import { fact, type MachineFacts } from "./facts.ts";
import type { DumpFormat, DumpMemory } from "./format.ts";
import { type MappedPages, mapFullDump } from "./full.ts";
import { type DumpHeader, headerBits, readDumpHeader } from "./header.ts";
import { headerFacts } from "./header-facts.ts";
import type { PageMap } from "./page-map.ts";
import { mapRdmp } from "./rdmp.ts";
import { readTriage, type TriageDump } from "./triage.ts";
import type { TriageRecord } from "./triage-records.ts";

/** The forms that hold physical memory. */
type PagesKind =
  | "full"
  | "summary"
  | "bitmap-full"
  | "bitmap-kernel"
  | "rdmp-kernel"
  | "rdmp-kernel-user"
  | "rdmp-full";

/** What stands behind the header. */
export type CrashBody =
  | { readonly kind: PagesKind; readonly pages: PageMap }
  | { readonly kind: "triage"; readonly triage: TriageDump }
  | { readonly kind: "header-only" };

/** A Windows crash dump as it stands in its file. */
export interface CrashDump {
  readonly source: ByteSource;
  readonly header: DumpHeader;
  readonly body: CrashBody;
  /** What is missing from the file, or is odd about it; one sentence each. */
  readonly notes: readonly string[];
}

/** What Windows itself and its debuggers write: MEMORY.DMP, Minidump\\*.dmp, and what tools convert to them. */
export const crashDump: DumpFormat = {
  starts: "PAGEDUMP or PAGEDU64, of a Windows kernel dump",
  recognise: (head) => headerBits(head.array) !== undefined,
  open({ main }) {
    const dump = readCrashDump(main);
    const { header, body, notes } = dump;
    return {
      source: main,
      kind: body.kind,
      memory: memoryOf(dump),
      facts: factsOf(dump),
      writer: header.writer,
      header,
      notes,
    };
  },
};

function memoryOf({ source, body }: CrashDump): DumpMemory {
  if ("pages" in body) return { source, pages: body.pages };
  return { source, blocks: body.kind === "triage" ? body.triage.blocks : [] };
}

function factsOf({ source, header, body }: CrashDump): MachineFacts {
  const facts = headerFacts(header, "header");
  // its runs are those of the header, as far as they can be read
  if (body.kind === "full") return { ...facts, runs: fact([...body.pages.runs()], "header") };
  return body.kind === "triage" ? { ...facts, ...triageFacts(source, body.triage) } : facts;
}

/** What the kernel copied behind the header of a triage dump. */
function triageFacts(source: ByteSource, triage: TriageDump): Partial<MachineFacts> {
  const { debuggerData, drivers, unloaded, memory, prcb, thread } = triage;
  return {
    kdbgCopy: debuggerData && fact(recordBytes(source, debuggerData), "triage"),
    drivers: fact(drivers, "triage"),
    unloaded: fact(unloaded, "triage"),
    stopped: fact({ prcb: prcb?.address, thread: thread?.address }, "triage"),
    memory: fact(memory, "triage"),
  };
}

function recordBytes(source: ByteSource, { fileOffset, length }: TriageRecord): Bytes {
  return readAt(source, fileOffset, Math.min(length, MAX_RECORD));
}

/** More bytes than any KDDEBUGGER_DATA64 has. */
const MAX_RECORD = 0x1000;
const DUMP_TYPE = { full: 1, summary: 2, header: 3, triage: 4, rdmpKernelUser: 9, rdmpFull: 10 } as const;

/**
 * Reads the header and what follows it. A dump that was cut off is read, and `notes` says what is missing.
 *
 * @throws {FormatError} it does not start as a crash dump, or is cut off before its first page
 * @internal
 */
export function readCrashDump(source: ByteSource): CrashDump {
  const header = readDumpHeader(source);
  const { body, notes } = readBody(source, header);
  return { source, header, body, notes: [...headerNotes(header, source.size), ...notes, ...bodyNotes(body)] };
}

/** By the signature behind the header first: tools that convert dumps do not always set the type. */
function readBody(source: ByteSource, header: DumpHeader): { body: CrashBody; notes: readonly string[] } {
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
): { body: CrashBody; notes: readonly string[] } {
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

function bodyNotes(body: CrashBody): readonly string[] {
  if (!("pages" in body) || body.pages.missing === 0) return [];
  const { present, missing } = body.pages;
  const bytes = (missing * PAGE_SIZE) / 0x100000;
  return [
    `the file ends early: ${missing} of ${present + missing} pages (${bytes.toFixed(1)} MB) are missing; copy the dump again`,
  ];
}
