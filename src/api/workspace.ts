import { type AddressLike, advance, type Va, windbgHex } from "../core/address.ts";
import { ArgumentRangeError } from "../core/argument-error.ts";
import { type ListWalk, walkList } from "../kernel/linked-list.ts";
import type { AddressSpace, SparseBytes } from "../memory/address-space.ts";
import { findPatterns } from "../memory/search.ts";
import { parseTag } from "../pool/tag.ts";
import { answer } from "../report/answer.ts";
import { codeDocument } from "../report/code-document.ts";
import type {
  CodeDocument,
  ExportsDocument,
  HeadersDocument,
  ImportsDocument,
  NearRow,
  PointersDocument,
} from "../report/documents.ts";
import { exportsDocument, missingNamesNote } from "../report/exports-document.ts";
import { headersDocument } from "../report/headers-document.ts";
import { importsDocument } from "../report/imports-document.ts";
import { nearRow } from "../report/near-document.ts";
import { readDocument } from "../report/read-document.ts";
import { type Scan, scanDocument } from "../report/scan-document.ts";
import { slotsDocument } from "../report/slots-document.ts";
import { type CallList, functionAtAddress, functionNamed, listCalls } from "../trail/listing/call-list.ts";
import { type ListingOptions, listCode } from "../trail/listing/code-listing.ts";
import { type FunctionList, listFunctions } from "../trail/listing/function-list.ts";
import { ModuleCodes } from "../trail/module-codes.ts";
import type { SearchLimits } from "../trail/module-search.ts";
import { findPointers } from "../trail/module-search.ts";
import { scanTag } from "../trail/scan.ts";
import { neighboursOf } from "../trail/symbols.ts";
import type { TrailTarget } from "../trail/target.ts";
import { parseAddress } from "./expression.ts";
import { LoadedNames } from "./loaded-names.ts";
import { Module } from "./module.ts";
import type { ModuleList } from "./module-list.ts";

/** How a question that looks through all modules is watched, and ended between two of them. */
export type WorkOptions = SearchLimits;

/** Bytes with their holes. */
export interface ReadBytes extends SparseBytes {
  /** How many of them a PE file gave. */
  readonly fromFile: number;
}

/** Where bytes are looked for: in one module, in memory from an address on, or in all modules. */
export type FindRange =
  | { readonly module?: ModuleLike }
  | {
      readonly from: AddressLike;
      /** In bytes. */
      readonly length: number;
    };

/** Places that are told of at most. */
const MOST_FOUND = 100_000;

/** A module by its name as `lm` shows it, its file name, an address inside it, or itself. */
export type ModuleLike = Module | AddressLike;

/** Modules in one address space, and the questions that need no more than them. */
export abstract class Workspace {
  /** What is missing or odd, one sentence each. */
  abstract readonly notes: readonly string[];
  /** The kernel's memory; of a folder, its images. */
  readonly space: AddressSpace;
  readonly modules: ModuleList;
  /**
   * Whose instructions the images hold: `x86`, `x64`, `arm64`.
   *
   * @internal
   */
  protected abstract readonly machine: string;
  /**
   * What the trail looks at.
   *
   * @internal
   */
  protected readonly target: TrailTarget;
  readonly #names: LoadedNames;

  /**
   * @param more what only a dump has
   * @internal
   */
  constructor(
    space: AddressSpace,
    modules: ModuleList,
    more: Omit<TrailTarget, "space" | "modules" | "moduleAt" | "resolve">,
  ) {
    this.space = space;
    this.modules = answer(modules, () => modules.list(this.notes));
    this.#names = new LoadedNames(space, modules, (name) => this.kernelVariable(name));
    this.target = {
      ...more,
      space,
      modules: modules.items,
      moduleAt: (address) => modules.at(address),
      resolve: (address) => this.#names.startingAt(address),
    };
  }

  /** In bytes. */
  get pointerSize(): 4 | 8 {
    return this.space.pointerSize;
  }

  /**
   * An address as a person writes it for WinDbg: hex (`8096c909`, ``fffff804`7ba00000``), `nt!Name+0x3d`, `nt+1000`,
   * `poi(nt!PsLoadedModuleList)+18`. Numbers in a string are hexadecimal, but for those behind `0n`.
   *
   * @throws {TypeError} no expression, or one with a name that this dump does not have
   * @throws {RangeError} no address of this machine, or a number past 2^53, where doubles skip addresses
   * @throws {MemoryError} what stands in `poi()` leads to memory that cannot be read
   */
  address(expression: AddressLike): Va {
    return parseAddress(expression, this.#names);
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
    throw new ArgumentRangeError(`no loaded module holds ${windbgHex(address, this.pointerSize)}`);
  }

  /** Every reference to a tag, in every module. `Se` is `Se  `. */
  scan(tag: string, work: WorkOptions = {}): Scan {
    const scan = scanDocument(scanTag(this.target, parseTag(tag), work));
    return answer({ ...scan, notes: [...scan.notes, ...this.gaps] });
  }

  /** The exported names around an address, and the function that it stands in. */
  near(address: AddressLike): NearRow {
    const row = this.#near(this.address(address));
    return answer(row, () => ({ symbols: [row] }));
  }

  #near(address: Va): NearRow {
    const row = nearRow(this.target, address);
    if (row.module !== null) return row;
    const gone = this.modules.unloaded.items.filter(
      ({ base, end }) => row.address >= base && row.address < end,
    );
    const unloaded = gone.map(({ name }) => `${name} stood there, and was unloaded`);
    return { ...row, notes: [...row.notes, ...unloaded, ...this.modules.gaps] };
  }

  /** Who holds an address: in every module, at any alignment. */
  pointers(address: AddressLike, work: WorkOptions = {}): PointersDocument {
    const { notes, ...found } = findPointers(this.target, this.address(address), work);
    return answer({ ...found, notes: [...notes, ...this.gaps] });
  }

  /**
   * The PE headers of a module.
   *
   * @throws {MemoryError | FormatError} they cannot be read
   */
  headers(module: ModuleLike): HeadersDocument {
    const found = this.module(module);
    return answer(headersDocument(found.name, found.wholeImage()));
  }

  /**
   * The import slots of a module, each with the function that it points to.
   *
   * @throws {MemoryError | FormatError} its headers cannot be read
   */
  imports(module: ModuleLike): ImportsDocument {
    const found = this.module(module);
    const document = importsDocument(
      found.name,
      found.wholeImage(),
      found.imports,
      (address, declared) => this.#names.nearest(address, declared),
      (dll, symbol) => this.#names.exported(dll, symbol),
    );
    const named = document.imports.map(({ target }) => target);
    return answer({ ...document, notes: [...document.notes, ...this.#missingNames(named)] });
  }

  /** Of the modules that hold these addresses. */
  #missingNames(addresses: readonly (Va | null)[]): readonly string[] {
    const modules = new Set(
      addresses.flatMap((address) => (address === null ? [] : (this.modules.at(address) ?? []))),
    );
    return [...modules].flatMap(({ name, image }) =>
      image === undefined ? [] : missingNamesNote(name, image),
    );
  }

  /**
   * A stretch of memory as pointers, each with the exported name at or below what it points to, as `dps` shows a stack. Import
   * slots in it are told as `imports` tells them.
   *
   * @param count of pointers
   */
  slots(address: AddressLike, count: number): ImportsDocument {
    const { space } = this;
    const start = this.address(address);
    const read = space.readSparse(start, count * space.pointerSize);
    const end = advance(start, read.bytes.length);
    const modules = this.modules.items.filter(({ base, end: over }) => base < end && over > start);
    const known = modules.flatMap((module) =>
      module.image === undefined ? [] : this.imports(module).imports,
    );
    return answer(slotsDocument(space, read, (target) => this.#names.nearest(target, null), known));
  }

  /**
   * The exports of a module, and where its forwarders lead.
   *
   * @throws {MemoryError | FormatError} its headers cannot be read
   */
  exports(module: ModuleLike): ExportsDocument {
    const found = this.module(module);
    return answer(
      exportsDocument(found.name, found.wholeImage(), (forwarder) => this.#names.follow(forwarder)),
    );
  }

  /**
   * The functions of a module: entries, the basis on which each is known, and their pieces.
   *
   * @throws {MemoryError | FormatError} its headers cannot be read
   */
  functions(module: ModuleLike): FunctionList {
    const found = this.module(module);
    const image = found.wholeImage();
    const list = listFunctions(found.name, image);
    return answer({ ...list, notes: [...list.notes, ...missingNamesNote(found.name, image)] });
  }

  /**
   * Who calls a function in a module's code, and what the function calls.
   *
   * @param function_ a name that the module exports or imports; or an address of the function, or anywhere
   * in it, or of a function elsewhere that the module imports
   * @throws {MemoryError | FormatError} the module's headers cannot be read
   * @throws {TypeError} no address, and no name of the module
   */
  calls(module: ModuleLike, function_: AddressLike): CallList {
    const found = this.module(module);
    found.wholeImage();
    const decoded = new ModuleCodes(this.target).of(found);
    if (decoded === undefined) throw new ArgumentRangeError(`${found.name} has no code`);
    const named = typeof function_ === "string" ? functionNamed(found, decoded, function_) : undefined;
    return answer(listCalls(found, decoded, named ?? functionAtAddress(found, this.address(function_))));
  }

  /**
   * The instructions around an address, from it on, before it, or of its whole function, with names for what they refer
   * to. Those before it are decoded from the function's start.
   *
   * @throws {TypeError} no address and no name of this dump
   */
  code(address: AddressLike, options: ListingOptions = {}): CodeDocument {
    const listing = listCode(this.target, this.machine, this.address(address), options);
    return answer(codeDocument(listing, this.pointerSize));
  }

  /** Where an address stands in its module, and the export at or below it; no code is decoded for that. */
  placeOf(address: AddressLike): Pick<NearRow, "module" | "rva" | "below"> {
    const at = this.address(address);
    const { module, below } = neighboursOf(this.target, at);
    return {
      module: module?.name ?? null,
      rva: module === undefined ? null : Number(at - module.base),
      below,
    };
  }

  /** What can be read of `length` bytes, with its holes. */
  read(address: AddressLike, length: number): ReadBytes {
    const at = this.address(address);
    const filled = this.space.spans(at, length).filter((span) => span.content === "file");
    const fromFile = filled.reduce((sum, span) => sum + span.length, 0);
    const read = { ...this.space.readSparse(at, length), fromFile };
    return answer(read, () => readDocument(read, this.placeOf(at)));
  }

  /**
   * Finds bytes at every address, aligned or not, never across a hole.
   *
   * @param bytes two or more
   * @param where a module; or from an address on, `length` bytes; all modules where it is left out
   * @returns addresses, in order of the modules, then of address; 100,000 at most
   * @throws {RangeError} fewer than two bytes, or no such module or address
   */
  find(bytes: Uint8Array, where: FindRange = {}): readonly Va[] {
    const found: Va[] = [];
    const look = (start: Va, length: number): unknown =>
      findPatterns(this.space, start, length, [bytes], (at) => found.push(at) < MOST_FOUND);
    if ("from" in where) look(this.address(where.from), where.length);
    else {
      const modules = where.module === undefined ? this.modules.items : [this.module(where.module)];
      for (const { base, size } of modules) if (found.length < MOST_FOUND) look(base, size);
    }
    return found;
  }

  /**
   * Follows a LIST_ENTRY chain from its head, and where it is broken, backwards from the end.
   *
   * @param head an expression as `address` takes it
   * @param most links that are followed
   * @returns the addresses of the links, without the head; `stopped` says why it ended early
   */
  list(head: AddressLike, most = 100_000): ListWalk<Va> {
    return walkList(this.space, this.address(head), most, (link) => link);
  }

  /**
   * What a search of all modules cannot have looked at.
   *
   * @internal
   */
  protected get gaps(): readonly string[] {
    return [...this.modules.gaps, ...this.notes];
  }

  /**
   * Where a variable of the kernel stands that nt does not export; only a dump knows some.
   *
   * @internal
   */
  protected kernelVariable(_name: string): Va | undefined {
    return undefined;
  }
}
