import type { Rva } from "../core/address.ts";
import { MAX_NAMES_OF_PLACE } from "../core/limits.ts";
import { upperBound } from "../core/search.ts";

/** What says that something is called so: the image offers it to others by that name, or a symbol table has it. */
export type NameBasis = "export" | "symbol";

/** A name of a place in an image. */
export interface Name {
  readonly name: string;
  readonly rva: Rva;
  readonly basis: NameBasis;
}

/** The names around a place; they are neighbours, and say nothing of the function that it stands in. */
export interface Near {
  /** At or below it. */
  readonly below?: Name;
  readonly above?: Name;
}

/** One source of names for the places of an image: its exports, a symbol table. */
export interface Names {
  readonly basis: NameBasis;
  /** In order of their places; those of one place as the source has them. */
  readonly items: readonly Name[];
  /** The names of exactly this place; of more than 64, the first. */
  at(rva: number): readonly Name[];
  near(rva: number): Near;
  byName(name: string): Name | undefined;
}

/** Names in order of their places, and looked up by name as they are asked for. */
export class NameTable implements Names {
  readonly basis: NameBasis;
  readonly items: readonly Name[];
  #byName: ReadonlyMap<string, Name> | undefined;

  /** @param names of one place in the order in which they are told */
  constructor(basis: NameBasis, names: readonly Omit<Name, "basis">[]) {
    this.basis = basis;
    this.items = names.map((name) => ({ ...name, basis })).sort((a, b) => a.rva - b.rva);
  }

  at(rva: number): readonly Name[] {
    const first = this.#firstAbove(rva - 1);
    return this.items.slice(first, Math.min(this.#firstAbove(rva), first + MAX_NAMES_OF_PLACE));
  }

  near(rva: number): Near {
    const next = this.#firstAbove(rva);
    const nearest = this.items[next - 1];
    const below = nearest === undefined ? undefined : this.items[this.#firstAbove(nearest.rva - 1)];
    const above = this.items[next];
    return { ...(below === undefined ? {} : { below }), ...(above === undefined ? {} : { above }) };
  }

  byName(name: string): Name | undefined {
    if (this.#byName === undefined) {
      const names = new Map<string, Name>();
      for (const one of this.items) if (!names.has(one.name)) names.set(one.name, one);
      this.#byName = names;
    }
    return this.#byName.get(name);
  }

  #firstAbove(rva: number): number {
    return upperBound(this.items.length, rva, (i) => this.items[i]?.rva ?? 0);
  }
}
