/**
 * Where the fields of a file stand: those that the reader itself reads. It is watched while it answers, and what it read
 * is looked for in the file; so no format has to be described here, and new ones are learnt by themselves.
 *
 * @typedef {{ file: string, at: number, width: 1 | 2 | 4 | 8, value: bigint }} Field
 * @typedef {Readonly<Record<string, Uint8Array>>} Files by name; the first is the one that is opened
 */

const WINDOW = 24;
/** Of one buffer: a table of a thousand rows is known by some of them. */
const MAX_OF_BUFFER = 160;
const MAX_SEEN = 60_000;
const GETTERS = /** @type {const} */ ([
  ["getUint8", 1],
  ["getUint16", 2],
  ["getUint32", 4],
  ["getInt32", 4],
  ["getBigUint64", 8],
  ["getBigInt64", 8],
]);

/** @typedef {{ window: Buffer, skew: number, width: 1 | 2 | 4 | 8 }} Seen skew: of the field in the window */

/** What `run` reads, with the bytes around it. @param {() => void} run @returns {Seen[]} */
function watched(run) {
  /** @type {Map<string, Seen>} */
  const seen = new Map();
  /** @type {WeakMap<ArrayBufferLike, number>} */
  const counts = new WeakMap();
  const plain = /** @type {Record<string, any>} */ ({});
  const prototype = /** @type {any} */ (DataView.prototype);
  for (const [name, width] of GETTERS) {
    plain[name] = prototype[name];
    prototype[name] = function (/** @type {number} */ at, /** @type {boolean} */ little) {
      const count = counts.get(this.buffer) ?? 0;
      if (count < MAX_OF_BUFFER && seen.size < MAX_SEEN && this.byteLength >= 8) {
        const from = Math.max(0, Math.min(at - 8, this.byteLength - WINDOW));
        const length = Math.min(WINDOW, this.byteLength - from);
        const window = Buffer.from(
          this.buffer.slice(this.byteOffset + from, this.byteOffset + from + length),
        );
        const key = `${width}.${at - from}.${window.toString("latin1")}`;
        if (!seen.has(key)) {
          counts.set(this.buffer, count + 1);
          seen.set(key, { window, skew: at - from, width });
        }
      }
      return plain[name].call(this, at, little);
    };
  }
  try {
    run();
  } finally {
    for (const [name] of GETTERS) prototype[name] = plain[name];
  }
  return [...seen.values()];
}

/** Finds eight bytes in a file by a table of all that stand at a multiple of 4. @param {Uint8Array} bytes */
function finder(bytes) {
  const words = Math.max(0, (bytes.length >> 2) - 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const heads = new Int32Array(1 << 20).fill(-1);
  const next = new Int32Array(words).fill(-1);
  const slot = (/** @type {number} */ low, /** @type {number} */ high) =>
    (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)) >>> 12;
  for (let i = words - 1; i >= 0; i--) {
    const [low, high] = [view.getUint32(i * 4, true), view.getUint32(i * 4 + 4, true)];
    if (low === 0 && high === 0) continue;
    const at = slot(low, high);
    next[i] = heads[at] ?? -1;
    heads[at] = i;
  }
  return (/** @type {Buffer} */ window) => {
    for (let shift = 0; shift + 8 <= window.length; shift++) {
      const [low, high] = [window.readUInt32LE(shift), window.readUInt32LE(shift + 4)];
      if (low === 0 && high === 0) continue;
      let steps = 0;
      for (let i = heads[slot(low, high)] ?? -1; i >= 0 && steps < 32; i = next[i] ?? -1, steps++) {
        const start = i * 4 - shift;
        if (start < 0 || start + window.length > bytes.length) continue;
        if (window.compare(bytes, start, start + window.length) === 0) return start;
      }
    }
    return -1;
  };
}

/**
 * The fields of a file's formats, by what is read while `run` answers from it.
 *
 * @param {Files} files @param {() => void} run @returns {Field[]}
 */
export function learnFields(files, run) {
  const seen = watched(run);
  /** @type {Map<string, Field>} */
  const fields = new Map();
  for (const [file, bytes] of Object.entries(files)) {
    const find = finder(bytes);
    for (const { window, skew, width } of seen) {
      const start = find(window);
      if (start < 0) continue;
      const value = Buffer.from(window.subarray(skew, skew + width))
        .reverse()
        .toString("hex");
      const at = start + skew;
      fields.set(`${file}.${at}.${width}`, { file, at, width, value: BigInt(`0x${value || "0"}`) });
    }
  }
  return [...fields.values()];
}
