/**
 * Writes the dumps that the bench measures: `node bench/dumps.mjs DIR`. It shares no code with src/.
 *
 * modules.dmp   200 modules of 100 MB together, in physical runs of 1 to 64 pages, nt on large pages
 * threads.dmp   the same, with 2,000 threads and their stacks
 * sparse.dmp    a bitmap dump of a 64 GiB machine, nearly all of it holes of the file; sparse1.dmp, sparse8.dmp of 1 and 8 GiB,
 *               and sparse1.raw, the memory of that of 1 GiB as it is
 * handles.dmp   200 processes with 5,000 handles each, to a million objects
 * pool.dmp      20 modules of 10 MB together, and 1 GB of pool where nothing says so: a few pages, mapped many times
 * hibernated.dmp 20 modules of 10 MB together in 128 MB of memory, and hibernated.sys, the same machine hibernated by Windows 10
 */
import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildDump } from "../samples/leakbench/machine.mjs";
import { Area, alignUp, random as seeded } from "../samples/writer/bytes.mjs";
import { DUMP_TYPES, dumpHeader, runsOf, writeDump } from "../samples/writer/dump.mjs";
import { writeHibernation } from "../samples/writer/hibernation.mjs";
import { Machine } from "../samples/writer/machine.mjs";
import { writePoolPage } from "../samples/writer/poolpages.mjs";
import { BUILD, writeKernel } from "./kernel.mjs";
import { load, makeModules, makeTags, plant, REFERENCES, TAG } from "./modules.mjs";

/** @typedef {import("./images.mjs").Made} Made */
/**
 * @typedef {{
 *   path: string, modules: number, moduleBytes: number, tag: string, references: number, tags: readonly string[],
 *   kernelCode: number, extents: readonly [offset: number, length: number][], handles?: number,
 * }} Plan what a dump holds; of that with the handles, these alone. kernelCode: bytes of nt's code. extents: where its modules' readable bytes stand in the file, in order, merged
 */

const PAGE = 0x1000;
const MB = 0x100000;
/** Where a session's or a special pool might be: nowhere that a variable or a large allocation names. */
const POOL_AT = 0xffff9a8000000000n;
/** Pages that stand in the dump for all of the pool, in an order without a pattern in the file. */
const POOL_FRAMES = 509;

/**
 * A bitmap dump in which every page of the machine is present, and those that hold nothing are holes of the file.
 * @param {Machine} machine @param {import("../samples/writer/dump.mjs").HeaderFields} fields
 * @param {string} path
 */
function writeSparse(machine, fields, path) {
  const count = machine.physicalPages;
  const firstPage = alignUp(0x2000 + 0x38 + count / 8, PAGE);
  const size = firstPage + count * PAGE;
  const head = new Area(firstPage).put(
    0,
    dumpHeader(machine, DUMP_TYPES["bitmap-kernel"], fields, size).bytes,
  );
  head.ascii(0x2000, "SDMPDUMP").u64(0x2020, firstPage).u64(0x2028, count).u64(0x2030, count);
  head.bytes.fill(0xff, 0x2038, 0x2038 + count / 8);
  const file = openSync(path, "w");
  ftruncateSync(file, size);
  writeSync(file, head.bytes, 0, head.length, 0);
  for (const [pfn, page] of machine.pages()) {
    if (page.some((byte) => byte !== 0)) writeSync(file, page, 0, PAGE, firstPage + pfn * PAGE);
  }
  closeSync(file);
  return firstPage;
}

/**
 * Where the modules' bytes stand in the file.
 * @param {Machine} machine @param {readonly Made[]} made @param {(pfn: number) => number} offsetOf
 * @returns {[number, number][]}
 */
function extentsOf(machine, made, offsetOf) {
  /** @type {number[]} */
  const found = [];
  for (const { image } of made) {
    for (let rva = 0; rva < image.size; rva += PAGE) {
      const pa = machine.isReadable(image.va(rva)) ? machine.physicalAddress(image.va(rva)) : undefined;
      if (pa !== undefined) found.push(offsetOf(Number(pa >> 12n)) / PAGE);
    }
  }
  return runsOf(found.sort((a, b) => a - b)).map(([page, count]) => [page * PAGE, count * PAGE]);
}

/** @param {Machine} machine @param {string} path */
function writeRaw(machine, path) {
  const file = openSync(path, "w");
  ftruncateSync(file, machine.physicalPages * PAGE);
  for (const [pfn, page] of machine.pages()) writeSync(file, page, 0, PAGE, pfn * PAGE);
  closeSync(file);
}

/**
 * Blocks of many tags, of which one page in each `POOL_FRAMES` holds some of the tag that leaks; their contents lead
 * into nothing.
 * @param {Machine} machine @param {number} bytes @param {readonly string[]} tags
 */
function writePool(machine, bytes, tags) {
  const frames = Array.from({ length: POOL_FRAMES }, (_, i) => {
    const va = machine.allocate(PAGE, { align: PAGE, paged: true });
    const blocks = Array.from({ length: 42 }, (__, k) => ({
      tag: (i === 0 ? tags[0] : tags[1 + ((i * 42 + k) % 40)]) ?? "Othr",
      bytes: 0x60,
    }));
    writePoolPage(machine, va, blocks, { paged: true });
    return va;
  });
  machine.alias(POOL_AT, bytes, frames);
}

/**
 * @param {string} path
 * @param {{ sparse?: number, threads?: number, modules?: number, moduleBytes?: number, pool?: number, hibernated?: boolean }} [options]
 * @returns {Plan}
 */
function makeDump(
  path,
  { sparse = 0, threads = 0, modules = 200, moduleBytes = 100 * MB, pool = 0, hibernated = false } = {},
) {
  const random = seeded(19041);
  const machine = new Machine({
    mode: "x64",
    processors: 4,
    build: BUILD,
    physicalPages: sparse > 0 ? sparse * 0x40000 : hibernated ? 0x8000 : 0x400000,
    chunkFrames: 64,
    seed: 7,
  });
  const tags = makeTags(4000, random);
  const made = makeModules(modules, moduleBytes, tags, random);
  load(machine, made, random);
  plant(machine, made, random);
  const fields = writeKernel(machine, made, tags, threads, random);
  if (pool > 0) writePool(machine, pool, tags);
  if (hibernated) writeFileSync(path.replace(/dmp$/, "sys"), writeHibernation(machine, { form: "10" }));
  if (sparse === 1) writeRaw(machine, path.replace(/dmp$/, "raw"));
  let firstPage = 0;
  /** @type {Map<number, number> | undefined} */
  let rank;
  if (sparse > 0) firstPage = writeSparse(machine, fields, path);
  else {
    const bytes = writeDump(machine, { type: "bitmap-kernel", header: fields });
    writeFileSync(path, bytes);
    rank = new Map([...machine.pages().keys()].map((pfn, i) => [pfn, i]));
    firstPage = bytes.length - rank.size * PAGE;
  }
  const extents = extentsOf(machine, made, (pfn) => firstPage + (rank?.get(pfn) ?? pfn) * PAGE);
  return {
    path,
    modules,
    moduleBytes: extents.reduce((n, [, length]) => n + length, 0),
    tag: TAG,
    references: REFERENCES,
    tags,
    kernelCode:
      made[0]?.image.sections
        .filter((s) => (s.characteristics & 0x20) !== 0)
        .reduce((n, s) => n + s.size, 0) ?? 0,
    extents,
  };
}

const PROCESSES = 200;
const HANDLES = 5000;

/** @param {string} path */
function makeHandles(path) {
  const processes = Array.from({ length: PROCESSES }, (_, i) => `agent${i}.exe`);
  const bytes = buildDump({
    arch: "x64",
    form: "bitmap-kernel",
    seed: 7,
    drivers: [],
    counts: [
      { tag: "Even", paged: false, block: { x64: 0x80, x86: 0x80 }, live: PROCESSES * HANDLES, frees: 7 },
    ],
    processes,
    held: {
      type: "Event",
      bytes: 0x20,
      live: PROCESSES * HANDLES,
      holders: Object.fromEntries(processes.map((name) => [name, HANDLES])),
    },
  });
  writeFileSync(path, bytes);
  return { path, handles: PROCESSES * HANDLES };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2];
  if (folder === undefined) throw new TypeError("usage: node bench/dumps.mjs DIR");
  for (const [name, options] of /** @type {const} */ ([
    ["modules", {}],
    ["threads", { threads: 2000 }],
    ["sparse", { sparse: 64 }],
    ["sparse1", { sparse: 1 }],
    ["sparse8", { sparse: 8 }],
    ["hibernated", { modules: 20, moduleBytes: 10 * MB, hibernated: true }],
    ["pool", { modules: 20, moduleBytes: 10 * MB, pool: 1024 * MB }],
  ])) {
    writeFileSync(
      join(folder, `${name}.json`),
      JSON.stringify(makeDump(join(folder, `${name}.dmp`), options)),
    );
  }
  writeFileSync(join(folder, "handles.json"), JSON.stringify(makeHandles(join(folder, "handles.dmp"))));
}
