import { type Abi, type ArgumentPlace, argumentPlace } from "../isa/abi.ts";

/**
 * What routines do with a pool tag, and in which argument it stands. Arguments count from 1, as in the documentation;
 * a 64-bit argument takes two places on the stack of 32-bit code.
 *
 * @see Windows driver documentation (wdm.h, ntifs.h, fltkernel.h, ndis.h, storport.h, video.h, winddi.h), by routine
 */
export interface PoolRoutine {
  readonly use: "allocate" | "free" | "lookaside";
  /** `undefined`: the routine has a tag of its own. */
  readonly tag?: number;
  readonly size?: number;
  /** POOL_TYPE. */
  readonly poolType?: number;
  /** POOL_FLAGS, 64 bits. */
  readonly poolFlags?: number;
  /** How many arguments there are. */
  readonly arguments: number;
  /** Those of 64 bits, but for `poolFlags`: they take two places on the stack of 32-bit code. */
  readonly long?: readonly number[];
  /** The tag stands in a structure that an argument points to, at so many bytes by the size of pointers. */
  readonly structure?: {
    readonly name: string;
    readonly argument: number;
    readonly at: { readonly 4: number; readonly 8: number };
  };
}

const allocate = (poolType: number | undefined, size: number, tag: number, count: number): PoolRoutine => ({
  use: "allocate",
  size,
  tag,
  arguments: count,
  ...(poolType === undefined ? {} : { poolType }),
});
const free = (tag: number, count: number): PoolRoutine => ({ use: "free", tag, arguments: count });

const ROUTINES: Readonly<Record<string, PoolRoutine>> = {
  ExAllocatePool: { use: "allocate", poolType: 1, size: 2, arguments: 2 },
  ExAllocatePoolWithQuota: { use: "allocate", poolType: 1, size: 2, arguments: 2 },
  ExAllocatePoolWithTag: allocate(1, 2, 3, 3),
  ExAllocatePoolWithQuotaTag: allocate(1, 2, 3, 3),
  ExAllocatePoolWithTagPriority: allocate(1, 2, 3, 4),
  ExAllocatePool2: { use: "allocate", poolFlags: 1, size: 2, tag: 3, arguments: 3 },
  ExAllocatePool3: { use: "allocate", poolFlags: 1, size: 2, tag: 3, arguments: 5 },
  ExFreePoolWithTag: free(2, 2),
  ExFreePool2: free(2, 4),
  ExInitializeNPagedLookasideList: { use: "lookaside", size: 5, tag: 6, arguments: 7 },
  ExInitializePagedLookasideList: { use: "lookaside", size: 5, tag: 6, arguments: 7 },
  ExInitializeLookasideListEx: { use: "lookaside", poolType: 4, size: 6, tag: 7, arguments: 8 },
  MmAllocateMappingAddress: { use: "allocate", size: 1, tag: 2, arguments: 2 },
  MmFreeMappingAddress: free(2, 2),
  MmAllocateMappingAddressEx: { use: "allocate", size: 1, tag: 2, arguments: 3 },
  MmAllocateContiguousMemoryEx: { use: "allocate", size: 1, tag: 8, arguments: 10, long: [2, 3, 4] },
  ExAllocateCacheAwareRundownProtection: { use: "allocate", poolType: 1, tag: 2, arguments: 2 },
  FsRtlAllocateAePushLock: { use: "allocate", poolType: 1, tag: 2, arguments: 2 },
  FsRtlAllocatePool: { use: "allocate", poolType: 1, size: 2, arguments: 2 },
  FsRtlAllocatePoolWithTag: allocate(1, 2, 3, 3),
  FsRtlAllocatePoolWithQuotaTag: allocate(1, 2, 3, 3),
  FsRtlAllocateExtraCreateParameter: allocate(undefined, 2, 5, 6),
  FsRtlInitExtraCreateParameterLookasideList: { use: "lookaside", size: 3, tag: 4, arguments: 4 },
  FltAllocatePoolAlignedWithTag: allocate(2, 3, 4, 4),
  FltFreePoolAlignedWithTag: free(3, 3),
  FltAllocateExtraCreateParameter: allocate(undefined, 3, 6, 7),
  FltInitExtraCreateParameterLookasideList: { use: "lookaside", size: 4, tag: 5, arguments: 5 },
  NdisAllocateMemoryWithTag: allocate(undefined, 2, 3, 3),
  NdisAllocateMemoryWithTagPriority: allocate(undefined, 2, 3, 4),
  NdisFreeMemoryWithTag: free(2, 2),
  NdisFreeMemoryWithTagPriority: free(3, 3),
  NdisAllocateCloneOidRequest: { use: "allocate", tag: 3, arguments: 4 },
  NdisAllocateGenericObject: { use: "allocate", size: 3, tag: 2, arguments: 3 },
  NdisAllocateNetBufferListContext: allocate(undefined, 2, 4, 4),
  NdisAllocateTimerObject: {
    use: "allocate",
    arguments: 3,
    structure: { name: "NDIS_TIMER_CHARACTERISTICS", argument: 2, at: { 4: 4, 8: 4 } },
  },
  NdisInitializeNPagedLookasideList: { use: "lookaside", size: 5, tag: 6, arguments: 7 },
  NdisAllocateNetBufferListPool: {
    use: "lookaside",
    arguments: 2,
    structure: { name: "NET_BUFFER_LIST_POOL_PARAMETERS", argument: 2, at: { 4: 8, 8: 8 } },
  },
  NdisAllocateNetBufferPool: {
    use: "lookaside",
    arguments: 2,
    structure: { name: "NET_BUFFER_POOL_PARAMETERS", argument: 2, at: { 4: 4, 8: 4 } },
  },
  StorPortAllocatePool: allocate(undefined, 2, 3, 4),
  // StorPortAllocatePool is inline: this one with the function's number in front.
  StorPortExtendedFunction: allocate(undefined, 3, 4, 5),
  _KsEdit: allocate(undefined, 3, 5, 5),
  VideoPortAllocatePool: allocate(2, 3, 4, 4),
  EngAllocMem: allocate(undefined, 2, 3, 3),
  EngAllocUserMem: { use: "allocate", size: 1, tag: 2, arguments: 2 },
  // The framework's functions, with its globals as the first argument.
  WdfMemoryCreate: allocate(3, 5, 4, 7),
  WdfLookasideListCreate: { use: "lookaside", poolType: 4, size: 3, tag: 6, arguments: 7 },
  WdfDriverCreate: {
    use: "lookaside",
    arguments: 6,
    structure: { name: "WDF_DRIVER_CONFIG", argument: 5, at: { 4: 16, 8: 28 } },
  },
  RxAllocatePoolWithTag: allocate(1, 2, 3, 3),
  _RxAllocatePoolWithTag: allocate(1, 2, 3, 3),
};

/** The routine of a name as images export it; 32-bit decoration does not matter. */
export function poolRoutine(name: string): PoolRoutine | undefined {
  if (Object.hasOwn(ROUTINES, name)) return ROUTINES[name];
  // as 32-bit code has it: _ExFreePoolWithTag@8
  if (!name.startsWith("_") && !name.includes("@")) return undefined;
  const plain = /^_?(\w+?)(?:@\d+)?$/.exec(name)?.[1];
  return plain !== undefined && Object.hasOwn(ROUTINES, plain) ? ROUTINES[plain] : undefined;
}

/** The routines that read a tag out of a structure, by name. */
export const STRUCTURE_ROUTINES: readonly (readonly [
  name: string,
  routine: PoolRoutine & Required<Pick<PoolRoutine, "structure">>,
])[] = Object.entries(ROUTINES).flatMap(([name, routine]) =>
  routine.structure === undefined ? [] : [[name, { ...routine, structure: routine.structure }] as const],
);

/**
 * Where an argument of a routine stands, when it is about to be called.
 *
 * @param argument counted as in the documentation
 */
export function routineArgument(abi: Abi, argument: number, routine: PoolRoutine): ArgumentPlace {
  const inTwo = abi.pointerSize === 4 ? longArguments(routine).filter((long) => argument > long).length : 0;
  return argumentPlace(abi, argument + inTwo);
}

/** The bytes of arguments that a 32-bit routine takes off the stack. */
export function argumentBytes(routine: PoolRoutine): number {
  return (routine.arguments + longArguments(routine).length) * 4;
}

function longArguments({ poolFlags, long }: PoolRoutine): readonly number[] {
  return [poolFlags ?? [], long ?? []].flat();
}
