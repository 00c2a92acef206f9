import { type Rva, rva, type Va } from "../core/address.ts";
import type { Coverage } from "./coverage.ts";
import { bytesAt, littleEndian, type SearchLimits, searchModules } from "./references.ts";
import type { TrailTarget } from "./target.ts";

/** A place in a module that holds an address. */
export interface Pointer {
  readonly address: Va;
  readonly module: string;
  readonly rva: Rva;
  readonly section: string | null;
  /** Which kind of import slot it is; null where it is none. */
  readonly slot: "iat" | "delay-iat" | null;
  /** Sixteen bytes from there, as in a hex dump. */
  readonly bytes: string;
}

export interface Pointers {
  readonly target: Va;
  readonly pointers: readonly Pointer[];
  readonly coverage: readonly Coverage[];
}

/** Finds who holds an address: in every module, at any alignment. */
export function findPointers(target: TrailTarget, address: Va, limits: SearchLimits = {}): Pointers {
  const needle = littleEndian(address, target.space.pointerSize);
  const { found, coverage } = searchModules(target, [needle], limits, (module, at): Pointer => {
    const offset = rva(Number(at - module.base));
    return {
      address: at,
      module: module.name,
      rva: offset,
      section: module.image?.sectionAt(offset)?.name ?? null,
      slot: module.imports.slots.find((slot) => slot.rva === offset)?.kind ?? null,
      bytes: bytesAt(target, at).bytes,
    };
  });
  return { target: address, pointers: found, coverage };
}
