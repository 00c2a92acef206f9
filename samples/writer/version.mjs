import { Area, alignUp, concat, utf16 } from "./bytes.mjs";

/** One node of a version resource: length, value length, type, key, value, children. @param {string} key @param {{ value?: Uint8Array, text?: string, children?: readonly Uint8Array[] }} content @returns {Uint8Array} */
function node(key, { value, text, children = [] }) {
  const keyBytes = concat(utf16(key), new Uint8Array(2));
  const valueBytes =
    text === undefined ? (value ?? new Uint8Array(0)) : concat(utf16(text), new Uint8Array(2));
  /** @type {Uint8Array[]} */
  const parts = [new Uint8Array(6), keyBytes];
  const pad = () => parts.push(new Uint8Array(alignUp(length(), 4) - length()));
  const length = () => parts.reduce((n, p) => n + p.length, 0);
  if (valueBytes.length > 0 || children.length > 0) pad();
  parts.push(valueBytes);
  for (const child of children) {
    pad();
    parts.push(child);
  }
  const bytes = concat(...parts);
  new Area(bytes)
    .u16(0, bytes.length)
    .u16(2, text === undefined ? valueBytes.length : text.length + 1)
    .u16(4, text === undefined && value !== undefined ? 0 : 1);
  return bytes;
}

/**
 * VS_VERSIONINFO with one string table in US English.
 * @param {{ version: readonly [number, number, number, number], strings: Record<string, string> }} options strings: CompanyName, FileDescription, …
 */
function versionInfo({ version: [a, b, c, d], strings }) {
  const fixed = new Area(52)
    .u32(0, 0xfeef04bd)
    .u32(4, 0x10000)
    .u32(8, (a << 16) | b)
    .u32(12, (c << 16) | d)
    .u32(16, (a << 16) | b)
    .u32(20, (c << 16) | d);
  fixed.u32(24, 0x3f).u32(32, 0x40004).u32(36, 3).u32(40, 7);
  const table = node("040904b0", {
    children: Object.entries(strings).map(([key, text]) => node(key, { text })),
  });
  const translation = node("Translation", { value: new Area(4).u16(0, 0x409).u16(2, 0x4b0).bytes });
  return node("VS_VERSION_INFO", {
    value: fixed.bytes,
    children: [
      node("StringFileInfo", { children: [table] }),
      node("VarFileInfo", { children: [translation] }),
    ],
  });
}

/**
 * A resource directory that holds one version resource.
 * @param {import("./pe.mjs").Image} image @param {number} rva @param {Parameters<typeof versionInfo>[0]} info @param {number} [directorySize] what the header says
 * @returns {number} bytes used
 */
export function putVersion(image, rva, info, directorySize) {
  const data = versionInfo(info);
  const area = new Area(0x58 + data.length);
  // type 16, name 1, language 0x409: three directories of one entry, then the data entry
  [
    [16, 0x80000018],
    [1, 0x80000030],
    [0x409, 0x48],
  ].forEach(([id, target], i) => {
    area
      .u16(i * 0x18 + 14, 1)
      .u32(i * 0x18 + 16, /** @type {number} */ (id))
      .u32(i * 0x18 + 20, /** @type {number} */ (target));
  });
  area
    .u32(0x48, rva + 0x58)
    .u32(0x4c, data.length)
    .put(0x58, data);
  const size = directorySize ?? area.length;
  if (area.length > size)
    throw new RangeError(`the version resource needs 0x${area.length.toString(16)} bytes`);
  image.put(rva, area.bytes).directory("resource", rva, size);
  return area.length;
}
