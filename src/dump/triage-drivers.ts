import type { Va } from "../core/address.ts";
import { readStruct, toAddress } from "../core/kaitai.ts";
import { MAX_MODULES, MAX_UNLOADED } from "../core/limits.ts";
import { utf16Z } from "../core/text.ts";
import { TriageDump } from "../generated/triage_dump.js";
import { type ByteSource, readAt } from "../source/source.ts";

/** A loaded driver as a triage dump lists it, in the order of the module list. */
export interface TriageDriver {
  /** `\SystemRoot\system32\ntoskrnl.exe`; `undefined` when its place is not in the file. */
  readonly path: string | undefined;
  readonly base: Va;
  readonly entryPoint: Va;
  /** SizeOfImage, in bytes. */
  readonly size: number;
  readonly checksum: number;
  /** TimeDateStamp of the image. */
  readonly timestamp: number;
}

/** A driver that was unloaded before the machine stopped. */
export interface TriageUnloaded {
  /** The first twelve characters of the file's name. */
  readonly name: string;
  readonly start: Va;
  readonly end: Va;
}

/** A list from the file, and how many entries it should have. */
export interface TriageList<T> {
  readonly items: readonly T[];
  /** More than there are items when the file ends before, or the count is beyond any real one. */
  readonly claimed: number;
}

const ENTRY_SIZE = { 32: 0x4c, 64: 0x90 } as const;
/** An entry of an unknown Windows may be larger, but not by more than this. */
const MAX_ENTRY_SIZE = 0x200;
const UNLOADED_SIZE = { 32: 0x28, 64: 0x38 } as const;
/** Characters of a DUMP_STRING: a path in the kernel has at most 260. */
const MAX_PATH = 520;

/** Reads the list of loaded drivers. */
export function readDrivers(
  source: ByteSource,
  { driverListOffset: start, driverCount, stringPoolOffset }: TriageDump,
  bits: 32 | 64,
): TriageList<TriageDriver> {
  const count = Math.min(driverCount, MAX_MODULES);
  const size = entrySize(stringPoolOffset - start, driverCount, bits);
  const room = stringPoolOffset > start ? stringPoolOffset - start : source.size;
  const table = readAt(source, start, Math.min(count * size, room));
  const items: TriageDriver[] = [];
  for (let at = 0; at + ENTRY_SIZE[bits] <= table.length && items.length < count; at += size) {
    const bytes = table.slice(at, ENTRY_SIZE[bits], "a driver");
    const raw = readStruct(TriageDump.DriverEntry, bytes, "a driver", bits);
    items.push({
      path: dumpString(source, raw.driverNameOffset),
      base: toAddress(raw.dllBase),
      entryPoint: toAddress(raw.entryPoint),
      size: raw.sizeOfImage,
      checksum: raw.checkSum,
      timestamp: raw.timeDateStamp,
    });
  }
  return { items, claimed: driverCount };
}

/** Reads the list of unloaded drivers. */
export function readUnloaded(
  source: ByteSource,
  start: number,
  bits: 32 | 64,
): TriageList<TriageUnloaded> | undefined {
  const head = readAt(source, start, bits / 8);
  if (head.length < bits / 8) return undefined;
  const claimed = head.u32(0, "the count of unloaded drivers");
  const count = Math.min(claimed, MAX_UNLOADED);
  const table = readAt(source, start + head.length, count * UNLOADED_SIZE[bits]);
  const items: TriageUnloaded[] = [];
  for (let at = 0; at + UNLOADED_SIZE[bits] <= table.length; at += UNLOADED_SIZE[bits]) {
    const bytes = table.slice(at, UNLOADED_SIZE[bits], "an unloaded driver");
    const raw = readStruct(TriageDump.UnloadedDriver, bytes, "an unloaded driver", bits);
    items.push({
      name: utf16Z(raw.driverName.subarray(0, raw.nameLength)),
      start: toAddress(raw.startAddress),
      end: toAddress(raw.endAddress),
    });
  }
  return { items, claimed };
}

/**
 * A DUMP_STRING: its length in characters, then UTF-16. The SDK's header says that the length is
 * in bytes; in real dumps it is not.
 *
 * @returns `undefined` when it is not in the file
 */
export function dumpString(source: ByteSource, offset: number): string | undefined {
  const bytes = readAt(source, offset, 4 + 2 * MAX_PATH);
  if (offset === 0 || bytes.length < 4) return undefined;
  const length = 2 * bytes.u32(0, "the length of a name");
  return utf16Z(bytes.array.subarray(4, 4 + Math.min(length, bytes.length - 4)));
}

/** The names follow the list at once, so their place tells how large an entry is. */
function entrySize(listSize: number, count: number, bits: 32 | 64): number {
  const size = listSize / count;
  return Number.isInteger(size) && size > ENTRY_SIZE[bits] && size <= MAX_ENTRY_SIZE
    ? size
    : ENTRY_SIZE[bits];
}
