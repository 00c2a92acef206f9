import { advance, hex, type Va } from "../core/address.ts";
import { MAX_PAGED_POOLS } from "../core/limits.ts";
import type { PoolKernel } from "./pool-kernel.ts";
import { absent, pageCount, type Reading, reading } from "./vm-variables.ts";

/** Where a POOL_DESCRIPTOR keeps what is read of it. Pages are counts, or a count minus another. */
interface DescriptorLayout {
  /** The first build that has it. */
  readonly build: number;
  readonly size: number;
  readonly index: number;
  readonly pages: readonly [added: number, taken?: number];
  readonly bigPages: readonly [added: number, taken?: number];
  /** Bytes of each count. */
  readonly width: 4 | 8;
}

/**
 * @see _POOL_DESCRIPTOR in the public symbols of the builds named, as volatility's vtypes
 * (plugins/overlays/windows) and the ntdiff headers list it
 */
const LAYOUTS: Readonly<Record<4 | 8, readonly DescriptorLayout[]>> = {
  4: [
    { build: 2600, size: 0x1028, index: 4, pages: [0x10], bigPages: [0x14], width: 4 },
    { build: 3790, size: 0x1030, index: 4, pages: [0x10], bigPages: [0x14], width: 4 },
    { build: 6000, size: 0x1034, index: 4, pages: [0x10], bigPages: [0x14], width: 4 },
    { build: 7600, size: 0x1140, index: 0x80, pages: [0xc0], bigPages: [0x48], width: 4 },
    { build: 14393, size: 0x1140, index: 0xc0, pages: [0x44, 0x84], bigPages: [0x48, 0x88], width: 4 },
  ],
  8: [
    { build: 3790, size: 0x1048, index: 4, pages: [0x10], bigPages: [0x14], width: 4 },
    { build: 7600, size: 0x1140, index: 0x80, pages: [0xc0], bigPages: [0x48], width: 4 },
    { build: 14393, size: 0x1140, index: 0xc0, pages: [0x48, 0x88], bigPages: [0x50, 0x90], width: 8 },
  ],
};

/** The first build without pool descriptors. */
const GONE = 18363;

/** What the pool descriptors say. */
export interface DescriptorReadings {
  readonly nonPaged: Reading;
  /** The sum of `pagedPools`. */
  readonly paged: Reading;
  readonly pagedPools: readonly Reading[];
  readonly note?: string;
}

/** PoolType in a descriptor: NonPagedPool, PagedPool. */
const NON_PAGED = 0;
const PAGED = 1;

/** Reads the usage of the nonpaged pool and of each paged pool, in pages, from their descriptors. */
export function readPoolDescriptors(kernel: PoolKernel): DescriptorReadings {
  const { build, space, variables } = kernel;
  const layout = LAYOUTS[space.pointerSize].findLast((row) => row.build <= build);
  if (layout === undefined || build >= GONE) {
    const gone: Reading = {
      pages: null,
      reason:
        variables === undefined
          ? "no KDBG block was found, which leads to it"
          : `not available in this Windows: build ${build} keeps no pool descriptors that KDBG names`,
    };
    return { nonPaged: gone, paged: gone, pagedPools: [] };
  }
  const nonPagedAt = variables?.nonPagedPoolDescriptor;
  const nonPaged = filled(
    nonPagedAt === undefined
      ? absent(kernel, "nonPagedPoolDescriptor")
      : reading("NonPagedPoolDescriptor", () =>
          usage(
            kernel,
            layout,
            descriptorNear(kernel, layout, nonPagedAt, NON_PAGED, 0),
            "NonPagedPoolDescriptor",
          ),
        ),
  );
  const pagedPools = readPagedPools(kernel, layout);
  if ("reason" in pagedPools) return { nonPaged, paged: pagedPools, pagedPools: [] };
  const total = pagedPools.reduce<number | null>(
    (sum, pool) => (sum === null || pool.pages === null ? null : sum + pool.pages),
    0,
  );
  const missing = pagedPools.findIndex((pool) => pool.pages === null);
  const paged: Reading =
    total === null
      ? { pages: null, reason: `paged pool ${missing} of ${pagedPools.length} is missing from the sum` }
      : { pages: total, from: `the sum of ${pagedPools.length} paged pool descriptors` };
  return { nonPaged, paged, pagedPools };
}

function readPagedPools(
  kernel: PoolKernel,
  layout: DescriptorLayout,
): readonly Reading[] | (Reading & { readonly reason: string }) {
  const { space, variables } = kernel;
  const array = variables?.expPagedPoolDescriptor;
  const counter = variables?.expNumberOfPagedPools;
  if (array === undefined || counter === undefined) {
    const field = array === undefined ? "expPagedPoolDescriptor" : "expNumberOfPagedPools";
    const none = absent(kernel, field);
    return { pages: null, reason: none.pages === null ? none.reason : "" };
  }
  const last = space.tryReadU32(counter);
  if (last === undefined)
    return { pages: null, reason: `ExpNumberOfPagedPools at ${hex(counter)} cannot be read` };
  if (last > MAX_PAGED_POOLS)
    return { pages: null, reason: `ExpNumberOfPagedPools is ${last}, which is no count of pools` };
  // an array of pointers, or in the oldest kernels one pointer to descriptors that stand together
  const first = space.tryReadPointer(array);
  return Array.from({ length: last + 1 }, (_, index) =>
    reading(`the descriptor of paged pool ${index}`, () => {
      const pointer = space.tryReadPointer(advance(array, index * space.pointerSize));
      const candidates = [pointer, first === undefined ? undefined : advance(first, index * layout.size)];
      const at = candidates.find(
        (candidate) => candidate !== undefined && isDescriptor(kernel, layout, candidate, PAGED, index),
      );
      return usage(kernel, layout, at, `paged pool descriptor ${index}`);
    }),
  );
}

/** The descriptor at a variable, or the one that it points to: newer kernels keep a pointer there. */
function descriptorNear(
  kernel: PoolKernel,
  layout: DescriptorLayout,
  at: Va,
  type: number,
  index: number,
): Va | undefined {
  const pointed = kernel.space.tryReadPointer(at);
  return [at, pointed].find(
    (place) => place !== undefined && isDescriptor(kernel, layout, place, type, index),
  );
}

/** The nonpaged pool is never empty: a descriptor that counts nothing is not kept up to date. */
function filled(usage: Reading): Reading {
  if (usage.pages !== 0) return usage;
  return {
    pages: null,
    reason: "NonPagedPoolDescriptor counts no pages: this kernel keeps the figure elsewhere",
  };
}

function isDescriptor(
  kernel: PoolKernel,
  layout: DescriptorLayout,
  at: Va,
  type: number,
  index: number,
): boolean {
  const { space } = kernel;
  return space.tryReadU32(at) === type && space.tryReadU32(advance(at, layout.index)) === index;
}

function usage(kernel: PoolKernel, layout: DescriptorLayout, at: Va | undefined, name: string): Reading {
  if (at === undefined) return { pages: null, reason: `${name} does not look like one, or cannot be read` };
  const count = ([added, taken]: readonly [number, number?]): bigint =>
    word(kernel, advance(at, added), layout.width) -
    (taken === undefined ? 0n : word(kernel, advance(at, taken), layout.width));
  const pages = count(layout.pages) + count(layout.bigPages);
  return pages >= 0n
    ? pageCount(name, pages, `${name} at ${hex(at)}, TotalPages + TotalBigPages`)
    : { pages: null, reason: `${name} at ${hex(at)} counts less than nothing` };
}

function word(kernel: PoolKernel, at: Va, width: 4 | 8): bigint {
  return width === 4 ? BigInt(kernel.space.readU32(at)) : kernel.space.readU64(at);
}
