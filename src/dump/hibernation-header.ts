import { hex, PAGE_SIZE } from "../core/address.ts";
import { type Bytes, hexDigits } from "../core/bytes.ts";
import { readStruct, toBigInt, type U64Halves } from "../core/kaitai.ts";
import { MAX_PFN } from "../core/limits.ts";
import { asciiZ } from "../core/text.ts";
import { HibernationHeader as Layout } from "../generated/hibernation_header.js";
import { type ByteSource, readAt } from "../source/source.ts";

/** The first page of a hibernation file. */
export interface HibernationHeader {
  readonly bits: 32 | 64;
  /** Windows was resumed from the file. */
  readonly resumed: boolean;
  /** FILETIME: when the machine was hibernated. */
  readonly systemTime: bigint | undefined;
  /** Users were logged off before; `undefined` where it is not said. */
  readonly fastStart: boolean | undefined;
  /** Where the pages stand. */
  readonly body:
    | { readonly form: "tables"; readonly start: number }
    | { readonly form: "sets"; readonly boot: Chain; readonly kernel: Chain };
}

/** Sets of pages of Windows 8 and later that stand one after the other. */
export interface Chain {
  /** In bytes from the start of the file. */
  readonly start: number;
  /** Pages of all its sets; `undefined` where it is not known. */
  readonly pages: number | undefined;
}

/** The signatures that Vista and later write, and what became of the file. */
const SIGNATURES: ReadonlyMap<string, "valid" | "resumed"> = new Map([
  ["HIBR", "valid"],
  ["WAKE", "resumed"],
  // the resume was interrupted
  ["RSTR", "valid"],
  // an embedded machine that hibernates once and resumes many times
  ["HORM", "valid"],
  // a debugger broke into the resume
  ["BRKP", "valid"],
]);
const OLD_SIGNATURES: readonly string[] = ["hibr", "wake", "rstr"];
/** What Windows itself calls the file. */
const FILE_NAME = "hiberfil.sys";
/** PO_MEMORY_IMAGE has fewer bytes up to Windows 7, and more than twice as many later. */
const SIZE_OF_WINDOWS_8 = 0x200;
/** Where PageSize stands, which is the same on all machines. */
const PAGE_SIZE_AT = { 32: 0x14, 64: 0x18 } as const;

/** Whether it is a hibernation file, be it by its name alone: then an error says what became of it. */
export function isHibernationFile(head: Bytes): boolean {
  const signature = asciiZ(head.array.subarray(0, 4));
  return (
    SIGNATURES.has(signature) || OLD_SIGNATURES.includes(signature) || head.file.toLowerCase() === FILE_NAME
  );
}

/**
 * Reads the header.
 *
 * @throws {FormatError} it says where no page stands; the message says why, and what to do
 * @see libhibr, "Hibernation file format", for the signatures
 */
export function readHibernationHeader(source: ByteSource): HibernationHeader {
  const bytes: Bytes = readAt(source, 0, PAGE_SIZE);
  if (bytes.length < PAGE_SIZE) {
    const found = `the end at ${hex(bytes.length)}: copy the file again`;
    bytes.fail(0, "the hibernation header", `${PAGE_SIZE} bytes`, found);
  }
  const state = stateOf(bytes);
  const bits = ([64, 32] as const).find(
    (width) => bytes.u32(PAGE_SIZE_AT[width], "the size of a page") === PAGE_SIZE,
  );
  if (bits === undefined) {
    bytes.fail(PAGE_SIZE_AT[64], "the size of a page", "4096 bytes", "another: the header was written over");
  }
  const raw = readStruct(Layout, bytes, "the hibernation header", bits);
  const page = (value: U64Halves) => Math.min(Number(toBigInt(value)), MAX_PFN) * PAGE_SIZE;
  const count = (value: U64Halves | undefined) => value && Number(toBigInt(value));
  const pages = count(raw.kernelPagesProcessed);
  const time = toBigInt(raw.systemTime);
  return {
    bits,
    resumed: state === "resumed",
    systemTime: time === 0n ? undefined : time,
    fastStart: raw.hiberboot === undefined ? undefined : raw.hiberboot === 1,
    body:
      raw.lengthSelf < SIZE_OF_WINDOWS_8
        ? { form: "tables", start: page(raw.firstTablePage) }
        : {
            form: "sets",
            boot: { start: page(raw.firstBootRestorePage), pages: count(raw.numPagesForLoader) },
            // there is no kernel without a page: 0 is a field that this Windows does not fill
            kernel: { start: page(raw.firstKernelRestorePage), pages: pages === 0 ? undefined : pages },
          },
  };
}

function stateOf(bytes: Bytes): "valid" | "resumed" {
  const signature = asciiZ(bytes.array.subarray(0, 4));
  const state = SIGNATURES.get(signature);
  if (state !== undefined) return state;
  if (OLD_SIGNATURES.includes(signature)) {
    const found = `${signature}, of Windows XP, 2003 or before; only those of Windows 7 and later are read`;
    bytes.fail(0, "the signature", "HIBR", found);
  }
  const found = bytes.array.every((byte) => byte === 0)
    ? "zeros: the machine was not hibernated, or Windows wiped the header when it was resumed; hibernate it, and copy the file while it is off"
    : `${hexDigits(bytes.array.subarray(0, 8))}: the file is encrypted with its volume, as BitLocker does it; copy it from the unlocked volume, while Windows is off`;
  bytes.fail(0, "the signature", "HIBR", found);
}
