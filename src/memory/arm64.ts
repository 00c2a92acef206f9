import { type Pa, pa } from "../core/address.ts";
import { absentKind, type PageFormat, pageNumber, unswizzled } from "./page-format.ts";

/**
 * ARM64 with pages of 4 KB: four levels, blocks of 2 MB and 1 GB. Windows keeps one root for both
 * halves of the address space. Entries that are not valid are taken to be as on x64, which no second
 * source confirms; the address in a prototype entry is therefore not followed.
 *
 * @param build of Windows, for the layout of entries that are not valid
 * @see Arm Architecture Reference Manual, "VMSAv8-64 translation table format descriptors"
 */
export function arm64(build: number): PageFormat {
  return {
    name: "arm64",
    pointerSize: 8,
    entrySize: 8,
    addressBits: 48,
    ignoresHighBits: true,
    levels: [
      { name: "L0", shift: 39, bits: 9 },
      { name: "L1", shift: 30, bits: 9 },
      { name: "L2", shift: 21, bits: 9 },
      { name: "L3", shift: 12, bits: 9 },
    ],
    root: (directoryTableBase: bigint): Pa => pa(Number(directoryTableBase & 0x0000fffffffff000n)),
    entryKind: (low, high, level) => {
      if ((low & 1) === 0) return absentKind(low, high, build);
      if ((low & 2) !== 0) return "next";
      return level === 1 || level === 2 ? "large" : "not-mapped";
    },
    nextPage: (low, high) => pageNumber(low, high, 0xffff),
    largePage: (low, high, level) => pageNumber(low & (level === 2 ? 0xffe00000 : 0xc0000000), high, 0xffff),
    transitionPage: (low, high, highestPfn) => unswizzled(pageNumber(low, high, 0xffff), highestPfn),
    prototypeAddress: () => undefined,
  };
}
