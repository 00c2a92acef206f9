import { advance, hex, type Rva, type Va } from "../core/address.ts";
import { Bytes } from "../core/bytes.ts";
import { AddressSpace, type SparseBytes } from "../memory/address-space.ts";
import type { ByteSource } from "../source/source.ts";
import { type CoffSymbols, readCoffSymbols } from "./coff-symbols.ts";
import { ExportTable, readDllName, readExports } from "./exports.ts";
import { FileImageMapping, fileHeaderReader } from "./file-mapping.ts";
import type { Finding } from "./finding.ts";
import {
  type DataDirectory,
  type DirectoryName,
  type HeaderReader,
  type ImageHeaders,
  type ImageMachine,
  parseHeaders,
} from "./headers.ts";
import { type ImportTable, readImports } from "./imports.ts";
import { type PdbRecord, readPdbRecord } from "./pdb.ts";
import { type Relocations, readRelocations } from "./relocations.ts";
import { RvaReader } from "./rva-reader.ts";
import { type Section, sectionSpan } from "./sections.ts";
import { readSignature, type Signature } from "./signature.ts";
import { UnwindTable } from "./unwind.ts";
import { readArm64Unwind } from "./unwind-arm64.ts";
import { readX64Unwind } from "./unwind-x64.ts";
import { readVersion, type VersionInfo } from "./version.ts";

/** How to call an image in messages. */
export interface ImageOptions {
  readonly label?: string;
  /** `file`: the bytes stand as the linker left them, and no import slot is filled. */
  readonly layout?: "memory" | "file";
  /** The file that it was loaded from, where it is given: symbols stand only there. */
  readonly file?: Image | undefined;
}

/** One PE image, from memory or from a file. What is not asked for is not read. */
export class Image {
  readonly space: AddressSpace;
  /** Where it stands in `space`; for a file, the base that it prefers. */
  readonly base: Va;
  /** Who laid the bytes out: the loader, or the linker. In a file, no import slot is filled. */
  readonly layout: "memory" | "file";
  readonly label: string;
  readonly headers: ImageHeaders;
  readonly #reader: RvaReader;
  readonly #readFile: HeaderReader | undefined;
  readonly #file: Image | undefined;
  #symbols: Finding<CoffSymbols> | undefined;
  #exports: ExportTable | undefined;
  #imports: ImportTable | undefined;
  #unwind: UnwindTable | undefined;
  #relocations: Relocations | undefined;
  #pdb: Finding<PdbRecord> | undefined;
  #version: Finding<VersionInfo> | undefined;
  #signature: Finding<Signature> | undefined;

  private constructor(
    space: AddressSpace,
    base: Va,
    label: string,
    headers: ImageHeaders,
    layout: "memory" | "file",
    readFile: HeaderReader | undefined,
    file?: Image,
  ) {
    this.#file = file;
    this.space = space;
    this.base = base;
    this.layout = layout;
    this.label = label;
    this.headers = headers;
    this.#reader = new RvaReader(space, base, headers.imageSize, headers.pointerSize, label);
    this.#readFile = readFile;
  }

  /**
   * The image that the loader put at `base`.
   *
   * @throws {MemoryError} its headers cannot be read
   * @throws {FormatError} no PE image stands there
   */
  static at(space: AddressSpace, base: Va, options: ImageOptions = {}): Image {
    const label = options.label ?? hex(base);
    const read: HeaderReader = (offset, length) =>
      new Bytes(space.read(advance(base, offset), length), label, offset);
    return new Image(
      space,
      base,
      label,
      parseHeaders(read),
      options.layout ?? "memory",
      undefined,
      options.file,
    );
  }

  /**
   * The image in a PE file, which stays open as long as the image is used.
   *
   * @throws {FormatError} the file is no PE image
   */
  static fromFile(source: ByteSource, options: ImageOptions = {}): Image {
    const read = fileHeaderReader(source);
    const headers = parseHeaders(read);
    const mapping = new FileImageMapping(source, headers);
    return new Image(
      new AddressSpace(mapping),
      mapping.base,
      options.label ?? source.name,
      headers,
      "file",
      read,
    );
  }

  get machine(): ImageMachine {
    return this.headers.machine;
  }
  get pointerSize(): 4 | 8 {
    return this.headers.pointerSize;
  }
  /** SizeOfImage, in bytes. */
  get size(): number {
    return this.headers.imageSize;
  }
  get timestamp(): number {
    return this.headers.timestamp;
  }
  get checksum(): number {
    return this.headers.checksum;
  }
  get entryPoint(): Rva {
    return this.headers.entryPoint;
  }
  get preferredBase(): bigint {
    return this.headers.preferredBase;
  }
  get subsystem(): number {
    return this.headers.subsystem;
  }
  get directories(): readonly DataDirectory[] {
    return this.headers.directories;
  }
  get sections(): readonly Section[] {
    return this.headers.sections;
  }

  /** `undefined`: the image has none. Its size may be 0: the loader does not look at some of the sizes. */
  directory(name: DirectoryName): DataDirectory | undefined {
    const found = this.headers.directories.find((directory) => directory.name === name);
    return found === undefined || found.rva === 0 ? undefined : found;
  }

  sectionAt(rva: number): Section | undefined {
    return this.sections.find((section) => rva >= section.rva && rva < section.rva + sectionSpan(section));
  }

  contains(address: Va): boolean {
    return address >= this.base && address < this.base + BigInt(this.size);
  }

  /** `undefined`: the address lies outside the image. */
  rvaOf(address: Va): Rva | undefined {
    return this.contains(address) ? (Number(address - this.base) as Rva) : undefined;
  }

  addressOf(rva: number): Va {
    return advance(this.base, rva);
  }

  /** @throws {MemoryError} a hole, or the end of the image */
  read(rva: number, length: number): Uint8Array {
    return this.#reader.read(rva, length);
  }

  /** What can be read of `length` bytes; `undefined` in no case, holes are in the result. Cut at the image's end. */
  readSparse(rva: number, length: number): SparseBytes {
    const inside = Math.max(0, Math.min(length, this.size - rva));
    return this.space.readSparse(this.addressOf(rva), inside);
  }

  get exports(): ExportTable {
    const directory = this.directory("export");
    this.#exports ??=
      directory === undefined ? new ExportTable(null, []) : readExports(this.#reader, directory);
    return this.#exports;
  }

  /**
   * `exports.dllName`, where nothing else of the table is asked for.
   *
   * @internal
   */
  get dllName(): string | null {
    const directory = this.directory("export");
    return directory === undefined ? null : readDllName(this.#reader, directory);
  }

  get imports(): ImportTable {
    this.#imports ??= readImports(
      this.#reader,
      {
        imports: this.directory("import"),
        delayImports: this.directory("delay-import"),
        addresses: this.directory("import-address-table"),
      },
      {
        inMemory: this.layout === "memory",
        linkedBase: this.base,
        preferredBase: this.preferredBase,
        headersSize: this.headers.headersSize,
        sections: this.sections,
      },
    );
    return this.#imports;
  }

  /** Empty for x86, which has no such data. */
  get unwind(): UnwindTable {
    if (this.#unwind === undefined) {
      const directory = this.directory("exception");
      if (directory !== undefined && this.machine === "x64")
        this.#unwind = readX64Unwind(this.#reader, directory);
      else if (directory !== undefined && this.machine === "arm64") {
        this.#unwind = readArm64Unwind(this.#reader, directory);
      } else this.#unwind = new UnwindTable();
    }
    return this.#unwind;
  }

  /** The base relocations. In memory they have usually been freed, and were applied before. */
  get relocations(): Relocations {
    const directory = this.directory("base-relocation");
    this.#relocations ??=
      directory === undefined
        ? { rvas: new Uint32Array(0), types: new Uint8Array(0) }
        : readRelocations(this.#reader, directory);
    return this.#relocations;
  }

  /** Which PDB file was made with it. */
  get pdb(): Finding<PdbRecord> {
    const directory = this.directory("debug");
    this.#pdb ??=
      directory === undefined ? { state: "absent" } : readPdbRecord(this.#reader, directory, this.#readFile);
    return this.#pdb;
  }

  /** What it says of its maker. A driver's resources may be freed after its start. */
  get version(): Finding<VersionInfo> {
    const directory = this.directory("resource");
    this.#version ??= directory === undefined ? { state: "absent" } : readVersion(this.#reader, directory);
    return this.#version;
  }

  /** What GNU's linker says of functions and variables. Memory does not hold it: only the file has an answer. */
  get symbols(): Finding<CoffSymbols> {
    this.#symbols ??= this.#file?.symbols ?? readCoffSymbols(this.#readFile, this.headers);
    return this.#symbols;
  }

  /** Where the Authenticode signature stands in the file; the loader never maps it. */
  get certificates(): { readonly fileOffset: number; readonly size: number } | undefined {
    const directory = this.directory("security");
    return directory === undefined ? undefined : { fileOffset: directory.rva, size: directory.size };
  }

  /** Whom the signature in the file names. Memory does not hold it: only the file has an answer. */
  get signature(): Finding<Signature> {
    this.#signature ??= this.#file?.signature ?? readSignature(this.label, this.#readFile, this.certificates);
    return this.#signature;
  }
}
