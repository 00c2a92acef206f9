import { Area, tagKey } from "./bytes.mjs";
import { processDetails } from "./kernel.mjs";

/** @typedef {import("./machine.mjs").Machine} Machine */

/**
 * Objects as the object manager makes them, in pool blocks, and the handle tables that lead to them. Layouts: public symbols
 * of XP to 19041; the same after that.
 *
 * @typedef {{ handles?: number, pointers?: number, parts?: readonly Part[], paged?: boolean, tag?: string }} ObjectOptions
 *   parts: what stands in front of the header. tag: another one than that of the type
 * @typedef {"creator" | "name" | "handle" | "quota" | "process" | "audit"} Part in the order of their bits
 * @typedef {{ address: bigint, index: number, name: string, tag: string, objects: number, handles: number }} Type
 */

/** From the type of types on, which has index 2. */
const TYPE_NAMES = [
  "Type",
  "Directory",
  "SymbolicLink",
  "Token",
  "Job",
  "Process",
  "Thread",
  "UserApcReserve",
  "IoCompletionReserve",
  "DebugObject",
  "Event",
  "Mutant",
  "Callback",
  "Semaphore",
  "Timer",
  "Profile",
  "KeyedEvent",
  "WindowStation",
  "Desktop",
  "Adapter",
  "Device",
  "Driver",
  "IoCompletion",
  "File",
  "Section",
  "Key",
  "ALPC Port",
  "EtwRegistration",
];
/** @type {readonly Part[]} */
const PARTS = ["creator", "name", "handle", "quota", "process", "audit"];
/** Bytes of a part on 64 bits; half of it on 32. @type {Record<Part, number>} */
const PART_BYTES = { creator: 0x20, name: 0x20, handle: 0x10, quota: 0x20, process: 0x10, audit: 0x10 };

/** OBJECT_TYPE by build. */
const TYPE_LAYOUTS = {
  32: [
    { build: 2600, list: 0x38, name: 0x40, index: 0x4c, key: 0xac, size: 0x190 },
    { build: 6001, list: 0, name: 8, index: 0x14, key: 0xb4, size: 0x140 },
    { build: 7600, list: 0, name: 8, index: 0x14, key: 0x7c, size: 0x88 },
    { build: 9200, list: 0, name: 8, index: 0x14, key: 0x84, size: 0x90 },
  ],
  64: [
    { build: 3790, list: 0x68, name: 0x78, index: 0x90, key: 0x118, size: 0x2c0 },
    { build: 6001, list: 0, name: 0x10, index: 0x28, key: 0x120, size: 0x238 },
    { build: 7600, list: 0, name: 0x10, index: 0x28, key: 0xb8, size: 0xd0 },
    { build: 9200, list: 0, name: 0x10, index: 0x28, key: 0xc0, size: 0xd8 },
  ],
};
/** HANDLE_TABLE by build. `lists`: the first of the free lists, each with its own count. */
const TABLE_LAYOUTS = {
  32: [
    { build: 2600, code: 0, process: 4, pid: 8, links: 0x1c, count: 0x3c, size: 0x48 },
    { build: 6000, code: 0, process: 4, pid: 8, links: 0x10, count: 0x30, size: 0x40 },
    { build: 9200, code: 8, process: 0xc, pid: 0x18, links: 0x10, lists: 0x28 + 0xc, size: 0x60 },
  ],
  64: [
    { build: 3790, code: 0, process: 8, pid: 0x10, links: 0x38, count: 0x68, size: 0x70 },
    { build: 6000, code: 0, process: 8, pid: 0x10, links: 0x20, count: 0x58, size: 0x70 },
    { build: 9200, code: 8, process: 0x10, pid: 0x28, links: 0x18, lists: 0x40 + 0x18, size: 0x80 },
  ],
};
/** Handles that every process has. */
export const USUAL = /** @type {const} */ ([
  { type: "Event", bytes: 0x20, count: 12 },
  { type: "Key", bytes: 0x40, count: 5 },
  { type: "File", bytes: 0xd8, count: 4 },
  { type: "Section", bytes: 0x40, count: 3 },
]);

/** A process's usual handles, each to an object of its own. @param {ObjectWriter} writer */
export function usualHandles(writer) {
  return USUAL.flatMap(({ type, bytes, count }) =>
    Array.from({ length: count }, () => ({ type, object: writer.object(type, bytes, { handles: 1 }) })),
  );
}

/** @template {{ build: number }} T @param {readonly T[]} rows @param {number} build @returns {T} */
const forBuild = (rows, build) => /** @type {T} */ (rows.findLast((row) => row.build <= build) ?? rows[0]);

/** Pool pages that are filled block by block, each with the size of the one before it. */
class Blocks {
  #page = 0n;
  #at = 0x1000;
  #previous = 0;

  /** @param {Machine} machine @param {boolean} paged */
  constructor(machine, paged) {
    this.machine = machine;
    this.paged = paged;
  }

  /** @param {string} tag @param {number} bytes of its contents @returns {bigint} where they begin */
  block(tag, bytes) {
    const unit = this.machine.is64 ? 16 : 8;
    const size = Math.ceil(bytes / unit) * unit + unit;
    if (size > 0x1000) throw new RangeError(`${size} bytes are no small block`);
    if (this.#at + size > 0x1000) {
      this.finish();
      this.#page = this.machine.allocate(0x1000, { align: 0x1000, paged: this.paged });
      this.#at = 0;
      this.#previous = 0;
    }
    return this.#header(tag, size, false);
  }

  /** The rest of the page becomes a free block. */
  finish() {
    if (this.#at < 0x1000) this.#header("Free", 0x1000 - this.#at, true);
  }

  /** @param {string} tag @param {number} size @param {boolean} free */
  #header(tag, size, free) {
    const { machine, paged } = this;
    const unit = machine.is64 ? 16 : 8;
    // before Vista the type is stored plus one
    const type = free ? 0 : machine.build < 6000 ? (paged ? 2 : 1) : paged ? 3 : 2;
    const area = new Area(unit);
    const units = size / unit;
    if (machine.is64)
      area
        .u8(0, this.#previous)
        .u8(2, units & 0xff)
        .u8(3, type);
    else area.u16(0, this.#previous).u16(2, (units & 0x1ff) | (type << 9));
    machine.write(this.#page + BigInt(this.#at), area.u32(4, tagKey(tag)).bytes);
    const contents = this.#page + BigInt(this.#at + unit);
    this.#at += size;
    this.#previous = units;
    return contents;
  }
}

export class ObjectWriter {
  /** @type {Map<string, Type>} */ types = new Map();
  #links = /** @type {bigint[]} */ ([]);

  /** @param {Machine} machine @param {{ cookie?: number, typeTable?: bigint }} [options] cookie: from Windows 10 on. typeTable: ObTypeIndexTable, from Windows 7 on */
  constructor(machine, { cookie = 0x5a, typeTable } = {}) {
    this.machine = machine;
    this.cookie = machine.build >= 10240 ? cookie : 0;
    this.pools = { paged: new Blocks(machine, true), nonPaged: new Blocks(machine, false) };
    this.headerSize = machine.is64 ? 0x30 : 0x18;
    this.typeTable = typeTable;
    this.#makeTypes();
  }

  /** @param {string} name */
  type(name) {
    const type = this.types.get(name);
    if (type === undefined) throw new RangeError(`no type ${name}`);
    return type;
  }

  /**
   * Room for an object with its header in front of it.
   * @param {string} name of its type @param {number} bytes @param {ObjectOptions} [options]
   * @returns {bigint} the object's address
   */
  object(name, bytes, { handles = 0, pointers = 1, parts = ["quota"], paged = false, tag } = {}) {
    const type = this.type(name);
    type.objects++;
    return this.#make(bytes, { handles, pointers, parts, paged, tag: tag ?? type.tag, type });
  }

  /** @param {number} bytes @param {Required<ObjectOptions> & { type: Type }} options */
  #make(bytes, { handles, pointers, parts, paged, tag, type }) {
    const { machine } = this;
    const word = machine.pointerSize;
    const half = machine.is64 ? 1 : 2;
    const inFront = parts.reduce((sum, part) => sum + PART_BYTES[part] / half, 0);
    // until Windows 8 the tags of processes and threads had the bit of protected allocations
    const kept =
      machine.build < 9200 && /^(Proc|Thre)$/.test(tag)
        ? tag.slice(0, 3) + String.fromCharCode(tag.charCodeAt(3) | 0x80)
        : tag;
    const start = (paged ? this.pools.paged : this.pools.nonPaged).block(
      kept,
      inFront + this.headerSize + bytes,
    );
    const header = start + BigInt(inFront);
    const at = (/** @type {number} */ offset) => header + BigInt(offset);
    machine.pointer(header, pointers).pointer(at(word), handles);
    if (machine.build < 7600) {
      machine.pointer(at(2 * word), type.address);
      // each part's distance from the header; the creator's stands next to it and has a flag
      let distance = parts.includes("creator") ? PART_BYTES.creator / half : 0;
      machine.u8(at(3 * word + 3), parts.includes("creator") ? 4 : 0);
      for (const [i, part] of /** @type {const} */ (["name", "handle", "quota"]).entries()) {
        if (!parts.includes(part)) continue;
        distance += PART_BYTES[part] / half;
        machine.u8(at(3 * word + i), distance);
      }
    } else {
      const disguise = machine.build >= 10240 ? Number((header >> 8n) & 0xffn) ^ this.cookie : 0;
      machine.u8(at(3 * word), type.index ^ disguise);
      machine.u8(
        at(3 * word + 2),
        parts.reduce((mask, part) => mask | (1 << PARTS.indexOf(part)), 0),
      );
    }
    return header + BigInt(this.headerSize);
  }

  /** How many references and handles an object has from now on. @param {bigint} object @param {number} pointers @param {number} handles */
  setCounts(object, pointers, handles) {
    const header = object - BigInt(this.headerSize);
    this.machine.pointer(header, pointers).pointer(header + BigInt(this.machine.pointerSize), handles);
  }

  #makeTypes() {
    const { machine } = this;
    const at = forBuild(TYPE_LAYOUTS[machine.is64 ? 64 : 32], machine.build);
    // the type of types is its own type: its header needs its address before it is made
    /** @type {Type | undefined} */ let first;
    for (const [i, name] of TYPE_NAMES.entries()) {
      const tag = name === "Type" ? "ObjT" : name.slice(0, 4).padEnd(4, " ");
      /** @type {Type} */
      const type = { address: 0n, index: i + 2, name, tag, objects: 0, handles: 0 };
      first ??= type;
      type.address = this.#make(at.size, {
        handles: 0,
        pointers: 2,
        parts: ["creator", "name"],
        paged: false,
        tag: "ObjT",
        type: first,
      });
      if (machine.build < 7600 && type === first)
        machine.pointer(type.address - BigInt(this.headerSize - 2 * machine.pointerSize), type.address);
      first.objects++;
      machine.unicodeString(type.address + BigInt(at.name), name);
      machine
        .u32(type.address + BigInt(at.index), type.index)
        .u32(type.address + BigInt(at.key), tagKey(tag));
      if (this.typeTable !== undefined && machine.build >= 7600)
        machine.pointer(this.typeTable + BigInt(type.index * machine.pointerSize), type.address);
      this.types.set(name, type);
    }
    const creator = BigInt(this.headerSize + PART_BYTES.creator / (machine.is64 ? 1 : 2));
    const all = [...this.types.values()];
    machine.linkList([
      this.type("Type").address + BigInt(at.list),
      ...all.map((type) => type.address - creator),
    ]);
  }

  /**
   * Gives a process a table with a handle to each of the objects, and counts the handles with their types.
   * @param {bigint} process @param {number} pid @param {readonly { type: string, object: bigint }[]} targets
   * @param {{ levels?: 0 | 1 | 2, free?: number }} [options] levels: as many as are needed, or more. free: every so many-th entry is free
   * @returns {bigint} the table
   */
  handleTable(process, pid, targets, { levels, free } = {}) {
    const entries = [];
    for (const target of targets) {
      if (free !== undefined && entries.length % free === free - 1) entries.push(undefined);
      this.type(target.type).handles++;
      entries.push(target);
    }
    return this.#table(process, pid, entries, { levels });
  }

  /** @param {bigint} process 0 for none @param {number} pid @param {({ object: bigint } | undefined)[]} entries @param {{ levels?: number | undefined }} options */
  #table(process, pid, entries, { levels }) {
    const { machine } = this;
    const word = machine.pointerSize;
    const perPage = 0x1000 / (2 * word);
    const used = entries.filter((entry) => entry !== undefined).length;
    const pages = [];
    do pages.push(this.#entryPage(entries.splice(0, perPage - 1)));
    while (entries.length > 0);
    const fanOut = 0x1000 / word;
    const needed = pages.length === 1 ? 0 : pages.length <= fanOut ? 1 : 2;
    const depth = Math.max(levels ?? 0, needed);
    let row = pages;
    for (let level = 1; level < depth; level++)
      row = Array.from({ length: Math.ceil(row.length / fanOut) }, (_, i) =>
        this.#pointerPage(row.slice(i * fanOut, (i + 1) * fanOut)),
      );
    const root = depth === 0 ? row[0] : this.#topPage(row, depth);
    const at = forBuild(TABLE_LAYOUTS[machine.is64 ? 64 : 32], machine.build);
    const table = this.pools.paged.block("Obtb", at.size);
    const field = (/** @type {number} */ offset) => table + BigInt(offset);
    machine.pointer(field(at.code), /** @type {bigint} */ (root) + BigInt(depth));
    // the kernel's own table belongs to nobody
    machine.pointer(field(at.process), pid === 4 ? 0n : process).pointer(field(at.pid), pid);
    machine.u32(field("count" in at ? at.count : at.lists), used);
    this.#links.push(field(at.links));
    if (process !== 0n) machine.pointer(process + BigInt(processDetails(machine).table), table);
    return table;
  }

  /**
   * PspCidTable: processes and threads at their ids. Its entries lead to the objects, not to their headers.
   * @param {bigint} variable @param {ReadonlyMap<number, bigint>} objects by id, a multiple of 4
   */
  idTable(variable, objects) {
    const { machine } = this;
    const entries = [];
    for (let index = 1; index <= Math.max(...objects.keys()) / 4; index++) {
      const object = objects.get(index * 4);
      // what has no place in a page is its first entry
      if (index % (0x1000 / (2 * machine.pointerSize)) === 0) continue;
      entries.push(object === undefined ? undefined : { object: object + BigInt(this.headerSize) });
    }
    machine.pointer(variable, this.#table(0n, 0, entries, {}));
  }

  /** @param {readonly ({ object: bigint } | undefined)[]} entries entry 0 is no handle */
  #entryPage(entries) {
    const { machine } = this;
    const page = new Area(0x1000);
    const size = machine.is64 ? 16 : 8;
    for (const [i, entry] of entries.entries()) {
      const at = (i + 1) * size;
      if (entry === undefined) {
        // free: the second word leads to the next free one
        page.u32(at + size / 2, (i + 2) * 4);
        continue;
      }
      const header = entry.object - BigInt(this.headerSize);
      if (machine.is64) page.u64(at, this.#entryWord(header));
      else page.u32(at, Number(header) | 1);
      page.u32(at + size / 2, 0x1f0003);
    }
    const va = machine.allocate(0x1000, { align: 0x1000, paged: true });
    machine.write(va, page.bytes);
    return va;
  }

  /** The first word of an entry, with its lock open and all references that it takes in advance. @param {bigint} header */
  #entryWord(header) {
    const { build } = this.machine;
    if (build < 9200) return header | 1n;
    if (build < 9600) return (((header & 0x1fffffffffffn) >> 4n) << 23n) | (0x7ffffn << 1n) | 1n;
    return (((header & 0xffffffffffffn) >> 4n) << 20n) | (0x7fffn << 1n) | 1n;
  }

  /** @param {readonly bigint[]} pointers */
  #pointerPage(pointers) {
    const { machine } = this;
    const va = machine.allocate(0x1000, { align: 0x1000, paged: true });
    for (const [i, pointer] of pointers.entries())
      machine.pointer(va + BigInt(i * machine.pointerSize), pointer);
    return va;
  }

  /** The top of three levels is as long as it has to be for 16 million handles. @param {readonly bigint[]} pointers @param {number} depth */
  #topPage(pointers, depth) {
    if (depth === 1) return this.#pointerPage(pointers);
    const { machine } = this;
    const va = this.pools.paged.block("Obtb", machine.is64 ? 128 * 8 : 32 * 4);
    for (const [i, pointer] of pointers.entries())
      machine.pointer(va + BigInt(i * machine.pointerSize), pointer);
    return va;
  }

  /** Writes what the types count, and links the tables. */
  finish() {
    const { machine } = this;
    const at = forBuild(TYPE_LAYOUTS[machine.is64 ? 64 : 32], machine.build);
    for (const { address, objects, handles } of this.types.values())
      machine.u32(address + BigInt(at.index + 4), objects).u32(address + BigInt(at.index + 8), handles);
    machine.linkList(this.#links);
    this.pools.paged.finish();
    this.pools.nonPaged.finish();
  }
}
