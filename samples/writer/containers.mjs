import { deflateSync } from "node:zlib";
import { Area, alignUp, ascii } from "./bytes.mjs";
import { dumpHeader, runsOf } from "./dump.mjs";

/**
 * One machine's memory in the files of virtual machines and of tools that copy it. Layouts: QEMU's and VirtualBox's sources,
 * crash-utility's reader of VMware's files.
 *
 * @typedef {import("./machine.mjs").Machine} Machine
 * @typedef {import("./dump.mjs").HeaderFields} HeaderFields
 * @typedef {[base: number, count: number]} Run pages
 * @typedef {{ rip: bigint, rsp: bigint, gs?: bigint, kernelGs?: bigint, idt?: bigint, syscall?: bigint, cr3?: bigint }} Processor cr3: 0 for one that never ran
 */

const PAGE = 0x1000;
const GUEST_HEADER = { 32: 0x1000, 64: 0x2000 };

/** @param {string} name @param {number} type @param {Uint8Array} content @param {number} nameSize */
function note(name, type, content, nameSize = name.length + 1) {
  const area = new Area(12 + alignUp(nameSize, 4) + alignUp(content.length, 4));
  area.u32(0, nameSize).u32(4, content.length).u32(8, type).ascii(12, name);
  return area.put(12 + alignUp(nameSize, 4), content).bytes;
}

/** QEMUCPUState. @param {Machine} machine @param {Processor} processor */
function qemuState(
  machine,
  { rip, rsp, gs = 0n, kernelGs = 0n, idt = 0n, cr3 = machine.directoryTableBase },
) {
  const area = new Area(0x1b8).u32(0, 1).u32(4, 0x1b8);
  area
    .u64(0x08 + 6 * 8, rsp)
    .u64(0x88, rip)
    .u64(0x90, 0x246);
  area.u32(0x98, 0x10).u32(0xa0, machine.is64 ? 0x209b00 : 0xcf9b00);
  area.u64(0x108, gs).u64(0x180, idt);
  area
    .u64(0x188, cr3 === 0n ? 0x60000010n : 0x80050033n)
    .u64(0x1a0, cr3)
    .u64(0x1a8, 0x350ef8);
  return area.u64(0x1b0, kernelGs).bytes;
}

/** DBGFCORECPU. @param {Machine} machine @param {Processor} processor */
function vboxState(
  machine,
  { rip, rsp, gs = 0n, kernelGs = 0n, idt = 0n, syscall = 0n, cr3 = machine.directoryTableBase },
) {
  const area = new Area(0x238).u64(0x70, rip).u64(0x78, rsp);
  area
    .u64(0xf0, gs)
    .u64(0x120, cr3 === 0n ? 0x60000010n : 0x80050033n)
    .u64(0x130, cr3);
  return area
    .u64(0x190, idt)
    .u64(0x1e8, machine.is64 ? 0xd01n : 0n)
    .u64(0x208 - 8, syscall)
    .u64(0x218, kernelGs).bytes;
}

/**
 * The pages, run by run, as segments of a file.
 * @param {Machine} machine @param {readonly (readonly [number, Uint8Array])[]} pages
 * @returns {{ runs: Run[], bytes: Uint8Array[] }}
 */
function segmentsOf(machine, pages = [...machine.pages()]) {
  const runs = runsOf(pages.map(([pfn]) => pfn));
  let next = 0;
  const bytes = runs.map(([, count]) => {
    const area = new Area(count * PAGE);
    for (let i = 0; i < count; i++) area.put(i * PAGE, /** @type {any} */ (pages[next++])[1]);
    return area.bytes;
  });
  return { runs, bytes };
}

/**
 * An ELF core.
 * @param {Machine} machine @param {HeaderFields} header
 * @param {{ by: "qemu" | "virtualbox", processors: readonly Processor[], guestHeader?: boolean, paging?: boolean }} options
 *   guestHeader: a driver in the guest left a crash header for it. paging: segments by virtual address, which overlap
 */
export function elfCore(machine, header, { by, processors, guestHeader = false, paging = false }) {
  const room = GUEST_HEADER[machine.is64 ? 64 : 32];
  const notes =
    by === "qemu"
      ? [
          ...processors.map((_, i) =>
            note("CORE", 1, new Area(machine.is64 ? 0x150 : 0x90).u32(0x20, i + 1).bytes),
          ),
          ...processors.map((one) => note("QEMU", 0, qemuState(machine, one))),
          ...(guestHeader
            ? [note("VMCOREINFO", 0, dumpHeader(machine, 1, header, 0).bytes.subarray(0, room))]
            : []),
        ]
      : [
          note(
            "VBCORE",
            0xb00,
            new Area(0x18)
              .u32(0, 0xc01ac0de)
              .u32(4, 0x10006)
              .u32(8, 0x18)
              .u32(12, 0x7000000)
              .u32(20, processors.length).bytes,
            6,
          ),
          ...processors.map((one) => note("VBCPU", 0xb01, vboxState(machine, one), 5)),
        ];
  const { runs, bytes } = segmentsOf(machine);
  // memory of devices stands among the segments, and a range without bytes
  const more = /** @type {const} */ ([0xfd000, 0xfffc0]).map((pfn) => ({
    pfn,
    bytes: new Uint8Array(PAGE).fill(0xee),
  }));
  const loads = [
    ...runs.map(([pfn], i) => ({ pfn, bytes: /** @type {Uint8Array} */ (bytes[i]) })),
    ...more.filter(({ pfn }) => !runs.some(([base, count]) => pfn >= base && pfn < base + count)),
  ];
  const notesSize = notes.reduce((n, one) => n + one.length, 0);
  const headersAt = 0xc0;
  const count = loads.length + 2 + (paging ? loads.length : 0);
  const notesAt = headersAt + count * 0x38;
  const dataAt = notesAt + notesSize;
  const file = new Area(dataAt + loads.reduce((n, one) => n + one.bytes.length, 0));
  file.put(0, Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, by === "qemu" ? 1 : 0));
  file
    .u16(0x10, 4)
    .u16(0x12, machine.is64 ? 0x3e : 3)
    .u32(0x14, 1)
    .u64(0x20, headersAt)
    .u64(0x28, 0x40);
  file.u16(0x34, 0x40).u16(0x36, 0x38).u16(0x38, count);
  let row = headersAt;
  const segment = (
    /** @type {number} */ type,
    /** @type {number} */ offset,
    /** @type {number} */ physical,
    /** @type {number} */ size,
    /** @type {number} */ memory,
  ) => {
    file
      .u32(row, type)
      .u64(row + 8, offset)
      .u64(row + 0x18, physical)
      .u64(row + 0x20, size)
      .u64(row + 0x28, memory);
    row += 0x38;
  };
  segment(4, notesAt, 0, notesSize, notesSize);
  segment(1, 0, 0xfee00000, 0, PAGE);
  let at = notesAt;
  for (const one of notes) {
    file.put(at, one);
    at += one.length;
  }
  for (const { pfn, bytes: held } of loads) {
    file.put(at, held);
    segment(1, at, pfn * PAGE, held.length, held.length);
    // the same pages again, by another address
    if (paging) segment(1, at, pfn * PAGE, PAGE, 2 * PAGE);
    at += held.length;
  }
  return file.bytes;
}

/**
 * A compressed core as makedumpfile and QEMU write it; zero pages share one that is stored.
 * @param {Machine} machine @param {HeaderFields} header @param {readonly Processor[]} processors
 * @param {{ flattened?: boolean, guestHeader?: boolean }} [options]
 */
export function kdump(machine, header, processors, { flattened = false, guestHeader = false } = {}) {
  const notes = segmentNotes(machine, header, processors, guestHeader);
  const pages = [...machine.pages()];
  const top = (pages.at(-1)?.[0] ?? 0) + 1;
  const bitmapBlocks = 2 * Math.ceil(top / (8 * PAGE));
  const bitmap = new Area((bitmapBlocks / 2) * PAGE);
  for (const [pfn] of pages)
    bitmap.u8(pfn >> 3, /** @type {number} */ (bitmap.bytes[pfn >> 3]) | (1 << (pfn & 7)));
  const notesAt = 2 * PAGE;
  const subBlocks = 1 + Math.ceil(notes.length / PAGE);
  const descriptorsAt = (1 + subBlocks + bitmapBlocks) * PAGE;
  const packed = pages.map(([, bytes]) => {
    const small = deflateSync(bytes);
    return small.length < PAGE ? { flags: 1, bytes: new Uint8Array(small) } : { flags: 0, bytes };
  });
  const zero = new Uint8Array(PAGE);
  let at = descriptorsAt + pages.length * 24;
  const zeroAt = at;
  at += PAGE;
  const places = packed.map(({ flags, bytes }, i) => {
    if (/** @type {any} */ (pages[i])[1].every((/** @type {number} */ b) => b === 0))
      return { offset: zeroAt, size: PAGE, flags: 0 };
    const place = { offset: at, size: bytes.length, flags };
    at += bytes.length;
    return place;
  });
  const file = new Area(at);
  file.ascii(0, "KDUMP   ").u32(8, 6);
  for (const [i, value] of [
    1,
    PAGE,
    subBlocks,
    bitmapBlocks,
    top,
    top,
    0,
    pages.length,
    0,
    processors.length,
  ].entries())
    file.u32(0x1a8 + i * 4, value);
  file
    .u32(PAGE + 8, 1)
    .u64(PAGE + 0x30, notesAt)
    .u64(PAGE + 0x38, notes.length)
    .u64(PAGE + 0x60, top);
  file.put(notesAt, notes);
  file
    .put((1 + subBlocks) * PAGE, bitmap.bytes)
    .put((1 + subBlocks) * PAGE + bitmap.bytes.length, bitmap.bytes);
  file.put(zeroAt, zero);
  for (const [i, { offset, size, flags }] of places.entries()) {
    const row = descriptorsAt + i * 24;
    file
      .u64(row, offset)
      .u32(row + 8, size)
      .u32(row + 12, flags);
    if (offset !== zeroAt) file.put(offset, /** @type {any} */ (packed[i]).bytes);
  }
  return flattened ? flatten(file.bytes) : file.bytes;
}

/** @param {Machine} machine @param {HeaderFields} header @param {readonly Processor[]} processors @param {boolean} guestHeader */
function segmentNotes(machine, header, processors, guestHeader) {
  const room = GUEST_HEADER[machine.is64 ? 64 : 32];
  const all = [
    ...processors.map((one) => note("QEMU", 0, qemuState(machine, one))),
    ...(guestHeader
      ? [note("VMCOREINFO", 0, dumpHeader(machine, 1, header, 0).bytes.subarray(0, room))]
      : []),
  ];
  const area = new Area(all.reduce((n, one) => n + one.length, 0));
  let at = 0;
  for (const one of all) {
    area.put(at, one);
    at += one.length;
  }
  return area.bytes;
}

/** The flattened form: records in whatever order, the first block last. @param {Uint8Array} plain */
function flatten(plain) {
  const size = 0x3000;
  const pieces = Array.from({ length: Math.ceil(plain.length / size) }, (_, i) => i * size);
  const order = [...pieces.slice(1), 0];
  const file = new Area(PAGE + plain.length + (order.length + 1) * 16);
  const view = new DataView(file.bytes.buffer);
  file.ascii(0, "makedumpfile");
  view.setBigInt64(16, 1n);
  view.setBigInt64(24, 1n);
  let at = PAGE;
  for (const offset of order) {
    const bytes = plain.subarray(offset, offset + size);
    view.setBigInt64(at, BigInt(offset));
    view.setBigInt64(at + 8, BigInt(bytes.length));
    file.put(at + 16, bytes);
    at += 16 + bytes.length;
  }
  view.setBigInt64(at, -1n);
  view.setBigInt64(at + 8, -1n);
  return file.bytes;
}

/** LiME: each run behind a header of its own. @param {Machine} machine */
export function lime(machine) {
  const { runs, bytes } = segmentsOf(machine);
  const file = new Area(bytes.reduce((n, one) => n + 0x20 + one.length, 0));
  let at = 0;
  for (const [i, [pfn, count]] of runs.entries()) {
    file
      .ascii(at, "EMiL")
      .u32(at + 4, 1)
      .u64(at + 8, pfn * PAGE)
      .u64(at + 16, (pfn + count) * PAGE - 1);
    file.put(at + 0x20, /** @type {Uint8Array} */ (bytes[i]));
    at += 0x20 + count * PAGE;
  }
  return file.bytes;
}

/** Physical memory as it is, with zeros where none is. @param {Machine} machine @param {{ pages?: number }} [options] pages: cut there */
export function raw(machine, { pages = machine.physicalPages } = {}) {
  const file = new Uint8Array(pages * PAGE);
  for (const [pfn, bytes] of machine.pages()) if (pfn < pages) file.set(bytes, pfn * PAGE);
  return file;
}

/** Physical memory without what is none. @param {Machine} machine @param {readonly Run[]} memory */
export function squeezed(machine, memory) {
  const file = new Uint8Array(memory.reduce((n, [, count]) => n + count, 0) * PAGE);
  const pages = machine.pages();
  let at = 0;
  for (const [base, count] of memory) {
    for (let i = 0; i < count; i++) {
      const bytes = pages.get(base + i);
      if (bytes !== undefined) file.set(bytes, at + i * PAGE);
    }
    at += count * PAGE;
  }
  return file;
}

/**
 * VMware's state of a machine, beside the `.vmem` with each register by itself, or with the memory in it and registers in blocks.
 * @param {Machine} machine @param {readonly Run[]} regions what the memory consists of, in the order of the file
 * @param {{ processors: readonly Processor[], memory?: Uint8Array }} options memory: written into it
 */
export function vmwareState(machine, regions, { processors, memory }) {
  const tag = (
    /** @type {string} */ name,
    /** @type {readonly number[]} */ indices,
    /** @type {Uint8Array} */ value,
  ) => {
    const area = new Area(2 + name.length + indices.length * 4 + value.length);
    area
      .u8(0, (indices.length << 6) | value.length)
      .u8(1, name.length)
      .ascii(2, name);
    for (const [i, index] of indices.entries()) area.u32(2 + name.length + i * 4, index);
    return area.put(2 + name.length + indices.length * 4, value).bytes;
  };
  const u32 = (/** @type {number} */ value) => new Area(4).u32(0, value).bytes;
  const u64 = (/** @type {bigint} */ value) => new Area(8).u64(0, value).bytes;
  let page = 0;
  const memoryTags = [
    tag("align_mask", [0], u32(0xffff)),
    ...(regions.length > 1 ? [tag("regionsCount", [], u32(regions.length))] : []),
    ...(regions.length > 1
      ? regions
          .map(([base, count], i) => {
            const from = page;
            page += count;
            return [
              tag("regionPPN", [i], u32(base)),
              tag("regionSize", [i], u32(count)),
              tag("regionPageNum", [i], u32(from)),
            ];
          })
          .reverse()
          .flat()
      : []),
  ];
  const cpuTags = [
    tag("cpu:numVCPUs", [], u32(processors.length)),
    ...processors.flatMap(({ rip, idt = 0n, cr3 = machine.directoryTableBase }, i) => {
      const cr0 = cr3 === 0n ? 0x60000010n : 0x80050033n;
      const registers =
        memory === undefined
          ? [
              tag("CR64", [i, 0], u64(cr0)),
              tag("CR64", [i, 3], u64(cr3)),
              tag("IDTR", [i, 0], u32(0xfff)),
              tag("IDTR", [i, 1], u32(Number(idt & 0xffffffffn))),
              tag("IDTR", [i, 2], u32(Number(idt >> 32n))),
            ]
          : [
              tag("CR64", [i], new Area(0x28).u64(0, cr0).u64(0x18, cr3).u64(0x20, 0x350ef8n).bytes),
              tag("IDTR", [i], new Area(10).u16(0, 0xfff).u64(2, idt).bytes),
            ];
      return [...registers, tag("rip", [i], u64(rip))];
    }),
  ];
  const join = (/** @type {readonly Uint8Array[]} */ parts) => {
    const area = new Area(parts.reduce((n, one) => n + one.length, 0));
    let at = 0;
    for (const one of parts) {
      area.put(at, one);
      at += one.length;
    }
    return area.bytes;
  };
  const end = new Uint8Array(2);
  const groups = [
    { name: "cpu", bytes: join([...cpuTags, end]) },
    { name: "memory", bytes: join([...memoryTags, ...(memory === undefined ? [end] : [])]) },
  ];
  const headersEnd = 12 + groups.length * 80;
  const padding = 0xfff;
  const name = "Memory";
  const block = memory === undefined ? 0 : 2 + name.length + 8 + 18 + padding + memory.length + 2;
  const file = new Area(headersEnd + groups.reduce((n, { bytes }) => n + bytes.length, 0) + block);
  file.u32(0, 0xbed2bed2).u32(4, 8).u32(8, groups.length);
  let at = headersEnd;
  for (const [i, { name: group, bytes }] of groups.entries()) {
    const row = 12 + i * 80;
    file
      .ascii(row, group)
      .u64(row + 64, at)
      .u64(row + 72, bytes.length + (group === "memory" ? block : 0));
    file.put(at, bytes);
    at += bytes.length;
  }
  if (memory !== undefined) {
    file
      .u8(at, (2 << 6) | 63)
      .u8(at + 1, name.length)
      .put(at + 2, ascii(name));
    at += 2 + name.length + 8;
    file
      .u64(at, memory.length)
      .u64(at + 8, memory.length)
      .u16(at + 16, padding);
    file.put(at + 18 + padding, memory);
  }
  return file.bytes;
}
