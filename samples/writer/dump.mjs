import { Area, alignUp, ascii } from "./bytes.mjs";

/**
 * @typedef {"full" | "summary" | "bitmap-full" | "bitmap-kernel" | "rdmp" | "rdmp-full"} DumpKind rdmp: type 8, kernel pages; rdmp-full: type 0xA
 * @typedef {{
 *   major?: number, minor: number, build?: number, pfnDatabase?: bigint, psLoadedModuleList?: bigint, psActiveProcessHead?: bigint,
 *   processors?: number, bugcheck?: { code: number, parameters: readonly [bigint, bigint, bigint, bigint] }, kdDebuggerDataBlock?: bigint,
 *   context?: Uint8Array, exception?: Uint8Array, systemTime?: bigint, upTime?: bigint, attributes?: number, productType?: number,
 *   suiteMask?: number, comment?: string, directoryTableBase?: bigint, miniDumpFields?: number, secondaryDataState?: number, writerStatus?: number, bootId?: number,
 * }} HeaderFields minor: the OS build. systemTime: FILETIME. upTime: 100 ns units. What is left out stays PAGE, as Windows leaves it.
 */

const PAGE = 0x45474150;
const PAGE_SIZE = 0x1000;
export const DUMP_TYPES = {
  full: 1,
  summary: 2,
  triage: 4,
  "bitmap-full": 5,
  "bitmap-kernel": 6,
  rdmp: 8,
  "rdmp-full": 10,
};

/** Field offsets of DUMP_HEADER32 and DUMP_HEADER64. */
const HEADER = {
  32: {
    size: 0x1000,
    valid: "DUMP",
    dtb: 0x10,
    pfn: 0x14,
    modules: 0x18,
    processes: 0x1c,
    machine: 0x20,
    processors: 0x24,
    bugcheck: 0x28,
    parameters: 0x2c,
    kdbg: 0x60,
    memory: 0x64,
    context: 0x320,
    contextRoom: 1200,
    exception: 0x7d0,
    exceptionRoom: 0x50,
    comment: 0x820,
    attributes: 0x8a0,
    bootId: 0x8a4,
    type: 0xf88,
    miniDumpFields: 0xf8c,
    secondary: 0xf90,
    productType: 0xf94,
    suiteMask: 0xf98,
    writerStatus: 0xf9c,
    space: 0xfa0,
    upTime: 0xfb8,
    systemTime: 0xfc0,
    kdSecondaryVersion: 0x5d,
    runs: 86,
    run: 8,
    firstRun: 8,
  },
  64: {
    size: 0x2000,
    valid: "DU64",
    dtb: 0x10,
    pfn: 0x18,
    modules: 0x20,
    processes: 0x28,
    machine: 0x30,
    processors: 0x34,
    bugcheck: 0x38,
    parameters: 0x40,
    kdbg: 0x80,
    memory: 0x88,
    context: 0x348,
    contextRoom: 3000,
    exception: 0xf00,
    exceptionRoom: 0x98,
    comment: 0xfb0,
    attributes: 0x1050,
    bootId: 0x1054,
    type: 0xf98,
    miniDumpFields: 0x1038,
    secondary: 0x103c,
    productType: 0x1040,
    suiteMask: 0x1044,
    writerStatus: 0x1048,
    space: 0xfa0,
    upTime: 0x1030,
    systemTime: 0xfa8,
    kdSecondaryVersion: 0x104d,
    runs: 42,
    run: 16,
    firstRun: 16,
  },
};

/**
 * The dump header alone, filled with PAGE where nothing is known.
 * @param {import("./machine.mjs").Machine} machine @param {number} type @param {HeaderFields} fields @param {number} fileSize bytes
 */
export function dumpHeader(machine, type, fields, fileSize) {
  const at = HEADER[machine.is64 ? 64 : 32];
  const header = new Area(at.size);
  for (let i = 0; i < at.size; i += 4) header.u32(i, PAGE);
  header.ascii(4, at.valid);
  const u32 = (/** @type {number} */ offset, /** @type {number | undefined} */ value) =>
    void (value === undefined || header.u32(offset, value));
  const pointer = (/** @type {number} */ offset, /** @type {bigint | undefined} */ value) => {
    if (value === undefined) return;
    if (machine.is64) header.u64(offset, value);
    else header.u32(offset, Number(BigInt.asUintN(32, value)));
  };
  const u64 = (/** @type {number} */ offset, /** @type {bigint | undefined} */ value) =>
    void (value === undefined || header.u64(offset, value));
  u32(8, fields.major ?? 15);
  u32(0xc, fields.minor ?? fields.build);
  pointer(at.dtb, fields.directoryTableBase ?? machine.directoryTableBase);
  pointer(at.pfn, fields.pfnDatabase);
  pointer(at.modules, fields.psLoadedModuleList);
  pointer(at.processes, fields.psActiveProcessHead);
  u32(at.machine, machine.machineType);
  u32(at.processors, fields.processors ?? machine.processors);
  u32(at.bugcheck, fields.bugcheck?.code ?? 0);
  for (let i = 0; i < 4; i++)
    pointer(at.parameters + i * machine.pointerSize, fields.bugcheck?.parameters[i] ?? 0n);
  if (!machine.is64) header.u8(0x5c, machine.mode === "pae" ? 1 : 0);
  header.u8(at.kdSecondaryVersion, 0);
  pointer(at.kdbg, fields.kdDebuggerDataBlock);
  if (fields.context !== undefined)
    header
      .put(at.context, new Uint8Array(at.contextRoom))
      .put(at.context, fields.context.subarray(0, at.contextRoom));
  if (fields.exception !== undefined)
    header.put(at.exception, fields.exception.subarray(0, at.exceptionRoom));
  if (fields.comment !== undefined)
    header.put(at.comment, new Uint8Array(128)).ascii(at.comment, fields.comment.slice(0, 127));
  u32(at.attributes, fields.attributes);
  u32(at.bootId, fields.bootId);
  u32(at.type, type);
  u32(at.miniDumpFields, fields.miniDumpFields);
  u32(at.secondary, fields.secondaryDataState);
  u32(at.productType, fields.productType);
  u32(at.suiteMask, fields.suiteMask);
  u32(at.writerStatus, fields.writerStatus);
  u64(at.space, BigInt(fileSize));
  u64(at.upTime, fields.upTime);
  u64(at.systemTime, fields.systemTime);
  return header;
}

/** @param {Iterable<number>} numbers ascending page numbers @returns {[base: number, count: number][]} */
export function runsOf(numbers) {
  /** @type {[number, number][]} */
  const runs = [];
  for (const pfn of numbers) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === pfn) last[1]++;
    else runs.push([pfn, 1]);
  }
  return runs;
}

/** @param {Area} header @param {boolean} is64 @param {readonly [number, number][]} runs */
function putRuns(header, is64, runs) {
  const at = HEADER[is64 ? 64 : 32];
  if (runs.length > at.runs)
    throw new RangeError(
      `${runs.length} physical runs, the header has room for ${at.runs}: make chunkFrames larger`,
    );
  const total = runs.reduce((n, [, count]) => n + count, 0);
  header.put(at.memory, new Uint8Array(at.firstRun + runs.length * at.run));
  header.u32(at.memory, runs.length);
  if (is64) header.u64(at.memory + 8, total);
  else header.u32(at.memory + 4, total);
  runs.forEach(([base, count], i) => {
    const run = at.memory + at.firstRun + i * at.run;
    if (is64) header.u64(run, base).u64(run + 8, count);
    else header.u32(run, base).u32(run + 4, count);
  });
}

/** @param {Iterable<number>} numbers @param {number} bits */
function bitmapOf(numbers, bits) {
  const bitmap = new Uint8Array(Math.ceil(bits / 32) * 4);
  for (const pfn of numbers) bitmap[pfn >> 3] = /** @type {number} */ (bitmap[pfn >> 3]) | (1 << (pfn & 7));
  return bitmap;
}

/** SUMMARY_DUMP32/64: what Windows 2000 to 7 write as a kernel dump. @param {boolean} is64 @param {readonly number[]} numbers @param {number} bits @param {number} start file offset */
function summaryBody(is64, numbers, bits, start) {
  const bitmap = bitmapOf(numbers, bits);
  const bitsAt = is64 ? 0x28 : 0x20;
  const firstPage = alignUp(start + bitsAt + bitmap.length, PAGE_SIZE);
  const body = new Area(firstPage - start);
  body
    .put(0, ascii("SDMPDUMP"))
    .u32(8, 1)
    .u32(0xc, firstPage)
    .u32(0x10, bits)
    .u32(0x14, numbers.length)
    .u32(0x18, bits);
  return body.put(bitsAt, bitmap).bytes;
}

/** BITMAP_DUMP of Windows 8 and later. @param {string} signature @param {readonly number[]} numbers @param {number} bits @param {number} start */
function bitmapBody(signature, numbers, bits, start) {
  const bitmap = bitmapOf(numbers, bits);
  const firstPage = alignUp(start + 0x38 + bitmap.length, PAGE_SIZE);
  const body = new Area(firstPage - start);
  for (let i = 8; i < 0x20; i += 4) body.u32(i, PAGE);
  body.ascii(0, signature).ascii(4, "DUMP").u64(0x20, firstPage).u64(0x28, numbers.length).u64(0x30, bits);
  return body.put(0x38, bitmap).bytes;
}

/** @param {readonly number[]} numbers @param {number} start @param {boolean} complete */
function rdmpBody(numbers, start, complete) {
  const runs = runsOf(numbers);
  const firstPage = alignUp(start + 0x30 + runs.length * 16 + 16, PAGE_SIZE);
  const body = new Area(firstPage - start);
  body.u32(0, 0x40).ascii(4, "RDMP").ascii(8, "DUMP");
  body.u64(0x10, firstPage - 0x2040 + 0x20).u64(0x18, firstPage);
  if (complete) body.u32(0x20, runs.length).u64(0x28, numbers.length);
  for (const [i, [base, count]] of runs.entries()) body.u64(0x30 + i * 16, base).u64(0x38 + i * 16, count);
  return body.bytes;
}

/**
 * Writes the machine's memory as a dump file.
 * @param {import("./machine.mjs").Machine} machine
 * @param {{ type: DumpKind, header: HeaderFields, truncateTo?: number, bitmapPages?: number }} options
 *   truncateTo: cut the file there, as a full disk does. bitmapPages: bits in the bitmap; default the machine's pages
 */
export function writeDump(
  machine,
  { type, header: fields, truncateTo, bitmapPages = machine.physicalPages },
) {
  const start = HEADER[machine.is64 ? 64 : 32].size;
  const pages = type === "full" ? machine.pagesWithFiller() : machine.pages();
  const numbers = [...pages.keys()];
  /** @type {Uint8Array} */
  let body = new Uint8Array(0);
  if (type === "summary") body = summaryBody(machine.is64, numbers, bitmapPages, start);
  if (type === "bitmap-full") body = bitmapBody("FDMP", numbers, bitmapPages, start);
  if (type === "bitmap-kernel") body = bitmapBody("SDMP", numbers, bitmapPages, start);
  if (type === "rdmp" || type === "rdmp-full") {
    if (!machine.is64) throw new RangeError("RDMP is a 64-bit form");
    body = rdmpBody(numbers, start, type === "rdmp-full");
  }
  const size = start + body.length + numbers.length * PAGE_SIZE;
  const header = dumpHeader(machine, DUMP_TYPES[type], fields, size);
  if (type === "full") putRuns(header, machine.is64, runsOf(numbers));
  const file = new Uint8Array(size);
  file.set(header.bytes);
  file.set(body, start);
  let at = start + body.length;
  for (const page of pages.values()) {
    file.set(page, at);
    at += PAGE_SIZE;
  }
  return truncateTo === undefined ? file : file.slice(0, truncateTo);
}
