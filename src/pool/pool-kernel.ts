import type { Va } from "../core/address.ts";
import type { AddressSpace } from "../memory/address-space.ts";

/** Addresses from `start` on, `length` bytes. */
export interface AddressRange {
  readonly start: Va;
  readonly length: number;
}

/** nt's image, as far as its headers could be read. */
export interface NtImage {
  readonly base: Va;
  readonly size: number;
  /** Sections that the kernel writes; the whole image where the headers cannot be read. */
  readonly writable: readonly AddressRange[];
  /** Sections with code; the whole image where the headers cannot be read. */
  readonly code: readonly AddressRange[];
}

/** The fields of KDBG that the pool readers take: addresses of variables, `undefined` where KDBG has none. */
export interface PoolVariables {
  readonly poolTrackTable: Va | undefined;
  readonly expPagedPoolDescriptor: Va | undefined;
  readonly expNumberOfPagedPools: Va | undefined;
  readonly nonPagedPoolDescriptor: Va | undefined;
  readonly mmNumberOfPhysicalPages: Va | undefined;
  readonly mmPhysicalMemoryBlock: Va | undefined;
  readonly mmAvailablePages: Va | undefined;
  readonly mmResidentAvailablePages: Va | undefined;
  readonly mmModifiedPageListHead: Va | undefined;
  readonly mmModifiedNoWritePageListHead: Va | undefined;
  readonly mmZeroedPageListHead: Va | undefined;
  readonly mmFreePageListHead: Va | undefined;
  readonly mmStandbyPageListHead: Va | undefined;
  readonly mmMaximumNonPagedPoolInBytes: Va | undefined;
  readonly mmAllocatedNonPagedPool: Va | undefined;
  readonly mmSizeOfPagedPoolInBytes: Va | undefined;
  readonly mmPagedPoolInformation: Va | undefined;
  readonly mmPagedPoolCommit: Va | undefined;
  readonly mmSharedCommit: Va | undefined;
  readonly mmDriverCommit: Va | undefined;
  readonly mmProcessCommit: Va | undefined;
  readonly mmExtendedCommit: Va | undefined;
  readonly mmTotalCommittedPages: Va | undefined;
  readonly mmTotalCommitLimit: Va | undefined;
  readonly mmTotalCommitLimitMaximum: Va | undefined;
  readonly mmPeakCommitment: Va | undefined;
  readonly mmSpecialPoolTag: Va | undefined;
  readonly mmNonPagedPoolStart: Va | undefined;
  readonly mmNonPagedPoolEnd: Va | undefined;
  readonly mmPagedPoolStart: Va | undefined;
  readonly mmPagedPoolEnd: Va | undefined;
}

/** What the pool readers need of a dump. */
export interface PoolKernel {
  readonly space: AddressSpace;
  readonly build: number;
  /** Logical processors as the dump's header counts them; `undefined` where it does not say. */
  readonly processors: number | undefined;
  /** `undefined` where the dump names no kernel image. */
  readonly nt: NtImage | undefined;
  /** `undefined` where no KDBG block was found. */
  readonly kdbg: PoolVariables | undefined;
  /** True for a triage dump: it holds chosen blocks of memory only. */
  readonly triage: boolean;
}

/** Whether a value can be an address of kernel space. */
export function isKernelAddress(value: bigint, pointerSize: 4 | 8): boolean {
  return pointerSize === 4 ? value >= 0x8000_0000n && value < 0xffff_f000n : value >= 0xffff_8000_0000_0000n;
}
