import { Area, alignUp, ascii, concat, utf16 } from "./bytes.mjs";
import { DUMP_TYPES, dumpHeader } from "./dump.mjs";

/**
 * Triage dumps (minidumps of the kernel), 32 and 64 bits: no physical pages, but blocks by virtual address.
 * @typedef {import("./machine.mjs").Machine} Machine
 * @typedef {{ path: string, base: bigint, size: number, entryPoint?: bigint, checksum?: number, timestamp?: number }} TriageDriver
 * @typedef {{ va: bigint, bytes: Uint8Array }} Block
 * @typedef {{
 *   nonPagedMax: number, nonPaged: number, pagedMax: number, paged: number, committed: number, committedPeak: number, commitLimit: number,
 * }} MmStorage pages
 * @typedef {{
 *   header: import("./dump.mjs").HeaderFields, drivers: readonly TriageDriver[], unloaded?: readonly { name: string, start: bigint, end: bigint }[],
 *   blocks?: readonly Block[], stack?: Block, prcb?: Uint8Array, process?: Uint8Array, thread?: Uint8Array, kdbg?: Uint8Array, mm?: MmStorage,
 *   blockStride?: 12 | 16, servicePackBuild?: number, brokenDriver?: string, triageOptions?: number, blobs?: readonly { guid: Uint8Array, data: Uint8Array }[], damage?: (file: Area, at: Places) => void,
 * }} TriageSpec stack: its lowest address saved, and the bytes from there. mm: as a dump written by the kernel has it.
 *   blockStride: on 32 bits two forms are described, 12 bytes (the default) and 16. damage: change the finished file.
 * @typedef {{ triage: number, mm: number, unloaded: number, prcb: number, process: number, thread: number, stack: number, kdbg: number, drivers: number, strings: number, blocks: number, end: number }} Places file offsets
 */

/** Offsets in TRIAGE_DUMP from TopOfStack on, where the two sizes part. */
const TAIL = {
  32: { size: 0x68, top: 0x48, page: 0x4c, kdbg: 0x58, kdbgSize: 0x5c, blocks: 0x60, blockCount: 0x64 },
  64: { size: 0x80, top: 0x48, page: 0x60, kdbg: 0x70, kdbgSize: 0x74, blocks: 0x78, blockCount: 0x7c },
};
/** A driver entry: the name's offset, then a loaded module entry in its old form. */
const DRIVER = {
  32: { stride: 0x4c, base: 0x1c, entry: 0x20, size: 0x24, checksum: 0x44, timestamp: 0x48 },
  64: { stride: 0x90, base: 0x38, entry: 0x40, size: 0x48, checksum: 0x80, timestamp: 0x88 },
};
const UNLOADED = {
  32: { count: 4, stride: 0x28, name: 8, start: 0x20, end: 0x24 },
  64: { count: 8, stride: 0x38, name: 0x10, start: 0x28, end: 0x30 },
};

/** @param {string} text @returns {Uint8Array} DUMP_STRING: a count of characters, the text, a terminator */
const dumpString = (text) => {
  const bytes = new Area(alignUp(4 + text.length * 2 + 2, 8));
  return bytes.u32(0, text.length).put(4, utf16(text)).bytes;
};

/** @param {boolean} is64 @param {MmStorage} mm */
function mmStorage(is64, mm) {
  const area = new Area(is64 ? 0x50 : 0x34);
  area.u32(0, 1).u32(4, area.length);
  const values = [
    mm.nonPagedMax,
    mm.nonPaged,
    mm.pagedMax,
    mm.paged,
    mm.committed,
    mm.committedPeak,
    mm.commitLimit,
  ];
  for (const [i, value] of values.entries()) {
    if (is64) area.u64(0x18 + i * 8, value);
    else area.u32(0x18 + i * 4, value);
  }
  return area.bytes;
}

/**
 * Virtual memory of a machine as blocks. @param {Machine} machine @param {readonly (readonly [va: bigint, length: number])[]} ranges
 * @returns {Block[]}
 */
export const blocksOf = (machine, ranges) =>
  ranges.map(([va, length]) => ({ va, bytes: machine.read(va, length) }));

/**
 * @param {Pick<Machine, "is64" | "mode" | "machineType" | "pointerSize" | "processors" | "directoryTableBase">} machine
 * @param {TriageSpec} spec
 */
export function writeTriageDump(machine, spec) {
  const { is64 } = machine;
  const bits = is64 ? 64 : 32;
  const start = is64 ? 0x2000 : 0x1000;
  const tail = TAIL[bits];
  /** @type {Uint8Array[]} */
  const parts = [];
  let at = start + tail.size;
  const add = (/** @type {Uint8Array | undefined} */ bytes) => {
    if (bytes === undefined) return 0;
    const place = at;
    const padded = new Uint8Array(alignUp(bytes.length, 8));
    padded.set(bytes);
    parts.push(padded);
    at += padded.length;
    return place;
  };
  const pointer = (/** @type {Area} */ area, /** @type {number} */ offset, /** @type {bigint} */ value) =>
    is64 ? area.u64(offset, value) : area.u32(offset, Number(value));

  const mm = add(spec.mm === undefined ? undefined : mmStorage(is64, spec.mm));
  const u = UNLOADED[bits];
  const unloadedList = spec.unloaded ?? [];
  const unloadedArea = new Area(u.count + unloadedList.length * u.stride).u32(0, unloadedList.length);
  for (const [i, driver] of unloadedList.entries()) {
    const entry = u.count + i * u.stride;
    // the name is cut to 12 characters, its length is not
    unloadedArea
      .u16(entry, driver.name.length * 2)
      .u16(entry + 2, driver.name.length * 2 + 2)
      .put(entry + u.name, utf16(driver.name.slice(0, 12)));
    pointer(unloadedArea, entry + u.start, driver.start);
    pointer(unloadedArea, entry + u.end, driver.end);
  }
  const unloaded = add(unloadedArea.bytes);
  const prcb = add(spec.prcb);
  const process = add(spec.process);
  const thread = add(spec.thread);
  const stack = add(spec.stack?.bytes);
  const kdbg = add(spec.kdbg);

  const d = DRIVER[bits];
  const list = new Area(spec.drivers.length * d.stride);
  const drivers = at;
  // the strings begin right behind the list: readers get the entries' size from that
  const strings = drivers + list.length;
  /** @type {Uint8Array[]} */
  const texts = [];
  let nextText = strings;
  const text = (/** @type {string} */ value) => {
    const place = nextText;
    const bytes = dumpString(value);
    texts.push(bytes);
    nextText += bytes.length;
    return place;
  };
  for (const [i, driver] of spec.drivers.entries()) {
    const entry = i * d.stride;
    list.u32(entry, text(driver.path));
    pointer(list, entry + d.base, driver.base);
    pointer(list, entry + d.entry, driver.entryPoint ?? 0n);
    list
      .u32(entry + d.size, driver.size)
      .u32(entry + d.checksum, driver.checksum ?? 0)
      .u32(entry + d.timestamp, driver.timestamp ?? 0);
  }
  const broken = spec.brokenDriver === undefined ? 0 : text(spec.brokenDriver);
  const pool = concat(...texts);
  add(concat(list.bytes, pool));

  const blockList = spec.blocks ?? [];
  const stride = is64 ? 16 : (spec.blockStride ?? 12);
  const table = new Area(blockList.length * stride);
  const blocks = at;
  let data = alignUp(blocks + table.length, 8);
  for (const [i, block] of blockList.entries()) {
    const entry = i * stride;
    if (stride === 16)
      table
        .u64(entry, block.va)
        .u32(entry + 8, data)
        .u32(entry + 12, block.bytes.length);
    else
      table
        .u32(entry, Number(block.va))
        .u32(entry + 4, data)
        .u32(entry + 8, block.bytes.length);
    data += alignUp(block.bytes.length, 8);
  }
  add(table.bytes);
  for (const block of blockList) add(block.bytes);
  const valid = at;
  const end = valid + 4;

  const triage = new Area(tail.size);
  const fields = [
    spec.servicePackBuild ?? 0,
    end,
    valid,
    is64 ? 0x348 : 0x320,
    is64 ? 0xf00 : 0x7d0,
    mm,
    unloaded,
    prcb,
    process,
    thread,
    stack,
    spec.stack?.bytes.length ?? 0,
    drivers,
    spec.drivers.length,
    strings,
    pool.length,
    broken,
    spec.triageOptions ?? 0xffffffff,
  ];
  for (const [i, value] of fields.entries()) triage.u32(i * 4, value);
  if (spec.stack !== undefined) pointer(triage, tail.top, spec.stack.va);
  if (kdbg !== 0) triage.u32(tail.kdbg, kdbg).u32(tail.kdbgSize, spec.kdbg?.length ?? 0);
  triage.u32(tail.blocks, blockList.length === 0 ? 0 : blocks).u32(tail.blockCount, blockList.length);

  const present = [
    true,
    spec.header.exception !== undefined,
    prcb !== 0,
    process !== 0,
    thread !== 0,
    stack !== 0,
    true,
    broken !== 0,
    mm !== 0,
    false,
    kdbg !== 0,
    blockList.length > 0,
  ];
  // bit 2 is the PRCB; the process and the thread are bits 3 and 4
  const miniDumpFields = present.reduce((bitsSet, has, i) => (has ? bitsSet | (1 << i) : bitsSet), 0);
  const blobs = spec.blobs === undefined ? new Uint8Array(0) : taggedBlobs(spec.header.minor, spec.blobs);
  const header = dumpHeader(
    /** @type {Machine} */ (machine),
    DUMP_TYPES.triage,
    { miniDumpFields, ...spec.header },
    end,
  );
  const file = concat(header.bytes, triage.bytes, ...parts, ascii("TRGD"), blobs);
  spec.damage?.(new Area(file), {
    triage: start,
    mm,
    unloaded,
    prcb,
    process,
    thread,
    stack,
    kdbg,
    drivers,
    strings,
    blocks,
    end,
  });
  return file;
}

/** What may follow the triage part: blobs, each behind a header with its GUID. @param {number} build @param {readonly { guid: Uint8Array, data: Uint8Array }[]} blobs */
function taggedBlobs(build, blobs) {
  const head = new Area(0x10)
    .ascii(0, "DumpBlob")
    .u32(8, 0x10)
    .u32(12, (0xf0000000 | build) >>> 0);
  return concat(
    head.bytes,
    ...blobs.flatMap(({ guid, data }) => [
      new Area(0x20).u32(0, 0x20).put(4, guid).u32(0x14, data.length).bytes,
      data,
    ]),
  );
}
