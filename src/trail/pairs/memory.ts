import type { Acquirer, Release } from "./pair.ts";
import { FREE, FREE_MDL } from "./releases.ts";
import { by, byAddress, group, inside, isZero, out, RETURNED, withNtNames } from "./rows.ts";

const CONTIGUOUS = by(1, "MmFreeContiguousMemory", "MmFreeContiguousMemorySpecifyCache");
const NDIS_FREES: readonly Release[] = [
  ...by(1, "NdisFreeMemory", "NdisFreeMemoryWithTag"),
  ...by(2, "NdisFreeMemoryWithTagPriority"),
];

/**
 * Pool memory and what is kept of it. Whose tag is the caller's own has none here: code/allocators.ts knows in
 * which argument it stands.
 */
export const MEMORY: readonly Acquirer[] = [
  ...group({ fails: "null", releases: FREE, what: "memory" }, [
    ["ExAllocatePool", 2, RETURNED, "wdm.h"],
    ["ExAllocatePoolWithQuota", 2, RETURNED, "wdm.h", "", { fails: "never" }],
    ["ExAllocatePoolWithTag", 3, RETURNED, "wdm.h"],
    ["ExAllocatePoolWithQuotaTag", 3, RETURNED, "wdm.h"],
    ["ExAllocatePoolWithTagPriority", 4, RETURNED, "wdm.h"],
    ["ExAllocatePool2", 3, RETURNED, "wdm.h"],
    ["ExAllocatePool3", 5, RETURNED, "wdm.h"],
    ["FsRtlAllocatePool", 2, RETURNED, "ntifs.h", "", { fails: "never" }],
    ["FsRtlAllocatePoolWithQuota", 2, RETURNED, "ntifs.h", "", { fails: "never" }],
    ["FsRtlAllocatePoolWithTag", 3, RETURNED, "ntifs.h", "", { fails: "never" }],
    ["FsRtlAllocatePoolWithQuotaTag", 3, RETURNED, "ntifs.h", "", { fails: "never" }],
  ]),
  ...group({ fails: "null", releases: by(2, "FltFreePoolAlignedWithTag"), what: "memory" }, [
    ["FltAllocatePoolAlignedWithTag", 4, RETURNED, "fltkernel.h"],
  ]),
  ...group({ fails: "nonzero", releases: NDIS_FREES, what: "memory" }, [
    ["NdisAllocateMemoryWithTag", 3, out(1), "ndis.h"],
    ["NdisAllocateMemory", 4, out(1), "exported, no page; as NdisAllocateMemoryWithTag of ndis.h"],
    ["NdisAllocateMemoryWithTagPriority", 4, RETURNED, "ndis.h", "", { fails: "null" }],
  ]),
  ...group({ fails: "null", releases: by(2, "VideoPortFreePool"), what: "memory" }, [
    ["VideoPortAllocatePool", 4, RETURNED, "video.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "EngFreeMem"), what: "memory" }, [
    ["EngAllocMem", 3, RETURNED, "winddi.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "EngFreeUserMem"), what: "memory" }, [
    ["EngAllocUserMem", 2, RETURNED, "winddi.h"],
  ]),
  // StorPortAllocatePool and its like are inline, and call one export with a number.
  ...group(
    {
      fails: "nonzero",
      releases: [
        { name: "StorPortExtendedFunction", argument: 3, when: [{ argument: 1, is: { equals: 1 } }] },
      ],
      what: "memory",
    },
    [
      [
        "StorPortExtendedFunction",
        5,
        out(5),
        "",
        "",
        { source: "StorPortAllocatePool (storport.h)", when: [isZero(1)] },
      ],
    ],
  ),
  ...group({ fails: "null", releases: CONTIGUOUS, what: "memory" }, [
    ["MmAllocateContiguousMemory", 2, RETURNED, "wdm.h", "MmCm"],
    ["MmAllocateContiguousMemorySpecifyCache", 5, RETURNED, "wdm.h", "MmCm"],
    ["MmAllocateContiguousMemorySpecifyCacheNode", 6, RETURNED, "wdm.h", "MmCm"],
    ["MmAllocateContiguousNodeMemory", 6, RETURNED, "wdm.h", "MmCm"],
    ["MmAllocateContiguousMemoryEx", 10, out(10), "wdm.h", "", { fails: "status", tagArgument: 8 }],
  ]),
  ...group({ fails: "null", releases: by(1, "MmFreeMappingAddress"), what: "memory" }, [
    ["MmAllocateMappingAddress", 2, RETURNED, "wdm.h"],
  ]),
  // The pages go with MmFreePagesFromMdl, the MDL that describes them, which is pool, with ExFreePool.
  ...group({ fails: "null", releases: [...FREE, ...FREE_MDL], what: "memory" }, [
    ["MmAllocatePagesForMdl", 4, RETURNED, "wdm.h"],
    ["MmAllocatePagesForMdlEx", 6, RETURNED, "wdm.h"],
    ["MmAllocateNodePagesForMdlEx", 7, RETURNED, "wdm.h"],
  ]),
  // Entries, which the free list or the pool takes back; the entry is the second argument.
  ...group({ fails: "null", releases: by(2, "ExFreeToLookasideListEx"), what: "memory" }, [
    ["ExAllocateFromLookasideListEx", 1, RETURNED, "wdm.h"],
  ]),
  ...group({ fails: "null", releases: by(2, "ExFreeToNPagedLookasideList"), what: "memory" }, [
    ["ExAllocateFromNPagedLookasideList", 1, RETURNED, "wdm.h"],
  ]),
  ...group({ fails: "null", releases: by(2, "ExFreeToPagedLookasideList"), what: "memory" }, [
    ["ExAllocateFromPagedLookasideList", 1, RETURNED, "wdm.h"],
  ]),
  // The head is linked into a list of the kernel, and its free entries stay until it is deleted.
  ...group({ fails: "status", releases: byAddress(1, "ExDeleteLookasideListEx"), what: "list-head" }, [
    ["ExInitializeLookasideListEx", 8, inside(1), "wdm.h"],
  ]),
  ...group({ fails: "never", releases: byAddress(1, "ExDeleteNPagedLookasideList"), what: "list-head" }, [
    ["ExInitializeNPagedLookasideList", 7, inside(1), "wdm.h"],
  ]),
  ...group({ fails: "never", releases: byAddress(1, "ExDeletePagedLookasideList"), what: "list-head" }, [
    ["ExInitializePagedLookasideList", 7, inside(1), "wdm.h"],
  ]),
  ...group({ fails: "never", releases: byAddress(1, "NdisDeleteNPagedLookasideList"), what: "list-head" }, [
    ["NdisInitializeNPagedLookasideList", 7, inside(1), "ndis.h"],
  ]),
  ...group({ fails: "status", releases: byAddress(1, "ExDeleteResourceLite"), what: "list-head" }, [
    ["ExInitializeResourceLite", 1, inside(1), "wdm.h"],
  ]),
  // A view of a section costs a descriptor of the address space.
  ...withNtNames(
    group(
      { fails: "status", releases: by(2, "ZwUnmapViewOfSection", "NtUnmapViewOfSection"), what: "memory" },
      [["ZwMapViewOfSection", 10, out(3), "wdm.h", "", { tags: ["Vad ", "Vadl"] }]],
    ),
  ),
  ...group({ fails: "null", releases: by(3, "RtlFreeHeap"), what: "memory" }, [
    ["RtlAllocateHeap", 3, RETURNED, "ntifs.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "RtlDestroyHeap"), what: "memory" }, [
    ["RtlCreateHeap", 6, RETURNED, "ntifs.h"],
  ]),
];
