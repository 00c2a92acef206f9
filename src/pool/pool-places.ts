import { advance, PAGE_SIZE, type Va } from "../core/address.ts";
import type { BigAllocation } from "./big-pages.ts";
import type { AddressRange, PoolKernel, PoolVariables } from "./pool-kernel.ts";

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
  images: readonly Image[],
): readonly PoolPlaces[] {
  if (kernel.triage) return [];
  const { pointerSize } = kernel.space;
  const slots = pointerSize === 4 ? [] : new Set(big.map(({ at }) => at - (at % SLOT)));
  const whole = pointerSize === 4 ? KERNEL_SPACE_32 : KERNEL_SPACE_64;
  const places: readonly PoolPlaces[] = [
    { basis: "kdbg", ranges: poolRanges(kernel) },
    {
      basis: "big-pages",
      ranges: [...slots].slice(0, MAX_SLOTS).map((start) => ({ start: start as Va, length: Number(SLOT) })),
    },
    { basis: "kernel-space", ranges: [whole] },
  ];
  const sorted = [...images].sort((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : 0));
  return places.flatMap(({ basis, ranges }) => {
    const left = ranges.flatMap((range) => without(range, sorted));
    return left.length === 0 ? [] : [{ basis, ranges: left }];
  });
}

const KERNEL_SPACE_32: AddressRange = { start: 0x8000_0000n as Va, length: 0x8000_0000 };
/** Of four levels of page tables; a machine with five keeps its pools there too. */
const KERNEL_SPACE_64: AddressRange = { start: 0xffff_8000_0000_0000n as Va, length: 2 ** 47 };

/** The pages of a range that are no image's. @param images in order of their bases */
function without({ start, length }: AddressRange, images: readonly Image[]): readonly AddressRange[] {
  const to = start + BigInt(length);
  const ranges: AddressRange[] = [];
  let at: bigint = start;
  const add = (end: bigint): void => {
    if (end > at) ranges.push({ start: at as Va, length: Number(end - at) });
  };
  for (const { base, end } of images) {
    if (end <= at || base >= to) continue;
    add(base - (base & 0xfffn));
    const behind = (end + 0xfffn) & ~0xfffn;
    if (behind > at) at = behind;
  }
  add(to);
  return ranges;
}

/** What is no pool. */
interface Image {
  readonly base: Va;
  readonly end: Va;
}

/**
 * Where the pools stand, by KDBG's variables; their ends are the last byte or the one behind it. On 32-bit
 * machines the nonpaged pool goes on behind the paged one, and its range holds that of the other.
 */
function poolRanges({ space, variables }: PoolKernel): readonly AddressRange[] {
  const value = (field: keyof PoolVariables): Va | undefined => {
    const at = variables?.[field];
    return at === undefined ? undefined : space.tryReadPointer(at);
  };
  const pairs = [
    [value("mmNonPagedPoolStart"), value("mmNonPagedPoolEnd")],
    [value("mmPagedPoolStart"), value("mmPagedPoolEnd")],
  ] as const;
  const ranges = pairs.flatMap(([from, to]) => {
    if (from === undefined || to === undefined || from === 0n || to <= from) return [];
    const start = advance(from, -Number(from & 0xfffn));
    const length = Number(to - start);
    return [{ start, length: Math.ceil(length / PAGE_SIZE) * PAGE_SIZE }];
  });
  const [first, second] = ranges;
  if (first === undefined || second === undefined) return ranges;
  const [low, high] = first.start <= second.start ? [first, second] : [second, first];
  const gap = Number(high.start - low.start);
  if (gap > low.length) return ranges;
  return [{ start: low.start, length: Math.max(low.length, gap + high.length) }];
}
