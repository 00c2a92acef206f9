import type { Va } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import { hexDigits } from "../core/bytes.ts";
import { readStruct, toAddress, toBigInt } from "../core/kaitai.ts";
import { MAX_PROCESSORS } from "../core/limits.ts";
import { asciiZ } from "../core/text.ts";
import { DumpHeader as Layout } from "../generated/dump_header.js";
import type { U64 } from "../generated/u64.js";
import type { Word } from "../generated/word.js";
import { type ByteSource, readAt } from "../source/source.ts";
import { ENCRYPTED_DUMP_DATA, writerOf } from "./attributes.ts";
import type { Bugcheck } from "./facts.ts";
import { type Machine, machineOf } from "./machine.ts";

/**
 * What the header of a kernel dump says. The writer fills it with `PAGE` and overwrites what it
 * knows: a field that still reads so is `undefined`, and so is an address, a time or a size of 0.
 */
export interface DumpHeader {
  readonly bits: 32 | 64;
  readonly machine: Machine;
  /** As in a PE header: 0x14c, 0x8664, 0xaa64. */
  readonly machineType: number;
  /** 0xf: a free build, 0xc: a checked one. */
  readonly majorVersion: number | undefined;
  /** Of Windows: 3790, 19041. A machine updated to 19045 reports 19041. */
  readonly build: number | undefined;
  /** As written: the low bits are not an address. */
  readonly directoryTableBase: bigint | undefined;
  /** The page frame database, or the variable in nt that points to it. */
  readonly pfnDatabase: Va | undefined;
  /** The head of the list. */
  readonly psLoadedModuleList: Va | undefined;
  /** The head of the list. */
  readonly psActiveProcessHead: Va | undefined;
  readonly kdDebuggerDataBlock: Va | undefined;
  /** 1 to 2048; another number is no number of processors. */
  readonly processors: number | undefined;
  readonly bugcheck: Bugcheck | undefined;
  /** Of 32-bit dumps only. */
  readonly paeEnabled: boolean | undefined;
  /** As written; the body decides what the dump is. */
  readonly dumpType: number | undefined;
  /** FILETIME: units of 100 ns since 1601, UTC. */
  readonly systemTime: bigint | undefined;
  /** In units of 100 ns. */
  readonly upTime: bigint | undefined;
  /** Bits of `DUMP_ATTRIBUTES`. */
  readonly attributes: number | undefined;
  /** 0: a debugger wrote it without error; 1: it found no module list; 2: a broken one. */
  readonly writerStatus: number | undefined;
  readonly writer: "kernel" | "debugger" | undefined;
  /** 1 workstation, 2 domain controller, 3 server. */
  readonly productType: number | undefined;
  readonly suiteMask: number | undefined;
  /** Which parts of a triage dump are there. */
  readonly miniDumpFields: number | undefined;
  readonly secondaryDataState: number | undefined;
  /** In bytes. */
  readonly requiredDumpSpace: bigint | undefined;
  readonly comment: string | undefined;
  /** The registers of the processor that stopped: the CONTEXT as it stands in the file. */
  readonly context: Bytes | undefined;
  readonly exception: Exception | undefined;
  /** PHYSICAL_MEMORY_DESCRIPTOR and its runs; only in full dumps are they where the pages stand. */
  readonly memoryBlock: Bytes | undefined;
  /** Bytes from the start of the file to the body. */
  readonly headerSize: number;
}

/** The exception that stopped the machine. */
export interface Exception {
  readonly code: number;
  readonly flags: number;
  readonly address: Va;
  readonly parameters: readonly bigint[];
}

const PAGE = 0x45474150;
const MEMORY_BLOCK = { 32: 0x64, 64: 0x88 } as const;
const CONTEXT = { 32: 0x320, 64: 0x348 } as const;
const MACHINE = { 32: 0x20, 64: 0x30 } as const;
const ATTRIBUTES = { 32: 0x8a0, 64: 0x1050 } as const;

/**
 * Reads the header of a kernel dump.
 *
 * @throws {FormatError} it is something else, is encrypted, is of a machine that is not read, or ends in
 * the header; the message says what the file is and what to do
 */
export function readDumpHeader(source: ByteSource): DumpHeader {
  const bytes = readAt(source, 0, 0x2000);
  const bits = bitsOf(bytes);
  const headerSize = bits === 32 ? 0x1000 : 0x2000;
  if (bytes.length < headerSize) {
    const found = `the end at 0x${bytes.length.toString(16)}: the copy was cut off in its header, copy the dump again`;
    bytes.fail(0, "the dump header", `${headerSize} bytes`, found);
  }
  const raw = readStruct(Layout, bytes, "the dump header", bits);
  const attributes = known(raw.attributes);
  if (attributes !== undefined && (attributes & ENCRYPTED_DUMP_DATA) !== 0) {
    const found = "an encrypted dump; decrypt it with the private key that its machine was configured for";
    bytes.fail(ATTRIBUTES[bits], "the dump's body", "plain", found);
  }
  return {
    bits,
    machine: machineOf(raw.machineImageType, bits, bytes, MACHINE[bits]),
    machineType: raw.machineImageType,
    majorVersion: known(raw.majorVersion),
    build: known(raw.minorVersion),
    directoryTableBase: wide(raw.directoryTableBase),
    pfnDatabase: address(raw.pfnDataBase),
    psLoadedModuleList: address(raw.psLoadedModuleList),
    psActiveProcessHead: address(raw.psActiveProcessHead),
    kdDebuggerDataBlock: address(raw.kdDebuggerDataBlock),
    processors:
      raw.numberProcessors >= 1 && raw.numberProcessors <= MAX_PROCESSORS ? raw.numberProcessors : undefined,
    bugcheck: bugcheck(raw),
    paeEnabled: raw.paeEnabled === undefined || raw.paeEnabled > 1 ? undefined : raw.paeEnabled === 1,
    dumpType: known(raw.dumpType),
    systemTime: given(raw.systemTime),
    upTime: given(raw.systemUpTime),
    attributes,
    writerStatus: known(raw.writerStatus),
    writer: writerOf(attributes, known(raw.writerStatus)),
    productType: known(raw.productType),
    suiteMask: known(raw.suiteMask),
    miniDumpFields: known(raw.miniDumpFields),
    secondaryDataState: known(raw.secondaryDataState),
    requiredDumpSpace: given(raw.requiredDumpSpace),
    comment: isFill(raw.comment) ? undefined : asciiZ(raw.comment),
    context: part(bytes, CONTEXT[bits], raw.contextRecord),
    exception: exception(raw.exception),
    memoryBlock: part(bytes, MEMORY_BLOCK[bits], raw.physicalMemoryBlock),
    headerSize,
  };
}

/** Whether bytes start as a header does; `undefined`: they do not. */
export function headerBits(head: Uint8Array): 32 | 64 | undefined {
  const signature = asciiZ(head.subarray(0, 8));
  return signature === "PAGEDUMP" ? 32 : signature === "PAGEDU64" ? 64 : undefined;
}

function bitsOf(bytes: Bytes): 32 | 64 {
  const bits = headerBits(bytes.array);
  if (bits !== undefined) return bits;
  const found = hexDigits(bytes.array.subarray(0, 8));
  bytes.fail(0, "the signature", "PAGEDUMP or PAGEDU64", found);
}

function bugcheck({ bugCheckCode: code, bugCheckParameters }: Layout): Bugcheck | undefined {
  if (code === PAGE) return undefined;
  const [first = 0n, second = 0n, third = 0n, fourth = 0n] = bugCheckParameters.map(toBigInt);
  return { code, parameters: [first, second, third, fourth] };
}

function exception(raw: Layout.ExceptionRecord): Exception | undefined {
  if (raw.code === PAGE) return undefined;
  return {
    code: raw.code,
    flags: raw.flags,
    address: toAddress(raw.address),
    parameters: raw.parameters.slice(0, raw.parameterCount).map(toBigInt),
  };
}

function known(value: number): number | undefined {
  return value === PAGE ? undefined : value;
}

function wide(value: Word | U64): bigint | undefined {
  const isNarrow = "bits" in value && value.bits === 32;
  return value.low === PAGE && (isNarrow || value.high === PAGE) ? undefined : toBigInt(value);
}

function given(value: Word | U64): bigint | undefined {
  const found = wide(value);
  return found === 0n ? undefined : found;
}

function address(value: Word): Va | undefined {
  return given(value) as Va | undefined;
}

function part(header: Bytes, at: number, raw: Uint8Array): Bytes | undefined {
  return isFill(raw) ? undefined : header.slice(at, raw.length, "the dump header");
}

/** The first four bytes tell: no text, CONTEXT or run table starts with PAGE. */
function isFill(raw: Uint8Array): boolean {
  return asciiZ(raw.subarray(0, 4)) === "PAGE";
}
