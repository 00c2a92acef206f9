import type { Va } from "../core/address.ts";
import { MAX_DATA_BLOCKS } from "../core/limits.ts";
import type { ByteSource } from "../source/source.ts";

/** Addresses that a triage dump holds, and where they stand in the file. */
export interface TriageBlock {
  readonly start: Va;
  /** In bytes; never 0. */
  readonly length: number;
  readonly fileOffset: number;
}

/** TRIAGE_DATA_BLOCK entries: what could be used of them, and what could not. */
export interface DataBlocks {
  /** In the table's order, all of them in the file; two may overlap, and then have the same bytes. */
  readonly blocks: readonly TriageBlock[];
  /** Entries whose bytes are not in the file. */
  readonly missing: number;
  /** Entries that were not looked at, since there are too many or the file ends in the table. */
  readonly unread: number;
}

/** The table's place, and where the part of the dump ends that the entries may point into. */
export interface DataBlockTable {
  readonly offset: number;
  readonly count: number;
  /** SizeOfDump, in bytes. */
  readonly end: number;
}

/** An address of 64 bits, or of 32, then two numbers of 32. Which form 32-bit dumps have is not sure. */
const STRIDES = { 32: [12, 16], 64: [16] } as const;

/**
 * Reads the table of data blocks.
 *
 * In 32-bit dumps the entry has 12 bytes or 16: the size is taken in which more entries lie behind
 * the table and before the end.
 */
export function readDataBlocks(source: ByteSource, table: DataBlockTable, bits: 32 | 64): DataBlocks {
  const [first, second] = STRIDES[bits].map((stride) => parse(source, table, stride, bits));
  if (first === undefined) return { blocks: [], missing: 0, unread: table.count };
  return second !== undefined && second.blocks.length > first.blocks.length ? second : first;
}

function parse(
  source: ByteSource,
  { offset, count, end }: DataBlockTable,
  stride: 12 | 16,
  bits: 32 | 64,
): DataBlocks {
  const wanted = Math.min(count, MAX_DATA_BLOCKS);
  const room = Math.max(0, Math.floor((source.size - offset) / stride));
  const words = new Uint32Array((Math.min(wanted, room) * stride) / 4);
  source.read(offset, new Uint8Array(words.buffer));
  const tableEnd = offset + count * stride;
  const limit = Math.min(end, source.size);
  const blocks: TriageBlock[] = [];
  let missing = 0;
  for (let at = 0; at < words.length; at += stride / 4) {
    const high = bits === 64 ? BigInt(words[at + 1] as number) << 32n : 0n;
    const rest = at + stride / 4 - 2;
    const [low, fileOffset, length] = [words[at], words[rest], words[rest + 1]] as [number, number, number];
    if (fileOffset < tableEnd || fileOffset + length > limit) missing++;
    else if (length > 0) blocks.push({ start: (high | BigInt(low)) as Va, length, fileOffset });
  }
  return { blocks, missing, unread: count - words.length / (stride / 4) };
}
