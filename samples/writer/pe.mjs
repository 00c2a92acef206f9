import { Area, alignUp, ascii } from "./bytes.mjs";

/**
 * @typedef {{ name: string, rva: number, size: number, characteristics?: number, fileSize?: number, fileOffset?: number }} SectionSpec
 *   size: bytes in memory. fileSize and fileOffset: by default the size aligned, in order.
 * @typedef {{
 *   is64?: boolean, machine?: number, base: bigint, preferredBase?: bigint, size: number, headerSize?: number, sectionAlignment?: number, fileAlignment?: number,
 *   entry?: number, timestamp?: number, checksum?: number, linker?: readonly [number, number], osVersion?: readonly [number, number], imageVersion?: readonly [number, number],
 *   subsystemVersion?: readonly [number, number], characteristics?: number, dllCharacteristics?: number, stub?: number, baseOfCode?: number,
 *   sizeOfCode?: number, sizeOfInitializedData?: number, sections: readonly SectionSpec[],
 * }} ImageSpec base: where it is loaded. preferredBase: what the header says; default base. stub: offset of the PE header.
 */

/** Section characteristics. */
export const CODE = 0x68000020;
export const PAGED_CODE = 0x60000020;
export const INIT_CODE = 0xe2000020;
export const RDATA = 0x48000040;
export const DATA = 0xc8000040;
export const PAGED_DATA = 0xc0000040;
export const RSRC = 0x42000040;
export const RELOC = 0x42000040;

/** Directory numbers. */
const DIRECTORY = {
  export: 0,
  import: 1,
  resource: 2,
  exception: 3,
  security: 4,
  relocation: 5,
  debug: 6,
  loadConfig: 10,
  boundImport: 11,
  iat: 12,
  delayImport: 13,
};

/** A PE image in its memory layout, with what is needed to give its file layout too. */
export class Image {
  /** @param {ImageSpec} spec */
  constructor(spec) {
    this.spec = spec;
    this.is64 = spec.is64 ?? false;
    this.base = spec.base;
    this.preferredBase = spec.preferredBase ?? spec.base;
    this.size = spec.size;
    this.memory = new Area(spec.size);
    this.sectionAlignment = spec.sectionAlignment ?? 0x1000;
    this.fileAlignment = spec.fileAlignment ?? 0x200;
    this.headerSize = spec.headerSize ?? 0x400;
    /** @type {Map<number, [rva: number, size: number]>} */
    this.directories = new Map();
    /** @type {Set<number>} RVAs of pointers that a loader would move */
    this.relocations = new Set();
    /** @type {Map<number, bigint>} IAT slot's RVA to what the file holds there */
    this.unboundSlots = new Map();
    let offset = this.headerSize;
    this.sections = spec.sections.map((section) => {
      const fileSize = section.fileSize ?? alignUp(section.size, this.fileAlignment);
      const placed = {
        characteristics: CODE,
        ...section,
        fileSize,
        fileOffset: section.fileOffset ?? offset,
      };
      offset = placed.fileOffset + fileSize;
      return placed;
    });
    this.fileLength = offset;
  }

  /** @param {number} rva */
  va(rva) {
    return this.base + BigInt(rva);
  }

  /** @param {bigint} va */
  rva(va) {
    return Number(va - this.base);
  }

  /** @param {number} rva @param {Uint8Array} bytes */
  put(rva, bytes) {
    this.memory.put(rva, bytes);
    return this;
  }

  /** @param {number} rva @param {bigint | number} value a loaded address: a loader moves it */
  putAddress(rva, value) {
    if (this.is64) this.memory.u64(rva, value);
    else this.memory.u32(rva, Number(value));
    this.relocations.add(rva);
    return this;
  }

  /** @param {keyof typeof DIRECTORY} name @param {number} rva @param {number} size */
  directory(name, rva, size) {
    this.directories.set(DIRECTORY[name], [rva, size]);
    return this;
  }

  /** Writes the headers into the memory image; call it last. */
  finish() {
    const { spec, memory, is64 } = this;
    const pe = spec.stub ?? 0xe0;
    const optionalSize = is64 ? 0xf0 : 0xe0;
    memory
      .ascii(0, "MZ")
      .u16(2, 0x90)
      .u16(4, 3)
      .u16(8, 4)
      .u16(0xc, 0xffff)
      .u16(0x10, 0xb8)
      .u16(0x18, 0x40)
      .u32(0x3c, pe);
    memory.ascii(0x4e, "This program cannot be run in DOS mode.\r\r\n$");
    memory
      .put(pe, ascii("PE\0\0"))
      .u16(pe + 4, spec.machine ?? (is64 ? 0x8664 : 0x14c))
      .u16(pe + 6, this.sections.length)
      .u32(pe + 8, spec.timestamp ?? 0);
    memory.u16(pe + 20, optionalSize).u16(pe + 22, spec.characteristics ?? (is64 ? 0x22 : 0x102));
    const at = pe + 24;
    const isCode = (/** @type {number} */ c) => (c & 0x20) !== 0;
    const sum = (/** @type {boolean} */ code) =>
      this.sections.filter((s) => isCode(s.characteristics) === code).reduce((n, s) => n + s.fileSize, 0);
    memory
      .u16(at, is64 ? 0x20b : 0x10b)
      .u8(at + 2, spec.linker?.[0] ?? 9)
      .u8(at + 3, spec.linker?.[1] ?? 0);
    memory
      .u32(at + 4, spec.sizeOfCode ?? sum(true))
      .u32(at + 8, spec.sizeOfInitializedData ?? sum(false))
      .u32(at + 16, spec.entry ?? 0);
    memory.u32(at + 20, spec.baseOfCode ?? this.sections[0]?.rva ?? 0);
    if (is64) memory.u64(at + 24, this.preferredBase);
    else
      memory
        .u32(at + 24, this.sections.find((s) => !isCode(s.characteristics))?.rva ?? 0)
        .u32(at + 28, Number(this.preferredBase));
    memory.u32(at + 32, this.sectionAlignment).u32(at + 36, this.fileAlignment);
    const versions = [spec.osVersion ?? [5, 2], spec.imageVersion ?? [5, 2], spec.subsystemVersion ?? [5, 2]];
    for (const [i, [major, minor]] of versions.entries())
      memory.u16(at + 40 + i * 4, major).u16(at + 42 + i * 4, minor);
    memory
      .u32(at + 56, spec.size)
      .u32(at + 60, this.headerSize)
      .u32(at + 64, spec.checksum ?? 0)
      .u16(at + 68, 1)
      .u16(at + 70, spec.dllCharacteristics ?? 0);
    const reserves = [0x40000, 0x1000, 0x100000, 0x1000];
    for (const [i, value] of reserves.entries()) {
      if (is64) memory.u64(at + 72 + i * 8, value);
      else memory.u32(at + 72 + i * 4, value);
    }
    const directories = at + (is64 ? 112 : 96);
    memory.u32(directories - 4, 16);
    for (const [index, [rva, size]] of this.directories)
      memory.u32(directories + index * 8, rva).u32(directories + index * 8 + 4, size);
    this.sections.forEach((section, i) => {
      const header = at + optionalSize + i * 40;
      if (header + 40 > this.headerSize) throw new RangeError("the section table is past the headers");
      memory
        .ascii(header, section.name.padEnd(8, "\0").slice(0, 8))
        .u32(header + 8, section.size)
        .u32(header + 12, section.rva);
      memory
        .u32(header + 16, section.fileSize)
        .u32(header + 20, section.fileSize === 0 ? 0 : section.fileOffset)
        .u32(header + 36, section.characteristics);
    });
    return this;
  }

  /** The file form: sections at their file offsets, addresses for the preferred base, IAT slots as a linker leaves them. @returns {Uint8Array} */
  file() {
    const memory = new Area(this.memory.bytes.slice());
    const delta = this.preferredBase - this.base;
    for (const rva of this.relocations) {
      if (this.is64) memory.u64(rva, memory.readU64(rva) + delta);
      else memory.u32(rva, Number(BigInt.asUintN(32, BigInt(memory.readU32(rva)) + delta)));
    }
    for (const [rva, value] of this.unboundSlots) {
      if (this.is64) memory.u64(rva, value);
      else memory.u32(rva, Number(value));
    }
    const file = new Uint8Array(this.fileLength);
    file.set(memory.bytes.subarray(0, this.headerSize));
    for (const { rva, size, fileSize, fileOffset } of this.sections)
      file.set(memory.bytes.subarray(rva, rva + Math.min(size, fileSize)), fileOffset);
    return file;
  }
}
