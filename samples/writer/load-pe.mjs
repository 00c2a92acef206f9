import { Area } from "./bytes.mjs";

/**
 * Loads compiled PE files into a machine, as the kernel's loader leaves them: relocated, bound, INIT discarded,
 * calls to imports written over where that is asked for.
 *
 * @typedef {import("./machine.mjs").Machine} Machine
 * @typedef {{ section: string, first?: number, count?: number, state: import("./machine.mjs").PageState }} PageChange first, count: pages of the section; default all
 * @typedef {{
 *   base: bigint, name: string, path?: string, largePages?: readonly string[], keep?: readonly string[], pages?: readonly PageChange[],
 *   importOptimisation?: boolean, bindDelayed?: boolean, boundAt?: bigint,
 * }} LoadOptions name: the file name, by which other images import from it. largePages: sections that lie in large
 *   pages. keep: discardable sections that stay mapped, beside .rsrc. pages: what became of some pages afterwards.
 *   importOptimisation: write the form of Windows 10 and 11 over marked calls. bindDelayed: delayed imports were used.
 *   boundAt: where a boot driver stood when it was bound, before it was moved to its base
 * @typedef {{ name: string, rva: number, size: number, fileOffset: number, fileSize: number, flags: number }} Section
 * @typedef {{ dll: string, name: string | undefined, ordinal: number | undefined, slot: number, lookup: number }} Import slot: its RVA. lookup: the RVA of its look-up entry
 * @typedef {{
 *   base: bigint, size: number, name: string, path: string | undefined, entryPoint: bigint, timestamp: number, checksum: number, sections: Section[],
 *   exports: Map<string, bigint>, slots: Map<number, bigint>, rewritten: number[], file: Uint8Array, options: LoadOptions,
 * }} LoadedImage exports: by name and by `#ordinal`, forwarders followed. slots: RVA to the bound address. rewritten: RVAs of the calls that were written over and remain
 */

const EXECUTE = 0x20000000;
const WRITE = 0x80000000;
const DISCARDABLE = 0x02000000;

/** A PE file's fields, by RVA. */
class PeFile {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.file = new Area(bytes);
    const pe = this.file.readU32(0x3c);
    this.optional = pe + 24;
    this.is64 = this.file.readU16(this.optional) === 0x20b;
    this.timestamp = this.file.readU32(pe + 8);
    this.entry = this.file.readU32(this.optional + 16);
    this.base = this.is64
      ? this.file.readU64(this.optional + 24)
      : BigInt(this.file.readU32(this.optional + 28));
    this.size = this.file.readU32(this.optional + 56);
    this.headerSize = this.file.readU32(this.optional + 60);
    this.checksum = this.file.readU32(this.optional + 64);
    const table = this.optional + this.file.readU16(pe + 20);
    /** @type {Section[]} */
    this.sections = Array.from({ length: this.file.readU16(pe + 6) }, (_, i) => {
      const at = table + i * 40;
      const name = String.fromCharCode(...bytes.subarray(at, at + 8)).replace(/\0.*$/, "");
      const [size, rva, fileSize, fileOffset] = [8, 12, 16, 20].map((o) => this.file.readU32(at + o));
      return /** @type {Section} */ ({
        name,
        rva,
        size,
        fileSize,
        fileOffset,
        flags: this.file.readU32(at + 36),
      });
    });
  }

  /** @param {number} index @returns {[rva: number, size: number]} */
  directory(index) {
    const at = this.optional + (this.is64 ? 112 : 96) + index * 8;
    return [this.file.readU32(at), this.file.readU32(at + 4)];
  }

  /** @param {number} rva @returns {number} its file offset */
  offset(rva) {
    const section = this.sections.find((s) => rva >= s.rva && rva < s.rva + s.fileSize);
    if (section === undefined) throw new RangeError(`no file bytes at RVA 0x${rva.toString(16)}`);
    return section.fileOffset + rva - section.rva;
  }

  /** @param {number} rva */
  u32(rva) {
    return this.file.readU32(this.offset(rva));
  }

  /** @param {number} rva */
  text(rva) {
    const start = this.offset(rva);
    return String.fromCharCode(...this.file.bytes.subarray(start, this.file.bytes.indexOf(0, start)));
  }

  /** @returns {Map<string, number | string>} name or `#ordinal` to RVA or forwarder */
  exports() {
    const [rva, size] = this.directory(0);
    /** @type {Map<string, number | string>} */
    const found = new Map();
    if (rva === 0) return found;
    const [first, count, named, functions, names, ordinals] =
      /** @type {[number, number, number, number, number, number]} */ (
        [16, 20, 24, 28, 32, 36].map((o) => this.u32(rva + o))
      );
    const value = (/** @type {number} */ index) => {
      const target = this.u32(functions + index * 4);
      return target >= rva && target < rva + size ? this.text(target) : target;
    };
    for (let i = 0; i < count; i++)
      if (this.u32(functions + i * 4) !== 0) found.set(`#${first + i}`, value(i));
    for (let i = 0; i < named; i++)
      found.set(this.text(this.u32(names + i * 4)), value(this.file.readU16(this.offset(ordinals + i * 2))));
    return found;
  }

  /** @param {number} dllRva @param {number} names @param {number} slots @returns {Import[]} */
  #thunks(dllRva, names, slots) {
    const word = this.is64 ? 8 : 4;
    /** @type {Import[]} */
    const found = [];
    for (let i = 0; ; i += word) {
      const low = this.u32(names + i);
      const high = this.is64 ? this.u32(names + i + 4) : low;
      if (low === 0 && high === 0) return found;
      const byOrdinal = high >>> 31 === 1;
      found.push({
        dll: this.text(dllRva),
        name: byOrdinal ? undefined : this.text(low + 2),
        ordinal: byOrdinal ? low & 0xffff : undefined,
        slot: slots + i,
        lookup: names + i,
      });
    }
  }

  imports() {
    /** @type {Import[]} */
    const found = [];
    for (let [at] = this.directory(1); at !== 0 && this.u32(at + 12) !== 0; at += 20)
      found.push(...this.#thunks(this.u32(at + 12), this.u32(at), this.u32(at + 16)));
    return found;
  }

  delayed() {
    /** @type {Import[]} */
    const found = [];
    for (let [at] = this.directory(13); at !== 0 && this.u32(at + 4) !== 0; at += 32)
      found.push(...this.#thunks(this.u32(at + 4), this.u32(at + 16), this.u32(at + 12)));
    return found;
  }

  /** @returns {Generator<[rva: number, type: number]>} */
  *relocations() {
    const [rva, size] = this.directory(5);
    for (let at = rva; at < rva + size; ) {
      const [page, length] = [this.u32(at), this.u32(at + 4)];
      if (length < 8) throw new RangeError("a relocation block shorter than its header");
      for (let i = 8; i < length; i += 2) {
        const entry = this.file.readU16(this.offset(at + i));
        if (entry >> 12 !== 0) yield [page + (entry & 0xfff), entry >> 12];
      }
      at += length;
    }
  }
}

/**
 * Maps one file at its base, relocated but not yet bound.
 * @param {Machine} machine @param {Uint8Array} bytes @param {LoadOptions} options
 * @returns {LoadedImage & { pe: PeFile }}
 */
function place(machine, bytes, options) {
  const pe = new PeFile(bytes);
  const { base } = options;
  const va = (/** @type {number} */ rva) => base + BigInt(rva);
  machine.map(base, pe.headerSize, { executable: false, writable: false });
  machine.write(base, bytes.subarray(0, pe.headerSize));
  for (const section of pe.sections) {
    const length = Math.max(section.size, 1);
    // what shares a large page with another section is mapped with it
    if (machine.isMapped(va(section.rva))) continue;
    const large = options.largePages?.includes(section.name) ?? false;
    machine.map(
      va(section.rva),
      length,
      large
        ? { large }
        : { executable: (section.flags & EXECUTE) !== 0, writable: (section.flags & WRITE) >>> 0 !== 0 },
    );
    machine.write(
      va(section.rva),
      bytes.subarray(section.fileOffset, section.fileOffset + Math.min(section.fileSize, length)),
    );
  }
  const delta = base - pe.base;
  for (const [rva, type] of pe.relocations()) {
    if (type === 10) machine.u64(va(rva), new Area(machine.read(va(rva), 8)).readU64(0) + delta);
    else if (type === 3)
      machine.u32(va(rva), Number(BigInt.asUintN(32, BigInt(machine.readU32(va(rva))) + delta)));
    else throw new RangeError(`relocation type ${type}`);
  }
  const imageBase = va(pe.optional + (pe.is64 ? 24 : 28));
  if (pe.is64) machine.u64(imageBase, base);
  else machine.u32(imageBase, Number(base));
  return {
    pe,
    base,
    size: pe.size,
    name: options.name,
    path: options.path,
    entryPoint: va(pe.entry),
    timestamp: pe.timestamp,
    checksum: pe.checksum,
    sections: pe.sections,
    exports: new Map(),
    slots: new Map(),
    rewritten: [],
    file: bytes,
    options,
  };
}

/**
 * Writes over the calls that a current kernel writes over: `call [rip+slot]` with five bytes of filler becomes
 * `mov r10, [rip+slot]` and a direct call.
 * @param {Machine} machine @param {LoadedImage} image
 */
function optimise(machine, image) {
  for (const section of image.sections) {
    if ((section.flags & EXECUTE) === 0) continue;
    const start = image.base + BigInt(section.rva);
    const code = machine.read(start, section.size);
    for (let i = 0; i + 12 <= code.length; i++) {
      if (
        code[i] !== 0x48 ||
        code[i + 1] !== 0xff ||
        code[i + 2] !== 0x15 ||
        [0x0f, 0x1f, 0x44, 0, 0].some((b, k) => code[i + 7 + k] !== b)
      )
        continue;
      const displacement = new DataView(code.buffer, code.byteOffset + i + 3, 4).getInt32(0, true);
      const target = image.slots.get(section.rva + i + 7 + displacement);
      const distance = target === undefined ? undefined : target - (start + BigInt(i + 12));
      if (distance === undefined || distance !== BigInt.asIntN(32, distance)) continue;
      machine.write(start + BigInt(i), Uint8Array.of(0x4c, 0x8b, 0x15));
      machine
        .u8(start + BigInt(i + 7), 0xe8)
        .u32(start + BigInt(i + 8), Number(BigInt.asUintN(32, distance)));
      image.rewritten.push(section.rva + i);
    }
  }
}

/**
 * Loads images that import from one another.
 * @param {Machine} machine @param {readonly { file: Uint8Array, options: LoadOptions }[]} images
 * @returns {LoadedImage[]} in the order given; each serves as an entry of writeModuleList
 */
export function loadImages(machine, images) {
  const placed = images.map(({ file, options }) => place(machine, file, options));
  const byName = new Map(placed.map((image) => [image.name.toLowerCase().replace(/\.\w+$/, ""), image]));
  const declared = new Map(placed.map((image) => [image, image.pe.exports()]));
  /** @type {(dll: string, name: string, depth?: number) => bigint} */
  const resolve = (/** @type {string} */ dll, /** @type {string} */ name, depth = 0) => {
    const image = byName.get(dll.toLowerCase().replace(/\.(exe|dll|sys)$/, ""));
    const target = image === undefined ? undefined : declared.get(image)?.get(name);
    if (image === undefined || target === undefined || depth > 8)
      throw new RangeError(`${dll}!${name} is not exported`);
    if (typeof target === "number") return image.base + BigInt(target);
    const dot = target.lastIndexOf(".");
    return resolve(target.slice(0, dot), target.slice(dot + 1), depth + 1);
  };
  for (const image of placed) {
    for (const name of /** @type {Map<string, number | string>} */ (declared.get(image)).keys())
      image.exports.set(name, resolve(image.name, name));
    const bound = [...image.pe.imports(), ...(image.options.bindDelayed ? image.pe.delayed() : [])];
    for (const { dll, name, ordinal, slot } of bound) {
      const target = resolve(dll, name ?? `#${ordinal}`);
      image.slots.set(slot, target);
      machine.pointer(image.base + BigInt(slot), target);
    }
    // As it binds, the loader makes addresses of the entries that lead to names; no relocation covers them.
    for (const { name, lookup } of image.pe.imports()) {
      if (name === undefined) continue;
      const at = image.base + BigInt(lookup);
      machine.pointer(at, (image.options.boundAt ?? image.base) + BigInt(machine.readU32(at)));
    }
  }
  return placed.map(({ pe, ...image }) => {
    if (image.options.importOptimisation) optimise(machine, image);
    for (const section of image.sections) {
      const stays = section.name === ".rsrc" || image.options.keep?.includes(section.name);
      const va = image.base + BigInt(section.rva);
      if ((section.flags & DISCARDABLE) === 0 || stays) continue;
      image.rewritten = image.rewritten.filter(
        (rva) => rva < section.rva || rva >= section.rva + section.size,
      );
      if (isLarge(image, section)) machine.setState(va, section.size, "not-in-dump");
      else machine.unmap(va, section.size);
    }
    for (const { section: name, first = 0, count, state } of image.options.pages ?? []) {
      const section = image.sections.find((s) => s.name === name);
      if (section === undefined) throw new RangeError(`${image.name} has no section ${name}`);
      const pages = count ?? Math.ceil(section.size / 0x1000) - first;
      machine.setState(image.base + BigInt(section.rva + first * 0x1000), pages * 0x1000, state);
    }
    return image;
  });
}

/** Whether the section shares the 2 MB of one that lies in large pages. @param {LoadedImage} image @param {Section} section */
function isLarge(image, section) {
  const block = (/** @type {Section} */ s) => (image.base + BigInt(s.rva)) >> 21n;
  return image.sections.some(
    (s) => image.options.largePages?.includes(s.name) && block(s) === block(section),
  );
}
