import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binutil } from "./toolchain.mjs";

/** @typedef {import("./toolchain.mjs").Arch} Arch */

/** Section flags as Microsoft's linker sets them for drivers. */
const FLAGS = /** @type {Record<string, number>} */ ({
  ".text": 0x68000020,
  ".rdata": 0x48000040,
  ".xdata": 0x48000040,
  ".pdata": 0x48000040,
  ".data": 0xc8000040,
  ".bss": 0xc8000080,
  ".edata": 0x40000040,
  PAGE: 0x60000020,
  INIT: 0x62000020,
  ".rsrc": 0x42000040,
  ".reloc": 0x42000040,
});
const DIRECTORY = { import: 1, debug: 6, iat: 12, delay: 13 };

/** @param {string} text */
const digest = (text) => createHash("sha256").update(text).digest();

/** A time stamp that depends on the image alone: between 2020 and 2023. @param {string} name @param {Arch} arch */
const timestampOf = (name, arch) =>
  0x5e0be100 + (digest(`${name} ${arch} time`).readUInt32LE(0) % 0x5a3_9a80);

/**
 * The debug directory with an RSDS record, as assembly.
 * @param {{ arch: Arch, name: string, pdb: string, work: string }} options @returns {string} an object
 */
export function debugRecord({ arch, name, pdb, work }) {
  const source = join(work, `${name}.debug.s`);
  const guid = [...digest(`${name} ${arch} pdb`).subarray(0, 16)];
  writeFileSync(
    source,
    `    .section .debugdir,"dr"
    .long 0, ${timestampOf(name, arch)}
    .short 0, 0
    .long 2, 2f - 1f
    .rva 1f
    .long 0
1:  .ascii "RSDS"
    .byte ${guid.join(", ")}
    .long 1
    .asciz ${JSON.stringify(pdb)}
2:
`,
  );
  const object = source.replace(/s$/, "o");
  binutil(arch, "as", ["-o", object, source]);
  return object;
}

/** The checksum of a PE file, its own field left out. @param {Buffer} file @param {number} field its offset */
function checksum(file, field) {
  let sum = 0;
  for (let i = 0; i < file.length; i += 2) {
    if (i === field || i === field + 2) continue;
    sum += i + 1 < file.length ? file.readUInt16LE(i) : file.readUInt8(i);
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  return (((sum & 0xffff) + (sum >>> 16)) & 0xffff) + file.length;
}

/**
 * Strips the linked image, and sets what GNU ld leaves out: flags, directories, time stamps, checksum.
 * @param {{ arch: Arch, linked: string, output: string, name: string, dynamicBase?: boolean }} options
 */
export function finish({ arch, linked, output, name }) {
  const symbols = new Map(
    binutil(arch, "nm", [linked])
      .split("\n")
      .map((line) => /^([0-9a-f]+) \w (\S+)$/.exec(line.trim()))
      .filter((m) => m !== null)
      .map((m) => [m[2], Number.parseInt(/** @type {string} */ (m[1]), 16)]),
  );
  binutil(arch, "strip", ["-s", "-o", output, linked]);
  const file = readFileSync(output);
  const pe = file.readUInt32LE(0x3c);
  const optional = pe + 24;
  const is64 = file.readUInt16LE(optional) === 0x20b;
  const base = is64 ? Number(file.readBigUInt64LE(optional + 24)) : file.readUInt32LE(optional + 28);
  const directories = optional + (is64 ? 112 : 96);
  const count = file.readUInt16LE(pe + 6);
  const table = optional + file.readUInt16LE(pe + 20);
  const stamp = timestampOf(name, arch);
  const sections = Array.from({ length: count }, (_, i) => {
    const at = table + i * 40;
    const section = {
      at,
      name: file.toString("latin1", at, at + 8).replace(/\0.*$/, ""),
      rva: file.readUInt32LE(at + 12),
      size: file.readUInt32LE(at + 8),
      offset: file.readUInt32LE(at + 20),
      fileSize: file.readUInt32LE(at + 16),
    };
    const flags = FLAGS[section.name];
    if (flags === undefined) throw new Error(`${name}: a section ${section.name}`);
    file.writeUInt32LE(flags, at + 36);
    return section;
  });
  const offsetOf = (/** @type {number} */ rva) => {
    const s = sections.find((one) => rva >= one.rva && rva < one.rva + one.fileSize);
    if (s === undefined) throw new Error(`${name}: no file bytes at ${rva.toString(16)}`);
    return s.offset + rva - s.rva;
  };
  const symbol = (/** @type {string} */ n) => symbols.get(n) ?? symbols.get(`_${n}`);
  const directory = (/** @type {number} */ index, /** @type {string} */ from, /** @type {string} */ to) => {
    const [start, end] = [symbol(from), symbol(to)];
    if (start === undefined || end === undefined || end <= start) return undefined;
    file.writeUInt32LE(start - base, directories + index * 8);
    file.writeUInt32LE(end - start, directories + index * 8 + 4);
    return start - base;
  };
  const importSize = (symbol("__import_end") ?? 0) - (symbol("__import_start") ?? 0);
  if (importSize > 20) {
    directory(DIRECTORY.import, "__import_start", "__import_end");
    directory(DIRECTORY.iat, "__iat_start", "__iat_end");
  }
  directory(DIRECTORY.delay, "__delay_descriptor", "__delay_descriptor_end");
  const debug = directory(DIRECTORY.debug, "__debug_start", "__debug_end");
  if (debug !== undefined) {
    file.writeUInt32LE(28, directories + DIRECTORY.debug * 8 + 4);
    file.writeUInt32LE(offsetOf(file.readUInt32LE(offsetOf(debug) + 20)), offsetOf(debug) + 24);
  }
  const exportRva = file.readUInt32LE(directories);
  if (exportRva !== 0) file.writeUInt32LE(stamp, offsetOf(exportRva) + 4);
  file.writeUInt32LE(stamp, pe + 8);
  // no COFF symbols, 14.x as a linker of today
  file.writeUInt32LE(0, pe + 12);
  file.writeUInt32LE(0, pe + 16);
  file.writeUInt8(14, optional + 2);
  file.writeUInt8(29, optional + 3);
  file.writeUInt32LE(0, optional + 64);
  file.writeUInt32LE(checksum(file, optional + 64), optional + 64);
  writeFileSync(output, file);
  return { timestamp: stamp, checksum: file.readUInt32LE(optional + 64), size: file.length };
}
