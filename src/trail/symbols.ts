import { advance, rva, type Va } from "../core/address.ts";
import { coffNames } from "../symbols/coff.ts";
import type { TrailModule, TrailTarget } from "./target.ts";

/** An exported name and where it stands. */
export interface Symbol {
  readonly name: string;
  readonly address: Va;
}

/** The names around an address. */
export interface Neighbours {
  readonly module: TrailModule | undefined;
  readonly below: (Symbol & { readonly offset: number }) | null;
  readonly above: Symbol | null;
  /** The nearest at or below it in the symbol table of the module's file; null where none is given, or it has none. */
  readonly symbol: (Symbol & { readonly offset: number }) | null;
}

/**
 * The exported name at or below an address, and the one above it, as `ln` gives them without symbols.
 * They are neighbours, and say nothing of the function that the address stands in.
 */
export function neighboursOf(target: TrailTarget, address: Va): Neighbours {
  const module = target.moduleAt(address);
  if (module?.image === undefined) return { module, below: null, above: null, symbol: null };
  const offset = Number(address - module.base);
  const { below, above } = module.image.exports.near(rva(offset));
  const symbol = coffNames(module.image).near(offset).below;
  const named = (item: { name: string | null; ordinal: number; rva: number }): Symbol => ({
    name: item.name ?? `#${item.ordinal}`,
    address: advance(module.base, item.rva),
  });
  return {
    module,
    below: below === undefined ? null : { ...named(below), offset: offset - below.rva },
    above: above === undefined ? null : named(above),
    symbol:
      symbol === undefined
        ? null
        : { name: symbol.name, address: advance(module.base, symbol.rva), offset: offset - symbol.rva },
  };
}
