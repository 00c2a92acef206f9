import { advance, hex } from "../core/address.ts";
import type { MemoryLine } from "./memory-lines.ts";
import type { PoolKernel } from "./pool-kernel.ts";
import type { Reading } from "./vm-variables.ts";

/** Where pool totals stand around the place that KDBG's MmPagedPoolCommit names, in bytes from it. */
interface Anchor {
  /** The first build that has it. */
  readonly build: number;
  readonly pagedMax: number;
  readonly nonPagedMax: number;
  readonly nonPaged: number;
}

/**
 * From 16299 on the field names AllocatedPagedPool inside nt!MiState, and the other totals stand around
 * it. Verified on dumps of 19041 and 26100; the older rows follow from the public symbols of those builds.
 */
const ANCHORS: readonly Anchor[] = [
  { build: 17763, pagedMax: -0x10, nonPagedMax: 8, nonPaged: 0x78 },
  { build: 18362, pagedMax: -8, nonPagedMax: 8, nonPaged: 0x78 },
];

/** No pool is larger than the address space that one is given: 16 TB. */
const MOST_POOL_PAGES = 0x1_0000_0000;

/**
 * Reads the pool totals of 64-bit Windows 10 and 11 without symbols. `undefined` where the build has no
 * such place, or where what stands there cannot be pool totals.
 */
export function readModernPools(
  kernel: PoolKernel,
): { readonly lines: readonly (readonly [MemoryLine, Reading])[] } | undefined {
  const { space, build, variables } = kernel;
  const at = variables?.mmPagedPoolCommit;
  const anchor = ANCHORS.findLast((row) => row.build <= build);
  if (space.pointerSize !== 8 || at === undefined || anchor === undefined) return undefined;
  const word = (offset: number): number | undefined => {
    const value = space.tryReadPointer(advance(at, offset));
    return value === undefined ? undefined : Number(value);
  };
  const pool = (used: number, most: number): { used: number; most: number } | undefined => {
    const usedPages = word(used);
    const mostPages = word(most);
    if (usedPages === undefined || mostPages === undefined) return undefined;
    return usedPages > 0 && usedPages <= mostPages && mostPages <= MOST_POOL_PAGES
      ? { used: usedPages, most: mostPages }
      : undefined;
  };
  const paged = pool(0, anchor.pagedMax);
  const nonPaged = pool(anchor.nonPaged, anchor.nonPagedMax);
  if (paged === undefined) return undefined;
  const from = `nt!MiState, around what KDBG's MmPagedPoolCommit names at ${hex(at)}`;
  const lines: (readonly [MemoryLine, Reading])[] = [
    ["pagedUsage", { pages: paged.used, from }],
    ["pagedMax", { pages: paged.most, from }],
    ["pagedCommit", { pages: paged.used, from }],
  ];
  if (nonPaged !== undefined) {
    lines.push(
      ["nonPagedUsage", { pages: nonPaged.used, from }],
      ["nonPagedMax", { pages: nonPaged.most, from }],
    );
  }
  return { lines };
}
