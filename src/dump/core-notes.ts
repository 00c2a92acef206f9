import { Bytes } from "../core/bytes.ts";
import { FormatError } from "../core/errors.ts";
import { parseWith, toAddress, type U64Halves } from "../core/kaitai.ts";
import { MAX_CORE_NOTE_BYTES, MAX_CORE_NOTES, MAX_PROCESSORS } from "../core/limits.ts";
import { asciiZ } from "../core/text.ts";
import { CoreNotes } from "../generated/core_notes.js";
import { ElfCore } from "../generated/elf_core.js";
import { BytesSource } from "../source/bytes-source.ts";
import { type ByteSource, readAt } from "../source/source.ts";
import type { Registers } from "./context.ts";
import type { Fact, MachineFacts, SystemRegisters } from "./facts.ts";
import { fact } from "./facts.ts";
import { headerBits, readDumpHeader } from "./header.ts";
import { headerFacts } from "./header-facts.ts";

/** Who wrote a core: QEMU and what uses it, or VirtualBox. */
export type CoreWriter = "qemu" | "virtualbox";

/** What the notes of a core say of the machine. */
export interface CoreFacts {
  readonly facts: MachineFacts;
  readonly writer: CoreWriter | undefined;
  readonly notes: readonly string[];
}

/** Notes that stand together in the file. */
export interface NotePart {
  readonly offset: number;
  /** In bytes. */
  readonly fileSize: number;
}

/** One processor. */
interface Processor {
  readonly registers: Registers;
  readonly system: SystemRegisters;
}

interface Note {
  readonly name: string;
  readonly type: number;
  readonly content: Uint8Array;
}

const NOTE_HEAD = 12;
const VBCPU = 0xb01;
/** The last format that kept its registers in another form. */
const OLD_VBOX = 0x0001_0000;
const QEMU_PROCESSOR = 0x1b0;
const VBOX_PROCESSOR = 0x220;
/** What paging takes: CR0.PG. */
const PAGING = 0x8000_0000n;
const LONG_MODE_ACTIVE = 0x400n;

/**
 * Reads the notes: the registers of each processor, and the Windows header that a driver in the guest may have left.
 *
 * @see QEMU, "Dump guest memory"; VirtualBox, "VM core dump"
 */
export function readCoreNotes(source: ByteSource, parts: readonly NotePart[]): CoreFacts {
  const { name } = source;
  const processors: Processor[] = [];
  let header: MachineFacts | undefined;
  let writer: CoreWriter | undefined;
  const odd: string[] = [];
  let oldFormat = false;
  let further = 0;
  const brokenHeaders: FormatError[] = [];
  for (const { name: of, type, content } of notesOf(source, parts, odd)) {
    if (of === "QEMU" || of === "CORE") writer ??= "qemu";
    if (of === "VBCORE") {
      writer = "virtualbox";
      oldFormat = content.length >= 8 && new Bytes(content, name).u32(4, "the core's format") <= OLD_VBOX;
    }
    const found =
      of === "QEMU"
        ? qemuProcessor(content)
        : of === "VBCPU" && type === VBCPU && !oldFormat
          ? vboxProcessor(content)
          : undefined;
    if (found !== undefined && processors.length === MAX_PROCESSORS) further++;
    else if (found !== undefined) processors.push(found);
    if (of === "VMCOREINFO") header ??= guestHeader(content, name, brokenHeaders);
  }
  const [broken, ...others] = brokenHeaders;
  if (broken !== undefined) {
    const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
    odd.push(`the Windows header that the guest left cannot be read: ${broken.message}${more}`);
  }
  if (further > 0)
    odd.push(`${further} processors of the core are not read: Windows has ${MAX_PROCESSORS} at most`);
  return { facts: factsOf(processors, header), writer, notes: odd };
}

/** The notes of all parts together, up to the caps. */
function notesOf(source: ByteSource, parts: readonly NotePart[], odd: string[]): readonly Note[] {
  const notes: Note[] = [];
  let room = MAX_CORE_NOTE_BYTES;
  for (const { offset, fileSize } of parts) {
    const part = readAt(source, offset, Math.min(fileSize, room + 1)).array;
    for (const note of notesIn(part.subarray(0, room))) {
      if (notes.length === MAX_CORE_NOTES) {
        odd.push(`only the first ${MAX_CORE_NOTES} notes of the core are read`);
        return notes;
      }
      notes.push(note);
    }
    if (part.length > room) {
      odd.push(`only the first ${MAX_CORE_NOTE_BYTES} bytes of the core's notes are read`);
      return notes;
    }
    room -= part.length;
  }
  return notes;
}

function* notesIn(bytes: Uint8Array): Generator<Note> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const padded = (size: number): number => Math.ceil(size / 4) * 4;
  for (let at = 0; at + NOTE_HEAD <= bytes.length; ) {
    const { nameSize, contentSize, type } = parseWith(ElfCore.Note, bytes.subarray(at, at + NOTE_HEAD));
    const from = at + NOTE_HEAD + padded(nameSize);
    const end = from + padded(contentSize);
    if (from + contentSize > view.byteLength) return;
    yield {
      name: asciiZ(bytes.subarray(at + NOTE_HEAD, at + NOTE_HEAD + nameSize)),
      type,
      content: bytes.subarray(from, from + contentSize),
    };
    at = end;
  }
}

const QEMU_GENERAL = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp"] as const;
const VBOX_GENERAL = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi"] as const;

function named(names: readonly string[], values: readonly U64Halves[]): Registers {
  const upper = Array.from({ length: values.length - names.length }, (_, i) => `r${8 + i}`);
  return Object.fromEntries(
    [...names, ...upper].map((name, i) => [name, toAddress(values[i] ?? { low: 0, high: 0 })]),
  );
}

function qemuProcessor(content: Uint8Array): Processor | undefined {
  if (content.length < QEMU_PROCESSOR) return undefined;
  const raw = parseWith(CoreNotes.QemuProcessor, content);
  const [cr0, , , cr3] = raw.cr.map(toAddress);
  const more = content.length >= QEMU_PROCESSOR + 8 ? content.subarray(QEMU_PROCESSOR) : undefined;
  return {
    registers: {
      ...named(QEMU_GENERAL, raw.general),
      rip: toAddress(raw.rip),
      eflags: toAddress(raw.rflags),
    },
    system: {
      cr3: cr3 ?? 0n,
      paging: ((cr0 ?? 0n) & PAGING) !== 0n,
      // a code segment of 64 bits
      long: (raw.cs.flags & 0x20_0000) !== 0 || toAddress(raw.idt.base) > 0xffff_ffffn,
      idt: toAddress(raw.idt.base),
      gs: toAddress(raw.gs.base),
      kernelGs: more === undefined ? 0n : toAddress(parseWith(CoreNotes.QemuKernelGs, more).kernelGsBase),
      fs: toAddress(raw.fs.base),
      syscall: 0n,
    },
  };
}

function vboxProcessor(content: Uint8Array): Processor | undefined {
  if (content.length < VBOX_PROCESSOR) return undefined;
  const raw = parseWith(CoreNotes.VboxProcessor, content);
  const [, , , fs, gs] = raw.segments;
  return {
    registers: {
      ...named(VBOX_GENERAL, raw.general),
      rsp: toAddress(raw.rsp),
      rbp: toAddress(raw.rbp),
      rip: toAddress(raw.rip),
      eflags: toAddress(raw.rflags),
    },
    system: {
      cr3: toAddress(raw.cr3),
      paging: (toAddress(raw.cr0) & PAGING) !== 0n,
      long: (toAddress(raw.efer) & LONG_MODE_ACTIVE) !== 0n,
      idt: toAddress(raw.idtr.base),
      gs: gs === undefined ? 0n : toAddress(gs.base),
      kernelGs: toAddress(raw.kernelGsBase),
      fs: fs === undefined ? 0n : toAddress(fs.base),
      syscall: toAddress(raw.lstar),
    },
  };
}

/** What a driver in the guest gave the virtual machine: a whole crash header, as it was when the driver was loaded. */
function guestHeader(content: Uint8Array, name: string, broken: FormatError[]): MachineFacts | undefined {
  if (headerBits(content) === undefined) return undefined;
  try {
    const {
      bugcheck: _,
      taken: __,
      upTime: ___,
      processors: ____,
      ...facts
    } = headerFacts(readDumpHeader(new BytesSource(content, name)), "vmcoreinfo");
    return { ...facts, contexts: [] };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    broken.push(error);
    return undefined;
  }
}

function factsOf(processors: readonly Processor[], header: MachineFacts | undefined): MachineFacts {
  const long = processors.some(({ system }) => system.long);
  const working = processors.filter(({ system }) => system.paging && system.cr3 !== 0n);
  const source = "core";
  const machine = header?.machine ?? fact(working.length === 0 ? undefined : long ? "x64" : "x86", source);
  const narrow = machine?.value === "x86";
  return {
    ...header,
    source: header === undefined ? source : "vmcoreinfo",
    machine,
    processors: fact(processors.length || undefined, source),
    roots: [
      ...(header?.roots ?? []),
      ...working.map(({ system }): Fact<bigint> => ({ value: system.cr3, source })),
    ],
    contexts: working.map(({ registers }) => ({
      value: narrow ? narrowed(registers) : registers,
      source,
    })),
    system: working.map(({ system }) => ({ value: system, source })),
  };
}

/** The names of 32-bit registers. */
function narrowed(registers: Registers): Registers {
  return Object.fromEntries(
    Object.entries(registers).flatMap(([name, value]) =>
      /^r(?:[abcd]x|[sd]i|[sb]p|ip)$/.test(name)
        ? [[`e${name.slice(1)}`, BigInt.asUintN(32, value)] as const]
        : name === "eflags"
          ? [[name, BigInt.asUintN(32, value)] as const]
          : [],
    ),
  );
}
