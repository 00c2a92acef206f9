import type { Bytes } from "../core/bytes.ts";
import { readStruct } from "../core/kaitai.ts";
import { MAX_HIVE_VALUE_NAME_BYTES } from "../core/limits.ts";
import { utf16Z } from "../core/text.ts";
import { Regf } from "../generated/regf.js";
import { type HiveCells, hiveName } from "./cells.ts";

const HEAD_SIZE = 0x14;
const DATA_AT = 8;
const RESIDENT = 0x8000_0000;
/** Data past this is kept in segments of as many bytes, in hives from version 1.4 on. */
const SEGMENT_BYTES = 16_344;

/** REG_* that are read. */
const TYPE = { text: 1, expandable: 2, dword: 4 } as const;

/** One value of a key. Its data is read when it is asked for. */
export class HiveValue {
  /** Empty for the key's default value. */
  readonly name: string;
  /** REG_*: 1 is REG_SZ, 4 is REG_DWORD. */
  readonly type: number;
  /** Bytes of the data. */
  readonly size: number;
  readonly #cells: HiveCells;
  readonly #cell: Bytes;
  readonly #isResident: boolean;
  readonly #data: number;
  readonly #segmented: boolean;

  /**
   * @param segmented whether hives of this version keep large data in segments
   * @throws {FormatError} no value stands there, or its name is longer than any
   */
  constructor(cells: HiveCells, offset: number, segmented: boolean) {
    const cell = cells.content(offset, HEAD_SIZE + MAX_HIVE_VALUE_NAME_BYTES, "value");
    const raw = readStruct(Regf.KeyValue, cell, "value");
    const { nameLength, dataSize } = raw;
    if (nameLength > MAX_HIVE_VALUE_NAME_BYTES) {
      cell.fail(2, "length of a value's name", `at most ${MAX_HIVE_VALUE_NAME_BYTES}`, String(nameLength));
    }
    this.name = hiveName(cell, HEAD_SIZE, nameLength, raw.isNameCompressed, "name of a value");
    this.type = raw.kind;
    this.#isResident = dataSize >= RESIDENT;
    this.size = dataSize % RESIDENT;
    this.#data = raw.data;
    this.#cells = cells;
    this.#cell = cell;
    this.#segmented = segmented;
  }

  /**
   * @param most bytes that are wanted at most
   * @throws {FormatError} it is larger, or its cells are broken
   */
  bytes(most: number): Uint8Array {
    if (this.size > most) {
      this.#cell.fail(4, "size of a value's data", `at most ${most}`, String(this.size));
    }
    if (this.#isResident) {
      if (this.size > 4) this.#cell.fail(4, "size of data inside its value", "at most 4", String(this.size));
      return this.#cell.slice(DATA_AT, this.size, "data of a value").array;
    }
    if (this.size === 0) return new Uint8Array(0);
    if (this.#segmented && this.size > SEGMENT_BYTES) return this.#segments();
    return this.#cells
      .content(this.#data, this.size, "data of a value")
      .slice(0, this.size, "data of a value").array;
  }

  /**
   * REG_SZ or REG_EXPAND_SZ, up to its zero; `undefined` for other types.
   *
   * @throws {FormatError} as `bytes`
   */
  text(most: number): string | undefined {
    return this.type === TYPE.text || this.type === TYPE.expandable ? utf16Z(this.bytes(most)) : undefined;
  }

  /**
   * REG_DWORD; `undefined` for other types and sizes.
   *
   * @throws {FormatError} as `bytes`
   */
  u32(): number | undefined {
    if (this.type !== TYPE.dword || this.size !== 4) return undefined;
    const bytes = this.bytes(4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  }

  #segments(): Uint8Array {
    const field = "large data of a value";
    const cell = this.#cells.content(this.#data, 8, field);
    const { count, list } = readStruct(Regf.BigData, cell, field);
    const needed = Math.ceil(this.size / SEGMENT_BYTES);
    if (count < needed) cell.fail(2, "number of segments", `${needed} for ${this.size} bytes`, String(count));
    const offsets = this.#cells.content(list, needed * 4, "list of segments");
    const data = new Uint8Array(this.size);
    for (let i = 0; i < needed; i++) {
      const length = Math.min(SEGMENT_BYTES, this.size - i * SEGMENT_BYTES);
      const segment = this.#cells.content(offsets.u32(i * 4, "list of segments"), length, "segment");
      data.set(segment.slice(0, length, "segment of large data").array, i * SEGMENT_BYTES);
    }
    return data;
  }
}
