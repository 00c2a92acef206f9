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

/** Names in order of their places, and looked up by name as they are asked for: objects are made of those that are asked for. */
export class NameTable implements Names {
  readonly basis: NameBasis;
  /** By place. */
  readonly #names: readonly string[];
  readonly #rvas: Uint32Array;
  #byName: ReadonlyMap<string, number> | undefined;

  /** @param names of one place in the order in which they are told */
  constructor(basis: NameBasis, names: readonly Omit<Name, "basis">[]) {
    this.basis = basis;
    const sorted = [...names].sort((a, b) => a.rva - b.rva);
    this.#names = sorted.map(({ name }) => name);
    this.#rvas = Uint32Array.from(sorted, ({ rva }) => rva);
  }

  get items(): readonly Name[] {
    return this.#slice(0, this.#names.length);
  }

  at(rva: number): readonly Name[] {
    const first = this.#firstAbove(rva - 1);
    return this.#slice(first, Math.min(this.#firstAbove(rva), first + MAX_NAMES_OF_PLACE));
  }

  near(rva: number): Near {
    const next = this.#firstAbove(rva);
    const nearest = this.#rvas[next - 1];
    const [below] = nearest === undefined ? [] : this.at(nearest);
    const [above] = this.#slice(next, Math.min(next + 1, this.#names.length));
    return { ...(below === undefined ? {} : { below }), ...(above === undefined ? {} : { above }) };
  }

  byName(name: string): Name | undefined {
    if (this.#byName === undefined) {
      const places = new Map<string, number>();
      for (const [place, one] of this.#names.entries()) if (!places.has(one)) places.set(one, place);
      this.#byName = places;
    }
    const place = this.#byName.get(name);
    return place === undefined ? undefined : this.#slice(place, place + 1)[0];
  }

  #slice(from: number, to: number): readonly Name[] {
    return this.#names
      .slice(from, to)
      .map((name, i) => ({ name, rva: this.#rvas[from + i] as Rva, basis: this.basis }));
  }

  #firstAbove(rva: number): number {
    return upperBound(this.#rvas.length, rva, (i) => this.#rvas[i] ?? 0);
  }
}
