import type { Condition, FieldOffset } from "./pair.ts";
import { STRING_BUFFER } from "./releases.ts";

/** A plain free of memory: whatever it is handed is gone, however it was come by. */
export interface PlainFree {
  readonly name: string;
  /** Which argument is the memory. */
  readonly argument: number;
  /** The argument is a structure, and the memory is what stands so many bytes into it. */
  readonly field?: FieldOffset;
  readonly when?: readonly Condition[];
}

/** @see Windows driver documentation, the page of each routine (wdm.h, ntifs.h, ndis.h, storport.h, video.h, …) */
const FREES: readonly PlainFree[] = [
  { name: "ExFreePool", argument: 1 },
  { name: "ExFreePoolWithTag", argument: 1 },
  { name: "ExFreePool2", argument: 1 },
  { name: "ExFreeToLookasideListEx", argument: 2 },
  { name: "ExFreeToNPagedLookasideList", argument: 2 },
  { name: "ExFreeToPagedLookasideList", argument: 2 },
  { name: "FltFreePoolAlignedWithTag", argument: 2 },
  { name: "NdisFreeMemory", argument: 1 },
  { name: "NdisFreeMemoryWithTag", argument: 1 },
  { name: "NdisFreeMemoryWithTagPriority", argument: 2 },
  { name: "VideoPortFreePool", argument: 2 },
  { name: "EngFreeMem", argument: 1 },
  { name: "EngFreeUserMem", argument: 1 },
  // ExtFunctionFreePool: StorPortFreePool is inline.
  { name: "StorPortExtendedFunction", argument: 3, when: [{ argument: 1, is: { equals: 1 } }] },
  { name: "RtlFreeUnicodeString", argument: 1, field: STRING_BUFFER },
  { name: "RtlFreeAnsiString", argument: 1, field: STRING_BUFFER },
  { name: "RtlFreeOemString", argument: 1, field: STRING_BUFFER },
  { name: "RtlFreeUTF8String", argument: 1, field: STRING_BUFFER },
  { name: "SeFreePrivileges", argument: 1 },
  { name: "SeReleaseSecurityDescriptor", argument: 1 },
  { name: "MmFreeContiguousMemory", argument: 1 },
  { name: "MmFreeContiguousMemorySpecifyCache", argument: 1 },
  { name: "MmFreeMappingAddress", argument: 1 },
  { name: "MmFreeNonCachedMemory", argument: 1 },
  { name: "RtlFreeHeap", argument: 3 },
];

export const PLAIN_FREES: ReadonlyMap<string, PlainFree> = new Map(FREES.map((free) => [free.name, free]));
