import type { Abi } from "../../isa/abi.ts";
import { acquirersNamed, consumersNamed } from "./table.ts";

/**
 * Functions with arguments of 64 bits, passed by value: two words each on the stack of 32-bit code.
 * The others pass none, or none in front of what matters here.
 */
const QUADS: Readonly<Record<string, readonly number[]>> = {
  CmUnRegisterCallback: [1],
  EngCreateBitmap: [1],
  EngCreateDeviceBitmap: [2],
  EngCreateDeviceSurface: [2],
  EtwUnregister: [1],
  ExAllocatePool2: [1],
  ExAllocatePool3: [1],
  FwpmFilterGetById0: [2],
  FwpmProviderContextGetById0: [2],
  FwpmProviderContextGetById1: [2],
  FwpsAcquireWritableLayerDataPointer0: [1, 2],
  FwpsApplyModifiedLayerData0: [1],
  FwpsFlowAssociateContext0: [1, 4],
  FwpsInjectTransportSendAsync0: [3],
  FwpsInjectTransportSendAsync1: [3],
  FwpsInjectvSwitchEthernetIngressAsync0: [5],
  FwpsOpenToken0: [2],
  FwpsReleaseClassifyHandle0: [1],
  FwpsStreamInjectAsync0: [4],
  KeSaveExtendedProcessorState: [1],
  KeSetCoalescableTimer: [2],
  KeSetTimer: [2],
  KeSetTimerEx: [2],
  MmAllocateContiguousMemory: [2],
  MmAllocateContiguousMemorySpecifyCache: [2, 3, 4],
  MmAllocateContiguousMemorySpecifyCacheNode: [2, 3, 4],
  MmAllocateContiguousNodeMemory: [2, 3, 4],
  MmAllocateContiguousMemoryEx: [2, 3, 4],
  MmAllocatePagesForMdl: [1, 2, 3],
  MmAllocatePagesForMdlEx: [1, 2, 3],
  MmAllocateNodePagesForMdlEx: [1, 2, 3],
  NdisAllocateMemory: [4],
  NdisMFreeSharedMemory: [5],
  NdisOpenFile: [5],
  NdisSetTimerObject: [2],
  VideoPortReleaseCommonBuffer: [4],
};

/** __fastcall in 32-bit images: the first two arguments stand in ecx and edx. */
const FASTCALL: ReadonlySet<string> = new Set([
  "ExInterlockedPushEntrySList",
  "ExfInterlockedInsertHeadList",
  "ExfInterlockedInsertTailList",
  "ExfInterlockedPushEntryList",
  "HalExamineMBR",
  "InterlockedPushEntrySList",
  "InterlockedPushListSList",
  "IoReadPartitionTable",
  "IofCallDriver",
  "IofCompleteRequest",
  "ObfDereferenceObject",
  "ObfDereferenceObjectWithTag",
  "ObfReferenceObject",
  "ObfReferenceObjectWithTag",
]);

/** Which pointer-sized place of its arguments, from 1, a documented argument starts at: 32-bit code needs two for 64 bits. */
export function argumentWord({ pointerSize }: Abi, name: string, argument: number): number {
  return pointerSize === 8 ? argument : wordOf(name, argument);
}

function wordOf(name: string, argument: number): number {
  const quads = Object.hasOwn(QUADS, name) ? (QUADS[name] ?? []) : [];
  return argument + quads.filter((quad) => quad < argument).length;
}

/**
 * Whether 32-bit code passes the first two arguments in ecx and edx.
 *
 * @internal
 */
export function isFastcall(name: string): boolean {
  return FASTCALL.has(name);
}

/** The C library's: whoever calls them takes the arguments off the stack. */
const CDECL: ReadonlySet<string> = new Set(["memcpy", "memcpy_s", "memmove", "memmove_s"]);

/** The bytes that a documented function takes off the stack of 32-bit code; `undefined` for another. */
export function argumentBytesOf(name: string): number | undefined {
  if (CDECL.has(name)) return 0;
  const [row] = [...acquirersNamed(name), ...consumersNamed(name)];
  if (row === undefined) return undefined;
  const words = wordOf(row.name, row.arguments + 1) - 1;
  return Math.max(0, words - (isFastcall(row.name) ? 2 : 0)) * 4;
}
