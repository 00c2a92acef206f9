import { type Pa, pa } from "../core/address.ts";
import { absentKind, type PageFormat, pageNumber } from "./page-format.ts";

/**
 * 32-bit x86 with PAE: a root of four entries that is only 32-byte aligned, two levels below it,
 * large pages of 2 MB.
 *
 * @param build of Windows, for the layout of entries that are not valid
 * @see Intel SDM volume 3, "PAE Paging"
 */
export function x86Pae(build: number): PageFormat {
  return {
    name: "x86-pae",
    pointerSize: 4,
    entrySize: 8,
    addressBits: 32,
    ignoresHighBits: false,
    levels: [
      { name: "PDPTE", shift: 30, bits: 2 },
      { name: "PDE", shift: 21, bits: 9 },
      { name: "PTE", shift: 12, bits: 9 },
    ],
    root: (directoryTableBase: bigint): Pa => pa(Number(directoryTableBase & 0xffffffe0n)),
    entryKind: (low, high, level) => {
      if ((low & 1) !== 0) return level === 1 && (low & 0x80) !== 0 ? "large" : "next";
      return level === 0 ? "not-mapped" : absentKind(low, high, build);
    },
    nextPage: (low, high) => pageNumber(low, high, 0xfffff),
    largePage: (low, high) => pageNumber(low & 0xffe00000, high, 0xfffff),
    transitionPage: (low, high) => pageNumber(low, high, 0x3f),
    prototypeAddress: (_low, high) => (high === 0xffffffff ? undefined : BigInt(high)),
  };
}
