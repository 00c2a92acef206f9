import type { Va } from "../core/address.ts";
import type { TriageDump } from "../generated/triage_dump.js";
import type { ByteSource } from "../source/source.ts";
import type { DumpHeader } from "./header.ts";
import type { TriageBlock } from "./triage-blocks.ts";

/** A structure of the kernel that a triage dump holds a copy of. */
export interface TriageRecord {
  /** Where it stood in memory; `undefined` when the dump does not tell. */
  readonly address: Va | undefined;
  /** In bytes; all of them are in the file. */
  readonly length: number;
  readonly fileOffset: number;
}

/** The copies that stand outside the data blocks. */
export interface TriageRecords {
  readonly debuggerData: TriageRecord | undefined;
  readonly prcb: TriageRecord | undefined;
  readonly thread: TriageRecord | undefined;
  readonly process: TriageRecord | undefined;
}

/** Where KDDEBUGGER_DATA64 says how the other structures are laid out. */
const KDBG = {
  kiProcessorBlock: 0x218,
  offsetKThreadApcProcess: 0x2a0,
  sizeEProcess: 0x2a8,
  sizePrcb: 0x2b0,
  offsetPrcbCurrentThread: 0x2b4,
  offsetPrcbNumber: 0x2be,
  sizeEThread: 0x2c0,
} as const;

/**
 * Finds the copies of KDBG, KPRCB, ETHREAD and EPROCESS, and where each stood: the processor's by
 * its number in KiProcessorBlock, the thread's by the processor, the process's by the thread.
 *
 * @param has whether the dump says that it holds the part at an offset
 */
export function findRecords(
  source: ByteSource,
  header: DumpHeader,
  raw: TriageDump,
  blocks: readonly TriageBlock[],
  has: (part: "debuggerData" | "prcb" | "thread" | "process", offset: number) => boolean,
): TriageRecords {
  const kdbgLength = Math.min(raw.debuggerDataSize, source.size - raw.debuggerDataOffset);
  const debuggerData =
    has("debuggerData", raw.debuggerDataOffset) && kdbgLength > 0
      ? { address: header.kdDebuggerDataBlock, length: kdbgLength, fileOffset: raw.debuggerDataOffset }
      : undefined;
  const pointerSize = header.bits / 8;

  const valueAt = (offset: number, size: number): bigint | undefined => {
    const bytes = new Uint8Array(8);
    if (source.read(offset, bytes.subarray(0, size)) < size) return undefined;
    return new DataView(bytes.buffer).getBigUint64(0, true);
  };
  const kdbgValue = (at: number, size: number): bigint | undefined =>
    debuggerData !== undefined && at + size <= debuggerData.length
      ? valueAt(debuggerData.fileOffset + at, size)
      : undefined;
  /** A u2 that is an offset or a size of a structure; 0 where this Windows does not fill it in. */
  const kdbgWord = (at: number): number | undefined => {
    const value = Number(kdbgValue(at, 2) ?? 0n);
    return value === 0 ? undefined : value;
  };
  const memoryAt = (address: bigint, size: number): bigint | undefined => {
    const block = blocks.find(
      ({ start, length }) => address >= start && address + BigInt(size) <= start + BigInt(length),
    );
    return block && valueAt(block.fileOffset + Number(address - block.start), size);
  };
  /** A field of a record, where the record and the field's offset are known. */
  const field = (of: TriageRecord | undefined, at: number | undefined, size: number): bigint | undefined =>
    of !== undefined && at !== undefined && at + size <= of.length
      ? valueAt(of.fileOffset + at, size)
      : undefined;

  const ends = offsetsOf(raw, source.size);
  const record = (
    part: "prcb" | "thread" | "process",
    fileOffset: number,
    sizeAt: number,
  ): TriageRecord | undefined => {
    if (!has(part, fileOffset)) return undefined;
    const next = Math.min(...ends.filter((offset) => offset > fileOffset));
    const length = Math.min(kdbgWord(sizeAt) ?? next, next - fileOffset);
    return { address: undefined, length, fileOffset };
  };
  const placed = (of: TriageRecord | undefined, address: bigint | undefined): TriageRecord | undefined =>
    of && { ...of, address: address === 0n ? undefined : (address as Va | undefined) };

  const prcb = record("prcb", raw.prcbOffset, KDBG.sizePrcb);
  const thread = record("thread", raw.threadOffset, KDBG.sizeEThread);
  const process = record("process", raw.processOffset, KDBG.sizeEProcess);
  const number = field(prcb, kdbgWord(KDBG.offsetPrcbNumber), pointerSize === 8 ? 4 : 1);
  const table = kdbgValue(KDBG.kiProcessorBlock, 8);
  const slot =
    table === undefined || number === undefined
      ? undefined
      : BigInt.asUintN(header.bits, table) + number * BigInt(pointerSize);
  return {
    debuggerData,
    prcb: placed(prcb, slot === undefined ? undefined : memoryAt(slot, pointerSize)),
    thread: placed(thread, field(prcb, kdbgWord(KDBG.offsetPrcbCurrentThread), pointerSize)),
    process: placed(process, field(thread, kdbgWord(KDBG.offsetKThreadApcProcess), pointerSize)),
  };
}

/** Where the parts of the dump start, and its end: a part reaches no further than the next. */
function offsetsOf(raw: TriageDump, fileSize: number): readonly number[] {
  return [
    raw.unloadedDriversOffset,
    raw.prcbOffset,
    raw.processOffset,
    raw.threadOffset,
    raw.callStackOffset,
    raw.driverListOffset,
    raw.stringPoolOffset,
    raw.debuggerDataOffset,
    raw.dataBlocksOffset,
    raw.sizeOfDump,
    fileSize,
  ];
}
