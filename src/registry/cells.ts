import { hex } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import { readStruct } from "../core/kaitai.ts";
import { MAX_HIVE_KEY_NAME_BYTES, MAX_HIVE_READ, MAX_HIVE_SUBKEYS, MAX_HIVE_VALUES } from "../core/limits.ts";
import { Regf } from "../generated/regf.js";
import { type ByteSource, readAt } from "../source/source.ts";

/** Where the first bin stands in the file; offsets of cells count from there. */
export const BINS_START = 0x1000;
/** The field of the error over a hive of which more is read than is in any; nothing more can be read of it then. */
export const ALL_CELLS = "all cells of the hive";
/** No cell. */
export const NO_CELL = 0xffff_ffff;

const SIZE_FIELD = 4;
const CELL_UNIT = 8;
const LIST_HEAD = 4;
/** The lists of keys, by their signatures, with the bytes of an entry. */
const ENTRY_BYTES: Readonly<Record<string, number>> = { li: 4, lf: 8, lh: 8 };
const LIST_OF_LISTS = "ri";

/** Reads the cells of one hive. What they lead to is checked when it is read. */
export class HiveCells {
  readonly source: ByteSource;
  /** Bytes of all bins, as far as the file holds them. */
  readonly #size: number;
  #left = MAX_HIVE_READ;

  constructor(source: ByteSource, binsSize: number) {
    this.source = source;
    this.#size = Math.max(0, Math.min(binsSize, source.size - BINS_START));
  }

  /**
   * The content of a cell, cut at `most` bytes.
   *
   * @param field what it should be, for the error
   * @throws {FormatError} outside the bins, not in use, or longer than the bins
   */
  content(offset: number, most: number, field: string): Bytes {
    const head = this.#read(offset, SIZE_FIELD, field);
    if (offset % CELL_UNIT !== 0) head.fail(0, field, "a cell at a multiple of 8 bytes", hex(offset));
    const size = -(head.u32(0, field) | 0);
    const room = this.#size - offset;
    if (size < SIZE_FIELD * 2) head.fail(0, field, "a cell in use", `a size of ${-size}`);
    if (size > room) head.fail(0, field, `a cell of at most ${room} bytes`, `${size} bytes`);
    return this.#read(offset + SIZE_FIELD, Math.min(size - SIZE_FIELD, most), field);
  }

  /**
   * The offsets of a key's subkeys, from a list or a list of lists.
   *
   * @throws {FormatError} no list, lists inside lists of lists, a key listed twice, or more than any key has
   */
  subkeyOffsets(list: number): readonly number[] {
    const { head, signature, entries } = this.#list(list, "list of subkeys");
    const keys = new Set<number>();
    for (const offsets of signature === LIST_OF_LISTS ? this.#sublists(entries) : [entries]) {
      for (const offset of offsets) {
        if (keys.has(offset)) head.fail(0, "list of subkeys", "each key once", `${hex(offset)} twice`);
        if (keys.size >= MAX_HIVE_SUBKEYS) {
          head.fail(2, "number of subkeys", `at most ${MAX_HIVE_SUBKEYS}`, "more");
        }
        keys.add(offset);
      }
    }
    return [...keys];
  }

  /** @throws {FormatError} no such list, or more than any key has */
  valueOffsets(list: number, count: number): readonly number[] {
    const field = "list of values";
    const wanted = count > MAX_HIVE_VALUES ? 0 : count * 4;
    const cell = this.content(list, wanted, field);
    if (count > MAX_HIVE_VALUES)
      cell.fail(0, "number of values", `at most ${MAX_HIVE_VALUES}`, String(count));
    const entries = cell.slice(0, wanted, field);
    return Array.from({ length: count }, (_, i) => entries.u32(i * 4, field));
  }

  *#sublists(lists: readonly number[]): Generator<readonly number[]> {
    for (const offset of lists) {
      const { head, signature, entries } = this.#list(offset, "part of a list of subkeys");
      if (signature === LIST_OF_LISTS) head.fail(0, "part of a list of subkeys", "li, lf or lh", "ri");
      yield entries;
    }
  }

  #list(offset: number, field: string): { head: Bytes; signature: string; entries: readonly number[] } {
    const cell = this.content(offset, LIST_HEAD + 0xffff * 8, field);
    const raw = readStruct(Regf.ListHead, cell, field);
    const signature = String.fromCharCode(...raw.signature);
    const bytes = signature === LIST_OF_LISTS ? 4 : ENTRY_BYTES[signature];
    if (bytes === undefined) {
      return cell.fail(
        0,
        field,
        "li, lf, lh or ri",
        [...raw.signature].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
      );
    }
    const body = cell.slice(LIST_HEAD, raw.count * bytes, field);
    const entries = Array.from({ length: raw.count }, (_, i) => body.u32(i * bytes, field));
    return { head: cell, signature, entries };
  }

  #read(offset: number, length: number, field: string): Bytes {
    const there = Math.max(0, Math.min(length, this.#size - offset));
    this.#left -= there;
    if (this.#left < 0) {
      const nothing = readAt(this.source, BINS_START + offset, 0);
      nothing.fail(
        0,
        ALL_CELLS,
        `at most ${MAX_HIVE_READ} bytes that are read`,
        "more: they share names or lists",
      );
    }
    const bytes = readAt(this.source, BINS_START + offset, there);
    if (there < length) {
      const end = hex(BINS_START + this.#size);
      bytes.fail(0, field, `${length} bytes inside the hive's bins`, `the end of the bins at ${end}`);
    }
    return bytes;
  }
}

/** A name beside a key or a value, in one byte a character or in UTF-16. */
export function hiveName(cell: Bytes, at: number, length: number, oneByte: boolean, field: string): string {
  const bytes = cell.slice(at, length, field).array;
  if (!oneByte) return new TextDecoder("utf-16le").decode(bytes);
  const parts: string[] = [];
  for (let from = 0; from < bytes.length; from += 0x1000)
    parts.push(String.fromCharCode(...bytes.subarray(from, from + 0x1000)));
  return parts.join("");
}

/** The most that a key's cell is read of: its fields and its name. */
export const KEY_CELL_BYTES: number = 0x4c + MAX_HIVE_KEY_NAME_BYTES;
