import { type AddressLike, type Va, windbgHex } from "../core/address.ts";
import type { DumpHeader } from "../dump/header.ts";
import { type Dump as DumpFile, readDump } from "../dump/open.ts";
import { type Kernel, readKernel } from "../kernel/kernel.ts";
import type { AddressSpace, SparseBytes } from "../memory/address-space.ts";
import { ImageSet, type NamedImage } from "../pe/resolve.ts";
import { findLeaks, type LeakReport } from "../pool/leaks.ts";
import { type MemorySummary, readMemorySummary } from "../pool/memory-summary.ts";
import { type PoolKernel, poolKernelOf } from "../pool/pool-kernel.ts";
import { parseTag } from "../pool/tag.ts";
import { readTagTable } from "../pool/tracker.ts";
import type {
  ExportsDocument,
  HeadersDocument,
  ImportsDocument,
  InfoDocument,
  MemoryDocument,
  NearRow,
  PointersDocument,
} from "../report/documents.ts";
import { BytesSource } from "../source/bytes-source.ts";
import { openFile } from "../source/file-source.ts";
import type { ByteSource } from "../source/source.ts";
import { findPointers } from "../trail/pointers.ts";
import type { SearchLimits } from "../trail/references.ts";
import { scanTag } from "../trail/scan.ts";
import type { TrailTarget } from "../trail/target.ts";
import { emptyTrail, traceTag } from "../trail/trace.ts";
import type { Scan, Trail } from "../trail/trail.ts";
import { exportsDocument, type FollowForwarder } from "./exports.ts";
import { parseAddress } from "./expression.ts";
import { headersDocument } from "./headers.ts";
import { importsDocument, type NamedFunction } from "./imports.ts";
import { infoDocument } from "./info.ts";
import { LoadedImages } from "./loaded-images.ts";
import { memoryDocument } from "./memory.ts";
import { Module } from "./module.ts";
import { ModuleList } from "./module-list.ts";
import { nearRow } from "./near.ts";
import { Tags } from "./tags.ts";

/** How a dump is opened. */
export interface OpenOptions {
  /** Folders with PE files that fill in pages which the dump lacks. */
  readonly images?: readonly string[];
}

/** How a long question is asked: `signal` is looked at between modules. */
export type WorkOptions = SearchLimits;

/** Bytes with their holes. */
export interface ReadBytes extends SparseBytes {
  /** How many of them a PE file filled in. */
  readonly fromFile: number;
}

/** A module by its name as `lm` shows it, its file name, an address inside it, or itself. */
export type ModuleLike = Module | AddressLike;

/**
 * Opens a kernel dump: by its path, its bytes, or anything that reads like a file.
 * What is not asked for is not read.
 *
 * @throws {FormatError} it is no kernel dump; the message says what it is and what to do
 * @throws {FileError} the path leads to no readable file
 */
export function openDump(input: string | Uint8Array | ByteSource, options: OpenOptions = {}): Dump {
  const source = sourceOf(input);
  try {
    return new Dump(source, options);
  } catch (error) {
    if (source !== input) source[Symbol.dispose]();
    throw error;
  }
}

function sourceOf(input: string | Uint8Array | ByteSource): ByteSource {
  if (typeof input === "string") return openFile(input);
  return input instanceof Uint8Array ? new BytesSource(input) : input;
}

/** An open dump, and every question that can be put to it. Dispose of it to close its files. */
export class Dump implements Disposable {
  /** The file's name. */
  readonly file: string;
  readonly header: DumpHeader;
  readonly kernel: Kernel;
  /** Kernel memory, with the holes filled in that the files given have the bytes for. */
  readonly space: AddressSpace;
  /** The loaded modules, in load order, and the unloaded ones. */
  readonly modules: ModuleList;
  readonly #dump: DumpFile;
  readonly #source: ByteSource;
  readonly #images: LoadedImages;
  readonly #target: TrailTarget;
  #set: ImageSet<NamedImage> | undefined;
  #tags: Tags | undefined;
  #memory: MemorySummary | undefined;

  /** Use `openDump`. */
  constructor(source: ByteSource, options: OpenOptions) {
    this.#source = source;
    this.#dump = readDump(source);
    this.file = source.name;
    this.header = this.#dump.header;
    this.kernel = readKernel(this.#dump);
    this.#images = new LoadedImages(this.kernel, options.images ?? []);
    this.space = this.#images.space;
    const { modules, unloaded } = this.kernel;
    const items = modules.items.map((entry) => new Module(entry, this.space, this.#images.fileOf(entry)));
    this.modules = new ModuleList(items, modules.stopped, unloaded, this.kernel.base);
    this.#target = {
      space: this.space,
      modules: items,
      build: this.header.build,
      resolve: (address) => this.#exportAt(address),
    };
  }

  /** In bytes. */
  get pointerSize(): 4 | 8 {
    return this.space.pointerSize;
  }

  /** What is missing or odd, one sentence each. */
  get notes(): readonly string[] {
    return [...this.#dump.notes, ...this.kernel.notes, ...this.#images.notes];
  }

  /**
   * An address as a person writes it: hex in WinDbg's forms, `nt!Name+0x3d`, `nt+0x1000`.
   *
   * @throws {TypeError} no address and no name of this dump
   */
  address(expression: AddressLike): Va {
    return parseAddress(expression, {
      pointerSize: this.pointerSize,
      moduleBase: (name) => this.modules.named(name)?.base,
      exportAddress: (module, name) => this.#exportAddress(module, name),
    });
  }

  /**
   * One module.
   *
   * @throws {RangeError} there is no such module
   */
  module(which: ModuleLike): Module {
    if (which instanceof Module) return which;
    const named = typeof which === "string" ? this.modules.named(which) : undefined;
    if (named !== undefined) return named;
    const address = this.address(which);
    const found = this.modules.at(address);
    if (found !== undefined) return found;
    throw new RangeError(`no loaded module holds ${windbgHex(address, this.pointerSize)}`);
  }

  /** What the dump is, what it holds, and the bugcheck. */
  info(): InfoDocument {
    return infoDocument(this.#dump, this.kernel, this.notes);
  }

  /** Every reference to a tag, in every module. `Se` is `Se  `. */
  scan(tag: string, work: WorkOptions = {}): Scan {
    return scanTag(this.#target, parseTag(tag), work);
  }

  /** The exported names around an address, and the function that it stands in. */
  near(address: AddressLike): NearRow {
    return nearRow(this.#target, this.address(address));
  }

  /** Who holds an address: in every module, at any alignment. */
  pointers(address: AddressLike, work: WorkOptions = {}): PointersDocument {
    return { ...findPointers(this.#target, this.address(address), work), notes: [] };
  }

  /**
   * The PE headers of a module.
   *
   * @throws {MemoryError | FormatError} they cannot be read
   */
  headers(module: ModuleLike): HeadersDocument {
    const found = this.module(module);
    return headersDocument(found.name, found.wholeImage());
  }

  /**
   * The import slots of a module, each with the function that it points to.
   *
   * @throws {MemoryError | FormatError} its headers cannot be read
   */
  imports(module: ModuleLike): ImportsDocument {
    const found = this.module(module);
    return importsDocument(found.name, found.wholeImage(), found.imports, (address, declared) =>
      this.#nameAt(address, declared),
    );
  }

  /**
   * The exports of a module, and where its forwarders lead.
   *
   * @throws {MemoryError | FormatError} its headers cannot be read
   */
  exports(module: ModuleLike): ExportsDocument {
    const found = this.module(module);
    return exportsDocument(found.name, found.wholeImage(), (forwarder) => this.#follow(forwarder));
  }

  /** What can be read of `length` bytes, with its holes. */
  read(address: AddressLike, length: number): ReadBytes {
    const at = this.address(address);
    const filled = this.space.spans(at, length).filter((span) => span.content === "file");
    const fromFile = filled.reduce((sum, span) => sum + span.length, 0);
    return { ...this.space.readSparse(at, length), fromFile };
  }

  /** Usage by tag, of all processors. */
  tags(work: WorkOptions = {}): Tags {
    this.#tags ??= new Tags(readTagTable(this.#pool, signalOf(work)), this.space, this.modules.items);
    return this.#tags;
  }

  /** The memory summary of `!vm 1`. */
  memory(): MemoryDocument {
    return memoryDocument(this.#memorySummary(), this.notes);
  }

  /** The tags that look like leaks, the likeliest first. */
  leaks(work: WorkOptions = {}): LeakReport {
    const { table } = this.tags(work);
    if ("missing" in table) return { candidates: [], groups: [], notes: [table.reason] };
    const { nonPagedMax, pagedMax, nonPagedUsage, pagedUsage } = this.#memorySummary().lines;
    return findLeaks(table, { pools: { nonPagedMax, pagedMax, nonPagedUsage, pagedUsage } });
  }

  /**
   * From a tag to the drivers that can make it grow. Without a tag: of the one that looks most like a
   * leak; where none does, the trail's `tag` is null and its notes say why.
   */
  trace(tag?: string, work: WorkOptions = {}): Trail {
    const chosen = tag ?? this.leaks(work).candidates[0]?.tag;
    if (chosen === undefined) return emptyTrail(this.leaks(work).notes);
    const parsed = parseTag(chosen);
    const usage = this.tags(work).get(parsed.key);
    return traceTag(this.#target, parsed, usage ?? null, work);
  }

  /** Closes the dump, and the PE files that were given with it. */
  [Symbol.dispose](): void {
    this.#images[Symbol.dispose]();
    this.#source[Symbol.dispose]();
  }

  get #resolver(): ImageSet<NamedImage> {
    if (this.#set === undefined) {
      const images: NamedImage[] = [];
      for (const module of this.modules.items) {
        const { name, image, imageName } = module;
        if (image !== undefined) images.push({ name, fileName: imageName ?? name, image });
      }
      this.#set = new ImageSet(images);
    }
    return this.#set;
  }

  get #pool(): PoolKernel {
    return poolKernelOf(this.kernel, this.space);
  }

  #memorySummary(): MemorySummary {
    this.#memory ??= readMemorySummary(this.#pool, { triage: this.kernel.triage?.memory });
    return this.#memory;
  }

  #exportAddress(module: string, name: string): Va | undefined {
    const found = this.#resolver.locate(module, name);
    return "unlocated" in found ? undefined : found.address;
  }

  /** Where a function has several names, the one that was asked for. */
  #nameAt(address: Va, declared: string | null): NamedFunction | null {
    const found = this.#resolver.resolve(address);
    if (found === undefined) {
      const module = this.modules.at(address);
      return module === undefined
        ? null
        : { module: module.name, name: null, offset: Number(address - module.base) };
    }
    const names = found.exports.map((item) => item.name ?? `#${item.ordinal}`);
    const name = names.find((candidate) => candidate === declared) ?? names[0] ?? null;
    return { module: found.module.name, name, offset: found.offset };
  }

  #exportAt(address: Va): { readonly module: string; readonly name: string } | undefined {
    const found = this.#resolver.resolve(address);
    const name = found?.offset === 0 ? found.exports.find((item) => item.name !== null)?.name : undefined;
    return found === undefined || name == null ? undefined : { module: found.module.name, name };
  }

  #follow(forwarder: string): ReturnType<FollowForwarder> {
    const found = this.#resolver.followForwarder(forwarder);
    if ("unlocated" in found) return null;
    return { module: found.module.name, name: found.export.name, address: found.address };
  }
}

function signalOf(work: WorkOptions): { readonly signal?: AbortSignal } {
  return work.signal === undefined ? {} : { signal: work.signal };
}
