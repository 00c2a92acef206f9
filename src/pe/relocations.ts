import { FormatError } from "../core/errors.ts";
import { MAX_RELOCATION_BYTES } from "../core/limits.ts";
import type { DataDirectory } from "./headers.ts";
import type { RvaReader, TableStop } from "./rva-reader.ts";

/** IMAGE_REL_BASED_HIGHLOW: 32 bits to which the difference of the bases is added. */
export const RELOCATE_32 = 3;
/** IMAGE_REL_BASED_DIR64: 64 bits to which the difference of the bases is added. */
export const RELOCATE_64 = 10;
const PADDING = 0;
const HIGH_ADJUST = 4;

/** The places that change with an image's base, in the order of the file: blocks of one page each. */
export interface Relocations {
  readonly rvas: Uint32Array;
  /** IMAGE_REL_BASED_*, one for each of `rvas`. */
  readonly types: Uint8Array;
  /** Absent when the table came to its proper end. */
  readonly stopped?: TableStop;
}

/**
 * Reads the base relocations.
 *
 * @see Microsoft PE Format, "The .reloc Section (Image Only)"
 */
export function readRelocations(reader: RvaReader, directory: DataDirectory): Relocations {
  const capped = Math.min(directory.size, MAX_RELOCATION_BYTES);
  const table = reader.table(directory.rva, capped);
  const rvas = new Uint32Array(table.length >>> 1);
  const types = new Uint8Array(rvas.length);
  let count = 0;
  const end = (stopped: TableStop | undefined): Relocations => {
    const found = { rvas: rvas.slice(0, count), types: types.slice(0, count) };
    return stopped === undefined ? found : { ...found, stopped };
  };

  for (let block = 0; block + 8 <= capped; ) {
    const page = table.u32(block);
    const size = table.u32(block + 4);
    if (page === undefined || size === undefined) return end(table.fault(block, 8));
    if (size < 8) {
      // Linkers pad the table with zeros.
      if (size === 0 && page === 0) return end(undefined);
      const problem = {
        field: "size of a relocation block",
        expected: "at least 8 bytes",
        found: String(size),
      };
      return end(new FormatError({ file: reader.label, offset: directory.rva + block + 4, ...problem }));
    }
    const last = Math.min(block + size, capped);
    for (let at = block + 8; at + 2 <= last; at += 2) {
      const entry = table.u16(at);
      if (entry === undefined) return end(table.fault(at, 2));
      const type = entry >>> 12;
      if (type === PADDING) continue;
      rvas[count] = page + (entry & 0xfff);
      types[count++] = type;
      // Its second half is a value, not an entry.
      if (type === HIGH_ADJUST) at += 2;
    }
    block += size;
  }
  return end(directory.size > capped ? "limit" : undefined);
}
