import type { Rva } from "../core/address.ts";
import { readStruct } from "../core/kaitai.ts";
import { MAX_EXPORTS, MAX_NAMES_OF_PLACE } from "../core/limits.ts";
import { addTo, upperBound } from "../core/search.ts";
import { PeExports } from "../generated/pe_exports.js";
import type { DataDirectory } from "./headers.ts";
import { NameReader } from "./names.ts";
import { type RvaReader, type TableStop, toTableStop } from "./rva-reader.ts";

/** One exported function or variable. A function with two names is listed twice. */
export interface Export {
  /** `null`: exported by ordinal only, or, in a table with `stopped`, by a name that cannot be read. */
  readonly name: string | null;
  readonly ordinal: number;
  /** Where it stands; of a forwarder, where the forwarder's text stands. */
  readonly rva: Rva;
  /** `NTOSKRNL.ExFreePool` or `hal.#12`, where another module has the function. */
  readonly forwarder?: string;
}

/** A part of an export table that could not be read. */
export interface ExportGap {
  /** `table`: functions are missing. `name`, `forwarder`: those are listed, and this of them is not known. */
  readonly part: "table" | "names" | "name" | "forwarder" | "dll-name";
  /** How many, of the last three. */
  readonly count: number;
  /** Why the first could not be read. */
  readonly stopped: TableStop;
}

/** What an image offers to others. */
export class ExportTable {
  /** The name that the linker gave the image; `null` where there is no table or the name cannot be read. */
  readonly dllName: string | null;
  /** In order of ordinal, then of name. */
  readonly items: readonly Export[];
  /** Why functions or names of functions are missing. Absent: `items` is the whole table, with all names. */
  readonly stopped?: TableStop;
  /** Everything that could not be read, each part once. */
  readonly gaps: readonly ExportGap[];
  #byName: ReadonlyMap<string, Export> | undefined;
  #byOrdinal: ReadonlyMap<number, Export> | undefined;
  #byRva: readonly Export[] | undefined;

  constructor(dllName: string | null, items: readonly Export[], gaps: readonly ExportGap[] = []) {
    this.dllName = dllName;
    this.items = items;
    this.gaps = gaps;
    const missing = gaps.find(({ part }) => part !== "dll-name" && part !== "forwarder");
    if (missing !== undefined) this.stopped = missing.stopped;
  }

  /** By its exact name. `undefined` in a table with `stopped` is no proof of absence. */
  byName(name: string): Export | undefined {
    if (this.#byName === undefined) {
      const names = new Map<string, Export>();
      for (const item of this.items)
        if (item.name !== null && !names.has(item.name)) names.set(item.name, item);
      this.#byName = names;
    }
    return this.#byName.get(name);
  }

  byOrdinal(ordinal: number): Export | undefined {
    if (this.#byOrdinal === undefined) {
      const ordinals = new Map<number, Export>();
      for (const item of this.items) if (!ordinals.has(item.ordinal)) ordinals.set(item.ordinal, item);
      this.#byOrdinal = ordinals;
    }
    return this.#byOrdinal.get(ordinal);
  }

  /** Those that stand at exactly `rva`, of more than 64 the first; forwarders stand nowhere. */
  at(rva: number): readonly Export[] {
    const sorted = this.#sorted();
    const first = firstAbove(sorted, rva - 1);
    return sorted.slice(first, Math.min(firstAbove(sorted, rva), first + MAX_NAMES_OF_PLACE));
  }

  /** The nearest at or below `rva`, and the nearest above it. */
  near(rva: number): { readonly below?: Export; readonly above?: Export } {
    const sorted = this.#sorted();
    const next = firstAbove(sorted, rva);
    const nearest = sorted[next - 1];
    const below = nearest === undefined ? undefined : sorted[firstAbove(sorted, nearest.rva - 1)];
    const above = sorted[next];
    return { ...(below === undefined ? {} : { below }), ...(above === undefined ? {} : { above }) };
  }

  #sorted(): readonly Export[] {
    this.#byRva ??= this.items.filter((item) => item.forwarder === undefined).sort((a, b) => a.rva - b.rva);
    return this.#byRva;
  }
}

/** The index of the first item past `rva`. */
function firstAbove(sorted: readonly Export[], rva: number): number {
  return upperBound(sorted.length, rva, (i) => sorted[i]?.rva ?? 0);
}

/**
 * Reads the export directory.
 *
 * @see Microsoft PE Format, "The .edata Section (Image Only)"
 */
export function readExports(reader: RvaReader, directory: DataDirectory): ExportTable {
  const gaps = new Gaps();
  let header: PeExports;
  try {
    header = readStruct(PeExports, reader.bytes(directory.rva, 40), "export directory");
  } catch (error) {
    gaps.add("table", toTableStop(error));
    return new ExportTable(null, [], gaps.items);
  }
  const names = new NameReader(reader, directory);
  const text = (at: number, part: ExportGap["part"], field: string): string | undefined => {
    names.stopped = undefined;
    const found = names.at(at, field);
    gaps.add(part, names.stopped);
    return found;
  };
  const dllName = text(header.nameRva, "dll-name", "DLL name") ?? null;
  const functionCount = Math.min(header.functionCount, MAX_EXPORTS);
  const nameCount = Math.min(header.nameCount, MAX_EXPORTS);
  const addresses = reader.table(header.functionsRva, functionCount * 4);
  const namesOf = readNames(reader, header, nameCount, gaps, (at) => text(at, "name", "export name"));
  if (header.nameCount > nameCount) gaps.add("names", "limit");

  const items: Export[] = [];
  for (let index = 0; index < functionCount; index++) {
    const rva = addresses.u32(index * 4);
    if (rva === undefined) {
      gaps.add("table", addresses.fault(index * 4, 4));
      if (addresses.length <= index * 4) break;
      continue;
    }
    // An unused ordinal.
    if (rva === 0) continue;
    const inDirectory = rva >= directory.rva && rva < directory.rva + directory.size;
    const forwarder = inDirectory ? (text(rva, "forwarder", "forwarder") ?? "") : undefined;
    for (const name of namesOf.get(index) ?? [null]) {
      const item = { name, ordinal: header.ordinalBase + index, rva: rva as Rva };
      items.push(forwarder === undefined ? item : { ...item, forwarder });
    }
  }
  if (header.functionCount > functionCount) gaps.add("table", "limit");
  return new ExportTable(dllName, items, gaps.items);
}

/** `ExportTable.dllName` by itself: the functions and their names are not read. */
export function readDllName(reader: RvaReader, directory: DataDirectory): string | null {
  try {
    const header = readStruct(PeExports, reader.bytes(directory.rva, 40), "export directory");
    return reader.text(header.nameRva, "DLL name");
  } catch (error) {
    toTableStop(error);
    return null;
  }
}

/** What could not be read, part by part. */
class Gaps {
  readonly #byPart: Map<ExportGap["part"], ExportGap> = new Map();

  get items(): readonly ExportGap[] {
    return [...this.#byPart.values()];
  }

  /** @param stopped `undefined`: nothing is wrong */
  add(part: ExportGap["part"], stopped: TableStop | undefined): void {
    if (stopped === undefined) return;
    const known = this.#byPart.get(part);
    this.#byPart.set(part, { part, count: (known?.count ?? 0) + 1, stopped: known?.stopped ?? stopped });
  }
}

/** The names of each function that has any, by its index in the address table. */
function readNames(
  reader: RvaReader,
  header: PeExports,
  count: number,
  gaps: Gaps,
  text: (at: number) => string | undefined,
): ReadonlyMap<number, readonly string[]> {
  const pointers = reader.table(header.namesRva, count * 4);
  const ordinals = reader.table(header.nameOrdinalsRva, count * 2);
  const found = new Map<number, string[]>();
  for (let index = 0; index < count; index++) {
    const pointer = pointers.u32(index * 4);
    const ordinal = ordinals.u16(index * 2);
    if (pointer === undefined || ordinal === undefined) {
      gaps.add("names", pointers.fault(index * 4, 4) ?? ordinals.fault(index * 2, 2));
      if (pointers.length <= index * 4 || ordinals.length <= index * 2) break;
      continue;
    }
    const name = text(pointer);
    if (name === undefined) continue;
    addTo(found, ordinal, name);
  }
  return found;
}
