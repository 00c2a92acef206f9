import { advance, type Va } from "../core/address.ts";
import { FormatError, MemoryError } from "../core/errors.ts";
import { MAX_KERNEL_DATA } from "../core/limits.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { Image } from "../pe/image.ts";
import type { Section } from "../pe/sections.ts";

/** Addresses from `start` on, `length` bytes. */
export interface AddressRange {
  readonly start: Va;
  readonly length: number;
}

/** nt's image, as far as its headers could be read. */
export interface NtImage {
  readonly base: Va;
  readonly size: number;
  /** Sections that the kernel writes, up to 16 MB; the whole image where the headers cannot be read. */
  readonly writable: readonly AddressRange[];
  /** Sections with code; the whole image where the headers cannot be read. */
  readonly code: readonly AddressRange[];
}

/** The variables of the kernel that the pool readers take. */
const POOL_VARIABLES = [
  "PoolTrackTable",
  "PoolBigPageTable",
  "ExpPagedPoolDescriptor",
  "ExpNumberOfPagedPools",
  "NonPagedPoolDescriptor",
  "MmNumberOfPhysicalPages",
  "MmPhysicalMemoryBlock",
  "MmAvailablePages",
  "MmResidentAvailablePages",
  "MmModifiedPageListHead",
  "MmModifiedNoWritePageListHead",
  "MmZeroedPageListHead",
  "MmFreePageListHead",
  "MmStandbyPageListHead",
  "MmMaximumNonPagedPoolInBytes",
  "MmAllocatedNonPagedPool",
  "MmSizeOfPagedPoolInBytes",
  "MmPagedPoolInformation",
  "MmPagedPoolCommit",
  "MmSharedCommit",
  "MmDriverCommit",
  "MmProcessCommit",
  "MmExtendedCommit",
  "MmTotalCommittedPages",
  "MmTotalCommitLimit",
  "MmTotalCommitLimitMaximum",
  "MmPeakCommitment",
  "MmSpecialPoolTag",
  "MmNonPagedPoolStart",
  "MmNonPagedPoolEnd",
  "MmPagedPoolStart",
  "MmPagedPoolEnd",
] as const;

/** Where they stand, by their names; those that nobody knows are left out. */
export type PoolVariables = {
  readonly [Name in Uncapitalize<(typeof POOL_VARIABLES)[number]>]?: Va | undefined;
};

/** What the pool readers need of a dump. */
export interface PoolKernel {
  readonly space: AddressSpace;
  readonly build: number;
  /** Logical processors as the dump counts them; `undefined` where it does not say. */
  readonly processors: number | undefined;
  /** `undefined` where the dump names no kernel image. */
  readonly nt: NtImage | undefined;
  /** `undefined` where no KDBG block was found, and nothing else names any. */
  readonly variables: PoolVariables | undefined;
  /** True for a triage dump: it holds chosen blocks of memory only. */
  readonly triage: boolean;
}

/** Whether a value can be an address of kernel space. */
export function isKernelAddress(value: bigint, pointerSize: 4 | 8): boolean {
  return pointerSize === 4 ? value >= 0x8000_0000n && value < 0xffff_f000n : value >= 0xffff_8000_0000_0000n;
}

/**
 * What the pool readers need of a kernel.
 *
 * @param space its memory, where PE files fill in what the dump lacks
 */
export function poolKernelOf(kernel: Kernel, space: AddressSpace = kernel.space): PoolKernel {
  return {
    space,
    build: kernel.build ?? 0,
    processors: kernel.facts.processors?.value,
    nt: ntImage(kernel, space),
    variables: poolVariables(kernel),
    triage: kernel.triage,
  };
}

/** Each is looked up when it is asked for: those that KDBG does not name are looked for among all of nt's exports. */
function poolVariables(kernel: Kernel): PoolVariables | undefined {
  if (kernel.kdbg === undefined && POOL_VARIABLES.every((name) => kernel.variable(name) === undefined))
    return undefined;
  const lookups = POOL_VARIABLES.map(
    (name) => [uncapitalized(name), { get: () => kernel.variable(name)?.address, enumerable: true }] as const,
  );
  return Object.defineProperties({}, Object.fromEntries(lookups));
}

function uncapitalized<T extends string>(name: T): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

function ntImage(kernel: Kernel, space: AddressSpace): NtImage | undefined {
  const { base } = kernel;
  if (base === undefined) return undefined;
  const listed = kernel.modules.items.find((module) => module.base === base)?.size ?? 0;
  const sections = sectionsAt(space, base);
  const size = Math.max(listed, sections.size);
  const whole: readonly AddressRange[] = size === 0 ? [] : [{ start: base, length: size }];
  const rangesOf = (wanted: (section: Section) => boolean): readonly AddressRange[] => {
    const ranges = sections.items.filter(wanted).flatMap(({ rva, virtualSize, fileSize }) => {
      const length = Math.min(Math.max(virtualSize, fileSize), size - rva);
      return length > 0 ? [{ start: advance(base, rva), length }] : [];
    });
    return ranges.length === 0 ? whole : ranges;
  };
  return {
    base,
    size,
    writable: upTo(
      rangesOf((section) => section.writable && !section.discardable),
      MAX_KERNEL_DATA,
    ),
    code: rangesOf((section) => section.executable && !section.discardable),
  };
}

/** The first `most` bytes of all ranges together. */
function upTo(ranges: readonly AddressRange[], most: number): readonly AddressRange[] {
  let left = most;
  return ranges.flatMap(({ start, length }) => {
    const kept = Math.min(length, left);
    left -= kept;
    return kept === 0 ? [] : [{ start, length: kept }];
  });
}

function sectionsAt(space: AddressSpace, base: Va): { items: readonly Section[]; size: number } {
  try {
    const { sections, imageSize } = Image.at(space, base).headers;
    return { items: sections, size: imageSize };
  } catch (error) {
    if (error instanceof MemoryError || error instanceof FormatError) return { items: [], size: 0 };
    throw error;
  }
}
