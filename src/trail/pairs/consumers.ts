import { CALLED_WITH, DESCRIBED, LISTED, PENDED } from "./keepers.ts";
import type { Condition, Fails } from "./pair.ts";

/** A documented function that takes over what an argument holds, so that the caller has nothing to give back after it, or that only seems to. */
export interface Consumer {
  readonly name: string;
  /** How many arguments there are. */
  readonly arguments: number;
  readonly argument: number;
  /**
   * Who gives it back, and when.
   *
   * - `freed`: the function itself, or the system later
   * - `completion`: the IRP's completion: the I/O manager, or the caller's own completion routine
   * - `callback`: the routine that it is given along with gets it, and has to
   * - `kept`: it lives in what it was put into, whose end frees it or hands it to a cleanup routine
   * - `returned`: it comes back to a handler that the driver registered before
   * - `described`: whoever has what the function returns, which says where it is
   * - `lent`: whoever owned it before, though the function holds it for a while
   */
  readonly fate: "freed" | "completion" | "callback" | "kept" | "returned" | "described" | "lent";
  /** Which argument of the caller's own routine it comes back as, where one gets it. */
  readonly comesAs?: number;
  /** The argument is the address of the caller's variable that holds it. */
  readonly takes?: "address";
  /** It takes over only then. */
  readonly when?: readonly Condition[];
  /** How it says that it took nothing, which then stays the caller's; without it, it always takes. */
  readonly fails?: Exclude<Fails, { readonly status: number }>;
  /** Page of the Windows driver documentation. */
  readonly source: string;
}

export type ConsumerRow = readonly [
  name: string,
  arguments: number,
  argument: number,
  header: string,
  more?: Partial<Pick<Consumer, "comesAs" | "fails" | "source" | "takes" | "when">>,
];

function taking(fate: Consumer["fate"], rows: readonly ConsumerRow[]): readonly Consumer[] {
  return rows.map(([name, count, argument, header, more = {}]) => ({
    name,
    arguments: count,
    argument,
    fate,
    source: `${name} (${header})`,
    ...more,
  }));
}

/** NDIS_RECEIVE_FLAGS_RESOURCES: the lists are the caller's again when the call returns. */
const LENT = 0x2;
const KEPT_BY_NDIS = { when: [{ argument: 5, is: { clear: LENT } }] } as const;

export const CONSUMERS: readonly Consumer[] = [
  ...taking("kept", LISTED),
  ...taking("callback", CALLED_WITH),
  ...taking("completion", PENDED),
  ...taking("described", DESCRIBED),
  ...taking("freed", [
    ["IofCompleteRequest", 2, 1, "wdm.h"],
    ["IoCompleteRequest", 2, 1, "wdm.h"],
    ["IoWriteErrorLogEntry", 1, 1, "wdm.h"],
    ["IoWMIWriteEvent", 1, 1, "wdm.h", { fails: "status" }],
    ["NdisMSendNetBufferListsComplete", 3, 2, "ndis.h"],
    ["NdisFSendNetBufferListsComplete", 3, 2, "ndis.h"],
    ["NdisReturnNetBufferLists", 3, 2, "ndis.h"],
    ["NdisFReturnNetBufferLists", 3, 2, "ndis.h"],
    // its reference is gone behind it, also where it fails, as traces of references show; the handle is another thing
    ["ObInsertObject", 6, 1, "exported, no page; as traces of references show"],
    ["ZwDuplicateObject", 7, 2, "ntifs.h", { when: [{ argument: 7, is: { bits: 1 } }] }],
    [
      "NtDuplicateObject",
      7,
      2,
      "",
      { source: "ZwDuplicateObject (ntifs.h)", when: [{ argument: 7, is: { bits: 1 } }] },
    ],
  ]),
  ...taking("completion", [
    ["IofCallDriver", 2, 2, "wdm.h", { comesAs: 2 }],
    ["IoCallDriver", 2, 2, "wdm.h", { comesAs: 2 }],
    ["PoCallDriver", 2, 2, "wdm.h", { comesAs: 2 }],
  ]),
  // The routine gets the context, and not the item.
  ...taking("lent", [
    ["IoQueueWorkItem", 4, 1, "wdm.h"],
    ["IoTryQueueWorkItem", 4, 1, "wdm.h"],
  ]),
  ...taking("callback", [
    // The routine and its parameter stand in the WORK_QUEUE_ITEM.
    ["ExQueueWorkItem", 2, 1, "wdm.h", { comesAs: 1 }],
    ["IoQueueWorkItem", 4, 4, "wdm.h", { comesAs: 2 }],
    ["IoQueueWorkItemEx", 4, 1, "wdm.h", { comesAs: 3 }],
    ["IoQueueWorkItemEx", 4, 4, "wdm.h", { comesAs: 2 }],
    ["IoTryQueueWorkItem", 4, 4, "wdm.h", { comesAs: 2, fails: "false" }],
    ["IoSetCompletionRoutineEx", 7, 4, "wdm.h", { comesAs: 3, fails: "status" }],
    ["PsCreateSystemThread", 7, 7, "wdm.h", { comesAs: 1, fails: "status" }],
    ["IoCreateSystemThread", 8, 8, "wdm.h", { comesAs: 1, fails: "status" }],
    ["KeInitializeDpc", 3, 3, "wdm.h", { comesAs: 2 }],
    ["KeInitializeThreadedDpc", 3, 3, "wdm.h", { comesAs: 2 }],
    ["ExAllocateTimer", 3, 2, "wdm.h", { comesAs: 2, fails: "null" }],
    ["ExRegisterCallback", 3, 3, "wdm.h", { fails: "null" }],
    ["PoRequestPowerIrp", 6, 5, "wdm.h", { fails: "status" }],
    ["IoRegisterPlugPlayNotification", 7, 6, "wdm.h", { fails: "status" }],
    ["FltQueueGenericWorkItem", 5, 1, "fltkernel.h", { comesAs: 1, fails: "status" }],
    ["FltQueueGenericWorkItem", 5, 5, "fltkernel.h", { comesAs: 3, fails: "status" }],
    ["FltQueueDeferredIoWorkItem", 5, 1, "fltkernel.h", { comesAs: 1, fails: "status" }],
    ["FltQueueDeferredIoWorkItem", 5, 5, "fltkernel.h", { comesAs: 3, fails: "status" }],
    ["FltPerformAsynchronousIo", 3, 1, "fltkernel.h", { fails: "status" }],
    ["FltPerformAsynchronousIo", 3, 3, "fltkernel.h", { fails: "status" }],
    // The driver's own post-operation routine, which it registered, gets the context.
    ["FltCompletePendedPreOperation", 3, 3, "fltkernel.h"],
    ["NdisQueueIoWorkItem", 3, 1, "ndis.h", { comesAs: 2 }],
    ["NdisQueueIoWorkItem", 3, 3, "ndis.h", { comesAs: 1 }],
    ["FwpsInjectTransportSendAsync0", 10, 8, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectTransportSendAsync0", 10, 10, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectTransportSendAsync1", 10, 8, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectTransportSendAsync1", 10, 10, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectTransportReceiveAsync0", 11, 9, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectTransportReceiveAsync0", 11, 11, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectNetworkSendAsync0", 7, 5, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectNetworkSendAsync0", 7, 7, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectNetworkReceiveAsync0", 9, 7, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectNetworkReceiveAsync0", 9, 9, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectForwardAsync0", 9, 7, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectForwardAsync0", 9, 9, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectMacSendAsync0", 9, 7, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectMacSendAsync0", 9, 9, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectMacReceiveAsync0", 9, 7, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectMacReceiveAsync0", 9, 9, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectvSwitchEthernetIngressAsync0", 10, 8, "fwpsk.h", { fails: "status" }],
    ["FwpsInjectvSwitchEthernetIngressAsync0", 10, 10, "fwpsk.h", { fails: "status" }],
    ["FwpsStreamInjectAsync0", 11, 8, "fwpsk.h", { fails: "status" }],
    ["FwpsStreamInjectAsync0", 11, 11, "fwpsk.h", { fails: "status" }],
  ]),
  ...taking("kept", [
    ["FsRtlInsertExtraCreateParameter", 2, 2, "ntifs.h", { fails: "status" }],
    ["FltInsertExtraCreateParameter", 3, 3, "fltkernel.h", { fails: "status" }],
    ["FsRtlInsertPerStreamContext", 2, 2, "ntifs.h", { fails: "status" }],
    ["FsRtlInsertPerFileContext", 2, 2, "ntifs.h", { fails: "status" }],
    ["FsRtlInsertPerFileObjectContext", 2, 2, "ntifs.h", { fails: "status" }],
    ["KsAddItemToObjectBag", 3, 2, "ks.h", { fails: "status" }],
    ["CmSetCallbackObjectContext", 4, 3, "wdm.h", { fails: "status" }],
    ["FwpsFlowAssociateContext0", 4, 4, "fwpsk.h", { fails: "status" }],
    ["IoCsqInsertIrp", 3, 2, "wdm.h"],
    ["IoCsqInsertIrpEx", 4, 2, "wdm.h", { fails: "status" }],
    ["WdfDeviceCreate", 4, 2, "wdfdevice.h", { fails: "status", takes: "address" }],
    [
      "WdfRequestCreateFromIrp",
      5,
      3,
      "wdfrequest.h",
      { fails: "status", when: [{ argument: 4, is: "nonzero" }] },
    ],
  ]),
  ...taking("returned", [
    ["NdisMIndicateReceiveNetBufferLists", 5, 2, "ndis.h", KEPT_BY_NDIS],
    ["NdisFIndicateReceiveNetBufferLists", 5, 2, "ndis.h", KEPT_BY_NDIS],
    [
      "NdisMCoIndicateReceiveNetBufferLists",
      4,
      2,
      "ndis.h",
      { when: [{ argument: 4, is: { clear: LENT } }] },
    ],
    ["NdisSendNetBufferLists", 4, 2, "ndis.h"],
    ["NdisFSendNetBufferLists", 4, 2, "ndis.h"],
    ["NdisCoSendNetBufferLists", 3, 2, "ndis.h"],
  ]),
];
