import { MAX_UNWIND_ROWS } from "../core/limits.ts";
import type { DataDirectory } from "./headers.ts";
import type { RvaReader } from "./rva-reader.ts";
import { UnwindTable } from "./unwind.ts";

const ROW_SIZE = 8;
/** Bits 0 and 1 of a row's second word. */
const XDATA = 0;
const PACKED = 1;
const PACKED_FRAGMENT = 2;
/** The unwind code `end_c`: what follows belongs to the function that this is a fragment of. */
const END_C = 0xe5;

/**
 * Reads the ARM64 exception directory: rows with the length packed in, and rows that point to
 * `.xdata`. Neither form says which function a fragment belongs to, so that a fragment stands alone.
 *
 * @see ARM64 exception handling, ".pdata records", "Packed unwind data" and ".xdata records"
 */
export function readArm64Unwind(reader: RvaReader, directory: DataDirectory): UnwindTable {
  const capped = Math.min(directory.size, MAX_UNWIND_ROWS * ROW_SIZE);
  const table = reader.table(directory.rva, capped);
  const rows = new Uint32Array(Math.floor(table.length / ROW_SIZE) * 3);
  const fragments = new Set<number>();
  let used = 0;
  let rejected = 0;
  let unreadable = 0;
  for (let at = 0; at + ROW_SIZE <= table.length; at += ROW_SIZE) {
    const start = table.u32(at);
    const unwind = table.u32(at + 4);
    const piece = start === undefined || unwind === undefined ? undefined : pieceOf(reader, unwind);
    if (start === undefined || unwind === undefined || piece === undefined) unreadable++;
    else if (piece.length === 0 || start + piece.length > reader.size) {
      if (start !== 0 || unwind !== 0) rejected++;
    } else {
      if (piece.isFragment) fragments.add(start);
      rows[used++] = start;
      rows[used++] = start + piece.length;
      rows[used++] = unwind;
    }
  }
  const stopped = table.fault(0, capped) ?? (capped < directory.size ? "limit" : undefined);
  const found = { rows: rows.slice(0, used), rejected, unreadable };
  return new UnwindTable(stopped === undefined ? found : { ...found, stopped }, (start) => ({
    entry: start,
    entryKnown: !fragments.has(start),
  }));
}

/** The length in bytes that a row's second word leads to. `undefined`: its `.xdata` cannot be read. */
function pieceOf(reader: RvaReader, unwind: number): { length: number; isFragment: boolean } | undefined {
  const form = unwind & 3;
  if (form === PACKED || form === PACKED_FRAGMENT) {
    return { length: ((unwind >>> 2) & 0x7ff) * 4, isFragment: form === PACKED_FRAGMENT };
  }
  if (form !== XDATA) return { length: 0, isFragment: false };
  const record = reader.table(unwind, 8);
  const head = record.u32(0);
  if (head === undefined) return undefined;
  const length = (head & 0x3ffff) * 4;
  const singleEpilog = (head & 0x20_0000) !== 0;
  const epilogs = (head >>> 22) & 0x1f;
  const codeWords = head >>> 27;
  const extended = epilogs === 0 && codeWords === 0;
  const extension = extended ? record.u32(4) : 0;
  if (extension === undefined) return { length, isFragment: false };
  const scopes = singleEpilog ? 0 : extended ? extension & 0xffff : epilogs;
  const codes = unwind + (extended ? 8 : 4) + scopes * 4;
  return { length, isFragment: reader.table(codes, 1).bytes[0] === END_C };
}
