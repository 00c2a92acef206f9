import { F64List } from "../core/f64-list.ts";
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
  const records: RecordTable = { offsets: new F64List(), lengths: new F64List(), places: new F64List() };
  const notes: string[] = [];
  const head = new Uint8Array(RECORD_SIZE);
  const view = new DataView(head.buffer);
  let at = HEADER_SIZE;
  for (;;) {
    if (at + RECORD_SIZE > file.size) {
      notes.push("the file ends before the last record: what follows is missing; copy it again");
      break;
    }
    file.read(at, head);
    const [offset, length] = [wide(view, 0), wide(view, 8)];
    if (offset === -1) break;
    if (offset < 0 || length < 0 || offset + length > Number.MAX_SAFE_INTEGER) {
      const found = `${view.getBigInt64(0)} and ${view.getBigInt64(8)}`;
      readAt(file, at, RECORD_SIZE).fail(0, "a record of the flattened core", "a place and a size", found);
    }
    if (records.offsets.length === MAX_FLAT_RECORDS) {
      notes.push(`only the first ${MAX_FLAT_RECORDS} records of the flattened core are read`);
      break;
    }
    records.offsets.push(offset);
    records.lengths.push(length);
    records.places.push(at + RECORD_SIZE);
    at += RECORD_SIZE + length;
  }
  return { source: new Records(file, records), notes };
}

/** Of 64 bits, with a sign; what has more than 53 of them is too large for a file, however it is rounded. */
function wide(view: DataView, at: number): number {
  return view.getInt32(at) * 2 ** 32 + view.getUint32(at + 4);
}

/** Records in the order of the flattened file: where each stands in the core, how long it is, and its bytes in that file. */
interface RecordTable {
  readonly offsets: F64List;
  readonly lengths: F64List;
  readonly places: F64List;
}

class Records implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #file: ByteSource;
  readonly #table: RecordTable;
  /** Numbers of records, by place in the core; the later one of two with the same stands behind. */
  readonly #order: readonly number[];
  /** The longest record: how far before a place one that holds it can start. */
  readonly #longest: number;

  constructor(file: ByteSource, table: RecordTable) {
    const { offsets, lengths } = table;
    this.name = file.name;
    this.#file = file;
    this.#table = table;
    this.#order = Array.from({ length: offsets.length }, (_, i) => i).sort(
      (a, b) => offsets.at(a) - offsets.at(b) || a - b,
    );
    this.size = this.#order.reduce((most, i) => Math.max(most, offsets.at(i) + lengths.at(i)), 0);
    this.#longest = this.#order.reduce((most, i) => Math.max(most, lengths.at(i)), 0);
  }

  read(offset: number, into: Uint8Array): number {
    const want = Math.max(0, Math.min(into.length, this.size - checkOffset(offset)));
    const { offsets, lengths, places } = this.#table;
    const order = this.#order;
    into.fill(0, 0, want);
    const first = upperBound(order.length, offset - this.#longest - 1, (i) => offsets.at(order[i] ?? 0));
    const held: number[] = [];
    for (let i = first; i < order.length; i++) {
      const record = order[i] ?? 0;
      if (offsets.at(record) >= offset + want) break;
      if (offsets.at(record) + lengths.at(record) > offset) held.push(record);
    }
    // the one that was written last counts
    for (const record of held.sort((a, b) => a - b)) {
      const start = offsets.at(record);
      const from = Math.max(start, offset);
      const to = Math.min(start + lengths.at(record), offset + want);
      this.#file.read(places.at(record) + from - start, into.subarray(from - offset, to - offset));
    }
    return want;
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
