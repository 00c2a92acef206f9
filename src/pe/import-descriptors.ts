import { readStruct } from "../core/kaitai.ts";
import { MAX_IMPORT_DLLS } from "../core/limits.ts";
import { PeImports } from "../generated/pe_imports.js";
import type { DataDirectory } from "./headers.ts";
import { type RvaReader, type TableStop, toTableStop } from "./rva-reader.ts";

/** One DLL of the import or delay import directory. */
export interface ImportedDll {
  readonly nameRva: number;
  /** 0: there is no lookup table. */
  readonly lookupRva: number;
  readonly addressRva: number;
  /** Present where the lookup table holds addresses instead of RVAs: what to take from them. */
  readonly linkedBase?: bigint;
}

interface ImportedDlls {
  readonly items: readonly ImportedDll[];
  readonly stopped?: TableStop;
}

const DESCRIPTOR_SIZE = 20;
const DELAY_DESCRIPTOR_SIZE = 32;

/**
 * Reads the import descriptors up to the empty one; the loader ignores the directory's size.
 *
 * @see Microsoft PE Format, "The .idata Section"
 */
export function readImportedDlls(reader: RvaReader, directory: DataDirectory): ImportedDlls {
  return walk(directory.rva, DESCRIPTOR_SIZE, (at) => {
    const bytes = reader.bytes(at, DESCRIPTOR_SIZE);
    const { nameRva, lookupRva, addressRva } = readStruct(PeImports.Descriptor, bytes, "import descriptor");
    return nameRva === 0 || addressRva === 0 ? undefined : { nameRva, lookupRva, addressRva };
  });
}

/**
 * Reads the descriptors of delayed imports up to the empty one.
 *
 * @param linkedBase what the addresses in descriptors of the oldest form start from
 * @see Microsoft PE Format, "Delay-Load Import Tables"
 */
export function readDelayDlls(reader: RvaReader, directory: DataDirectory, linkedBase: bigint): ImportedDlls {
  return walk(directory.rva, DELAY_DESCRIPTOR_SIZE, (at) => {
    const bytes = reader.bytes(at, DELAY_DESCRIPTOR_SIZE);
    const found = readStruct(PeImports.DelayDescriptor, bytes, "delay import descriptor");
    if (found.nameRva === 0 || found.addressRva === 0) return undefined;
    if ((found.attributes & 1) !== 0) return found;
    const low = Number(BigInt.asUintN(32, linkedBase));
    const toRva = (address: number): number => (address === 0 ? 0 : (address - low) >>> 0);
    return {
      nameRva: toRva(found.nameRva),
      lookupRva: toRva(found.lookupRva),
      addressRva: toRva(found.addressRva),
      linkedBase,
    };
  });
}

function walk(start: number, step: number, read: (at: number) => ImportedDll | undefined): ImportedDlls {
  const items: ImportedDll[] = [];
  try {
    while (items.length < MAX_IMPORT_DLLS) {
      const dll = read(start + items.length * step);
      if (dll === undefined) return { items };
      items.push(dll);
    }
    return { items, stopped: "limit" };
  } catch (error) {
    return { items, stopped: toTableStop(error) };
  }
}
