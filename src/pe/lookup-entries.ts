import type { Rva, Va } from "../core/address.ts";
import { PAGE_SIZE } from "../core/address.ts";
import { MAX_LOOKUP_PROBES } from "../core/limits.ts";
import { recordAt } from "./hint-names.ts";
import type { RvaReader } from "./rva-reader.ts";
import { type Section, sectionSpan } from "./sections.ts";

/** What an entry of a lookup table asks for: a function's number, or the hint/name record at an RVA. */
export type LookupEntry = { readonly ordinal: number } | { readonly record: Rva };

/** One lookup table, up to its zero or to a hole. */
export interface LookupTable {
  /** Where it stands. */
  readonly rva: number;
  readonly entries: readonly Va[];
  /** Present where the linker wrote addresses, not RVAs: the base that they start from. */
  readonly linkedBase?: bigint;
}

const PAGE = BigInt(PAGE_SIZE);

/**
 * Decodes the lookup entries of one image.
 *
 * A linker writes RVAs; the kernel's loader makes addresses of them as it binds, and what the boot loader
 * bound keeps the addresses of where it first stood, since no relocation covers them. So on x86 an address
 * has the bit that marks an ordinal; what tells them apart are the bits between, which an ordinal has
 * as zeros.
 *
 * @see Microsoft PE Format, "Import Lookup Table"
 */
export class LookupEntries {
  readonly #reader: RvaReader;
  readonly #sections: readonly Section[];
  readonly #preferredBase: bigint;
  /** Where the image stood when its names were made addresses. */
  #earlierBase: bigint | undefined;
  #probes: number = MAX_LOOKUP_PROBES;

  /** @param preferredBase as the image's headers say; the boot loader leaves the base there that it chose */
  constructor(reader: RvaReader, sections: readonly Section[], preferredBase: bigint) {
    this.#reader = reader;
    this.#sections = sections;
    this.#preferredBase = preferredBase;
  }

  /** Whether so much was tried that the search for an earlier base was given up. */
  get exhausted(): boolean {
    return this.#probes <= 0;
  }

  /**
   * Each entry by itself, but those that are addresses of an earlier base by one base for all.
   *
   * @returns as many as `table.entries`; `undefined`: it leads to no name
   */
  decode(table: LookupTable): readonly (LookupEntry | undefined)[] {
    const decoded = table.entries.map((entry) => this.#direct(entry, table.linkedBase));
    const moved = table.entries.filter((_, i) => decoded[i] === undefined);
    const base = moved.length === 0 ? undefined : this.#baseOf(table, moved);
    return decoded.map((found, i) => {
      const entry = table.entries[i];
      if (found !== undefined || entry === undefined) return found;
      return base === undefined ? this.#anyhow(entry, table.linkedBase) : recordOf(entry - base);
    });
  }

  #direct(entry: Va, linkedBase: bigint | undefined): LookupEntry | undefined {
    const top = 1n << BigInt(this.#reader.pointerSize * 8 - 1);
    if ((entry & top) !== 0n && entry - top <= 0xffffn) return { ordinal: Number(entry & 0xffffn) };
    const places = this.#places(entry, linkedBase);
    if (places.length === 1 && places[0] === entry) return recordOf(entry);
    const place = places.find((at) => recordAt(this.#reader, Number(at)) === "record");
    return place === undefined ? undefined : recordOf(place);
  }

  /** Where the entry would lead, though no record can be seen there: to a hole, or to an odd name. */
  #anyhow(entry: Va, linkedBase: bigint | undefined): LookupEntry | undefined {
    const place = this.#places(entry, linkedBase)[0];
    return place === undefined ? undefined : recordOf(place);
  }

  /** RVAs that the entry can mean, the likeliest first. */
  #places(entry: Va, linkedBase: bigint | undefined): readonly bigint[] {
    const bases = linkedBase === undefined ? [0n, this.#reader.base] : [linkedBase, this.#reader.base, 0n];
    return [...new Set(bases)].map((base) => entry - base).filter((rva) => this.#inside(rva));
  }

  #inside(rva: bigint): boolean {
    return rva >= 0n && rva < BigInt(this.#reader.size);
  }

  #baseOf(table: LookupTable, entries: readonly Va[]): bigint | undefined {
    const known = [this.#earlierBase, this.#preferredBase];
    const base =
      known.find((one) => one !== undefined && this.#explained(entries, one) === entries.length) ??
      this.#searched(table, entries);
    if (base !== undefined) this.#earlierBase = base;
    return base;
  }

  /**
   * The one base from which the entries lead to names: images are moved by whole pages, and the names stand in the
   * section of their table. Two that explain as much explain nothing.
   */
  #searched(table: LookupTable, entries: readonly Va[]): bigint | undefined {
    const first = entries[0];
    if (first === undefined) return undefined;
    let best: bigint | undefined;
    let most = Math.max(1, Math.ceil(entries.length / 2)) - 1;
    for (const page of this.#pagesAround(table.rva)) {
      const base = first - (first % PAGE) - page;
      if (base <= 0n) break;
      if (this.exhausted) return undefined;
      const explained = this.#explained(entries, base);
      if (explained === undefined || explained < most) continue;
      best = explained === most ? undefined : base;
      most = explained;
    }
    return best;
  }

  /** How many entries lead to a name that can be read; `undefined`: one leads to what is none. */
  #explained(entries: readonly Va[], base: bigint): number | undefined {
    let records = 0;
    for (const entry of entries) {
      const rva = entry - base;
      if (!this.#inside(rva) || this.#probes-- <= 0) return undefined;
      const found = recordAt(this.#reader, Number(rva));
      if (found === "none") return undefined;
      if (found === "record") records++;
    }
    return records;
  }

  *#pagesAround(rva: number): Generator<bigint> {
    const within = this.#sections.find((one) => rva >= one.rva && rva < one.rva + sectionSpan(one));
    const start = within?.rva ?? 0;
    const { size } = this.#reader;
    const end = within === undefined ? size : Math.min(start + sectionSpan(within), size);
    for (let page = (BigInt(start) / PAGE) * PAGE; page < BigInt(end); page += PAGE) yield page;
  }
}

function recordOf(rva: bigint): LookupEntry {
  return { record: Number(rva) as Rva };
}
