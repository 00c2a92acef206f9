/** A growable little-endian byte area: reads past the end are an error, writes past the end are too. */
export class Area {
  /** @param {number | Uint8Array} source a size in bytes, or bytes to look at in place */
  constructor(source) {
    this.bytes = typeof source === "number" ? new Uint8Array(source) : source;
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }
  get length() {
    return this.bytes.length;
  }
  /** @param {number} at @param {number} value */
  u8(at, value) {
    this.view.setUint8(at, value);
    return this;
  }
  /** @param {number} at @param {number} value */
  u16(at, value) {
    this.view.setUint16(at, value, true);
    return this;
  }
  /** @param {number} at @param {number} value */
  u32(at, value) {
    this.view.setUint32(at, value, true);
    return this;
  }
  /** @param {number} at @param {bigint | number} value */
  u64(at, value) {
    this.view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
    return this;
  }
  /** @param {number} at @param {Uint8Array} bytes */
  put(at, bytes) {
    if (at < 0 || at + bytes.length > this.bytes.length)
      throw new RangeError(
        `0x${at.toString(16)}+0x${bytes.length.toString(16)} is outside 0x${this.bytes.length.toString(16)} bytes`,
      );
    this.bytes.set(bytes, at);
    return this;
  }
  /** @param {number} at @param {string} text */
  ascii(at, text) {
    return this.put(at, ascii(text));
  }
  /** @param {number} at */
  readU32(at) {
    return this.view.getUint32(at, true);
  }
  /** @param {number} at */
  readU16(at) {
    return this.view.getUint16(at, true);
  }
  /** @param {number} at */
  readU64(at) {
    return this.view.getBigUint64(at, true);
  }
}

/** @param {string} text one byte a character */
export const ascii = (text) => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** @param {string} text @returns {Uint8Array} UTF-16LE, without a terminator */
export function utf16(text) {
  const area = new Area(text.length * 2);
  for (let i = 0; i < text.length; i++) area.u16(i * 2, text.charCodeAt(i));
  return area.bytes;
}

/** @param {string} text pairs of hex digits; spaces, dashes and all from a semicolon on are ignored */
export function hex(text) {
  const digits = text.replace(/;.*$/s, "").replace(/[\s-]/g, "");
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) throw new SyntaxError(`not hex bytes: ${text}`);
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16),
  );
}

/** @param {readonly Uint8Array[]} parts */
export function concat(...parts) {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** @param {number} value @param {number} unit a power of two @returns {number} */
export const alignUp = (value, unit) => Math.ceil(value / unit) * unit;

/** The tag's four bytes as the little-endian number that the kernel compares. @param {string} tag */
export function tagKey(tag) {
  const padded = tag.padEnd(4, " ");
  return (
    (padded.charCodeAt(0) |
      (padded.charCodeAt(1) << 8) |
      (padded.charCodeAt(2) << 16) |
      (padded.charCodeAt(3) << 24)) >>>
    0
  );
}

/**
 * A small seeded generator (xorshift32), so that every build of a sample gives the same bytes.
 * @param {number} seed
 * @returns {(limit: number) => number} an integer from 0 to limit-1
 */
export function random(seed) {
  let state = seed >>> 0 || 0x9e3779b9;
  return (limit) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return Math.floor((state / 0x100000000) * limit);
  };
}
