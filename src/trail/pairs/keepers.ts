import type { ConsumerRow } from "./consumer.ts";

// The kernel keeps nothing that it is given but for what these say, where its own code cannot be read.

/** Functions of old drivers' lists on 32-bit Windows, which headers put in the place of those with a page. */
const IN_HEADERS = "exported, no page; wdm.h calls it";
const IN_C = "exported, no page; the C library's";
const UNDOCUMENTED = "exported, no page";

/** They put what they are given into a list or a queue, or refer to it by what they return or fill: whoever has that can give it back. */
export const LISTED: readonly ConsumerRow[] = [
  ["ExInterlockedInsertHeadList", 3, 2, "wdm.h"],
  ["ExInterlockedInsertTailList", 3, 2, "wdm.h"],
  ["ExInterlockedPushEntryList", 3, 2, "wdm.h"],
  ["ExInterlockedPushEntrySList", 3, 2, "wdm.h"],
  ["InterlockedPushEntrySList", 2, 2, "wdm.h"],
  ["InterlockedPushListSList", 4, 2, "wdm.h"],
  ["ExfInterlockedInsertHeadList", 3, 2, IN_HEADERS],
  ["ExfInterlockedInsertTailList", 3, 2, IN_HEADERS],
  ["ExfInterlockedPushEntryList", 3, 2, IN_HEADERS],
  ["ExpInterlockedPushEntrySList", 2, 2, IN_HEADERS],
  ["KeInsertQueue", 2, 2, "ntifs.h"],
  ["KeInsertHeadQueue", 2, 2, "ntifs.h"],
  ["KeInsertDeviceQueue", 2, 2, "wdm.h", { fails: "false" }],
  ["KeInsertByKeyDeviceQueue", 3, 2, "wdm.h", { fails: "false" }],
  ["RtlInsertEntryHashTable", 4, 2, "ntddk.h", { fails: "false" }],
  ["RtlInsertUnicodePrefix", 3, 2, "ntifs.h", { fails: "false" }],
  ["RtlInsertUnicodePrefix", 3, 3, "ntifs.h", { fails: "false" }],
  ["FsRtlSetEcpListIntoIrp", 2, 2, "ntifs.h", { fails: "status" }],
  ["IoSetIrpExtraCreateParameter", 2, 2, "ntifs.h", { fails: "status" }],
  ["CcInitializeCacheMap", 5, 5, "ntifs.h"],
  ["WdfCollectionAdd", 3, 3, "wdfcollection.h", { fails: "status" }],
  ["WdfFdoAddStaticChild", 3, 3, "wdffdo.h", { fails: "status" }],
  ["WdfIoResourceRequirementsListAppendIoResList", 3, 3, "wdfresource.h", { fails: "status" }],
  ["WdfIoResourceRequirementsListInsertIoResList", 4, 3, "wdfresource.h", { fails: "status" }],
];

/** They copy what an argument points to into what another has: what stands in it is there then as well. */
export const COPIED: readonly ConsumerRow[] = [
  ["RtlInsertElementGenericTable", 4, 2, "ntddk.h", { takes: "address", fails: "null" }],
  ["RtlInsertElementGenericTableAvl", 4, 2, "ntddk.h", { takes: "address", fails: "null" }],
  ["RtlInsertElementGenericTableFull", 6, 2, "ntddk.h", { takes: "address", fails: "null" }],
  ["RtlInsertElementGenericTableFullAvl", 6, 2, "ntddk.h", { takes: "address", fails: "null" }],
  ["RtlCopyMemory", 3, 2, "wdm.h", { takes: "address" }],
  ["RtlCopyMemoryNonTemporal", 3, 2, "wdm.h", { takes: "address" }],
  ["RtlMoveMemory", 3, 2, "wdm.h", { takes: "address" }],
  ["memcpy", 3, 2, IN_C, { takes: "address" }],
  ["memmove", 3, 2, IN_C, { takes: "address" }],
  ["memcpy_s", 4, 3, IN_C, { takes: "address" }],
  ["memmove_s", 4, 3, IN_C, { takes: "address" }],
];

/** A routine is called later: with it, or with what it stands in. */
export const CALLED_WITH: readonly ConsumerRow[] = [
  ["KeInsertQueueDpc", 3, 1, "wdm.h", { comesAs: 1 }],
  ["KeInsertQueueDpc", 3, 2, "wdm.h", { comesAs: 3 }],
  ["KeInsertQueueDpc", 3, 3, "wdm.h", { comesAs: 4 }],
  ["KeSetTimer", 3, 1, "wdm.h"],
  ["KeSetTimer", 3, 3, "wdm.h"],
  ["KeSetTimerEx", 4, 1, "wdm.h"],
  ["KeSetTimerEx", 4, 4, "wdm.h"],
  ["KeSetCoalescableTimer", 5, 1, "wdm.h"],
  ["KeSetCoalescableTimer", 5, 5, "wdm.h"],
  ["KeInitializeApc", 8, 8, UNDOCUMENTED],
  ["KeInsertQueueApc", 4, 1, UNDOCUMENTED, { fails: "false" }],
  ["KeInsertQueueApc", 4, 2, UNDOCUMENTED, { fails: "false" }],
  ["KeInsertQueueApc", 4, 3, UNDOCUMENTED, { fails: "false" }],
  ["KeRegisterBugCheckCallback", 5, 1, "wdm.h", { fails: "false" }],
  ["KeRegisterBugCheckCallback", 5, 3, "wdm.h", { fails: "false" }],
  ["KeRegisterBugCheckReasonCallback", 4, 1, "wdm.h", { fails: "false" }],
  ["KeRegisterNmiCallback", 2, 2, "wdm.h", { comesAs: 1, fails: "null" }],
  ["KeRegisterProcessorChangeCallback", 3, 2, "wdm.h", { comesAs: 1, fails: "null" }],
  ["CmRegisterCallback", 3, 2, "wdm.h", { comesAs: 1, fails: "status" }],
  ["CmRegisterCallbackEx", 6, 4, "wdm.h", { comesAs: 1, fails: "status" }],
  ["PoRegisterPowerSettingCallback", 5, 4, "wdm.h", { comesAs: 4, fails: "status" }],
  ["PoQueueShutdownWorkItem", 1, 1, "ntifs.h", { fails: "status" }],
  ["IoInitializeTimer", 3, 3, "wdm.h", { comesAs: 2, fails: "status" }],
  ["IoConnectInterrupt", 11, 3, "wdm.h", { comesAs: 2, fails: "status" }],
  ["IoRegisterDriverReinitialization", 3, 3, "ntddk.h", { comesAs: 2 }],
  ["IoRegisterBootDriverReinitialization", 3, 3, "ntddk.h", { comesAs: 2 }],
  [
    "IoAllocateAdapterChannel",
    5,
    5,
    "exported, no page; wdm.h has it as a routine of DMA adapters",
    { comesAs: 4, fails: "status" },
  ],
  ["IoAllocateController", 4, 4, "ntddk.h", { comesAs: 4 }],
  ["EtwRegister", 4, 3, "wdm.h", { fails: "status" }],
  ["CcDeferWrite", 6, 3, "ntifs.h", { comesAs: 1 }],
  ["CcDeferWrite", 6, 4, "ntifs.h", { comesAs: 2 }],
  ["NdisFSetAttributes", 3, 2, "ndis.h", { fails: "nonzero" }],
  ["NdisMSetMiniportAttributes", 2, 2, "ndis.h", { takes: "address", fails: "nonzero" }],
  ["NdisMSetAttributesEx", 5, 2, "ndis.h"],
  ["NdisMRegisterMiniportDriver", 5, 3, "ndis.h", { fails: "nonzero" }],
  ["NdisFRegisterFilterDriver", 4, 2, "ndis.h", { fails: "nonzero" }],
  ["NdisRegisterProtocolDriver", 3, 1, "ndis.h", { fails: "nonzero" }],
  ["NdisOpenAdapterEx", 5, 2, "ndis.h"],
  ["NdisIMInitializeDeviceInstanceEx", 3, 3, "ndis.h", { fails: "nonzero" }],
  ["NdisMRegisterInterruptEx", 4, 2, "ndis.h", { fails: "nonzero" }],
  ["NdisAllocateTimerObject", 3, 2, "ndis.h", { takes: "address", fails: "nonzero" }],
  ["NdisSetTimerObject", 4, 4, "ndis.h", { comesAs: 2 }],
  ["NdisInitializeTimer", 3, 3, "ndis.h", { comesAs: 2 }],
  ["NdisMInitializeTimer", 4, 4, "ndis.h", { comesAs: 2 }],
  ["WdfRequestSetCompletionRoutine", 4, 4, "wdfrequest.h", { comesAs: 4 }],
  ["WdfIoQueueStop", 4, 4, "wdfio.h", { comesAs: 2 }],
  ["WdfIoQueueDrain", 4, 4, "wdfio.h", { comesAs: 2 }],
  ["WdfIoQueuePurge", 4, 4, "wdfio.h", { comesAs: 2 }],
  ["WdfIoQueueStopAndPurge", 4, 4, "wdfio.h", { comesAs: 2 }],
  ["WdfDmaTransactionExecute", 3, 3, "wdfdmatransaction.h", { comesAs: 3, fails: "status" }],
  ["WdfUsbTargetPipeConfigContinuousReader", 3, 3, "wdfusb.h", { takes: "address", fails: "status" }],
];

/** IRPs that wait for whoever completes them, and requests. */
export const PENDED: readonly ConsumerRow[] = [
  ["IoStartPacket", 4, 2, "ntifs.h"],
  ["IoQueueThreadIrp", 1, 1, "ntifs.h"],
  ["FsRtlNotifyFullChangeDirectory", 10, 9, "ntifs.h"],
  ["FsRtlNotifyFilterChangeDirectory", 11, 9, "ntifs.h"],
  ["FsRtlOplockFsctrl", 3, 2, "ntifs.h"],
  ["WdfRequestSend", 4, 2, "wdfrequest.h", { comesAs: 1, fails: "false" }],
];

/** What they return says where the memory is: whoever has that can give it back, until it is freed itself. */
export const DESCRIBED: readonly ConsumerRow[] = [
  ["IoAllocateMdl", 5, 1, "wdm.h", { fails: "null" }],
  ["MmCreateMdl", 3, 2, "wdm.h"],
  ["IoBuildAsynchronousFsdRequest", 6, 3, "wdm.h", { fails: "null" }],
  ["WdfMemoryCreatePreallocated", 5, 3, "wdfmemory.h", { fails: "status" }],
  ["WdfMemoryAssignBuffer", 4, 3, "wdfmemory.h", { fails: "status" }],
];
