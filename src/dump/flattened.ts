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
  readonly #pieces: Pieces;

  constructor(file: ByteSource, table: RecordTable) {
    this.name = file.name;
    this.#file = file;
    this.#table = table;
    this.#pieces = piecesOf(table);
    this.size = this.#pieces.size;
  }

  read(offset: number, into: Uint8Array): number {
    const want = Math.max(0, Math.min(into.length, this.size - checkOffset(offset)));
    const { offsets, places } = this.#table;
    const { starts, ends, records } = this.#pieces;
    into.fill(0, 0, want);
    for (let i = upperBound(ends.length, offset, (at) => ends[at] ?? 0); i < starts.length; i++) {
      const from = Math.max(starts[i] ?? 0, offset);
      const to = Math.min(ends[i] ?? 0, offset + want);
      if (from >= to) break;
      const record = records[i] ?? 0;
      this.#file.read(
        places.at(record) + from - offsets.at(record),
        into.subarray(from - offset, to - offset),
      );
    }
    return want;
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/** Stretches of the core that a record gives each, in order and apart from each other. */
interface Pieces {
  /** Of the core, in bytes; a record without bytes counts. */
  readonly size: number;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  /** The number of each one's record. */
  readonly records: Uint32Array;
}

const NONE = 0xffff_ffff;

/** The pieces that the records make, of which the later ones hide the earlier. */
function piecesOf({ offsets, lengths }: RecordTable): Pieces {
  const count = offsets.length;
  const all = new Float64Array(2 * count);
  for (let i = 0; i < count; i++) {
    all[2 * i] = offsets.at(i);
    all[2 * i + 1] = offsets.at(i) + lengths.at(i);
  }
  const bounds = all.sort().filter((at, i, sorted) => at !== sorted[i - 1]);
  const indexOf = (place: number): number => upperBound(bounds.length, place, (i) => bounds[i] ?? 0) - 1;
  // between two bounds one record counts
  const owners = new Uint32Array(Math.max(0, bounds.length - 1)).fill(NONE);
  const free = new NextFree(owners.length);
  for (let record = count - 1; record >= 0; record--) {
    const end = indexOf(offsets.at(record) + lengths.at(record));
    for (let at = free.from(indexOf(offsets.at(record))); at < end; at = free.from(at)) {
      owners[at] = record;
      free.take(at);
    }
  }
  return {
    size: bounds.at(-1) ?? 0,
    starts: bounds.filter((_, i) => (owners[i] ?? NONE) !== NONE),
    ends: bounds.filter((_, i) => i > 0 && (owners[i - 1] ?? NONE) !== NONE),
    records: owners.filter((owner) => owner !== NONE),
  };
}

/** Which of some places in a row are not taken yet. */
class NextFree {
  /** A place that is nearer to the next free one, for each that is taken. */
  readonly #next: Uint32Array;

  constructor(count: number) {
    this.#next = new Uint32Array(count + 1);
    for (let i = 0; i <= count; i++) this.#next[i] = i;
  }

  /** The first at or behind a place; behind the last one where there is none. */
  from(place: number): number {
    let at = place;
    for (;;) {
      const next = this.#next[at] ?? at;
      if (next === at) return at;
      this.#next[at] = this.#next[next] ?? next;
      at = next;
    }
  }

  take(place: number): void {
    this.#next[place] = place + 1;
  }
}
