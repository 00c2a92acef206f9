import { advance, hex, PAGE_SIZE } from "../core/address.ts";
import { describeFault, MemoryError } from "../core/errors.ts";
import type { MachineFacts } from "../dump/facts.ts";
import type { PoolKernel, PoolVariables } from "./pool-kernel.ts";

/** A figure before it has its label. */
export type Reading =
  | { readonly pages: number; readonly from: string }
  | { readonly pages: null; readonly reason: string };

/** More pages than any machine has: 2^52 bytes of physical memory. */
export const MOST_PAGES: number = 2 ** 40;

/** A number of pages as it was read; more than any machine has is none, and exact numbers end soon behind. */
export function pageCount(name: string, value: bigint, from: string): Reading {
  if (value >= 0n && value <= BigInt(MOST_PAGES)) return { pages: Number(value), from };
  return { pages: null, reason: `${name} holds ${hex(value)}, which is no number of pages` };
}

/** The name of a KDBG field as Windows spells it. */
function windowsName(field: keyof PoolVariables): string {
  return field[0]?.toUpperCase() + field.slice(1);
}

/** Why a KDBG field leads nowhere. */
export function absent(kernel: PoolKernel, field: keyof PoolVariables): Reading {
  const name = windowsName(field);
  return {
    pages: null,
    reason:
      kernel.variables === undefined
        ? `no KDBG block was found, which names ${name}`
        : `not available in this Windows: its KDBG no longer names ${name}`,
  };
}

/** Runs a read of memory; a hole becomes the reason. */
export function reading(name: string, read: () => Reading): Reading {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    return { pages: null, reason: `${name} cannot be read: ${describeFault(error.fault)}` };
  }
}

/**
 * Reads a count of pages. Some are 32 bits wide on 64-bit machines too: where the other half makes
 * more pages than the machine has, it belongs to the next variable.
 *
 * @param limit pages that the machine has, where known
 */
export function readPages(kernel: PoolKernel, field: keyof PoolVariables, limit?: number): Reading {
  const at = kernel.variables?.[field];
  if (at === undefined) return absent(kernel, field);
  const name = windowsName(field);
  return reading(name, () => {
    const value = kernel.space.readPointer(at);
    const most = limit === undefined || value < 2n ** 32n ? MOST_PAGES : limit;
    const pages = value > BigInt(most) ? BigInt.asUintN(32, value) : value;
    return pageCount(name, pages, `nt!${name} at ${hex(at)}`);
  });
}

/** Reads a size in bytes as pages. */
export function readBytesAsPages(kernel: PoolKernel, field: keyof PoolVariables): Reading {
  const at = kernel.variables?.[field];
  if (at === undefined) return absent(kernel, field);
  const name = windowsName(field);
  return reading(name, () => {
    const bytes = kernel.space.readPointer(at);
    if (bytes === 0n) return { pages: null, reason: `${name} is 0: this Windows does not keep it there` };
    const pages = bytes / BigInt(PAGE_SIZE);
    if (pages > MOST_PAGES) return { pages: null, reason: `${name} holds ${hex(bytes)}, which is no size` };
    return { pages: Number(pages), from: `nt!${name} at ${hex(at)}` };
  });
}

/** Reads the total of a list of pages: MMPFNLIST begins with it. */
export function readListTotal(kernel: PoolKernel, field: keyof PoolVariables): Reading {
  const read = readPages(kernel, field);
  return read.pages === null ? read : { pages: read.pages, from: `${read.from}, its total` };
}

/** The machine's pages: a variable, or the descriptor that newer kernels keep, or what the dump itself says. */
export function readPhysicalPages(kernel: PoolKernel, runs: MachineFacts["runs"]): Reading {
  const { space, variables } = kernel;
  const counted = readPages(kernel, "mmNumberOfPhysicalPages");
  if (counted.pages !== null && counted.pages > 0) return counted;
  const variable = variables?.mmPhysicalMemoryBlock;
  const block =
    variable === undefined
      ? absent(kernel, "mmPhysicalMemoryBlock")
      : reading("MmPhysicalMemoryBlock", () => {
          const at = space.readPointer(variable);
          const pages = space.readPointer(advance(at, space.pointerSize));
          const from = `the descriptor that nt!MmPhysicalMemoryBlock at ${hex(variable)} points to`;
          return pages === 0n
            ? { pages: null, reason: "MmPhysicalMemoryBlock leads to 0 pages" }
            : pageCount("MmPhysicalMemoryBlock", pages, from);
        });
  if (block.pages !== null) return block;
  const pages = runs?.value.reduce((sum, { count }) => sum + count, 0) ?? 0;
  return runs === undefined || pages === 0 || pages > MOST_PAGES
    ? block
    : { pages, from: `the runs of physical memory in the dump's ${runs.source}` };
}

/** Offset of PagedPoolCommit in MM_PAGED_POOL_INFO, by pointer size; the first column is the lowest build. */
const PAGED_POOL_COMMIT = [
  { build: 2600, 4: 0x1c, 8: undefined },
  { build: 3790, 4: 0x18, 8: 0x30 },
  { build: 6000, 4: 0x30, 8: 0x58 },
  { build: 9200, 4: undefined, 8: undefined },
] as const;

/** What the paged pool has committed: its own variable, or the field of the pool's information block. */
export function readPagedPoolCommit(kernel: PoolKernel, limit: number | undefined): Reading {
  const { space, build, variables } = kernel;
  const direct = readPages(kernel, "mmPagedPoolCommit", limit);
  if (direct.pages !== null && direct.pages > 0) return direct;
  const at = variables?.mmPagedPoolInformation;
  const offset = PAGED_POOL_COMMIT.findLast((row) => row.build <= build)?.[space.pointerSize];
  if (at === undefined || offset === undefined) return direct;
  const block = reading("MmPagedPoolInformation", () =>
    pageCount(
      "MmPagedPoolInformation",
      space.readPointer(advance(at, offset)),
      `nt!MmPagedPoolInformation at ${hex(at)}, PagedPoolCommit`,
    ),
  );
  return block.pages === null && direct.pages !== null ? direct : block;
}
