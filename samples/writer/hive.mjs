/** Writes registry hives: the whole tree at once, each cell in use, in bins of 4 KB or more. */
import { Area, alignUp, ascii, utf16 } from "./bytes.mjs";

const BLOCK = 0x1000;
const BIN_HEAD = 0x20;
const NO_CELL = 0xffffffff;
const SEGMENT = 16344;

const REG_SZ = 1;
const REG_DWORD = 4;

/**
 * @typedef {{ name: string, type: number, data: Uint8Array }} HiveValue
 * @typedef {{ name: string, values?: readonly HiveValue[], keys?: readonly HiveKey[] }} HiveKey
 */

/** @param {string} name @param {string} text @param {number} [type] 2 for REG_EXPAND_SZ @returns {HiveValue} */
export const textValue = (name, text, type = REG_SZ) => ({ name, type, data: utf16(`${text}\0`) });

/** @param {string} name @param {number} number @returns {HiveValue} */
export const dwordValue = (name, number) => ({
  name,
  type: REG_DWORD,
  data: new Area(4).u32(0, number >>> 0).bytes,
});

/** A name in one byte a character where that is possible. @param {string} name */
function nameBytes(name) {
  const narrow = [...name].every((c) => c.charCodeAt(0) < 0x100) && name.length > 0;
  return { narrow, bytes: narrow ? ascii(name) : utf16(name) };
}

/** The cells, one after the other; a bin grows to hold a large one. */
class Cells {
  /** @type {Map<number, Uint8Array>} */
  #cells = new Map();
  /** @type {{ at: number, size: number }[]} */
  #bins = [];
  #next = 0;

  /** @param {Uint8Array} content @returns {number} its offset */
  add(content) {
    const size = alignUp(content.length + 4, 8);
    const bin = this.#bins.at(-1);
    if (bin === undefined || this.#next + size > bin.at + bin.size) {
      this.#fillRest();
      const at = bin === undefined ? 0 : bin.at + bin.size;
      this.#bins.push({ at, size: alignUp(BIN_HEAD + size, BLOCK) });
      this.#next = at + BIN_HEAD;
    }
    const at = this.#next;
    this.#cells.set(at, new Area(size).u32(0, -size >>> 0).put(4, content).bytes);
    this.#next += size;
    return at;
  }

  /** Room that a cell in use will fill later. @param {number} at @param {number} field @param {number} value */
  patch(at, field, value) {
    const cell = this.#cells.get(at);
    if (cell === undefined) throw new RangeError(`no cell at ${at}`);
    new Area(cell).u32(4 + field, value);
  }

  finish() {
    this.#fillRest();
    const last = this.#bins.at(-1);
    const area = new Area(last === undefined ? 0 : last.at + last.size);
    for (const { at, size } of this.#bins)
      area
        .ascii(at, "hbin")
        .u32(at + 4, at)
        .u32(at + 8, size);
    for (const [at, bytes] of this.#cells) area.put(at, bytes);
    return area.bytes;
  }

  #fillRest() {
    const bin = this.#bins.at(-1);
    const rest = bin === undefined ? 0 : bin.at + bin.size - this.#next;
    if (rest > 0) this.#cells.set(this.#next, new Area(rest).u32(0, rest).bytes);
  }
}

/** @param {string} name the hint that lists of the kind lh keep */
function nameHash(name) {
  let hash = 0;
  for (const c of name.toUpperCase()) hash = (Math.imul(hash, 37) + c.charCodeAt(0)) >>> 0;
  return hash;
}

/**
 * @param {HiveKey} root
 * @param {{
 *   minor?: number,
 *   list?: "lf" | "lh" | "li",
 *   perList?: number,
 *   fileName?: string,
 *   sequences?: readonly [number, number],
 * }} [options] `perList`: longer lists become a list of lists
 * @returns {Uint8Array}
 */
export function hiveBytes(root, options = {}) {
  const { minor = 5, list = "lh", perList = 500, fileName = "SYSTEM", sequences = [1, 1] } = options;
  const cells = new Cells();

  /** @param {HiveValue} value */
  const writeValue = ({ name, type, data }) => {
    const { narrow, bytes } = nameBytes(name);
    const cell = new Area(0x14 + bytes.length).ascii(0, "vk").u16(2, bytes.length).u32(12, type);
    cell.u16(16, narrow ? 1 : 0).put(0x14, bytes);
    if (data.length <= 4) cell.u32(4, (0x80000000 | data.length) >>> 0).put(8, data);
    else
      cell
        .u32(4, data.length)
        .u32(8, minor >= 4 && data.length > SEGMENT ? writeSegments(data) : cells.add(data));
    return cells.add(cell.bytes);
  };

  /** @param {Uint8Array} data */
  const writeSegments = (data) => {
    const count = Math.ceil(data.length / SEGMENT);
    const offsets = new Area(count * 4);
    for (let i = 0; i < count; i++) {
      const part = data.subarray(i * SEGMENT, (i + 1) * SEGMENT);
      // as Windows leaves them, each segment has four bytes more than it uses
      offsets.u32(i * 4, cells.add(new Area(part.length + 4).put(0, part).bytes));
    }
    return cells.add(new Area(8).ascii(0, "db").u16(2, count).u32(4, cells.add(offsets.bytes)).bytes);
  };

  /** @param {readonly { name: string, at: number }[]} keys */
  const writeList = (keys) => {
    const width = list === "li" ? 4 : 8;
    const cell = new Area(4 + keys.length * width).ascii(0, list).u16(2, keys.length);
    keys.forEach(({ name, at }, i) => {
      cell.u32(4 + i * width, at);
      if (list === "lh") cell.u32(8 + i * width, nameHash(name));
      if (list === "lf") cell.put(8 + i * width, ascii(name.slice(0, 4)));
    });
    return cells.add(cell.bytes);
  };

  /** @param {HiveKey} key @param {number} parent @param {number} flags @returns {number} */
  const writeKey = (key, parent, flags) => {
    const values = key.values ?? [];
    // the kernel looks keys up by halving: they are sorted
    const keys = [...(key.keys ?? [])].sort((a, b) => (a.name.toUpperCase() < b.name.toUpperCase() ? -1 : 1));
    const { narrow, bytes } = nameBytes(key.name);
    const cell = new Area(0x4c + bytes.length).ascii(0, "nk").u16(2, flags | (narrow ? 0x20 : 0));
    cell.u64(4, 0x01da0000_00000000n).u32(16, parent).u32(20, keys.length).u32(28, NO_CELL).u32(32, NO_CELL);
    cell.u32(36, values.length).u32(40, NO_CELL).u32(44, security).u32(48, NO_CELL);
    cell.u32(52, Math.max(0, ...keys.map(({ name }) => name.length * 2)));
    cell.u32(60, Math.max(0, ...values.map(({ name }) => name.length * 2)));
    cell.u32(64, Math.max(0, ...values.map(({ data }) => data.length)));
    const at = cells.add(cell.u16(72, bytes.length).put(0x4c, bytes).bytes);
    if (values.length > 0) {
      const offsets = new Area(values.length * 4);
      values.forEach((value, i) => {
        offsets.u32(i * 4, writeValue(value));
      });
      cells.patch(at, 40, cells.add(offsets.bytes));
    }
    if (keys.length > 0) {
      const placed = keys.map((child) => ({ name: child.name, at: writeKey(child, at, 0) }));
      const lists = [];
      for (let i = 0; i < placed.length; i += perList) lists.push(writeList(placed.slice(i, i + perList)));
      const head = new Area(4 + lists.length * 4).ascii(0, "ri").u16(2, lists.length);
      lists.forEach((offset, i) => {
        head.u32(4 + i * 4, offset);
      });
      cells.patch(at, 28, lists.length === 1 ? /** @type {number} */ (lists[0]) : cells.add(head.bytes));
    }
    return at;
  };

  // one security descriptor for every key: self-relative, no owner, group or lists
  const descriptor = new Area(20).u32(0, 1).u16(2, 0x8000).bytes;
  const security = cells.add(new Area(0x14 + descriptor.length).ascii(0, "sk").bytes);
  cells.patch(security, 4, security);
  cells.patch(security, 8, security);
  cells.patch(security, 12, 1);
  cells.patch(security, 16, descriptor.length);
  const rootAt = writeKey(root, NO_CELL, 0x0c);

  const bins = cells.finish();
  const hive = new Area(BLOCK + bins.length).put(BLOCK, bins);
  hive.ascii(0, "regf").u32(4, sequences[0]).u32(8, sequences[1]).u64(12, 0x01da0000_00000000n);
  hive.u32(20, 1).u32(24, minor).u32(28, 0).u32(32, 1).u32(36, rootAt).u32(40, bins.length).u32(44, 1);
  hive.put(48, utf16(fileName.slice(-31)));
  let sum = 0;
  for (let i = 0; i < 127; i++) sum ^= hive.readU32(i * 4);
  return hive.u32(508, sum === 0 ? 1 : sum === -1 ? 0xfffffffe : sum >>> 0).bytes;
}
