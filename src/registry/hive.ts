import { hex } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import { readStruct, toBigInt } from "../core/kaitai.ts";
import { MAX_HIVE_KEY_NAME_BYTES } from "../core/limits.ts";
import { printable } from "../core/text.ts";
import { Regf } from "../generated/regf.js";
import { CachedSource } from "../source/page-cache.ts";
import { type ByteSource, readAt } from "../source/source.ts";
import { BINS_START, HiveCells, hiveName, KEY_CELL_BYTES, NO_CELL } from "./cells.ts";
import { HiveValue } from "./value.ts";

const HEAD_SIZE = 512;
const CHECKSUM_WORDS = 127;
const NAME_AT = 0x4c;
const NAME_LENGTH_AT = 0x48;
const BIN_HEAD = 32;
const LOG_TYPES: ReadonlySet<number> = new Set([1, 2, 6]);
const CACHE_BYTES = 0x10_0000;

/** A registry hive. Keys and values are read when they are asked for. */
export interface Hive {
  /** The file's name. */
  readonly name: string;
  /** `1.5`. */
  readonly version: string;
  readonly root: HiveKey;
  /** What is missing from the file, or is odd about it; one sentence each. */
  readonly notes: readonly string[];
}

/** One key of a hive. */
export class HiveKey {
  readonly name: string;
  /** Where its cell stands in the file. */
  readonly fileOffset: number;
  /** FILETIME: units of 100 ns since 1601, UTC. */
  readonly lastWritten: bigint;
  /** As the key says; a damaged list can have another number. */
  readonly subkeyCount: number;
  readonly valueCount: number;
  readonly #cells: HiveCells;
  readonly #segmented: boolean;
  readonly #subkeyList: number;
  readonly #valueList: number;

  /**
   * @param segmented whether hives of this version keep large data in segments
   * @throws {FormatError} no key stands there, or its name is longer than any
   */
  constructor(cells: HiveCells, offset: number, segmented: boolean) {
    const cell = cells.content(offset, KEY_CELL_BYTES, "key");
    const raw = readStruct(Regf.KeyNode, cell, "key");
    if (raw.nameLength > MAX_HIVE_KEY_NAME_BYTES) {
      const found = `${raw.nameLength} bytes`;
      cell.fail(NAME_LENGTH_AT, "length of a key's name", `at most ${MAX_HIVE_KEY_NAME_BYTES} bytes`, found);
    }
    this.name = hiveName(cell, NAME_AT, raw.nameLength, raw.isNameCompressed, "name of a key");
    this.fileOffset = BINS_START + offset;
    this.lastWritten = toBigInt(raw.lastWritten);
    this.subkeyCount = raw.subkeyCount;
    this.valueCount = raw.valueCount;
    this.#cells = cells;
    this.#segmented = segmented;
    this.#subkeyList = raw.subkeyList;
    this.#valueList = raw.valueList;
  }

  /** Where its subkeys stand, for `subkeyAt`. @throws {FormatError} the list is broken */
  subkeyOffsets(): readonly number[] {
    if (this.subkeyCount === 0 || this.#subkeyList === NO_CELL) return [];
    return this.#cells.subkeyOffsets(this.#subkeyList);
  }

  /** @throws {FormatError} no key stands there */
  subkeyAt(offset: number): HiveKey {
    return new HiveKey(this.#cells, offset, this.#segmented);
  }

  /** In the hive's order. @throws {FormatError} the list is broken, or when it comes to a broken key */
  *subkeys(): Generator<HiveKey> {
    for (const offset of this.subkeyOffsets()) yield this.subkeyAt(offset);
  }

  /** Names are told apart without regard to case. @throws {FormatError} as `subkeys` */
  subkey(name: string): HiveKey | undefined {
    const wanted = name.toUpperCase();
    for (const key of this.subkeys()) if (key.name.toUpperCase() === wanted) return key;
    return undefined;
  }

  /** Their data is not read yet. @throws {FormatError} the list is broken, or when it comes to a broken value */
  *values(): Generator<HiveValue> {
    if (this.valueCount === 0 || this.#valueList === NO_CELL) return;
    for (const offset of this.#cells.valueOffsets(this.#valueList, this.valueCount)) {
      yield new HiveValue(this.#cells, offset, this.#segmented);
    }
  }

  /** Names are told apart without regard to case. @throws {FormatError} as `values` */
  value(name: string): HiveValue | undefined {
    const wanted = name.toUpperCase();
    for (const value of this.values()) if (value.name.toUpperCase() === wanted) return value;
    return undefined;
  }
}

/**
 * Opens a hive, which is read as long as its keys are used. Its log files are not replayed: a note says when
 * they would change something.
 *
 * @throws {FormatError} the file is no hive, or is one of its log files
 * @see Windows registry file format specification, "Format of primary files"
 */
export function openHive(source: ByteSource): Hive {
  const bytes = readAt(source, 0, HEAD_SIZE);
  const raw = readStruct(Regf.BaseBlock, bytes, "header of a registry hive");
  const signature = String.fromCharCode(...raw.signature);
  if (signature !== "regf") {
    bytes.fail(0, "file", "a registry hive (regf)", JSON.stringify(printable(signature)));
  }
  const { majorVersion: major, minorVersion: minor, fileType } = raw;
  if (LOG_TYPES.has(fileType)) {
    bytes.fail(28, "file", "a registry hive", "its transaction log; give the file without .LOG in its name");
  }
  if (fileType !== 0) bytes.fail(28, "type of the file", "0, a registry hive", String(fileType));
  if (major !== 1 || minor < 3 || minor > 6) {
    bytes.fail(20, "version of the hive", "1.3 to 1.6", `${major}.${minor}`);
  }

  const cells = new HiveCells(new CachedSource(source, CACHE_BYTES), raw.binsSize);
  readStruct(Regf.Bin, readAt(source, BINS_START, BIN_HEAD), "first bin of the hive");
  const notes: string[] = [];
  if (raw.primarySequence !== raw.secondarySequence) {
    notes.push(
      "the hive was not written to its end when it was copied: its log files (.LOG1, .LOG2) hold newer data, which is not read",
    );
  }
  if (raw.checksum !== checksum(bytes)) notes.push("the checksum in the hive's header is wrong");
  const end = BINS_START + raw.binsSize;
  if (end > source.size) {
    notes.push(`the file ends early, at ${hex(source.size)} of ${hex(end)}: copy the hive again`);
  }
  return {
    name: source.name,
    version: `${major}.${minor}`,
    root: new HiveKey(cells, raw.rootCell, minor >= 4),
    notes,
  };
}

/** 0 and all ones are kept free. */
function checksum(head: Bytes): number {
  let sum = 0;
  for (let i = 0; i < CHECKSUM_WORDS; i++) sum ^= head.u32(i * 4, "header of a registry hive");
  if (sum === 0) return 1;
  return sum === -1 ? 0xffff_fffe : sum >>> 0;
}
