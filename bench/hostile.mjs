/**
 * What the worst questions to files made to be slow cost: `npm run bench`, or `node bench/hostile.mjs` on what is built. Each file has some 4 MB at most;
 * SECURITY.md says what is promised of them.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildMachine } from "../samples/leakbench/machine.mjs";
import { elfCore } from "../samples/writer/containers.mjs";
import { writeDump } from "../samples/writer/dump.mjs";
import { usageOf } from "./commands.mjs";
import { containerMachine } from "./containers.mjs";
import { makeImage } from "./images.mjs";

const CLI = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const MB = 0x100000;
/** A gigabyte of its own, two of each page table's entries. */
const BASE = 0xfffff88000000000n;
const TABLE = 0x20_0000n;

/** @param {number} seed @returns {import("./code.mjs").Random} */
function randomOf(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

const plan = () =>
  buildMachine({
    arch: "x64",
    seed: 31,
    drivers: ["nwindav", "ctstor"],
    counts: [{ tag: "Se  ", paged: true, block: { x64: 0x60, x86: 0x58 }, live: 310_000 }],
    physicalPages: 0x3000,
  });

/** Entries at the end of the module list. @param {ReturnType<typeof plan>} made @param {readonly { base: bigint, size: number, name: { at: bigint, length: number } }[]} modules */
function addModules({ system, header }, modules) {
  const { machine } = system;
  const head = header.psLoadedModuleList ?? 0n;
  const links = [head];
  for (let at = machine.readPointer(head); at !== head; at = machine.readPointer(at)) links.push(at);
  for (const { base, size, name } of modules) {
    const entry = machine.allocate(0xa0);
    machine.pointer(entry + 0x30n, base).u32(entry + 0x40n, size);
    for (const field of [0x48n, 0x58n])
      machine
        .u16(entry + field, name.length)
        .u16(entry + field + 2n, name.length)
        .pointer(entry + field + 8n, name.at);
    links.push(entry);
  }
  machine.linkList(links);
}

/** @param {import("../samples/writer/machine.mjs").Machine} machine @param {string} text */
function nameIn(machine, text) {
  const bytes = Buffer.from(text, "utf16le");
  const at = machine.allocate(bytes.length);
  machine.write(at, new Uint8Array(bytes));
  return { at, length: bytes.length };
}

/** Modules that page tables lead to the pages of one image, which stands in at most 2 MB. @param {number} count @param {{ exports?: number, size: number }} image */
function aliased(count, { exports = 0, size }) {
  const made = plan();
  const { machine } = made.system;
  const allocator = made.system.nt("ExAllocatePoolWithTag");
  const { image } = makeImage({
    name: "alias.sys",
    base: BASE,
    size,
    exports: Array.from({ length: exports }, (_, i) => `Export${i.toString(36)}`),
    tags: ["Se  ", "Even"],
    imports: [{ dll: "ntoskrnl.exe", exports: new Map([["ExAllocatePoolWithTag", allocator]]) }],
    random: randomOf(7),
  });
  const { bytes } = image.memory;
  machine.map(BASE, bytes.length);
  machine.write(BASE, bytes);
  const name = nameIn(machine, "alias.sys");
  addModules(
    made,
    Array.from({ length: count }, (_, i) => ({ base: BASE + BigInt(i) * TABLE, size: bytes.length, name })),
  );
  repeatTable(machine, BASE, count);
  return writeDump(machine, { type: "bitmap-kernel", header: made.header });
}

/** Lets the tables of the `count` stretches of 2 MB from an address on be that of the first. @param {import("../samples/writer/machine.mjs").Machine} machine @param {bigint} va @param {number} count */
function repeatTable(machine, va, count) {
  const pages = machine.pages();
  const table = (/** @type {bigint} */ entry) => {
    const { buffer, byteOffset } =
      pages.get(Number((entry & 0x000ffffffffff000n) >> 12n)) ?? new Uint8Array(0);
    return new DataView(buffer, byteOffset, 0x1000);
  };
  const index = (/** @type {bigint} */ shift) => Number((va >> shift) & 0x1ffn) * 8;
  const pointers = table(table(machine.directoryTableBase).getBigUint64(index(39n), true));
  const directory = table(pointers.getBigUint64(index(30n), true));
  const own = directory.getBigUint64(index(21n), true);
  for (let at = index(21n); at < 0x1000; at += 8) directory.setBigUint64(at, own, true);
  for (let i = 1; i <= count / 512; i++)
    pointers.setBigUint64(index(30n) + i * 8, pointers.getBigUint64(index(30n), true), true);
}

/** @param {number} count @param {number} length of each name, in characters */
function longNames(count, length) {
  const made = plan();
  const { machine } = made.system;
  const name = nameIn(machine, "n".repeat(length));
  addModules(
    made,
    Array.from({ length: count }, (_, i) => ({ base: BASE + BigInt(i) * TABLE, size: 0x1000, name })),
  );
  return writeDump(machine, { type: "bitmap-kernel", header: made.header });
}

/**
 * A PE file of sections at their RVAs.
 *
 * @param {{ bits: 32 | 64, sections: readonly { rva: number, data: Uint8Array, code?: boolean, size?: number }[], directories?: Readonly<Record<number, readonly [rva: number, size: number]>> }} spec
 */
function peFile({ bits, sections, directories = {} }) {
  const optional = bits === 64 ? 240 : 224;
  const headers = 0x400;
  const total = sections.reduce((sum, { data }) => sum + data.length, headers);
  const file = Buffer.alloc(total);
  file.write("MZ");
  file.writeUInt32LE(0x80, 0x3c);
  file.write("PE\0\0", 0x80);
  file.writeUInt16LE(bits === 64 ? 0x8664 : 0x14c, 0x84);
  file.writeUInt16LE(sections.length, 0x86);
  file.writeUInt16LE(optional, 0x94);
  file.writeUInt16LE(0x22, 0x96);
  const start = 0x98;
  file.writeUInt16LE(bits === 64 ? 0x20b : 0x10b, start);
  file.writeUInt32LE(0x1000, start + 16);
  if (bits === 64) file.writeBigUInt64LE(0x1_4000_0000n, start + 24);
  else file.writeUInt32LE(0x40_0000, start + 28);
  file.writeUInt32LE(0x1000, start + 32);
  file.writeUInt32LE(0x200, start + 36);
  const end = Math.max(...sections.map(({ rva, data, size = data.length }) => rva + size));
  file.writeUInt32LE(Math.ceil(end / 0x1000) * 0x1000, start + 56);
  file.writeUInt32LE(headers, start + 60);
  file.writeUInt16LE(1, start + 68);
  file.writeUInt32LE(16, start + optional - 132);
  for (const [index, [rva, size]] of Object.entries(directories)) {
    file.writeUInt32LE(rva, start + optional - 128 + Number(index) * 8);
    file.writeUInt32LE(size, start + optional - 124 + Number(index) * 8);
  }
  let offset = headers;
  sections.forEach(({ rva, data, code = false, size = data.length }, i) => {
    const at = start + optional + i * 40;
    file.write(code ? ".text" : ".data", at);
    file.writeUInt32LE(size, at + 8);
    file.writeUInt32LE(rva, at + 12);
    file.writeUInt32LE(data.length, at + 16);
    file.writeUInt32LE(offset, at + 20);
    file.writeUInt32LE(code ? 0x60000020 : 0x40000040, at + 36);
    file.set(data, offset);
    offset += data.length;
  });
  return file;
}

/** @param {number} count of functions, of four bytes each */
function unwindRows(count) {
  const text = new Uint8Array(count * 4).fill(0xc3);
  const rows = Buffer.alloc(count * 12);
  const rowsAt = 0x1000 + Math.ceil(text.length / 0x1000) * 0x1000;
  const unwindAt = rowsAt + Math.ceil(rows.length / 0x1000) * 0x1000;
  for (let i = 0; i < count; i++) {
    rows.writeUInt32LE(0x1000 + i * 4, i * 12);
    rows.writeUInt32LE(0x1004 + i * 4, i * 12 + 4);
    rows.writeUInt32LE(unwindAt, i * 12 + 8);
  }
  const unwind = new Uint8Array(0x200);
  unwind[0] = 1;
  const sections = [
    { rva: 0x1000, data: text, code: true },
    { rva: rowsAt, data: rows },
    { rva: unwindAt, data: unwind },
  ];
  return peFile({ bits: 64, sections, directories: { 3: [rowsAt, rows.length] } });
}

/** @param {32 | 64} bits @param {number} size @param {readonly number[]} bytes again and again */
function codeOf(bits, size, bytes) {
  return peFile({
    bits,
    sections: [
      {
        rva: 0x1000,
        data: Uint8Array.from({ length: size }, (_, i) => bytes[i % bytes.length] ?? 0),
        code: true,
      },
    ],
  });
}

/** All for one place, in blocks of 4 KB. @param {number} size */
function relocations(size) {
  const data = Buffer.alloc(size);
  for (let at = 0; at + 0x1000 <= size; at += 0x1000) {
    data.writeUInt32LE(0x1000, at);
    data.writeUInt32LE(0x1000, at + 4);
    for (let entry = at + 8; entry < at + 0x1000; entry += 2) data.writeUInt16LE(0xa010, entry);
  }
  const sections = [
    { rva: 0x1000, data: new Uint8Array(0x200), code: true },
    { rva: 0x2000, data },
  ];
  return peFile({ bits: 64, sections, directories: { 5: [0x2000, size] } });
}

/** Symbols that all have one name of 4,090 characters. @param {number} count */
function sharedNames(count) {
  const file = peFile({ bits: 64, sections: [{ rva: 0x1000, data: new Uint8Array(0x1000), code: true }] });
  const symbol = Buffer.alloc(18);
  symbol.writeUInt32LE(4, 4);
  symbol.writeUInt32LE(0x0020_0001, 12);
  symbol[16] = 2;
  const strings = Buffer.alloc(4 + 4096, "n");
  strings.writeUInt32LE(strings.length, 0);
  strings[4 + 4090] = 0;
  file.writeUInt32LE(file.length, 0x8c);
  file.writeUInt32LE(count, 0x90);
  return Buffer.concat([file, Buffer.alloc(count * 18, symbol), strings]);
}

/** A signature that is one object identifier. @param {number} size */
function identifier(size) {
  const at = 0x400 + 0x1000;
  const sections = [{ rva: 0x1000, data: new Uint8Array(0x1000), code: true }];
  const file = peFile({ bits: 64, sections, directories: { 4: [at, size + 20] } });
  const head = Buffer.alloc(20);
  head.writeUInt32LE(size + 20, 0);
  head.writeUInt32LE(0x0002_0200, 4);
  head.writeUInt16BE(0x3084, 8);
  head.writeUInt32BE(size + 6, 10);
  head.writeUInt16BE(0x0684, 14);
  head.writeUInt32BE(size, 16);
  return Buffer.concat([file, head, Buffer.alloc(size, 1)]);
}

/** Import slots of one DLL with a name of 4,090 characters. @param {number} count */
function longDll(count) {
  const data = Buffer.alloc(40 + 4096 + (count + 1) * 8, "n");
  data.fill(0, 0, 40);
  data.fill(0, 40 + 4090);
  const table = 0x2000 + 40 + 4096;
  for (const [at, rva] of [
    [0, table],
    [12, 0x2000 + 40],
    [16, table],
  ])
    data.writeUInt32LE(/** @type {number} */ (rva), /** @type {number} */ (at));
  for (let i = 0; i < count; i++) data.writeBigUInt64LE((1n << 63n) | BigInt(i), 40 + 4096 + i * 8);
  const sections = [
    { rva: 0x1000, data: new Uint8Array(0x1000), code: true },
    { rva: 0x2000, data },
  ];
  return peFile({ bits: 64, sections, directories: { 1: [0x2000, 40] } });
}

/** Processors whose page tables lead to no kernel. @param {number} count */
function processors(count) {
  const made = containerMachine("x64", { pages: 0x1800, hole: [0x1000, 0x200] });
  const { machine } = made.system;
  machine.write(made.system.image("ntoskrnl.exe").base, new Uint8Array(64));
  const all = Array.from({ length: count }, (_, i) => ({
    ...made.processors[0],
    rip: 0n,
    rsp: 0n,
    cr3: machine.directoryTableBase + BigInt(i),
  }));
  return elfCore(machine, made.header, { by: "virtualbox", processors: all });
}

const lines = (/** @type {number} */ size, /** @type {string} */ line) =>
  Buffer.from(line.repeat(size / line.length));
const SAMPLE = fileURLToPath(new URL("../samples/leak-x64.dmp", import.meta.url));

/** @type {readonly { what: string, file: string, make: () => Uint8Array, questions: readonly ((path: string) => readonly string[])[] }[]} */
const ROWS = [
  {
    what: "2,000 modules over the pages of one driver",
    file: "alias.dmp",
    make: () => aliased(2000, { size: 0x1c_0000 }),
    questions: [
      (path) => ["modules", path],
      (path) => ["scan", path, "Se"],
      (path) => ["trace", path, "Se"],
      (path) => ["pointers", path, "nt!ExAllocatePoolWithTag"],
    ],
  },
  {
    what: "… with 60,000 exports each",
    file: "exports.dmp",
    make: () => aliased(2000, { size: 0x2_0000, exports: 60_000 }),
    questions: [
      (path) => ["scan", path, "Se"],
      (path) => ["trace", path, "Se"],
      (path) => ["near", path, "alias+1000"],
    ],
  },
  {
    what: "4,096 modules with one name of 64 KB",
    file: "names.dmp",
    make: () => longNames(4000, 0x7fff),
    questions: [(path) => ["info", path], (path) => ["modules", path], (path) => ["trace", path, "Se"]],
  },
  {
    what: "240,000 functions of four bytes",
    file: "rows.sys",
    make: () => unwindRows(240_000),
    questions: [(path) => ["functions", path], (path) => ["calls", path, "1000"]],
  },
  {
    what: "4 MB of x86 code, all calls",
    file: "calls.sys",
    make: () => codeOf(32, 4 * MB - 0x1000, [0xe8, 0x10, 0, 0, 0]),
    questions: [(path) => ["functions", path], (path) => ["calls", path, "401000"]],
  },
  {
    what: "4 MB of x64 code, jumps through registers",
    file: "jumps.sys",
    make: () => codeOf(64, 4 * MB - 0x1000, [0xff, 0xe0]),
    questions: [(path) => ["functions", path], (path) => ["calls", path, "140001000"]],
  },
  {
    what: "4 MB of x64 code, pushes",
    file: "pushes.sys",
    make: () => codeOf(64, 4 * MB - 0x1000, [0x50]),
    questions: [(path) => ["functions", path], (path) => ["code", path, "140001000", "--function"]],
  },
  {
    what: "a folder of 4 MB of nothing but the tag",
    file: "tags/tags.sys",
    make: () => codeOf(64, 4 * MB - 0x1000, [0x53, 0x65, 0x20, 0x20]),
    questions: [(path) => ["scan", dirname(path), "Se"], (path) => ["trace", dirname(path), "Se"]],
  },
  {
    what: "a folder of 4 MB of relocations for one place",
    file: "relocations/relocations.sys",
    make: () => relocations(4 * MB - 0x1000),
    questions: [(path) => ["scan", dirname(path), "Se"]],
  },
  {
    what: "a section of 1 GB in a file of 2 KB, in a folder",
    file: "hollow/hollow.sys",
    make: () =>
      peFile({
        bits: 64,
        sections: [{ rva: 0x1000, data: new Uint8Array(0x400), code: true, size: 0x3f00_0000 }],
      }),
    questions: [
      (path) => ["headers", dirname(path), "hollow"],
      (path) => ["functions", dirname(path), "hollow"],
      (path) => ["scan", dirname(path), "Se"],
    ],
  },
  {
    what: "220,000 symbols of one name",
    file: "symbols.sys",
    make: () => sharedNames(220_000),
    questions: [(path) => ["functions", path], (path) => ["headers", path]],
  },
  {
    what: "an object identifier of 3.9 MB in a signature",
    file: "identifier.sys",
    make: () => identifier(0x3e_0000),
    questions: [(path) => ["headers", path]],
  },
  {
    what: "65,000 import slots of a DLL with a long name",
    file: "dll.sys",
    make: () => longDll(65_000),
    questions: [(path) => ["imports", path]],
  },
  {
    what: "2,048 processors that lead to no kernel",
    file: "processors.elf",
    make: () => processors(2048),
    questions: [(path) => ["info", path]],
  },
  {
    what: "4 MB of spaces, of wildcards, as a file of tags",
    file: "spaces.txt",
    make: () => lines(4 * MB, " "),
    questions: [(path) => ["tags", SAMPLE, "--pooltags", path]],
  },
  {
    what: "",
    file: "wildcards.txt",
    make: () => lines(4 * MB, "*?*? - nt - a\r\n"),
    questions: [(path) => ["tags", SAMPLE, "--pooltags", path]],
  },
  {
    what: "the longest read",
    file: "read.dmp",
    make: () => aliased(2, { size: 0x1c_0000 }),
    questions: [(path) => ["read", path, "alias", "0x100000"]],
  },
];

const folder = mkdtempSync(join(tmpdir(), "pooltrail-hostile-"));
try {
  const size = (/** @type {string} */ path) => `${(statSync(path).size / MB).toFixed(1)} MB`;
  console.log(
    "what".padEnd(52),
    "file".padStart(8),
    "question".padEnd(12),
    "CPU".padStart(7),
    "memory".padStart(8),
  );
  for (const { what, file, make, questions } of ROWS) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, make());
    questions.forEach((question, i) => {
      const args = question(path);
      const { cpu, peak } = usageOf({ args: [CLI, ...args, "--quiet"] });
      console.log(
        (i === 0 ? what : "").padEnd(52),
        (i === 0 ? size(path) : "").padStart(8),
        (args[0] ?? "").padEnd(12),
        `${cpu.toFixed(1)} s`.padStart(7),
        `${(peak / MB).toFixed(0)} MB`.padStart(8),
        cpu > 5 || peak > 250 * MB ? " over" : "",
      );
    });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
