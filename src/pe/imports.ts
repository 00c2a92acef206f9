import type { Rva, Va } from "../core/address.ts";
import { FormatError, type MemoryFault } from "../core/errors.ts";
import { MAX_IMPORTS, MAX_NAME_BYTES_TOTAL } from "../core/limits.ts";
import type { DataDirectory } from "./headers.ts";
import { type ImportedDll, readDelayDlls, readImportedDlls } from "./import-descriptors.ts";
import { type DeclaredImport, type ImportLayout, ImportNames, type ReadLookup } from "./import-names.ts";
import { PointerRun } from "./pointer-run.ts";
import type { RvaReader, TableStop } from "./rva-reader.ts";

/** One place that the loader fills with the address of an imported function. */
export interface ImportSlot {
  readonly rva: Rva;
  readonly kind: "iat" | "delay-iat";
  /** The pointer in memory. `undefined` in a file, and where `fault` says why. */
  readonly value: Va | undefined;
  readonly fault?: MemoryFault;
  /** A delay slot that still points to the image's own thunk: the function was not called yet. */
  readonly pending: boolean;
  /** Absent where only the import address table is left to tell that there is a slot. */
  readonly declared?: DeclaredImport;
}

/** A table that could not be read to its end. */
export interface ImportGap {
  readonly table:
    | "descriptors"
    | "delay-descriptors"
    | "lookup"
    | "addresses"
    | "names"
    | "address-directory";
  readonly dll: string | null;
  readonly stopped: TableStop;
}

/** What an image takes from others. */
export interface ImportTable {
  /** By RVA, each once. */
  readonly slots: readonly ImportSlot[];
  /** What could not be read. Empty: `slots` is all, with all names. */
  readonly gaps: readonly ImportGap[];
  /** What slots were declared as before a later descriptor, which the loader binds later, declared them again. Absent: none. */
  readonly replaced?: readonly ReplacedImport[];
}

/** A slot that two descriptors share. */
export interface ReplacedImport {
  readonly rva: Rva;
  /** What the loader writes over. */
  readonly declared: DeclaredImport;
}

/** The directories that imports are read from. */
export interface ImportDirectories {
  readonly imports: DataDirectory | undefined;
  readonly delayImports: DataDirectory | undefined;
  readonly addresses: DataDirectory | undefined;
}

/**
 * Reads the import slots from the descriptors, those of delayed imports, and, in memory, from the
 * import address table: in a dump the descriptors have usually been freed with the driver's INIT
 * section, and the addresses are all that is left.
 */
export function readImports(
  reader: RvaReader,
  directories: ImportDirectories,
  layout: ImportLayout,
): ImportTable {
  const imported =
    directories.imports === undefined ? { items: [] } : readImportedDlls(reader, directories.imports);
  const delayed =
    directories.delayImports === undefined
      ? { items: [] }
      : readDelayDlls(reader, directories.delayImports, layout.linkedBase);
  const names = new ImportNames(reader, layout, [...imported.items, ...delayed.items]);
  const walk = new ImportWalk(reader, layout.inMemory, names);
  for (const dll of imported.items) walk.addDll(dll, "iat");
  walk.addGap("descriptors", null, imported.stopped);
  for (const dll of delayed.items) walk.addDll(dll, "delay-iat");
  walk.addGap("delay-descriptors", null, delayed.stopped);
  if (layout.inMemory && directories.addresses !== undefined) walk.addAddresses(directories.addresses);
  return walk.end();
}

class ImportWalk {
  readonly #reader: RvaReader;
  readonly #inMemory: boolean;
  readonly #names: ImportNames;
  readonly #slots: Map<number, ImportSlot> = new Map();
  readonly #gaps: ImportGap[] = [];
  readonly #replaced: ReplacedImport[] = [];
  #budget: number = MAX_IMPORTS;
  /** Characters of DLLs' names that slots may still be told with: each has its DLL's, and those are short. */
  #dllText: number = MAX_NAME_BYTES_TOTAL / 4;

  constructor(reader: RvaReader, inMemory: boolean, names: ImportNames) {
    this.#reader = reader;
    this.#inMemory = inMemory;
    this.#names = names;
  }

  addGap(table: ImportGap["table"], dll: string | null, stopped: TableStop | undefined): void {
    if (stopped !== undefined) this.#gaps.push({ table, dll, stopped });
  }

  addDll(dllEntry: ImportedDll, kind: ImportSlot["kind"]): void {
    const { pointerSize, size } = this.#reader;
    this.#names.stopped = undefined;
    const dll = this.#names.dllName(dllEntry);
    let lookup: ReadLookup | undefined = this.#names.lookupOf(dllEntry);
    const addresses = this.#inMemory ? new PointerRun(this.#reader, dllEntry.addressRva) : undefined;

    for (let index = 0; ; index++) {
      if (lookup !== undefined && index === lookup.entries.length) {
        if (lookup.stopped === undefined) break;
        this.addGap("lookup", dll, lookup.stopped);
        lookup = undefined;
      }
      const value = addresses?.at(index);
      const fault = addresses?.fault(index);
      if (lookup === undefined) {
        if (value === undefined || value === 0n) {
          this.addGap("addresses", dll, fault);
          break;
        }
      }
      const rva = dllEntry.addressRva + index * pointerSize;
      if (rva + pointerSize > size || this.#budget-- <= 0) {
        this.addGap("addresses", dll, rva + pointerSize > size ? (fault ?? this.#pastEnd(rva)) : "limit");
        break;
      }
      const told = this.#told(dll);
      const declared =
        lookup === undefined
          ? { dll: told, name: null, ordinal: null }
          : this.#names.declared(told, lookup, index);
      this.#add(rva, kind, value, fault, declared);
    }
    this.addGap("names", dll, this.#names.stopped);
  }

  /** The name of a DLL for one more slot; `null` where all of them have more text than there can be. */
  #told(dll: string | null): string | null {
    if (dll === null) return null;
    this.#dllText -= dll.length;
    if (this.#dllText >= 0) return dll;
    this.#names.stopped ??= "limit";
    return null;
  }

  addAddresses(directory: DataDirectory): void {
    const { pointerSize } = this.#reader;
    const wanted = Math.min(directory.size, MAX_IMPORTS * pointerSize);
    const table = this.#reader.table(directory.rva, wanted);
    for (let at = 0; at + pointerSize <= table.length; at += pointerSize) {
      const value = table.pointer(at);
      if (value !== undefined && value !== 0n && !this.#slots.has(directory.rva + at)) {
        this.#add(directory.rva + at, "iat", value, undefined, undefined);
      }
    }
    const cut = wanted < directory.size ? "limit" : table.fault(0, wanted);
    this.addGap("address-directory", null, cut);
  }

  end(): ImportTable {
    const slots = [...this.#slots.values()].sort((a, b) => a.rva - b.rva);
    const table = { slots, gaps: this.#gaps };
    return this.#replaced.length === 0 ? table : { ...table, replaced: this.#replaced };
  }

  #add(
    rva: number,
    kind: ImportSlot["kind"],
    value: Va | undefined,
    fault: MemoryFault | undefined,
    declared: DeclaredImport | undefined,
  ): void {
    const earlier = this.#slots.get(rva)?.declared;
    if (earlier !== undefined) {
      // The loader binds descriptor after descriptor: what it writes last stays.
      if (declared === undefined || (declared.name ?? declared.ordinal) === null) return;
      if (!isSame(earlier, declared)) this.#replaced.push({ rva: rva as Rva, declared: earlier });
    }
    const { base, size } = this.#reader;
    const own = value !== undefined && value >= base && value < base + BigInt(size);
    this.#slots.set(rva, {
      rva: rva as Rva,
      kind,
      value,
      ...(fault === undefined ? {} : { fault }),
      pending: kind === "delay-iat" && own,
      ...(declared === undefined ? {} : { declared }),
    });
  }

  #pastEnd(rva: number): FormatError {
    const { label, size } = this.#reader;
    const expected = `inside the image of ${size} bytes`;
    return new FormatError({
      file: label,
      offset: rva,
      field: "import",
      expected,
      found: "an RVA past its end",
    });
  }
}

function isSame(a: DeclaredImport, b: DeclaredImport): boolean {
  return a.dll?.toLowerCase() === b.dll?.toLowerCase() && a.name === b.name && a.ordinal === b.ordinal;
}
