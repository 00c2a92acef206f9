import { Area, alignUp, ascii, concat } from "./bytes.mjs";

/**
 * The tables that PE directories point to, written into an Image.
 * @typedef {import("./pe.mjs").Image} Image
 * @typedef {{ name?: string, ordinal?: number, rva?: number, forwarder?: string }} ExportSpec name left out: exported by ordinal only
 * @typedef {{ name: string, hint?: number } | { ordinal: number }} ImportSpec
 * @typedef {{ dll: string, imports: readonly ImportSpec[] }} ImportedDll
 */

/** @param {string} text */
const cString = (text) => ascii(`${text}\0`);

/**
 * @param {Image} image @param {number} rva @param {{ dll: string, exports: readonly ExportSpec[], ordinalBase?: number, timestamp?: number }} options
 *   Without ordinals, they are given in the order of the names, as linkers do.
 * @returns {number} the size of the directory
 */
export function putExports(image, rva, { dll, exports, ordinalBase = 1, timestamp = 0 }) {
  const named = exports
    .filter((e) => e.name !== undefined)
    .sort((a, b) => (/** @type {string} */ (a.name) < /** @type {string} */ (b.name) ? -1 : 1));
  const unnamed = exports.filter((e) => e.name === undefined);
  let next = ordinalBase;
  const fixed = new Set(exports.map((e) => e.ordinal));
  const numbered = [...named, ...unnamed].map((e) => {
    if (e.ordinal !== undefined) return { ...e, ordinal: e.ordinal };
    while (fixed.has(next)) next++;
    return { ...e, ordinal: next++ };
  });
  const functions = Math.max(...numbered.map((e) => e.ordinal)) - ordinalBase + 1;
  const names = numbered.filter((e) => e.name !== undefined);
  const addressesAt = 40;
  const namesAt = addressesAt + functions * 4;
  const ordinalsAt = namesAt + names.length * 4;
  let text = ordinalsAt + names.length * 2;
  const strings = [
    cString(dll),
    ...names.map((e) => cString(/** @type {string} */ (e.name))),
    ...numbered
      .filter((e) => e.forwarder !== undefined)
      .map((e) => cString(/** @type {string} */ (e.forwarder))),
  ];
  const size = text + strings.reduce((n, s) => n + s.length, 0);
  const area = new Area(size);
  const put = (/** @type {string} */ s) => {
    const at = rva + text;
    area.put(text, cString(s));
    text += s.length + 1;
    return at;
  };
  area.u32(4, timestamp).u32(12, put(dll)).u32(16, ordinalBase).u32(20, functions).u32(24, names.length);
  area
    .u32(28, rva + addressesAt)
    .u32(32, rva + namesAt)
    .u32(36, rva + ordinalsAt);
  for (const [i, e] of names.entries())
    area
      .u32(namesAt + i * 4, put(/** @type {string} */ (e.name)))
      .u16(ordinalsAt + i * 2, e.ordinal - ordinalBase);
  for (const e of numbered)
    area.u32(
      addressesAt + (e.ordinal - ordinalBase) * 4,
      e.forwarder === undefined ? (e.rva ?? 0) : put(e.forwarder),
    );
  image.put(rva, area.bytes).directory("export", rva, size);
  return size;
}

/**
 * Import descriptors, look-up tables and names at `rva`, the IAT elsewhere.
 * @param {Image} image @param {number} rva
 * @param {{ dlls: readonly ImportedDll[], iat: number, resolve: (dll: string, entry: ImportSpec) => bigint, room?: number, boundAt?: bigint }} options
 *   resolve: what the loader put into the slot. room: bytes that may be used at `rva`. boundAt: where the image stood when it was
 *   bound; the loader makes addresses of the look-up entries then, and moves them no more.
 * @returns {{ size: number, iatSize: number, slots: Map<string, number> }} size: of all at rva. slots: "dll!name" to the slot's RVA
 */
export function putImports(
  image,
  rva,
  { dlls, iat, resolve, room = Number.POSITIVE_INFINITY, boundAt = image.base },
) {
  const word = image.is64 ? 8 : 4;
  const pointer = (/** @type {Area} */ area, /** @type {number} */ at, /** @type {bigint} */ value) =>
    image.is64 ? area.u64(at, value) : area.u32(at, Number(value));
  const count = dlls.reduce((n, d) => n + d.imports.length + 1, 0);
  const descriptorsSize = (dlls.length + 1) * 20;
  const lookupAt = alignUp(descriptorsSize, word);
  let text = lookupAt + count * word;
  const nameBytes = (/** @type {ImportSpec} */ e) => ("name" in e ? alignUp(e.name.length + 3, 2) : 0);
  const size =
    text +
    dlls.reduce(
      (n, d) => n + alignUp(d.dll.length + 1, 2) + d.imports.reduce((m, e) => m + nameBytes(e), 0),
      0,
    );
  if (size > room)
    throw new RangeError(
      `the import directory needs 0x${size.toString(16)} bytes, 0x${room.toString(16)} are there`,
    );
  const area = new Area(size);
  /** @type {Map<string, number>} */
  const slots = new Map();
  let slot = 0;
  dlls.forEach(({ dll, imports }, i) => {
    area.u32(i * 20, rva + lookupAt + slot * word).u32(i * 20 + 16, iat + slot * word);
    for (const entry of imports) {
      /** @type {bigint} */
      let lookup;
      if ("name" in entry) {
        lookup = BigInt(rva + text);
        area.u16(text, entry.hint ?? 0).put(text + 2, cString(entry.name));
        text += nameBytes(entry);
      } else lookup = BigInt(entry.ordinal) | (image.is64 ? 1n << 63n : 1n << 31n);
      pointer(area, lookupAt + slot * word, "name" in entry ? boundAt + lookup : lookup);
      image.unboundSlots.set(rva + lookupAt + slot * word, lookup);
      pointer(image.memory, iat + slot * word, resolve(dll, entry));
      image.unboundSlots.set(iat + slot * word, lookup);
      slots.set(`${dll}!${"name" in entry ? entry.name : `#${entry.ordinal}`}`, iat + slot * word);
      slot++;
    }
    slot++;
    area.u32(i * 20 + 12, rva + text).put(text, cString(dll));
    text += alignUp(dll.length + 1, 2);
  });
  image
    .put(rva, area.bytes)
    .directory("import", rva, descriptorsSize)
    .directory("iat", iat, count * word);
  return { size, iatSize: count * word, slots };
}

/**
 * A CodeView RSDS record and the debug directory that points to it.
 * @param {Image} image @param {number} rva of the directory, 0x1C bytes @param {number} dataRva of the record
 * @param {{ guid: Uint8Array, age: number, pdb: string, timestamp?: number }} options
 */
export function putDebug(image, rva, dataRva, { guid, age, pdb, timestamp = 0 }) {
  const record = concat(ascii("RSDS"), guid, new Area(4).u32(0, age).bytes, cString(pdb));
  const section = image.sections.find((s) => dataRva >= s.rva && dataRva < s.rva + s.size);
  const fileOffset = section === undefined ? 0 : section.fileOffset + dataRva - section.rva;
  image.put(
    rva,
    new Area(0x1c).u32(4, timestamp).u32(12, 2).u32(16, record.length).u32(20, dataRva).u32(24, fileOffset)
      .bytes,
  );
  return image.put(dataRva, record).directory("debug", rva, 0x1c);
}

/** Base relocations for `image.relocations`. @param {Image} image @param {number} rva @param {number} [directorySize] pads the directory with empty blocks @returns {number} bytes used */
export function putRelocations(image, rva, directorySize) {
  const byPage = groupByPage(image.relocations);
  const type = image.is64 ? 10 : 3;
  const blocks = [...byPage].map(([page, rvas]) => {
    const count = alignUp(rvas.length, 2);
    const block = new Area(8 + count * 2).u32(0, page).u32(4, 8 + count * 2);
    for (const [i, r] of rvas.entries()) block.u16(8 + i * 2, (type << 12) | (r & 0xfff));
    return block.bytes;
  });
  const bytes = concat(...blocks);
  const size = directorySize ?? bytes.length;
  if (bytes.length > size) throw new RangeError(`relocations need 0x${bytes.length.toString(16)} bytes`);
  image.put(rva, bytes);
  // the rest is one block of absolute (ignored) entries
  if (size - bytes.length >= 8)
    image.memory
      .u32(rva + bytes.length, [...byPage.keys()].at(-1) ?? 0)
      .u32(rva + bytes.length + 4, size - bytes.length);
  image.directory("relocation", rva, size);
  return bytes.length;
}

/** @param {Iterable<number>} rvas @returns {Map<number, number[]>} */
function groupByPage(rvas) {
  /** @type {Map<number, number[]>} */
  const pages = new Map();
  for (const rva of [...rvas].sort((a, b) => a - b)) {
    const page = rva & ~0xfff;
    pages.set(page, [...(pages.get(page) ?? []), rva]);
  }
  return pages;
}
