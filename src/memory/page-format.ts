import type { Pa } from "../core/address.ts";
import type { PageLevel } from "../core/errors.ts";

/**
 * What one page-table entry says. `next` is present and leads to a table, or at the last level to a
 * page; `large` maps a whole large page; `transition` is not present for the processor, but the page
 * or table still stands in memory.
 */
export type EntryKind =
  | "next"
  | "large"
  | "transition"
  | "prototype"
  | "not-mapped"
  | "paged-out"
  | "demand-zero";

/** One level of the tables. */
export interface TableLevel {
  readonly name: PageLevel;
  /** The lowest bit of an address that indexes this level. */
  readonly shift: number;
  /** How many bits index it: the table has 2^bits entries. */
  readonly bits: number;
}

/** The name of a way to translate addresses. */
export type PageFormatName = "x86" | "x86-pae" | "x64" | "x64-la57" | "arm64";

/**
 * The page tables of one processor mode: their shape, and what an entry says. An entry is given as
 * its two 32-bit halves, unsigned; `high` is 0 where entries have 4 bytes.
 */
export interface PageFormat {
  readonly name: PageFormatName;
  readonly pointerSize: 4 | 8;
  readonly entrySize: 4 | 8;
  /** Bits of an address that are translated: 32, 48 or 57. */
  readonly addressBits: number;
  /** The bits above `addressBits` carry no address, only which half bit 55 chooses. */
  readonly ignoresHighBits: boolean;
  /** From the root down. */
  readonly levels: readonly TableLevel[];
  /** Where the root table stands, from what the register, header or process holds. */
  root(directoryTableBase: bigint): Pa;
  entryKind(low: number, high: number, level: number): EntryKind;
  /** The page number in a `next` entry. */
  nextPage(low: number, high: number): number;
  /** The number of the first page of a `large` entry of `level`. */
  largePage(low: number, high: number, level: number): number;
  /** The page number in a `transition` entry. */
  transitionPage(low: number, high: number, highestPfn: number): number;
  /** Where the prototype of a `prototype` entry stands; `undefined` where the entry does not tell. */
  prototypeAddress(low: number, high: number): bigint | undefined;
}

const PROTOTYPE = 0x400;
const TRANSITION = 0x800;
/** Windows 10 1809: the page file's number moved from bits 1..4 to 12..15. */
const SOFTWARE_LAYOUT_1809 = 17763;

/**
 * What an entry of 8 bytes that is not valid says. Windows looks at the prototype bit first, then at
 * the transition bit; what remains is a software entry.
 *
 * @param build of Windows: the software entry's layout changed
 */
export function absentKind(low: number, high: number, build: number): EntryKind {
  if ((low & PROTOTYPE) !== 0) return "prototype";
  if ((low & TRANSITION) !== 0) return "transition";
  const file = (build >= SOFTWARE_LAYOUT_1809 ? low >>> 12 : low >>> 1) & 0xf;
  return softwareKind(low, file, high, 0xffffffff);
}

/** As `absentKind`, for entries of 4 bytes, whose layout never changed. */
export function absentKind32(low: number): EntryKind {
  if ((low & PROTOTYPE) !== 0) return "prototype";
  if ((low & TRANSITION) !== 0) return "transition";
  return softwareKind(low, (low >>> 1) & 0xf, low >>> 12, 0xfffff);
}

/** A page file offset of all ones says that the page belongs to a section: a prototype stands elsewhere. */
function softwareKind(low: number, file: number, offset: number, marker: number): EntryKind {
  if (offset === marker) return "prototype";
  if (offset !== 0 || file !== 0) return "paged-out";
  return ((low >>> 5) & 0x1f) !== 0 ? "demand-zero" : "not-mapped";
}

/** The page number in bits 12 up of an entry, with the bits of `high` that `mask` keeps. */
export function pageNumber(low: number, high: number, mask: number): number {
  return (high & mask) * 0x100000 + (low >>> 12);
}

/** Page-number bit that the L1TF mitigation sets in entries that are not present: address bit 45. */
const BIT_45 = 2 ** 33;

/**
 * The page of a transition entry, with bit 45 cleared where it cannot belong to the number.
 *
 * @param highestPfn of the dump
 */
export function unswizzled(page: number, highestPfn: number): number {
  return page > highestPfn && Math.floor(page / BIT_45) % 2 === 1 ? page - BIT_45 : page;
}

/**
 * Bits 16..63 of a prototype entry, sign-extended.
 *
 * @returns `undefined` for the marker that only user-mode entries hold
 */
export function prototypeAddress64(low: number, high: number): bigint | undefined {
  const address = BigInt.asUintN(64, BigInt.asIntN(48, (BigInt(high) << 16n) | BigInt(low >>> 16)));
  return address === 0xffffffffffff0000n ? undefined : address;
}
