import type { Acquirer } from "./pair.ts";
import { FREE_MDL, STRING_BUFFER } from "./releases.ts";
import { by, group, inside, onto, out, RETURNED } from "./rows.ts";

const FREE_NBL = by(1, "NdisFreeNetBufferList");

/** NDIS. What comes from a driver's own pools carries the tag that it gave the pool. */
export const NETWORK: readonly Acquirer[] = [
  ...group({ fails: "null", releases: FREE_NBL, what: "memory" }, [
    ["NdisAllocateNetBufferList", 3, RETURNED, "nblapi.h"],
    ["NdisAllocateNetBufferAndNetBufferList", 6, RETURNED, "nblapi.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "NdisFreeNetBuffer"), what: "memory" }, [
    ["NdisAllocateNetBuffer", 4, RETURNED, "nblapi.h"],
    ["NdisAllocateNetBufferMdlAndData", 1, RETURNED, "nblapi.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "NdisFreeCloneNetBufferList"), what: "memory" }, [
    ["NdisAllocateCloneNetBufferList", 4, RETURNED, "nblapi.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "NdisFreeFragmentNetBufferList"), what: "memory" }, [
    ["NdisAllocateFragmentNetBufferList", 8, RETURNED, "nblapi.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "NdisFreeReassembledNetBufferList"), what: "memory" }, [
    ["NdisAllocateReassembledNetBufferList", 6, RETURNED, "nblapi.h"],
  ]),
  ...group({ fails: "nonzero", releases: by(1, "NdisFreeNetBufferListContext"), what: "memory" }, [
    ["NdisAllocateNetBufferListContext", 4, onto(1), "nblapi.h", "", { tagArgument: 4 }],
  ]),
  ...group({ fails: "null", releases: by(1, "NdisFreeNetBufferListPool"), what: "object" }, [
    ["NdisAllocateNetBufferListPool", 2, RETURNED, "nblapi.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "NdisFreeNetBufferPool"), what: "object" }, [
    ["NdisAllocateNetBufferPool", 2, RETURNED, "nblapi.h"],
  ]),
  ...group({ fails: "null", releases: FREE_MDL, what: "memory" }, [
    ["NdisAllocateMdl", 3, RETURNED, "mdlapi.h", "Mdl "],
    // NDIS 5, with the status written through the first argument.
    ["NdisAllocateBuffer", 5, out(2), "ndis.h", "Mdl ", { fails: { status: 1 } }],
  ]),
  ...group({ fails: { status: 1 }, releases: by(1, "NdisFreePacket"), what: "memory" }, [
    ["NdisAllocatePacket", 3, out(2), "exported, no page; declared in ndis.h"],
  ]),
  ...group({ fails: { status: 1 }, releases: by(1, "NdisFreePacketPool"), what: "object" }, [
    ["NdisAllocatePacketPool", 4, out(2), "", "", { source: "NdisFreePacketPool (ndis.h)" }],
    ["NdisAllocatePacketPoolEx", 5, out(2), "ndis.h"],
  ]),
  ...group({ fails: { status: 1 }, releases: by(1, "NdisFreeBufferPool"), what: "object" }, [
    ["NdisAllocateBufferPool", 3, out(2), "ndis.h"],
  ]),
  ...group({ fails: "nonzero", releases: by(2, "NdisFreeCloneOidRequest"), what: "memory" }, [
    ["NdisAllocateCloneOidRequest", 4, out(4), "ndis.h", "", { tagArgument: 3 }],
  ]),
  ...group({ fails: "null", releases: by(1, "NdisFreeGenericObject"), what: "memory" }, [
    ["NdisAllocateGenericObject", 3, RETURNED, "ndis.h", "", { tagArgument: 2 }],
  ]),
  ...group({ fails: "null", releases: by(1, "NdisFreeIoWorkItem"), what: "memory" }, [
    ["NdisAllocateIoWorkItem", 1, RETURNED, "ndis.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "NdisFreeRWLock"), what: "memory" }, [
    ["NdisAllocateRWLock", 1, RETURNED, "ndis.h"],
  ]),
  ...group({ fails: "nonzero", releases: by(1, "NdisFreeTimerObject"), what: "memory" }, [
    ["NdisAllocateTimerObject", 3, out(3), "ndis.h"],
  ]),
  ...group({ fails: "nonzero", releases: by(2, "NdisFreeSharedMemory"), what: "memory" }, [
    ["NdisAllocateSharedMemory", 3, out(3), "ndis.h"],
  ]),
  ...group({ fails: "null", releases: by(4, "NdisMFreeSharedMemory"), what: "memory" }, [
    ["NdisMAllocateSharedMemory", 5, out(4), "ndis.h"],
  ]),
  ...group({ fails: "nonzero", releases: by(1, "NdisCloseConfiguration"), what: "handle" }, [
    ["NdisOpenConfigurationEx", 2, out(2), "ndis.h"],
    [
      "NdisOpenConfiguration",
      3,
      out(2),
      "exported, no page; as NdisOpenConfigurationEx of ndis.h",
      "",
      { fails: { status: 1 } },
    ],
    ["NdisOpenConfigurationKeyByName", 4, out(4), "ndis.h", "", { fails: { status: 1 } }],
    ["NdisOpenConfigurationKeyByIndex", 5, out(5), "ndis.h", "", { fails: { status: 1 } }],
  ]),
  ...group({ fails: { status: 1 }, releases: by(1, "NdisCloseFile"), what: "handle" }, [
    ["NdisOpenFile", 5, out(2), "ndis.h"],
  ]),
  ...group(
    {
      fails: "nonzero",
      releases: [{ name: "NdisFreeMemory", argument: 1, takes: { field: STRING_BUFFER } }],
      what: "string",
    },
    [
      ["NdisQueryAdapterInstanceName", 2, inside(1), "ndis.h"],
      ["NdisQueryBindInstanceName", 2, inside(1), "ndis.h"],
      ["NdisMQueryAdapterInstanceName", 2, inside(1), "ndis.h"],
      // NdisFreeString is a macro: it frees the buffer.
      ["NdisInitializeString", 2, inside(1), "ndis.h", "", { fails: "null" }],
    ],
  ),
  ...group({ fails: "nonzero", releases: by(1, "NdisDeregisterDeviceEx"), what: "registration" }, [
    ["NdisRegisterDeviceEx", 4, out(4), "ndis.h", "Devi"],
  ]),
  ...group({ fails: "nonzero", releases: by(1, "NdisMDeregisterDevice"), what: "registration" }, [
    ["NdisMRegisterDevice", 6, out(6), "ndis.h", "Devi"],
  ]),
  ...group({ fails: "nonzero", releases: by(1, "NdisCloseAdapterEx"), what: "registration" }, [
    ["NdisOpenAdapterEx", 5, out(5), "ndis.h"],
  ]),
  ...group({ fails: "nonzero", releases: by(1, "NdisDeregisterProtocolDriver"), what: "registration" }, [
    ["NdisRegisterProtocolDriver", 3, out(3), "ndis.h"],
  ]),
  ...group({ fails: "nonzero", releases: by(1, "NdisFDeregisterFilterDriver"), what: "registration" }, [
    ["NdisFRegisterFilterDriver", 4, out(4), "ndis.h"],
  ]),
  ...group({ fails: "nonzero", releases: by(1, "NdisMDeregisterInterruptEx"), what: "registration" }, [
    ["NdisMRegisterInterruptEx", 4, out(4), "ndis.h"],
  ]),
  ...group({ fails: "nonzero", releases: by(1, "NdisMDeregisterScatterGatherDma"), what: "registration" }, [
    ["NdisMRegisterScatterGatherDma", 3, out(3), "ndis.h"],
  ]),
  ...group({ fails: "nonzero", releases: by(1, "FreeMibTable"), what: "memory" }, [
    ["GetIfTable2", 1, out(1), "netioapi.h"],
    ["GetIfTable2Ex", 2, out(2), "netioapi.h"],
    ["GetIpInterfaceTable", 2, out(2), "netioapi.h"],
    ["GetIpForwardTable2", 2, out(2), "netioapi.h"],
    ["GetIpNetTable2", 2, out(2), "netioapi.h"],
    ["GetUnicastIpAddressTable", 2, out(2), "netioapi.h"],
  ]),
];
