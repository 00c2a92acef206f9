import { type Pa, pa } from "../core/address.ts";
import {
  absentKind,
  type PageFormat,
  pageNumber,
  prototypeAddress64,
  type TableLevel,
  unswizzled,
} from "./page-format.ts";

const FOUR_LEVELS: readonly TableLevel[] = [
  { name: "PML4E", shift: 39, bits: 9 },
  { name: "PDPTE", shift: 30, bits: 9 },
  { name: "PDE", shift: 21, bits: 9 },
  { name: "PTE", shift: 12, bits: 9 },
];
const FIVE_LEVELS: readonly TableLevel[] = [{ name: "PML5E", shift: 48, bits: 9 }, ...FOUR_LEVELS];
/** Vista RTM: page numbers of transition entries had 28 bits up to here, 36 after. */
const LAST_SHORT_TRANSITION = 6000;

/**
 * x64: four levels, or five with LA57; large pages of 2 MB and 1 GB.
 *
 * @param build of Windows, for the layout of entries that are not valid
 * @see Intel SDM volume 3, "4-Level Paging and 5-Level Paging"
 */
export function x64(levels: 4 | 5, build: number): PageFormat {
  const last = levels - 1;
  const transitionMask = build <= LAST_SHORT_TRANSITION ? 0xff : 0xffff;
  return {
    name: levels === 4 ? "x64" : "x64-la57",
    pointerSize: 8,
    entrySize: 8,
    addressBits: levels === 4 ? 48 : 57,
    ignoresHighBits: false,
    levels: levels === 4 ? FOUR_LEVELS : FIVE_LEVELS,
    root: (directoryTableBase: bigint): Pa => pa(Number(directoryTableBase & 0x000ffffffffff000n)),
    entryKind: (low, high, level) => {
      if ((low & 1) === 0) return absentKind(low, high, build);
      return (low & 0x80) !== 0 && (level === last - 1 || level === last - 2) ? "large" : "next";
    },
    nextPage: (low, high) => pageNumber(low, high, 0xfffff),
    /** Bit 12 of a large page's entry is PAT, not address. */
    largePage: (low, high, level) =>
      pageNumber(low & (level === last - 1 ? 0xffe00000 : 0xc0000000), high, 0xfffff),
    transitionPage: (low, high, highestPfn) => unswizzled(pageNumber(low, high, transitionMask), highestPfn),
    prototypeAddress: prototypeAddress64,
  };
}
