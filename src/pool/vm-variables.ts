import { advance, hex, PAGE_SIZE, type Va } from "../core/address.ts";
import { describeFault, MemoryError } from "../core/errors.ts";
import type { MachineFacts } from "../dump/facts.ts";
import type { PoolKernel, PoolVariables } from "./pool-kernel.ts";

/** A figure before it has its label. */
export type Reading =
  | { readonly pages: number; readonly from: string }
  | { readonly pages: null; readonly reason: string };

/** More pages than any machine has: 2^52 bytes of physical memory. */
const MOST_PAGES = 2 ** 40;

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
    const value = readWord(kernel, at);
    const narrow = value % 2 ** 32;
    const pages = value > (limit === undefined || value < 2 ** 32 ? MOST_PAGES : limit) ? narrow : value;
    return { pages, from: `nt!${name} at ${hex(at)}` };
  });
}

/** Reads a size in bytes as pages. */
export function readBytesAsPages(kernel: PoolKernel, field: keyof PoolVariables): Reading {
  const at = kernel.variables?.[field];
  if (at === undefined) return absent(kernel, field);
  const name = windowsName(field);
  return reading(name, () => {
    const bytes = readWord(kernel, at);
    if (bytes === 0) return { pages: null, reason: `${name} is 0: this Windows does not keep it there` };
    if (bytes / PAGE_SIZE > MOST_PAGES)
      return { pages: null, reason: `${name} holds ${hex(bytes)}, which is no size` };
    return { pages: Math.floor(bytes / PAGE_SIZE), from: `nt!${name} at ${hex(at)}` };
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
          const pages = readWord(kernel, advance(at, space.pointerSize));
          return pages > 0 && pages <= MOST_PAGES
            ? { pages, from: `the descriptor that nt!MmPhysicalMemoryBlock at ${hex(variable)} points to` }
            : { pages: null, reason: `MmPhysicalMemoryBlock leads to ${pages} pages` };
        });
  if (block.pages !== null) return block;
  const pages = runs?.value.reduce((sum, { count }) => sum + count, 0) ?? 0;
  return runs === undefined || pages === 0
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
  const block = reading("MmPagedPoolInformation", () => ({
    pages: readWord(kernel, advance(at, offset)),
    from: `nt!MmPagedPoolInformation at ${hex(at)}, PagedPoolCommit`,
  }));
  return block.pages === null && direct.pages !== null ? direct : block;
}

/**
 * Reads a word of the machine's size; past 2^53 it is no longer exact, and no page count.
 *
 * @throws {MemoryError}
 */
function readWord(kernel: PoolKernel, at: Va): number {
  return Number(kernel.space.readPointer(at));
}
