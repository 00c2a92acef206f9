import { readStruct, toAddress } from "../core/kaitai.ts";
import { asciiZ } from "../core/text.ts";
import type { Walk } from "../core/walk.ts";
import { TriageDump as Layout } from "../generated/triage_dump.js";
import type { Word } from "../generated/word.js";
import { type ByteSource, readAt } from "../source/source.ts";
import { type DumpBlobEntry, readBlobs } from "./blobs.ts";
import type { DumpHeader } from "./header.ts";
import { type DataBlocks, readDataBlocks, type TriageBlock } from "./triage-blocks.ts";
import {
  dumpString,
  readDrivers,
  readUnloaded,
  type TriageDriver,
  type TriageList,
  type TriageUnloaded,
} from "./triage-drivers.ts";
import { type MemoryStorage, readMemoryStorage } from "./triage-memory.ts";
import { findRecords, type TriageRecord, type TriageRecords } from "./triage-records.ts";

/**
 * What a triage dump (minidump) holds: no physical memory, but records and the neighbourhood of the
 * pointers that Windows found at hand. What the dump does not hold is `undefined`.
 */
export interface TriageDump {
  readonly servicePackBuild: number;
  /** In bytes; secondary data may follow. */
  readonly sizeOfDump: number;
  /** Bits; 0x100: there was no room for all of it. */
  readonly options: number;
  readonly drivers: TriageList<TriageDriver> | undefined;
  readonly unloaded: TriageList<TriageUnloaded> | undefined;
  /** The driver that Windows itself blames. */
  readonly brokenDriver: string | undefined;
  /** The stack of the thread that stopped, from its lowest saved address on. */
  readonly callStack: TriageBlock | undefined;
  /** KPRCB of the processor that stopped. */
  readonly prcb: TriageRecord | undefined;
  /** EPROCESS that ran there. */
  readonly process: TriageRecord | undefined;
  /** ETHREAD that ran there. */
  readonly thread: TriageRecord | undefined;
  /** KDDEBUGGER_DATA64, never encoded. */
  readonly debuggerData: TriageRecord | undefined;
  readonly memory: MemoryStorage | undefined;
  readonly dataBlocks: DataBlocks;
  readonly blobs: Walk<DumpBlobEntry>;
  /** All virtual memory in the file, in no order; blocks may overlap, and then have the same bytes. */
  readonly blocks: readonly TriageBlock[];
}

/** Bits of MiniDumpFields. */
const FIELD = {
  prcb: 0x4,
  process: 0x8,
  thread: 0x10,
  stack: 0x20,
  driverList: 0x40,
  brokenDriver: 0x80,
  memory: 0x100,
  dataPage: 0x200,
  debuggerData: 0x400,
  dataBlocks: 0x800,
} as const;

const BODY_SIZE = { 32: 0x68, 64: 0x80 } as const;
const OVERFLOWED = 0x100;
const ALL_OPTIONS = 0xffffffff;

/**
 * Reads the body of a triage dump.
 *
 * @throws {FormatError} the file ends in its head
 */
export function readTriage(
  source: ByteSource,
  header: DumpHeader,
): { readonly triage: TriageDump; readonly notes: readonly string[] } {
  const { bits, headerSize: start } = header;
  const head = readAt(source, start, BODY_SIZE[bits]);
  const raw = readStruct(Layout, head, "the triage dump's head", bits);

  /** Windows 2000 does not say which parts there are: then the offsets decide. */
  const has = (field: keyof typeof FIELD, offset: number) =>
    offset >= start + BODY_SIZE[bits] &&
    offset < source.size &&
    (header.miniDumpFields === undefined || (header.miniDumpFields & FIELD[field]) !== 0);
  const block = (field: keyof typeof FIELD, at: Word, offset: number, length: number) =>
    has(field, offset) && length > 0 && offset + length <= source.size
      ? { start: toAddress(at), length, fileOffset: offset }
      : undefined;

  const callStack = block("stack", raw.topOfStack, raw.callStackOffset, raw.sizeOfCallStack);
  const dataPage = block("dataPage", raw.dataPageAddress, raw.dataPageOffset, raw.dataPageSize);
  const dataBlocks = has("dataBlocks", raw.dataBlocksOffset)
    ? readDataBlocks(
        source,
        { offset: raw.dataBlocksOffset, count: raw.dataBlocksCount, end: raw.sizeOfDump },
        bits,
      )
    : { blocks: [], missing: 0, unread: 0 };
  const records = findRecords(source, header, raw, dataBlocks.blocks, has);
  const triage: TriageDump = {
    servicePackBuild: raw.servicePackBuild,
    sizeOfDump: raw.sizeOfDump,
    options: raw.triageOptions,
    drivers: has("driverList", raw.driverListOffset) ? readDrivers(source, raw, bits) : undefined,
    unloaded: isInside(raw.unloadedDriversOffset, start, source.size)
      ? readUnloaded(source, raw.unloadedDriversOffset, bits)
      : undefined,
    brokenDriver: has("brokenDriver", raw.brokenDriverOffset)
      ? dumpString(source, raw.brokenDriverOffset)
      : undefined,
    callStack,
    ...records,
    memory: has("memory", raw.mmOffset) ? readMemoryStorage(source, raw.mmOffset, bits) : undefined,
    dataBlocks,
    blobs: readBlobs(source, raw.sizeOfDump),
    blocks: [...dataBlocks.blocks, ...present(callStack), ...present(dataPage), ...addressed(records)],
  };
  return { triage, notes: notesOn(triage, raw.validOffset, source) };
}

function isInside(offset: number, start: number, size: number): boolean {
  return offset >= start && offset < size;
}

function present(block: TriageBlock | undefined): readonly TriageBlock[] {
  return block === undefined ? [] : [block];
}

/** The records whose address is known. */
function addressed({ debuggerData, prcb, thread, process }: TriageRecords): readonly TriageBlock[] {
  return [debuggerData, prcb, thread, process].flatMap((record) =>
    record?.address === undefined
      ? []
      : [{ start: record.address, length: record.length, fileOffset: record.fileOffset }],
  );
}

function notesOn(triage: TriageDump, validOffset: number, source: ByteSource): readonly string[] {
  const notes: string[] = [];
  const { sizeOfDump, dataBlocks, blobs, drivers, unloaded, options } = triage;
  const mark = readAt(source, validOffset, 4).array;
  if (sizeOfDump > source.size) {
    notes.push(`the file ends early, after ${source.size} of ${sizeOfDump} bytes; copy the dump again`);
  } else if (asciiZ(mark) !== "TRGD") {
    notes.push("the mark at the end of the triage dump is not there: the dump may be incomplete");
  }
  if (options !== ALL_OPTIONS && (options & OVERFLOWED) !== 0) {
    notes.push("Windows had no room for all that it wanted to save");
  }
  const { blocks, missing } = dataBlocks;
  if (missing > 0) notes.push(`${missing} of ${blocks.length + missing} data blocks are not in the file`);
  if (dataBlocks.unread > 0) notes.push(`${dataBlocks.unread} entries of the data block table are not read`);
  if (blobs.stopped !== undefined)
    notes.push(`only the first ${blobs.items.length} secondary blobs are read`);
  if (drivers === undefined) notes.push("this triage dump has no list of drivers");
  for (const [list, name] of [
    [drivers, "drivers"],
    [unloaded, "unloaded drivers"],
  ] as const) {
    if (list !== undefined && list.items.length < list.claimed) {
      notes.push(`${list.items.length} of ${list.claimed} ${name} could be read`);
    }
  }
  return notes;
}
