import { hex, type Va } from "../core/address.ts";
import { FormatError } from "../core/errors.ts";
import { MAX_IMPORTS } from "../core/limits.ts";
import type { ImportedDll } from "./import-descriptors.ts";
import { LookupEntries, type LookupEntry } from "./lookup-entries.ts";
import { NameReader } from "./names.ts";
import { PointerRun } from "./pointer-run.ts";
import type { RvaReader, TableStop } from "./rva-reader.ts";
import type { Section } from "./sections.ts";

/** What the image asked for, as its linker wrote it. `null`: it cannot be read, or there is none. */
export interface DeclaredImport {
  readonly dll: string | null;
  readonly name: string | null;
  /** `null` where the import is by name. */
  readonly ordinal: number | null;
  /** Where the linker last saw the name in the DLL's table. */
  readonly hint?: number;
}

/** How the image's bytes are laid out. */
export interface ImportLayout {
  /** The loader has filled the slots. */
  readonly inMemory: boolean;
  /** The base that descriptors with addresses instead of RVAs were relocated to. */
  readonly linkedBase: bigint;
  /** What the headers say; in memory, a loader wrote it. */
  readonly preferredBase: bigint;
  /** SizeOfHeaders, in bytes. */
  readonly headersSize: number;
  readonly sections: readonly Section[];
}

/** A lookup table as it stands there. */
export interface ReadLookup {
  readonly entries: readonly Va[];
  /** One for each of `entries`; `undefined`: it leads to no name. */
  readonly decoded: readonly (LookupEntry | undefined)[];
  /** Why it ends before its zero. */
  readonly stopped?: TableStop;
}

/** The names and ordinals of one image's imports. */
export class ImportNames {
  readonly #reader: RvaReader;
  readonly #names: NameReader;
  readonly #entries: LookupEntries;
  readonly #lookups: ReadonlyMap<ImportedDll, ReadLookup>;
  #budget: number = MAX_IMPORTS;

  constructor(reader: RvaReader, layout: ImportLayout, dlls: readonly ImportedDll[]) {
    this.#reader = reader;
    this.#names = new NameReader(reader);
    this.#entries = new LookupEntries(reader, layout.sections, layout.preferredBase);
    const tables = dlls.flatMap((dll) => {
      const rva = lookupRva(dll, layout, reader.size);
      return rva === undefined ? [] : [{ dll, rva, ...this.#table(rva) }];
    });
    // The longest table leaves the least doubt of where the image stood, and the others share its base.
    tables.sort((a, b) => b.entries.length - a.entries.length);
    this.#lookups = new Map(
      tables.map(({ dll, rva, entries, stopped }) => {
        const linked = dll.linkedBase === undefined ? {} : { linkedBase: dll.linkedBase };
        const decoded = this.#entries.decode({ rva, entries, ...linked });
        return [dll, stopped === undefined ? { entries, decoded } : { entries, decoded, stopped }];
      }),
    );
  }

  /** Why the first text that could not be read could not. */
  get stopped(): TableStop | undefined {
    return this.#names.stopped;
  }
  set stopped(stopped: TableStop | undefined) {
    this.#names.stopped = stopped;
  }

  dllName({ nameRva }: ImportedDll): string | null {
    return this.#names.at(nameRva, "name of an imported DLL") ?? null;
  }

  /** `undefined`: there is none. */
  lookupOf(dll: ImportedDll): ReadLookup | undefined {
    return this.#lookups.get(dll);
  }

  /** What one entry of a DLL's table asks for. */
  declared(dll: string | null, { entries, decoded }: ReadLookup, index: number): DeclaredImport {
    const found = decoded[index];
    if (found === undefined) {
      this.#names.stopped ??= this.#entries.exhausted ? "limit" : this.#leadsNowhere(entries[index] ?? 0n);
      return { dll, name: null, ordinal: null };
    }
    if ("ordinal" in found) return { dll, name: null, ordinal: found.ordinal };
    const name = this.#names.at(found.record + 2, "name of an import") ?? null;
    const hint = this.#reader.table(found.record, 2).u16(0);
    return { dll, name, ordinal: null, ...(hint === undefined ? {} : { hint }) };
  }

  #table(rva: number): { readonly entries: readonly Va[]; readonly stopped?: TableStop } {
    const run = new PointerRun(this.#reader, rva);
    const entries: Va[] = [];
    for (let index = 0; ; index++) {
      const entry = run.at(index);
      if (entry === 0n) return { entries };
      const stopped = entry === undefined ? run.fault(index) : this.#budget-- <= 0 ? "limit" : undefined;
      if (entry === undefined || stopped !== undefined) return { entries, ...(stopped && { stopped }) };
      entries.push(entry);
    }
  }

  #leadsNowhere(entry: bigint): FormatError {
    const { label, size } = this.#reader;
    const expected = `an ordinal, or the place of a name in the image of ${size} bytes`;
    return new FormatError({ file: label, offset: 0, field: "import", expected, found: hex(entry) });
  }
}

/**
 * Where a DLL's lookup table stands. The loader takes the address table for one that would stand in the headers or
 * past the image; in memory the names there have been written over.
 */
function lookupRva(dll: ImportedDll, layout: ImportLayout, size: number): number | undefined {
  const isOwn = dll.linkedBase !== undefined || (dll.lookupRva >= layout.headersSize && dll.lookupRva < size);
  if (isOwn && dll.lookupRva !== 0) return dll.lookupRva;
  return layout.inMemory ? undefined : dll.addressRva;
}
