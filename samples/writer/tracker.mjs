import { Area, tagKey } from "./bytes.mjs";

/**
 * The pool tag tracker in its five layouts.
 * @typedef {"A32" | "A64" | "B32" | "B64" | "C64"} Layout
 * @typedef {{ allocs: bigint | number, frees: bigint | number, bytes: bigint | number }} Counts
 * @typedef {{ tag: string, nonPaged?: Counts, paged?: Counts }} Row
 */

/** @type {Record<Layout, { stride: number, count: 4 | 8, bytes: 4 | 8, nonPaged: readonly [allocs: number, frees: number, bytes: number], paged: readonly [number, number, number] }>} */
export const LAYOUTS = {
  A32: { stride: 0x1c, count: 4, bytes: 4, nonPaged: [0x4, 0x8, 0xc], paged: [0x10, 0x14, 0x18] },
  A64: { stride: 0x28, count: 4, bytes: 8, nonPaged: [0x4, 0x8, 0x10], paged: [0x18, 0x1c, 0x20] },
  B32: { stride: 0x30, count: 8, bytes: 4, nonPaged: [0x8, 0x10, 0x4], paged: [0x20, 0x28, 0x18] },
  B64: { stride: 0x38, count: 8, bytes: 8, nonPaged: [0x10, 0x18, 0x8], paged: [0x28, 0x30, 0x20] },
  C64: { stride: 0x50, count: 8, bytes: 8, nonPaged: [0x10, 0x18, 0x8], paged: [0x28, 0x30, 0x20] },
};

/** Slot of a tag before masking: 40543 times the key, its two halves folded. @param {number} key */
export function tagHash(key) {
  const product = 40543n * BigInt(key >>> 0);
  return Number((product & 0xffffffffn) ^ (product >> 32n));
}

/** The form of XP: byte by byte, in signed 32-bit arithmetic. @param {number} key */
export function tagHashXp(key) {
  const byte = (/** @type {number} */ n) => (key >>> (8 * n)) & 0xff;
  const mixed = byte(3) ^ ((byte(2) ^ ((byte(1) ^ (byte(0) << 2)) << 2)) << 2);
  return (Math.imul(40543, mixed) >> 2) >>> 0;
}

/**
 * Gives each tag its slot, in the order of first use, as the kernel does.
 * @param {readonly string[]} tags @param {number} hashed number of hashed slots, a power of two @param {(key: number) => number} [hash]
 * @returns {Map<string, number>} tag to slot
 */
export function assignSlots(tags, hashed, hash = tagHash) {
  const taken = new Set();
  const slots = new Map();
  for (const tag of tags) {
    if (slots.has(tag)) throw new RangeError(`${JSON.stringify(tag)} twice`);
    let slot = hash(tagKey(tag)) & (hashed - 1);
    for (let probes = 0; taken.has(slot); probes++) {
      if (probes > hashed) throw new RangeError("the table is full");
      slot = (slot + 1) & (hashed - 1);
    }
    taken.add(slot);
    slots.set(tag, slot);
  }
  return slots;
}

/**
 * One processor's table: `hashed` slots, then the overflow entry.
 * @param {Layout} layout @param {number} hashed @param {ReadonlyMap<string, number>} slots @param {readonly Row[]} rows counters wrap at their width, so differences may be negative
 */
export function trackerTable(layout, hashed, slots, rows) {
  const { stride, count, bytes, nonPaged, paged } = LAYOUTS[layout];
  const table = new Area((hashed + 1) * stride);
  const put = (
    /** @type {number} */ at,
    /** @type {number} */ width,
    /** @type {bigint | number} */ value,
  ) => {
    if (width === 8) table.u64(at, value);
    else table.u32(at, Number(BigInt.asUintN(32, BigInt(value))));
  };
  for (const row of rows) {
    const slot = slots.get(row.tag);
    if (slot === undefined) throw new RangeError(`${JSON.stringify(row.tag)} has no slot`);
    const entry = slot * stride;
    table.u32(entry, tagKey(row.tag));
    for (const [counts, at] of /** @type {const} */ ([
      [row.nonPaged, nonPaged],
      [row.paged, paged],
    ])) {
      if (counts === undefined) continue;
      put(entry + at[0], count, counts.allocs);
      put(entry + at[1], count, counts.frees);
      put(entry + at[2], bytes, counts.bytes);
    }
  }
  return table.bytes;
}

/**
 * Writes the tables of all processors into nonpaged pool, and nt's variables.
 * @param {import("./machine.mjs").Machine} machine
 * @param {{ layout: Layout, hashed: number, processors: readonly (readonly Row[])[], tags?: readonly string[], poolTrackTable: bigint, tagTables?: bigint, sizeVariable?: bigint, maskVariable?: bigint, hash?: (key: number) => number }} options
 *   processors: each one's rows; the first one's table holds every key that any of them has. tags: order of first use.
 *   poolTrackTable: the pointer variable. tagTables: the array of pointers by processor; left out on a uniprocessor kernel.
 * @returns {bigint[]} the tables' addresses
 */
export function writeTracker(
  machine,
  { layout, hashed, processors, tags, poolTrackTable, tagTables, sizeVariable, maskVariable, hash },
) {
  const order = tags ?? [...new Set(processors.flatMap((rows) => rows.map((row) => row.tag)))];
  const slots = assignSlots(order, hashed, hash);
  const tables = processors.map((rows, cpu) => {
    const used = new Set(rows.map((row) => row.tag));
    const all =
      cpu === 0 ? [...rows, ...order.filter((tag) => !used.has(tag)).map((tag) => ({ tag }))] : rows;
    const bytes = trackerTable(layout, hashed, slots, all);
    const va = machine.allocate(bytes.length, { align: 0x1000 });
    machine.write(va, bytes);
    if (tagTables !== undefined) machine.pointer(tagTables + BigInt(cpu * machine.pointerSize), va);
    return va;
  });
  machine.pointer(poolTrackTable, /** @type {bigint} */ (tables[0]));
  for (const [variable, value] of /** @type {const} */ ([
    [sizeVariable, hashed + 1],
    [maskVariable, hashed - 1],
  ])) {
    if (variable !== undefined) machine.pointer(variable, value);
  }
  return tables;
}

/** Builds whose POOL_DESCRIPTOR differs, with its offsets. */
const DESCRIPTOR = {
  32: [
    {
      build: 2600,
      size: 0x1028,
      index: 4,
      allocs: 8,
      frees: 0xc,
      pages: 0x10,
      bigPages: 0x14,
      bytes: undefined,
    },
    { build: 3790, size: 0x1030, index: 4, allocs: 8, frees: 0xc, pages: 0x10, bigPages: 0x14, bytes: 0x28 },
    { build: 6000, size: 0x1034, index: 4, allocs: 8, frees: 0xc, pages: 0x10, bigPages: 0x14, bytes: 0x2c },
    {
      build: 7600,
      size: 0x1140,
      index: 0x80,
      allocs: 0x40,
      frees: 0x44,
      pages: 0xc0,
      bigPages: 0x48,
      bytes: 0x50,
    },
  ],
  64: [
    { build: 3790, size: 0x1048, index: 4, allocs: 8, frees: 0xc, pages: 0x10, bigPages: 0x14, bytes: 0x38 },
    {
      build: 7600,
      size: 0x1140,
      index: 0x80,
      allocs: 0x40,
      frees: 0x44,
      pages: 0xc0,
      bigPages: 0x48,
      bytes: 0x50,
    },
  ],
};

/**
 * Writes a POOL_DESCRIPTOR with empty free lists.
 * @param {import("./machine.mjs").Machine} machine @param {bigint} va
 * @param {{ type: 0 | 1, index: number, pages: number, bigPages: number, allocs?: number, frees?: number, bytes?: bigint | number }} values type: 1 is paged
 * @returns {number} its size
 */
export function writePoolDescriptor(
  machine,
  va,
  { type, index, pages, bigPages, allocs = 0, frees = 0, bytes = (pages + bigPages) * 0x1000 },
) {
  const rows = DESCRIPTOR[machine.is64 ? 64 : 32];
  const at = rows.findLast((row) => row.build <= machine.build) ?? rows[0];
  if (at === undefined) throw new RangeError(`no pool descriptor for build ${machine.build}`);
  const put = (/** @type {number} */ offset, /** @type {number} */ value) =>
    machine.u32(va + BigInt(offset), value);
  put(0, type);
  put(at.index, index);
  put(at.allocs, allocs);
  put(at.frees, frees);
  put(at.pages, pages);
  put(at.bigPages, bigPages);
  if (at.bytes !== undefined) machine.pointer(va + BigInt(at.bytes), bytes);
  const heads = at.size - 0x1000;
  // 512 empty lists on x86, 256 on x64: as many as fill a page
  for (let head = heads; head < at.size; head += 2 * machine.pointerSize)
    machine.linkList([va + BigInt(head)]);
  return at.size;
}

/** How a big page entry looks, by build. @param {import("./machine.mjs").Machine} machine @param {{ va: bigint, tag: string, bytes: number, paged: boolean, free?: boolean }} entry */
function bigPageEntry(machine, { va, tag, bytes, paged, free = false }) {
  const word = machine.pointerSize;
  const size = machine.build >= 20348 ? 0x20 : machine.is64 ? 0x18 : machine.build < 3790 ? 0xc : 0x10;
  const area = new Area(size);
  const pointer = (/** @type {number} */ at, /** @type {bigint} */ value) =>
    machine.is64 ? area.u64(at, value) : area.u32(at, Number(value));
  pointer(0, va | (free ? 1n : 0n));
  area.u32(word, tagKey(tag));
  const type = paged ? 1 : 0;
  if (machine.build < 6000) area.u32(word + 4, Math.ceil(bytes / 0x1000));
  else {
    area.u32(word + 4, machine.build >= 10240 ? type << 8 : type);
    pointer(word + 8, BigInt(bytes));
  }
  return area.bytes;
}

/**
 * Writes PoolBigPageTable, its entries placed by a hash of the page number as the kernel does.
 * @param {import("./machine.mjs").Machine} machine
 * @param {{ variable: bigint, sizeVariable: bigint, slots: number, entries: readonly { va: bigint, tag: string, bytes: number, paged: boolean, free?: boolean }[] }} options slots: a power of two
 */
export function writeBigPages(machine, { variable, sizeVariable, slots, entries }) {
  const size = bigPageEntry(machine, { va: 0n, tag: "", bytes: 0, paged: false }).length;
  const table = new Area(slots * size);
  const empty = bigPageEntry(machine, { va: 0n, tag: "\0\0\0\0", bytes: 0, paged: false, free: true });
  for (let i = 0; i < slots; i++) table.put(i * size, empty);
  const taken = new Set();
  for (const entry of entries) {
    const page = Number(BigInt.asUintN(32, entry.va >> 12n));
    let slot = ((page >>> 24) ^ (page >>> 16) ^ (page >>> 8) ^ page) & (slots - 1);
    while (taken.has(slot)) slot = (slot + 1) % slots;
    if (taken.size === slots) throw new RangeError("more entries than slots");
    taken.add(slot);
    table.put(slot * size, bigPageEntry(machine, entry));
  }
  const va = machine.allocate(table.length, { align: 0x1000 });
  machine.write(va, table.bytes).pointer(variable, va).pointer(sizeVariable, slots);
  return va;
}
