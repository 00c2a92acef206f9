import { advance, rva, type Va } from "../core/address.ts";
import type { TrailModule, TrailTarget } from "./target.ts";

/** An exported name and where it stands. */
export interface Symbol {
  readonly name: string;
  readonly address: Va;
}

/** The exported names around an address. */
export interface Neighbours {
  readonly module: TrailModule | undefined;
  readonly below: (Symbol & { readonly offset: number }) | null;
  readonly above: Symbol | null;
}

/**
 * The exported name at or below an address, and the one above it, as `ln` gives them without symbols.
 * They are neighbours, and say nothing of the function that the address stands in.
 */
export function neighboursOf(target: TrailTarget, address: Va): Neighbours {
  const module = target.moduleAt(address);
  if (module?.image === undefined) return { module, below: null, above: null };
  const { below, above } = module.image.exports.near(rva(Number(address - module.base)));
  const named = (item: { name: string | null; ordinal: number; rva: number }): Symbol => ({
    name: item.name ?? `#${item.ordinal}`,
    address: advance(module.base, item.rva),
  });
  return {
    module,
    below:
      below === undefined ? null : { ...named(below), offset: Number(address - module.base) - below.rva },
    above: above === undefined ? null : named(above),
  };
}
