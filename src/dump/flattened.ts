import { MAX_FLAT_RECORDS } from "../core/limits.ts";
import { upperBound } from "../core/search.ts";
import { type ByteSource, checkOffset, readAt } from "../source/source.ts";

/** How a core starts that was written to a pipe: records of bytes with their places, in any order. */
export const FLATTENED = "makedumpfile";

const HEADER_SIZE = 0x1000;
const RECORD_SIZE = 16;

/**
 * The core that a flattened one makes. Numbers in it are big-endian, and of two records for one place the later counts.
 *
 * @see makedumpfile(8), "-F"
 */
export function flattenedSource(file: ByteSource): {
  readonly source: ByteSource;
  readonly notes: readonly string[];
} {
  const records: Record[] = [];
  const notes: string[] = [];
  let size = 0;
  let at = HEADER_SIZE;
  for (;;) {
    const head = readAt(file, at, RECORD_SIZE);
    if (head.length < RECORD_SIZE) {
      notes.push("the file ends before the last record: what follows is missing; copy it again");
      break;
    }
    const view = new DataView(head.array.buffer, head.array.byteOffset, RECORD_SIZE);
    const [offset, length] = [view.getBigInt64(0), view.getBigInt64(8)];
    if (offset === -1n) break;
    if (offset < 0n || length < 0n || offset + length > BigInt(Number.MAX_SAFE_INTEGER))
      head.fail(0, "a record of the flattened core", "a place and a size", `${offset} and ${length}`);
    if (records.length >= MAX_FLAT_RECORDS) {
      notes.push(`only the first ${MAX_FLAT_RECORDS} records of the flattened core are read`);
      break;
    }
    records.push({ offset: Number(offset), length: Number(length), at: at + RECORD_SIZE });
    size = Math.max(size, Number(offset + length));
    at += RECORD_SIZE + Number(length);
  }
  return { source: new Records(file, records, size), notes };
}

interface Record {
  readonly offset: number;
  readonly length: number;
  /** In the flattened file. */
  readonly at: number;
}

class Records implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #file: ByteSource;
  /** By place; the later one of two with the same stands behind. */
  readonly #records: readonly Record[];
  /** The longest record: how far before a place one that holds it can start. */
  readonly #longest: number;

  constructor(file: ByteSource, records: readonly Record[], size: number) {
    this.name = file.name;
    this.size = size;
    this.#file = file;
    this.#records = [...records].sort((a, b) => a.offset - b.offset || a.at - b.at);
    this.#longest = records.reduce((most, { length }) => Math.max(most, length), 0);
  }

  read(offset: number, into: Uint8Array): number {
    const want = Math.max(0, Math.min(into.length, this.size - checkOffset(offset)));
    const records = this.#records;
    into.fill(0, 0, want);
    const first = upperBound(records.length, offset - this.#longest - 1, (i) => records[i]?.offset ?? 0);
    const held: Record[] = [];
    for (let i = first; i < records.length; i++) {
      const record = records[i];
      if (record === undefined || record.offset >= offset + want) break;
      if (record.offset + record.length > offset) held.push(record);
    }
    // the one that was written last counts
    for (const record of held.sort((a, b) => a.at - b.at)) {
      const from = Math.max(record.offset, offset);
      const to = Math.min(record.offset + record.length, offset + want);
      this.#file.read(record.at + from - record.offset, into.subarray(from - offset, to - offset));
    }
    return want;
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
