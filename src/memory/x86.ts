import { type Pa, pa } from "../core/address.ts";
import { absentKind32, type PageFormat } from "./page-format.ts";

/**
 * 32-bit x86 without PAE: two levels, entries of 4 bytes, large pages of 4 MB.
 *
 * @see Intel SDM volume 3, "32-Bit Paging"
 */
export const x86: PageFormat = {
  name: "x86",
  pointerSize: 4,
  entrySize: 4,
  addressBits: 32,
  ignoresHighBits: false,
  levels: [
    { name: "PDE", shift: 22, bits: 10 },
    { name: "PTE", shift: 12, bits: 10 },
  ],
  root: (directoryTableBase: bigint): Pa => pa(Number(directoryTableBase & 0xfffff000n)),
  entryKind: (low, _high, level) => {
    if ((low & 1) === 0) return absentKind32(low);
    return level === 0 && (low & 0x80) !== 0 ? "large" : "next";
  },
  nextPage: (low) => low >>> 12,
  /** PSE-36: bits 13..20 are the address's bits 32..39. */
  largePage: (low) => ((low >>> 13) & 0xff) * 0x100000 + (low >>> 22) * 0x400,
  transitionPage: (low) => low >>> 12,
  /** The rule is MemProcFS's reconstruction; no second source was found. */
  prototypeAddress: (low) => BigInt((0x80000000 | ((low >>> 1) & 0x7ffffc00) | ((low << 1) & 0x3ff)) >>> 0),
};
