/**
 * Machine code that looks like a compiler's: functions of x64 instructions with the byte frequencies of
 * real kernel images, calls among each other, calls of imports and pool allocations with their tags.
 */

/** @typedef {(limit: number) => number} Random */
/** @typedef {{ start: number, end: number }} Extent RVAs, the end exclusive */
/** @typedef {{ functions: Extent[], tagSites: number[] }} CodeMap RVAs of the functions, and of the tags in the allocations */
/**
 * @typedef {{
 *   slots: readonly { slot: number, target: number }[], tags: readonly number[],
 *   allocator: { slot: number, target: number }, data: { rva: number, size: number },
 * }} Outside slots: RVAs of import slots and of what they lead to, relative to this image. tags: to allocate with
 */

const hex = (/** @type {string} */ text) =>
  Uint8Array.from(text.split(" "), (digits) => (digits === "??" ? 0 : Number.parseInt(digits, 16)));

/** Weight and bytes; what is `??` gets a small displacement. */
const INSTRUCTIONS = /** @type {const} */ ([
  [9, "48 8b 43 ??"],
  [9, "48 8b 4c 24 ??"],
  [7, "48 89 44 24 ??"],
  [5, "48 89 7b ??"],
  [5, "8b 47 ??"],
  [5, "89 45 ??"],
  [4, "4c 8d 44 24 ??"],
  [4, "48 8d 55 ??"],
  [4, "33 d2"],
  [4, "33 c0"],
  [3, "45 33 c9"],
  [4, "48 8b cb"],
  [4, "48 8b d7"],
  [3, "4c 8b c6"],
  [3, "0f b6 43 ??"],
  [2, "0f b7 4f ??"],
  [2, "c7 44 24 ?? 00 00 00 00"],
  [2, "48 c7 45 ?? 00 00 00 00"],
  [2, "48 63 c8"],
  [2, "ff c6"],
  [2, "f0 0f b1 0b"],
  [1, "66 89 43 ??"],
  [1, "f3 0f 10 43 ??"],
  [1, "0f 11 44 24 ??"],
]).map(([weight, text]) => ({ weight, bytes: hex(text), wild: text.split(" ").indexOf("??") }));
const BY_WEIGHT = INSTRUCTIONS.flatMap((instruction) => Array(instruction.weight).fill(instruction));

/** push rbx and friends, and room for the callee's arguments. */
const PROLOGUES = ["48 89 5c 24 08 57 48 83 ec 20", "40 53 48 83 ec 20", "48 83 ec 28"].map(hex);
const EPILOGUES = ["48 8b 5c 24 30 48 83 c4 20 5f c3", "48 83 c4 20 5b c3", "48 83 c4 28 c3"].map(hex);
/** lea, mov from and mov to, relative to rip. */
const GLOBALS = ["48 8d 0d", "48 8d 15", "48 8b 05", "8b 0d", "48 89 05"].map(hex);
const COMPARES = ["48 85 c0", "85 c0", "3b c3", "83 f8 01"].map(hex);

/** Room that the longest piece takes, with an epilogue behind it. */
const LONGEST = 96;

/**
 * Fills `bytes` with functions.
 *
 * @param {Uint8Array} bytes @param {number} rva of the first byte @param {Random} random @param {Outside} outside
 * @param {Extent[]} known functions of the same image, elsewhere, that may be called
 * @returns {CodeMap}
 */
export function writeCode(bytes, rva, random, outside, known) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  /** @type {CodeMap} */
  const map = { functions: [], tagSites: [] };
  let at = 0;

  const put = (/** @type {Uint8Array} */ piece) => {
    bytes.set(piece, at);
    at += piece.length;
  };
  const u32 = (/** @type {number} */ value) => {
    view.setInt32(at, value | 0, true);
    at += 4;
  };
  const relative = (/** @type {number} */ target) => u32(target - (rva + at + 4));
  const plain = () => {
    const { bytes: piece, wild } = BY_WEIGHT[random(BY_WEIGHT.length)];
    bytes.set(piece, at);
    if (wild >= 0) bytes[at + wild] = 8 * random(16);
    at += piece.length;
  };
  /** What the kernel makes of `call [slot]` at load: the slot goes to r10, and a direct call follows. */
  const callImport = (/** @type {{ slot: number, target: number }} */ { slot, target }) => {
    put(Uint8Array.of(0x4c, 0x8b, 0x15));
    relative(slot);
    bytes[at++] = 0xe8;
    relative(target);
  };
  const allocate = () => {
    if (outside.tags.length === 0) return plain();
    bytes[at++] = 0xba;
    u32(16 * (1 + random(64)));
    put(Uint8Array.of(0xb9, 0, 2, 0, 0, 0x41, 0xb8));
    map.tagSites.push(rva + at);
    u32(/** @type {number} */ (outside.tags[random(outside.tags.length)]));
    callImport(outside.allocator);
  };
  const loadGlobal = () => {
    put(/** @type {Uint8Array} */ (GLOBALS[random(GLOBALS.length)]));
    relative(outside.data.rva + random(outside.data.size));
  };
  /** Most calls go to a few functions that everybody calls, the others to what stands near. */
  const callLocal = () => {
    const all = map.functions.length + known.length;
    if (all === 0) return plain();
    const pick = random(10) < 7 ? random(Math.ceil(all / 100)) : all - 1 - random(Math.min(all, 24));
    const callee = pick < known.length ? known[pick] : map.functions[pick - known.length];
    bytes[at++] = 0xe8;
    relative(/** @type {Extent} */ (callee).start);
  };
  const branch = () => {
    put(/** @type {Uint8Array} */ (COMPARES[random(COMPARES.length)]));
    bytes[at] = 0x74 + random(2);
    const over = at + 1;
    at += 2;
    for (let n = random(6); n >= 0; n--) plain();
    bytes[over] = at - over - 1;
  };

  const oneOf = () => {
    const kind = random(200);
    if (kind < 1) allocate();
    else if (kind < 14) callLocal();
    else if (kind < 20 && outside.slots.length > 0)
      callImport(
        /** @type {{ slot: number, target: number }} */ (outside.slots[random(outside.slots.length)]),
      );
    else if (kind < 36) loadGlobal();
    else if (kind < 60) branch();
    else plain();
  };

  while (at + 2 * LONGEST < bytes.length) {
    const start = at;
    const shape = random(PROLOGUES.length);
    put(/** @type {Uint8Array} */ (PROLOGUES[shape]));
    const length = 8 + random(32) * random(8);
    for (let n = 0; n < length && at + LONGEST < bytes.length; n++) oneOf();
    put(/** @type {Uint8Array} */ (EPILOGUES[shape]));
    map.functions.push({ start: rva + start, end: rva + at });
    const next = Math.min(Math.ceil((at + 1) / 16) * 16, bytes.length);
    bytes.fill(0xcc, at, next);
    at = next;
  }
  bytes.fill(0xcc, at);
  return map;
}
