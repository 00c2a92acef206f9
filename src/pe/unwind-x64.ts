import { MAX_UNWIND_CHAIN, MAX_UNWIND_ROWS } from "../core/limits.ts";
import type { DataDirectory } from "./headers.ts";
import type { RvaReader, SparseTable } from "./rva-reader.ts";
import { type FindOwner, type Owner, UnwindTable } from "./unwind.ts";

const RUNTIME_FUNCTION_SIZE = 12;
const UNW_FLAG_CHAININFO = 4;
/** Bit 0 of a row's unwind data: it is the RVA of another row, not of UNWIND_INFO. */
const INDIRECT = 1;
/** Steps of a chain for each row, on average, before the table counts as hostile; a real one has less than 2. */
const MEAN_CHAIN = 4;
/** Bytes of unwind data read at once: neighbouring rows have neighbouring data. */
const WINDOW = 0x1000;
const MAX_WINDOWS = 1024;

/**
 * Reads the x64 exception directory, RUNTIME_FUNCTION[].
 *
 * @see x64 exception handling, "struct RUNTIME_FUNCTION" and "Chained unwind info structures"
 */
export function readX64Unwind(reader: RvaReader, directory: DataDirectory): UnwindTable {
  const capped = Math.min(directory.size, MAX_UNWIND_ROWS * RUNTIME_FUNCTION_SIZE);
  const table = reader.table(directory.rva, capped);
  const rows = new Uint32Array(Math.floor(table.length / RUNTIME_FUNCTION_SIZE) * 3);
  let used = 0;
  let rejected = 0;
  let unreadable = 0;
  const { buffer, byteOffset, byteLength } = table.bytes;
  const view = new DataView(buffer, byteOffset, byteLength);
  for (let at = 0; at + RUNTIME_FUNCTION_SIZE <= table.length; at += RUNTIME_FUNCTION_SIZE) {
    if (table.fault(at, RUNTIME_FUNCTION_SIZE) !== undefined) {
      unreadable++;
      continue;
    }
    const start = view.getUint32(at, true);
    const end = view.getUint32(at + 4, true);
    if (start >= end || end > reader.size) {
      // Linkers leave empty rows at the end.
      if (start !== 0 || end !== 0) rejected++;
    } else {
      rows[used++] = start;
      rows[used++] = end;
      rows[used++] = view.getUint32(at + 8, true);
    }
  }
  const stopped = table.fault(0, capped) ?? (capped < directory.size ? "limit" : undefined);
  const found = { rows: rows.slice(0, used), rejected, unreadable };
  return new UnwindTable(
    stopped === undefined ? found : { ...found, stopped },
    chainFollower(reader, used / 3),
  );
}

/** Follows chained unwind data to the function's own row, which is the one with no chain. */
function chainFollower(reader: RvaReader, rowCount: number): FindOwner {
  const windows = new Map<number, SparseTable>();
  let steps = rowCount * MEAN_CHAIN + MAX_UNWIND_CHAIN;

  const read = (rva: number, length: number): { table: SparseTable; at: number } => {
    const index = Math.floor(rva / WINDOW);
    const at = rva % WINDOW;
    if (at + length > WINDOW) return { table: reader.table(rva, length), at: 0 };
    let table = windows.get(index);
    if (table === undefined) {
      if (windows.size >= MAX_WINDOWS) windows.clear();
      table = reader.table(index * WINDOW, WINDOW);
      windows.set(index, table);
    }
    return { table, at };
  };

  /** The row that unwind data at `info` is chained to; `"own"`: to none; `undefined`: it cannot be read. */
  const chainedRow = (info: number): number | "own" | undefined => {
    if ((info & INDIRECT) !== 0) return info - INDIRECT;
    const { table, at } = read(info, 4);
    const head = table.u32(at);
    if (head === undefined) return undefined;
    if (((head >>> 3) & UNW_FLAG_CHAININFO) === 0) return "own";
    const codes = (head >>> 16) & 0xff;
    return info + 4 + (codes + (codes & 1)) * 2;
  };

  return (start: number, unwind: number): Owner => {
    let entry = start;
    let info = unwind;
    for (let step = 0; step < MAX_UNWIND_CHAIN && steps-- > 0; step++) {
      const row = chainedRow(info);
      if (row === "own") return { entry, entryKnown: true };
      if (row === undefined) break;
      const { table, at } = read(row, RUNTIME_FUNCTION_SIZE);
      const next = table.u32(at);
      const nextInfo = table.u32(at + 8);
      if (next === undefined || nextInfo === undefined || next >= reader.size) break;
      entry = next;
      info = nextInfo;
    }
    return { entry: start, entryKnown: false };
  };
}
