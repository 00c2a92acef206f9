import { randomOf } from "./random.mjs";

/**
 * What is done to a file before it is read. A list of these and the name of the file that was started from are all that is
 * needed to make an input again.
 *
 * @typedef {import("./fields.mjs").Field} Field
 * @typedef {import("./fields.mjs").Files} Files
 * @typedef {import("./random.mjs").Random} Random
 * @typedef {{ do: "set", file: string, at: number, bytes: string }
 *   | { do: "cut", file: string, size: number }
 *   | { do: "swap", file: string, a: number, b: number, length: number }
 *   | { do: "copy", file: string, from: number, to: number, length: number, times: number }} Change bytes: in hex
 */

const PAGE = 0x1000;

/** @param {bigint} value @param {number} width */
function little(value, width) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes.subarray(0, width).toString("hex");
}

/** What a length, count, offset or link is set to. @param {Field} field @param {readonly Field[]} all @param {number} size of the file @param {Random} random @returns {bigint} */
function valueFor(field, all, size, random) {
  const { value, width, at } = field;
  const maximum = (1n << BigInt(width * 8)) - 1n;
  const like = all.filter((other) => other.width === width);
  const choices = [
    () => 0n,
    () => 1n,
    () => maximum,
    () => maximum >> 1n,
    () => (maximum >> 1n) + 1n,
    () => maximum - BigInt(random.below(16)),
    () => value + 1n,
    () => value - 1n,
    () => value * 2n,
    () => value << BigInt(random.below(width * 8)),
    () => value ^ (1n << BigInt(random.below(width * 8))),
    () => BigInt(at),
    () => BigInt(size) - BigInt(random.below(64)),
    () => 1n << BigInt(random.below(width * 8)),
    () => (maximum >> BigInt(random.below(width * 8))) & ~0xfffn,
    // another one's value: lists closed to circles, one image in many places, tables over one another
    () => random.of(like).value,
    () => random.of(like).value,
    () => (value & ~0xfffn) | (random.of(like).value & 0xfffn),
  ];
  return random.of(choices)() & maximum;
}

/** @param {Files} files @param {readonly Field[]} fields @param {Random} random @returns {Change} */
function change(files, fields, random) {
  const names = Object.keys(files);
  const field = fields.length > 0 ? random.of(fields) : undefined;
  const file = field === undefined || random.chance(0.1) ? random.of(names) : field.file;
  const size = files[file]?.length ?? 0;
  const near = field !== undefined && field.file === file ? field.at : random.below(size);
  const kind = random.below(100);
  if (kind < 70 && field !== undefined) {
    const same = fields.filter((other) => other.file === field.file);
    const bytes = little(valueFor(field, same, files[field.file]?.length ?? 0, random), field.width);
    return { do: "set", file: field.file, at: field.at, bytes };
  }
  if (kind < 76) {
    const at = random.of([near, near + 1, near + 8, (near & -PAGE) + random.below(2), random.below(size)]);
    return { do: "cut", file, size: Math.min(at, size) };
  }
  if (kind < 82) {
    const length = random.of([PAGE, PAGE, 0x200, 8, 4]);
    const other = random.below(Math.max(1, size - length));
    const align = random.chance(0.8) ? -length : -1;
    return { do: "swap", file, a: near & align, b: other & align, length };
  }
  if (kind < 92) {
    const length = random.of([4, 8, 16, 40, 64, 256, PAGE]);
    const other = fields.length > 0 ? random.of(fields).at : random.below(size);
    return { do: "copy", file, from: near, to: other, length, times: random.of([1, 1, 2, 16, 200, 4000]) };
  }
  const length = 1 + random.below(8);
  const bytes = Array.from({ length }, () => random.below(256).toString(16).padStart(2, "0")).join("");
  return { do: "set", file, at: random.chance(0.5) ? near + random.below(32) : random.below(size), bytes };
}

/**
 * One input: the changes of another, of which some are left out, and some more.
 *
 * @param {Files} files @param {readonly Field[]} fields @param {readonly Change[]} parent @param {string} seed @returns {Change[]}
 */
export function mutate(files, fields, parent, seed) {
  const random = randomOf(seed);
  const kept = parent.filter(() => random.chance(0.9)).slice(-24);
  const more = Array.from({ length: 1 + random.below(random.chance(0.2) ? 8 : 3) }, () =>
    change(files, fields, random),
  );
  return [...kept, ...more];
}

/** @param {Uint8Array} bytes @param {Change} one @returns {readonly (readonly [at: number, bytes: Uint8Array])[]} what is written over it */
function writes(bytes, one) {
  const room = (/** @type {number} */ at, /** @type {number} */ length) =>
    at < 0 ? 0 : Math.max(0, Math.min(length, bytes.length - at));
  switch (one.do) {
    case "set":
      return [[one.at, Buffer.from(one.bytes, "hex").subarray(0, room(one.at, one.bytes.length / 2))]];
    case "swap": {
      const length = Math.min(room(one.a, one.length), room(one.b, one.length));
      return [
        [one.a, bytes.slice(one.b, one.b + length)],
        [one.b, bytes.slice(one.a, one.a + length)],
      ];
    }
    case "copy": {
      const part = bytes.slice(one.from, one.from + room(one.from, one.length));
      const all = Buffer.alloc(room(one.to, part.length * one.times));
      for (let at = 0; at < all.length; at += part.length) all.set(part.subarray(0, all.length - at), at);
      return [[one.to, all]];
    }
    case "cut":
      return [];
  }
}

/**
 * Changes the bytes in place, calls `use` with the files as they are then, and puts them back.
 *
 * @template T @param {Files} files @param {readonly Change[]} changes @param {(changed: Files) => T} use @returns {T}
 */
export function withChanges(files, changes, use) {
  /** @type {[Uint8Array, number, Uint8Array][]} */
  const undo = [];
  /** @type {Record<string, Uint8Array>} */
  const changed = { ...files };
  for (const one of changes) {
    const bytes = files[one.file];
    if (bytes === undefined) continue;
    if (one.do === "cut") changed[one.file] = bytes.subarray(0, one.size);
    for (const [at, written] of writes(bytes, one)) {
      if (written.length === 0) continue;
      undo.push([bytes, at, bytes.slice(at, at + written.length)]);
      bytes.set(written, at);
    }
  }
  try {
    return use(changed);
  } finally {
    for (const [bytes, at, before] of undo.reverse()) bytes.set(before, at);
  }
}
