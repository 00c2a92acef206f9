import { Format } from "pe-library";
import { hex, type Rva, rva } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import { MAX_IMAGE_SIZE, MAX_NT_HEADERS_OFFSET, MAX_SECTIONS } from "../core/limits.ts";
import { parseSections, SECTION_HEADER_SIZE, type Section } from "./sections.ts";

/** The processor that an image is for. */
export type ImageMachine = "x86" | "x64" | "arm" | "arm64" | "ia64" | "unknown";

/** Where one kind of data stands in an image. `rva` 0 with `size` 0: the image has none. */
export interface DataDirectory {
  readonly name: DirectoryName;
  /** For `security` this is an offset in the file: the loader never maps it. */
  readonly rva: number;
  /** In bytes. */
  readonly size: number;
}

/** The data directories in their order, by the names that `!dh` shows. */
const DIRECTORY_NAMES = [
  "export",
  "import",
  "resource",
  "exception",
  "security",
  "base-relocation",
  "debug",
  "description",
  "special",
  "thread-storage",
  "load-configuration",
  "bound-import",
  "import-address-table",
  "delay-import",
  "cor20-header",
  "reserved",
] as const;
export type DirectoryName = (typeof DIRECTORY_NAMES)[number];

/** Two numbers of a version field. */
export interface MajorMinor {
  readonly major: number;
  readonly minor: number;
}

/** What the headers of an image say. Sizes and offsets are bytes. */
export interface ImageHeaders {
  readonly machine: ImageMachine;
  /** IMAGE_FILE_MACHINE_*, as it stands there. */
  readonly machineCode: number;
  readonly pointerSize: 4 | 8;
  /** Where the NT headers start. */
  readonly ntHeadersOffset: number;
  readonly sectionCount: number;
  /** TimeDateStamp: seconds since 1970, or a hash in a reproducible build. */
  readonly timestamp: number;
  readonly symbolTableOffset: number;
  readonly symbolCount: number;
  readonly optionalHeaderSize: number;
  readonly characteristics: number;
  /** 0x10b (PE32) or 0x20b (PE32+). */
  readonly magic: number;
  readonly linkerVersion: MajorMinor;
  readonly codeSize: number;
  readonly initializedDataSize: number;
  readonly uninitializedDataSize: number;
  /** 0: the image has none. */
  readonly entryPoint: Rva;
  readonly codeBase: Rva;
  /** ImageBase. In memory it is where the loader put the image, in a file where it would like to be. */
  readonly preferredBase: bigint;
  readonly sectionAlignment: number;
  readonly fileAlignment: number;
  readonly osVersion: MajorMinor;
  readonly imageVersion: MajorMinor;
  readonly subsystemVersion: MajorMinor;
  readonly imageSize: number;
  readonly headersSize: number;
  readonly checksum: number;
  readonly subsystem: number;
  readonly dllCharacteristics: number;
  readonly stackReserve: bigint;
  readonly stackCommit: bigint;
  readonly heapReserve: bigint;
  readonly heapCommit: bigint;
  /** Those that the image has, in order; at most 16. */
  readonly directories: readonly DataDirectory[];
  readonly sections: readonly Section[];
}

/** Gives the first bytes of an image, `length` from `offset`; throws for what is not there. */
export type HeaderReader = (offset: number, length: number, field: string) => Bytes;

const MACHINES: Readonly<Record<number, ImageMachine>> = {
  332: "x86",
  34404: "x64",
  452: "arm",
  43620: "arm64",
  512: "ia64",
};

const DOS_SIZE = 64;
const FILE_HEADER_END = 24;

/** The NT headers as they stand, and where; `bytes` says what is wrong in them. */
interface NtHeaders {
  readonly start: number;
  readonly bytes: Bytes;
  readonly nt: Format.ImageNtHeaders;
  readonly magic: number;
  readonly directoryCount: number;
}

function readNtHeaders(read: HeaderReader): NtHeaders {
  const dosBytes = read(0, DOS_SIZE, "DOS header");
  const dos = Format.ImageDosHeader.from(exactCopy(dosBytes));
  if (!dos.isValid()) dosBytes.fail(0, "DOS header", `"MZ"`, hex(dos.magic));
  const start = dos.newHeaderAddress;
  if (start > MAX_NT_HEADERS_OFFSET) {
    dosBytes.fail(60, "offset of the NT headers", `at most ${hex(MAX_NT_HEADERS_OFFSET)}`, hex(start));
  }

  const fixed = read(start, FILE_HEADER_END + 2, "NT headers");
  const signature = fixed.u32(0, "NT signature");
  if (signature !== Format.ImageNtHeaders.DEFAULT_SIGNATURE) {
    fixed.fail(0, "NT signature", `"PE"`, hex(signature));
  }
  const magic = fixed.u16(FILE_HEADER_END, "optional header magic");
  if (magic !== 0x10b && magic !== 0x20b) {
    fixed.fail(FILE_HEADER_END, "optional header magic", "0x10b or 0x20b", hex(magic));
  }
  const optionalSize = magic === 0x20b ? Format.ImageOptionalHeader64.size : Format.ImageOptionalHeader.size;
  const optionalEnd = FILE_HEADER_END + optionalSize;
  const withoutDirectories = read(start, optionalEnd, "NT headers");
  const directoryCount = Math.min(
    withoutDirectories.u32(optionalEnd - 4, "number of directories"),
    DIRECTORY_NAMES.length,
  );
  const bytes = read(start, optionalEnd + directoryCount * 8, "NT headers");
  const nt = Format.ImageNtHeaders.from(exactCopy(bytes, optionalEnd + Format.ImageDataDirectoryArray.size));
  return { start, bytes, nt, magic, directoryCount };
}

/**
 * Reads an image's headers and section table, through copies of their exact size: pe-library reads
 * past what it is given.
 *
 * @throws {FormatError} no PE image, or values that no loader takes
 * @throws whatever `read` throws
 * @see Microsoft PE Format, "Optional Header (Image Only)"
 */
export function parseHeaders(read: HeaderReader): ImageHeaders {
  const { start, bytes, nt, magic, directoryCount } = readNtHeaders(read);
  const file = nt.fileHeader;
  const optional = nt.optionalHeader;
  const wideValues = "imageBaseBigInt" in optional ? optional : undefined;

  const imageSize = optional.sizeOfImage;
  if (imageSize === 0 || imageSize > MAX_IMAGE_SIZE) {
    bytes.fail(
      FILE_HEADER_END + 56,
      "size of the image",
      `1 to ${hex(MAX_IMAGE_SIZE)} bytes`,
      hex(imageSize),
    );
  }
  const sectionCount = file.numberOfSections;
  if (sectionCount > MAX_SECTIONS) {
    bytes.fail(6, "number of sections", `at most ${MAX_SECTIONS}`, String(sectionCount));
  }
  const sectionTable = start + FILE_HEADER_END + file.sizeOfOptionalHeader;
  const table = read(sectionTable, sectionCount * SECTION_HEADER_SIZE, "section table");

  return {
    machine: MACHINES[file.machine] ?? "unknown",
    machineCode: file.machine,
    pointerSize: magic === 0x20b ? 8 : 4,
    ntHeadersOffset: start,
    sectionCount,
    timestamp: file.timeDateStamp,
    symbolTableOffset: file.pointerToSymbolTable,
    symbolCount: file.numberOfSymbols,
    optionalHeaderSize: file.sizeOfOptionalHeader,
    characteristics: file.characteristics,
    magic,
    linkerVersion: { major: optional.majorLinkerVersion, minor: optional.minorLinkerVersion },
    codeSize: optional.sizeOfCode,
    initializedDataSize: optional.sizeOfInitializedData,
    uninitializedDataSize: optional.sizeOfUninitializedData,
    entryPoint: rva(optional.addressOfEntryPoint),
    codeBase: rva(optional.baseOfCode),
    preferredBase: wideValues?.imageBaseBigInt ?? BigInt(optional.imageBase),
    sectionAlignment: optional.sectionAlignment,
    fileAlignment: optional.fileAlignment,
    osVersion: { major: optional.majorOperatingSystemVersion, minor: optional.minorOperatingSystemVersion },
    imageVersion: { major: optional.majorImageVersion, minor: optional.minorImageVersion },
    subsystemVersion: { major: optional.majorSubsystemVersion, minor: optional.minorSubsystemVersion },
    imageSize,
    headersSize: optional.sizeOfHeaders,
    checksum: optional.checkSum,
    subsystem: optional.subsystem,
    dllCharacteristics: optional.dllCharacteristics,
    stackReserve: wideValues?.sizeOfStackReserveBigInt ?? BigInt(optional.sizeOfStackReserve),
    stackCommit: wideValues?.sizeOfStackCommitBigInt ?? BigInt(optional.sizeOfStackCommit),
    heapReserve: wideValues?.sizeOfHeapReserveBigInt ?? BigInt(optional.sizeOfHeapReserve),
    heapCommit: wideValues?.sizeOfHeapCommitBigInt ?? BigInt(optional.sizeOfHeapCommit),
    directories: DIRECTORY_NAMES.slice(0, directoryCount).map((name, index) => {
      const { virtualAddress, size } = nt.optionalHeaderDataDirectory.get(index);
      return { name, rva: virtualAddress, size };
    }),
    sections: parseSections(table, sectionCount),
  };
}

/** An `ArrayBuffer` of its own, `size` bytes long, zero where `bytes` end before. */
function exactCopy(bytes: Bytes, size: number = bytes.length): ArrayBuffer {
  const copy = new ArrayBuffer(size);
  new Uint8Array(copy).set(bytes.array);
  return copy;
}
