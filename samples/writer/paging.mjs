/**
 * Page-table entries of each mode: shapes of the tables, and what an entry of each kind looks like.
 * @typedef {"x86" | "pae" | "x64" | "x64-la57" | "arm64"} Mode
 * @typedef {{ shift: bigint, bits: number }} Level
 * @typedef {{ entrySize: 4 | 8, levels: readonly Level[], largeLevel: number, largeSize: number, is64: boolean, machineType: number }} Shape
 */
const levels = (/** @type {number[]} */ ...shifts) => shifts.map((s) => ({ shift: BigInt(s), bits: 9 }));

/** @type {Record<Mode, Shape>} */
export const SHAPES = {
  x86: {
    entrySize: 4,
    levels: [
      { shift: 22n, bits: 10 },
      { shift: 12n, bits: 10 },
    ],
    largeLevel: 0,
    largeSize: 0x400000,
    is64: false,
    machineType: 0x14c,
  },
  pae: {
    entrySize: 8,
    levels: [
      { shift: 30n, bits: 2 },
      { shift: 21n, bits: 9 },
      { shift: 12n, bits: 9 },
    ],
    largeLevel: 1,
    largeSize: 0x200000,
    is64: false,
    machineType: 0x14c,
  },
  x64: {
    entrySize: 8,
    levels: levels(39, 30, 21, 12),
    largeLevel: 2,
    largeSize: 0x200000,
    is64: true,
    machineType: 0x8664,
  },
  "x64-la57": {
    entrySize: 8,
    levels: levels(48, 39, 30, 21, 12),
    largeLevel: 3,
    largeSize: 0x200000,
    is64: true,
    machineType: 0x8664,
  },
  arm64: {
    entrySize: 8,
    levels: levels(39, 30, 21, 12),
    largeLevel: 2,
    largeSize: 0x200000,
    is64: true,
    machineType: 0xaa64,
  },
};

const NX = 1n << 63n;

/** An entry that leads to the next table. @param {Mode} mode @param {number} level @param {number} pfn */
export function tableEntry(mode, level, pfn) {
  const address = BigInt(pfn) << 12n;
  if (mode === "arm64") return address | 0xf03n;
  if (mode === "pae" && level === 0) return address | 1n;
  return address | 0x63n;
}

/** A valid entry for a page of 4 KB or a large one. @param {Mode} mode @param {number} pfn @param {{ writable: boolean, executable: boolean, large: boolean }} how */
export function validEntry(mode, pfn, { writable, executable, large }) {
  const address = BigInt(pfn) << 12n;
  if (mode === "arm64")
    return (
      address |
      (large ? 0x701n : 0x703n) |
      (writable ? 0n : 0x80n) |
      (1n << 54n) |
      (executable ? 0n : 1n << 53n)
    );
  const noExecute = executable || mode === "x86" ? 0n : NX;
  return address | 0x121n | (writable ? 0x42n : 0n) | (large ? 0x80n : 0n) | noExecute;
}

/** Read/write (4) or execute-read/write (6) in the software entries' protection field. */
const PROTECTION = 4n << 5n;

/** @param {number} pfn a page on the standby or modified list */
export const transitionEntry = (pfn) => (BigInt(pfn) << 12n) | 0x800n | PROTECTION;

/** Content comes as zeros at the first touch. */
export const demandZeroEntry = () => PROTECTION;

/** @param {Mode} mode @param {number} build @param {number} file page file number @param {number} offset in pages */
export function pagedOutEntry(mode, build, file, offset) {
  if (mode === "x86") return (BigInt(offset) << 12n) | PROTECTION | (BigInt(file) << 1n);
  if (build >= 17763) return (BigInt(offset) << 32n) | (BigInt(file) << 12n) | PROTECTION | 0x14n;
  return (BigInt(offset) << 32n) | PROTECTION | (BigInt(file) << 1n);
}

/** @param {Mode} mode @param {bigint} va of the prototype PTE */
export function prototypeEntry(mode, va) {
  if (mode === "pae") return (BigInt.asUintN(32, va) << 32n) | 0x400n;
  if (mode === "x86") return ((va & 0x7ffffc00n) << 1n) | ((va & 0x3ffn) >> 1n) | 0x400n;
  return BigInt.asUintN(64, va << 16n) | 0x400n;
}

/** What a prototype PTE holds when its page is not in memory: the mapped file's subsection. @param {Mode} mode @param {bigint} subsection */
export const subsectionEntry = (mode, subsection) => prototypeEntry(mode, subsection) | PROTECTION;
