import type { Rva, Va } from "../core/address.ts";
import { FormatError, type MemoryFault } from "../core/errors.ts";
import { MAX_IMPORTS } from "../core/limits.ts";
import type { DataDirectory } from "./headers.ts";
import { type ImportedDll, readDelayDlls, readImportedDlls } from "./import-descriptors.ts";
import { NameReader } from "./names.ts";
import { PointerRun } from "./pointer-run.ts";
import type { RvaReader, TableStop } from "./rva-reader.ts";

/** What the image asked for, as its linker wrote it. `null`: it cannot be read, or there is none. */
export interface DeclaredImport {
  readonly dll: string | null;
  readonly name: string | null;
  /** `null` where the import is by name. */
  readonly ordinal: number | null;
  /** Where the linker last saw the name in the DLL's table. */
  readonly hint?: number;
}

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
 *
 * @param inMemory the loader has filled the slots
 * @param linkedBase the base that descriptors with addresses instead of RVAs were relocated to
 */
export function readImports(
  reader: RvaReader,
  directories: ImportDirectories,
  inMemory: boolean,
  linkedBase: bigint,
): ImportTable {
  const walk = new ImportWalk(reader, inMemory);
  if (directories.imports !== undefined) {
    const { items, stopped } = readImportedDlls(reader, directories.imports);
    for (const dll of items) walk.addDll(dll, "iat");
    walk.addGap("descriptors", null, stopped);
  }
  if (directories.delayImports !== undefined) {
    const { items, stopped } = readDelayDlls(reader, directories.delayImports, linkedBase);
    for (const dll of items) walk.addDll(dll, "delay-iat");
    walk.addGap("delay-descriptors", null, stopped);
  }
  if (inMemory && directories.addresses !== undefined) walk.addAddresses(directories.addresses);
  return walk.end();
}

class ImportWalk {
  readonly #reader: RvaReader;
  readonly #inMemory: boolean;
  readonly #names: NameReader;
  readonly #slots: Map<number, ImportSlot> = new Map();
  readonly #gaps: ImportGap[] = [];
  #budget: number = MAX_IMPORTS;

  constructor(reader: RvaReader, inMemory: boolean) {
    this.#reader = reader;
    this.#inMemory = inMemory;
    this.#names = new NameReader(reader);
  }

  addGap(table: ImportGap["table"], dll: string | null, stopped: TableStop | undefined): void {
    if (stopped !== undefined) this.#gaps.push({ table, dll, stopped });
  }

  addDll({ nameRva, lookupRva, addressRva, linkedBase }: ImportedDll, kind: ImportSlot["kind"]): void {
    const { pointerSize, size } = this.#reader;
    this.#names.stopped = undefined;
    const dll = this.#names.at(nameRva, "name of an imported DLL") ?? null;
    // Without a lookup table, a file has the names where the addresses will be.
    const lookupAt = lookupRva !== 0 ? lookupRva : this.#inMemory ? undefined : addressRva;
    let lookup = lookupAt === undefined ? undefined : new PointerRun(this.#reader, lookupAt);
    const addresses = this.#inMemory ? new PointerRun(this.#reader, addressRva) : undefined;

    for (let index = 0; ; index++) {
      const entry = lookup?.at(index);
      if (entry === 0n) break;
      if (lookup !== undefined && entry === undefined) {
        this.addGap("lookup", dll, lookup.fault(index));
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
      const rva = addressRva + index * pointerSize;
      if (rva + pointerSize > size || this.#budget-- <= 0) {
        this.addGap("addresses", dll, rva + pointerSize > size ? (fault ?? this.#pastEnd(rva)) : "limit");
        break;
      }
      this.#add(rva, kind, value, fault, this.#declared(dll, entry, linkedBase));
    }
    this.addGap("names", dll, this.#names.stopped);
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
    return { slots: [...this.#slots.values()].sort((a, b) => a.rva - b.rva), gaps: this.#gaps };
  }

  #add(
    rva: number,
    kind: ImportSlot["kind"],
    value: Va | undefined,
    fault: MemoryFault | undefined,
    declared: DeclaredImport | undefined,
  ): void {
    if (this.#slots.has(rva)) return;
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

  /** @param entry `undefined`: the lookup table cannot be read */
  #declared(dll: string | null, entry: Va | undefined, linkedBase: bigint | undefined): DeclaredImport {
    if (entry === undefined) return { dll, name: null, ordinal: null };
    if (entry >> BigInt(this.#reader.pointerSize * 8 - 1) === 1n) {
      return { dll, name: null, ordinal: Number(entry & 0xffffn) };
    }
    const rva = entry - (linkedBase ?? 0n);
    if (rva < 0n || rva >= BigInt(this.#reader.size)) {
      this.#names.stopped ??= this.#pastEnd(Number(BigInt.asUintN(52, rva)));
      return { dll, name: null, ordinal: null };
    }
    const at = Number(rva);
    const name = this.#names.at(at + 2, "name of an import") ?? null;
    const hint = this.#reader.table(at, 2).u16(0);
    return { dll, name, ordinal: null, ...(hint === undefined ? {} : { hint }) };
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
