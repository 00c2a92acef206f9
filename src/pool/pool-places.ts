import { advance, type Va } from "../core/address.ts";
import type { BigAllocation } from "./big-pages.ts";
import { poolRanges } from "./blocks.ts";
import type { AddressRange, PoolKernel } from "./pool-kernel.ts";

/** Where blocks are looked for. */
export interface PoolPlaces {
  /**
   * `kdbg`: the kernel's own variables say so; `big-pages`: allocations of a page and more stand there;
   * `kernel-space`: all of kernel space but images, since nothing says where the pools are.
   */
  readonly basis: "kdbg" | "big-pages" | "kernel-space";
  readonly ranges: readonly AddressRange[];
}

/** A slot of the top level of the page tables: since Windows 10 each holds one kind of memory. */
const SLOT = 1n << 39n;
/** Slots that are looked into: one or two for each kind of pool. */
const MAX_SLOTS = 8;

/**
 * Where a dump's pools may stand, the surest first; none for a triage dump.
 *
 * @param big allocations of a page and more, of any tag
 * @param images what is no pool
 */
export function poolPlaces(
  kernel: PoolKernel,
  big: readonly BigAllocation[],
  images: readonly { readonly base: Va; readonly end: Va }[],
): readonly PoolPlaces[] {
  if (kernel.triage) return [];
  const { pointerSize } = kernel.space;
  const slots = pointerSize === 4 ? [] : new Set(big.map(({ at }) => at - (at % SLOT)));
  const places: readonly PoolPlaces[] = [
    { basis: "kdbg", ranges: disjoint(poolRanges(kernel)) },
    {
      basis: "big-pages",
      ranges: [...slots].slice(0, MAX_SLOTS).map((start) => ({ start: start as Va, length: Number(SLOT) })),
    },
    { basis: "kernel-space", ranges: kernelSpaceWithout(images, pointerSize) },
  ];
  return places.filter(({ ranges }) => ranges.length > 0);
}

/** The ranges without those that begin inside another. */
function disjoint(ranges: readonly AddressRange[]): readonly AddressRange[] {
  return ranges.filter(
    ({ start }, i) =>
      !ranges.some(
        (other, j) =>
          start >= other.start &&
          start < advance(other.start, other.length) &&
          (start > other.start || j < i) &&
          j !== i,
      ),
  );
}

/** Kernel space of four levels of page tables; a machine with five keeps its pools there too. */
function kernelSpaceWithout(
  images: readonly { readonly base: Va; readonly end: Va }[],
  pointerSize: 4 | 8,
): readonly AddressRange[] {
  const [from, to] = pointerSize === 4 ? [0x8000_0000n, 1n << 32n] : [0xffff_8000_0000_0000n, 1n << 64n];
  const ranges: AddressRange[] = [];
  let at = from;
  const add = (end: bigint): void => {
    if (end > at) ranges.push({ start: at as Va, length: Number(end - at) });
  };
  for (const { base, end } of [...images].sort((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : 0))) {
    if (end <= at || base >= to) continue;
    add(base - (base & 0xfffn));
    const behind = (end + 0xfffn) & ~0xfffn;
    if (behind > at) at = behind;
  }
  add(to);
  return ranges;
}
