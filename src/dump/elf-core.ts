import { PAGE_SIZE } from "../core/address.ts";
import { Bytes } from "../core/bytes.ts";
import { parseWith, readStruct, toAddress } from "../core/kaitai.ts";
import { MAX_PFN, MAX_SEGMENTS } from "../core/limits.ts";
import { ElfCore } from "../generated/elf_core.js";
import { type ByteSource, readAt } from "../source/source.ts";
import { readCoreNotes } from "./core-notes.ts";
import type { DumpFormat } from "./format.ts";
import { mapOf, type RunMap } from "./run-map.ts";

const MAGIC = 0x464c_457f;
const ET_CORE = 4;
const LITTLE_ENDIAN = 1;
/** e_ident: class and byte order. */
const CLASS = 4;
const DATA = 5;
const HEADER_SIZE = { 32: 0x34, 64: 0x40 } as const;
const SEGMENT_SIZE = { 32: 0x20, 64: 0x38 } as const;
/** e_phnum of a file that has more. */
const MANY = 0xffff;
/** sh_info of section header 0. */
const SECTION_INFO = { 32: 0x1c, 64: 0x2c } as const;
const PT_LOAD = 1;
const PT_NOTE = 4;
const EM_AARCH64 = 0xb7;
/** Page tables are read by words: a segment elsewhere is none that a virtual machine writes. */
const WORD = 4;

/**
 * Cores of virtual machines: QEMU's `dump-guest-memory`, libvirt's `dump --memory-only`, VirtualBox's `dumpvmcore`. Memory
 * stands in segments at any offset of the file, by its physical address; those that are no RAM are among them.
 */
export const elfCore: DumpFormat = {
  starts: "that of an ELF core",
  recognise: ({ array }) =>
    array.length >= 0x14 &&
    new DataView(array.buffer, array.byteOffset).getUint32(0, true) === MAGIC &&
    array[DATA] === LITTLE_ENDIAN &&
    new DataView(array.buffer, array.byteOffset).getUint16(0x10, true) === ET_CORE,
  open({ main }) {
    const { segments, notes, machine } = readSegments(main);
    const loads = segments.filter(({ type, fileSize }) => type === PT_LOAD && fileSize > 0);
    if (loads.length === 0)
      new Bytes(new Uint8Array(), main.name).fail(
        0,
        "the segments of the core",
        "memory in one of them",
        "none",
      );
    const { pages, notes: odd } = mapSegments(loads, main.size);
    const found = readCoreNotes(
      main,
      segments.filter(({ type }) => type === PT_NOTE),
    );
    const facts =
      machine === EM_AARCH64
        ? { ...found.facts, machine: { value: "arm64", source: found.facts.source } as const }
        : found.facts;
    return {
      source: main,
      kind: "elf-core",
      memory: { source: main, pages },
      facts,
      writer: found.writer,
      header: undefined,
      notes: [...notes, ...odd, ...found.notes],
    };
  },
};

/** A segment; places and sizes in bytes. */
interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly physical: number;
  readonly fileSize: number;
}

function readSegments(source: ByteSource): {
  readonly segments: readonly Segment[];
  readonly machine: number;
  readonly notes: readonly string[];
} {
  const bits = readAt(source, 0, 0x14).u8(CLASS, "the class of the ELF file") === 1 ? 32 : 64;
  const head = readAt(source, 0, HEADER_SIZE[bits]);
  const raw = readStruct(ElfCore.Header, head, "the ELF header", bits);
  const size = SEGMENT_SIZE[bits];
  if (raw.programHeaderSize !== size)
    head.fail(
      bits === 32 ? 0x2a : 0x36,
      "the size of a program header",
      `${size}`,
      `${raw.programHeaderSize}`,
    );
  const at = Number(toAddress(raw.programHeaders));
  const claimed =
    raw.programHeaderCount === MANY
      ? readAt(source, Number(toAddress(raw.sectionHeaders)) + SECTION_INFO[bits], 4).u32(0, "sh_info")
      : raw.programHeaderCount;
  const room = Math.max(0, Math.floor((source.size - at) / size));
  const count = Math.min(claimed, MAX_SEGMENTS, room);
  const table = at > source.size ? new Uint8Array() : readAt(source, at, count * size).array;
  const Layout = bits === 32 ? ElfCore.Segment32 : ElfCore.Segment64;
  const segments = Array.from({ length: Math.floor(table.length / size) }, (_, i): Segment => {
    const one = parseWith(Layout, table.subarray(i * size, (i + 1) * size));
    return {
      type: one.type,
      offset: Number(toAddress(one.offset)),
      physical: Number(toAddress(one.physicalAddress)),
      fileSize: Number(toAddress(one.fileSize)),
    };
  });
  const notes =
    segments.length < claimed
      ? [
          `the core has ${claimed} segments, of which ${segments.length} are read: pages of the others are missing`,
        ]
      : [];
  return { segments, machine: raw.machine, notes };
}

/**
 * Whole pages of segments. Where several hold one page, the lower one gives it. What stands between two segments that are as
 * far from their places in memory belongs to one piece of memory: a core written by virtual address (`-p`) names of it only
 * what page tables map, and has all of it.
 */
function mapSegments(
  segments: readonly Segment[],
  fileSize: number,
): { readonly pages: RunMap; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const pieces = new Map<number, { pfn: number; end: number; offset: number }>();
  let without = 0;
  for (const { physical, offset, fileSize: bytes } of segments) {
    const pfn = Math.ceil(physical / PAGE_SIZE);
    const skipped = pfn * PAGE_SIZE - physical;
    const end = pfn + Math.floor((bytes - skipped) / PAGE_SIZE);
    if (end <= pfn || end > MAX_PFN || (offset + skipped) % WORD !== 0) {
      without++;
      continue;
    }
    const distance = offset - physical;
    const known = pieces.get(distance);
    const first = known === undefined || pfn < known.pfn;
    pieces.set(distance, {
      pfn: first ? pfn : known.pfn,
      end: Math.max(end, known?.end ?? 0),
      offset: first ? offset + skipped : known.offset,
    });
  }
  if (without > 0) notes.push(`${without} segments of the core hold no whole page of memory`);
  const runs = [...pieces.values()].map(({ pfn, end, offset }) => ({ pfn, count: end - pfn, offset }));
  const pages = mapOf(runs, fileSize);
  if (pages.missing > 0)
    notes.push(
      `the file ends early: ${pages.missing} of ${pages.present + pages.missing} pages are missing; copy the core again`,
    );
  return { pages, notes };
}
