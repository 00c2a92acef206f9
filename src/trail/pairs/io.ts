import type { Acquirer } from "./pair.ts";
import { FREE, FREE_MDL } from "./releases.ts";
import { by, byAddress, group, inside, isSet, isZero, out, RETURNED } from "./rows.ts";

const FREE_IRP = by(1, "IoFreeIrp");
/** The I/O manager frees what it built for a thread when it completes, so sending it gives it back. */
const SENT = [
  ...by(2, "IofCallDriver", "IoCallDriver", "PoCallDriver"),
  ...by(1, "IofCompleteRequest", "IoCompleteRequest"),
  ...FREE_IRP,
];

/** IRPs, MDLs, work items, device objects, interrupts: what the I/O manager and the HAL give. */
export const IO: readonly Acquirer[] = [
  ...group({ fails: "null", releases: FREE_IRP, what: "memory" }, [
    ["IoAllocateIrp", 2, RETURNED, "wdm.h", "Irp "],
    ["IoAllocateIrpEx", 3, RETURNED, "wdm.h", "Irp "],
    // The IRP is the driver's, whose completion routine frees it.
    ["IoBuildAsynchronousFsdRequest", 6, RETURNED, "wdm.h", "Irp "],
  ]),
  ...group({ fails: "null", releases: SENT, what: "memory" }, [
    ["IoBuildSynchronousFsdRequest", 7, RETURNED, "wdm.h", "Irp "],
    ["IoBuildDeviceIoControlRequest", 9, RETURNED, "wdm.h", "Irp "],
    ["IoMakeAssociatedIrp", 2, RETURNED, "ntddk.h", "Irp "],
  ]),
  ...group({ fails: "null", releases: [...FREE_MDL, ...FREE], what: "memory" }, [
    [
      "IoAllocateMdl",
      5,
      RETURNED,
      "wdm.h",
      "Mdl ",
      // With an IRP the MDL is put into its chain, as the driver may do itself.
      {
        duties: [
          { keeper: "io-manager", when: [isSet(5)] },
          { keeper: "io-manager", putInto: "irp" },
          { keeper: "filter-manager", putInto: "parameters" },
        ],
      },
    ],
  ]),
  ...group({ fails: "null", releases: [...FREE, ...FREE_MDL], what: "memory" }, [
    // With an MDL it only fills that one in.
    ["MmCreateMdl", 3, RETURNED, "wdm.h", "", { when: [isZero(1)] }],
  ]),
  ...group({ fails: "status", releases: FREE_MDL, what: "memory" }, [
    ["MmAllocateMdlForIoSpace", 3, out(3), "wdm.h"],
  ]),
  ...group({ fails: "never", releases: byAddress(1, "IoUninitializeWorkItem"), what: "list-head" }, [
    ["IoInitializeWorkItem", 2, inside(2), "wdm.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "IoFreeWorkItem"), what: "memory" }, [
    ["IoAllocateWorkItem", 1, RETURNED, "wdm.h", "IoWI"],
  ]),
  ...group(
    { fails: "null", releases: by(1, "IoWriteErrorLogEntry", "IoFreeErrorLogEntry"), what: "memory" },
    [["IoAllocateErrorLogEntry", 2, RETURNED, "wdm.h"]],
  ),
  // Linked into the driver object, from which unloading finds it.
  ...group({ fails: "status", releases: by(1, "IoDeleteDevice"), what: "registration" }, [
    ["IoCreateDevice", 7, out(7), "wdm.h", "Devi"],
    ["WdmlibIoCreateDeviceSecure", 9, out(9), "wdmsec.h", "Devi"],
  ]),
  ...group({ fails: "null", releases: by(1, "IoDeleteController"), what: "object" }, [
    ["IoCreateController", 1, RETURNED, "ntddk.h", "Cont"],
  ]),
  ...group({ fails: "status", releases: by(1, "IoDisconnectInterrupt"), what: "object" }, [
    ["IoConnectInterrupt", 11, out(1), "wdm.h"],
  ]),
  ...group({ fails: "status", releases: FREE, what: "memory" }, [
    ["IoReadPartitionTable", 4, out(4), "ntddk.h"],
    ["IoReadPartitionTableEx", 2, out(2), "ntddk.h"],
  ]),
  ...group({ fails: "null", releases: FREE, what: "memory" }, [
    ["HalExamineMBR", 4, out(4), "ntddk.h"],
    ["MmGetPhysicalMemoryRanges", 0, RETURNED, "ntddk.h"],
    ["MmGetPhysicalMemoryRangesEx", 1, RETURNED, "ntddk.h"],
    ["MmGetPhysicalMemoryRangesEx2", 2, RETURNED, "ntddk.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "HalFreeHardwareCounters"), what: "registration" }, [
    ["HalAllocateHardwareCounters", 4, out(4), "ntddk.h"],
  ]),
];
