import type { Acquirer } from "./pair.ts";
import { CLOSE } from "./releases.ts";
import { by, byAddress, group, inside, onto, out } from "./rows.ts";

const FREE_CLONE = by(1, "FwpsFreeCloneNetBufferList0");
const CLOSE_ENGINE = by(1, "FwpmEngineClose0");

/** The filtering platform (fwpkclnt, netio), the network module registrar, Winsock Kernel and TDI. */
export const PACKETS: readonly Acquirer[] = [
  ...group({ fails: "status", releases: by(1, "FwpsFreeNetBufferList0"), what: "memory" }, [
    ["FwpsAllocateNetBufferAndNetBufferList0", 7, out(7), "fwpsk.h"],
  ]),
  ...group({ fails: "status", releases: FREE_CLONE, what: "memory" }, [
    ["FwpsAllocateCloneNetBufferList0", 5, out(5), "fwpsk.h"],
    [
      "FwpsCloneStreamData0",
      5,
      out(5),
      "fwpsk.h",
      "",
      { releases: [...FREE_CLONE, ...by(1, "FwpsDiscardClonedStreamData0")] },
    ],
  ]),
  ...group({ fails: "never", releases: by(1, "FwpsDereferenceNetBufferList0"), what: "reference" }, [
    ["FwpsReferenceNetBufferList0", 2, onto(1), "fwpsk.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "FwpsReleaseClassifyHandle0"), what: "handle" }, [
    ["FwpsAcquireClassifyHandle0", 3, out(3), "fwpsk.h"],
  ]),
  ...group({ fails: "status", releases: by(2, "FwpsApplyModifiedLayerData0"), what: "memory" }, [
    ["FwpsAcquireWritableLayerDataPointer0", 5, out(4), "fwpsk.h", "Fecf"],
  ]),
  ...group({ fails: "status", releases: by(1, "FwpsCompleteOperation0"), what: "object" }, [
    ["FwpsPendOperation0", 2, out(2), "fwpsk.h"],
  ]),
  ...group({ fails: "status", releases: CLOSE, what: "handle" }, [
    ["FwpsOpenToken0", 4, out(4), "fwpsk.h", "Toke"],
  ]),
  ...group({ fails: "status", releases: by(1, "FwpsInjectionHandleDestroy0"), what: "handle" }, [
    ["FwpsInjectionHandleCreate0", 3, out(3), "fwpsk.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "FwpsRedirectHandleDestroy0"), what: "handle" }, [
    ["FwpsRedirectHandleCreate0", 3, out(3), "fwpsk.h"],
  ]),
  ...group({ fails: "status", releases: by(2, "FwpsAleEndpointDestroyEnumHandle0"), what: "handle" }, [
    ["FwpsAleEndpointCreateEnumHandle0", 3, out(3), "fwpsk.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "FwpsvSwitchEventsUnsubscribe0"), what: "registration" }, [
    ["FwpsvSwitchEventsSubscribe0", 6, out(6), "fwpsk.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "FwpsCalloutUnregisterById0"), what: "registration" }, [
    ["FwpsCalloutRegister0", 3, out(3), "fwpsk.h"],
    ["FwpsCalloutRegister1", 3, out(3), "fwpsk.h"],
    ["FwpsCalloutRegister2", 3, out(3), "fwpsk.h"],
  ]),
  ...group({ fails: "status", releases: CLOSE_ENGINE, what: "handle" }, [
    ["FwpmEngineOpen0", 5, out(5), "fwpmk.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "FwpmBfeStateUnsubscribeChanges0"), what: "registration" }, [
    ["FwpmBfeStateSubscribeChanges0", 4, out(4), "fwpmk.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "NmrDeregisterClient"), what: "registration" }, [
    ["NmrRegisterClient", 3, out(3), "netioddk.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "NmrDeregisterProvider"), what: "registration" }, [
    ["NmrRegisterProvider", 3, out(3), "netioddk.h"],
  ]),
  ...group({ fails: "status", releases: byAddress(1, "WskDeregister"), what: "registration" }, [
    ["WskRegister", 2, inside(2), "wsk.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "WskReleaseProviderNPI"), what: "reference" }, [
    ["WskCaptureProviderNPI", 3, onto(1), "wsk.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "TdiDeregisterPnPHandlers"), what: "registration" }, [
    ["TdiRegisterPnPHandlers", 3, out(3), "tdikrnl.h"],
    ["TdiRegisterNotificationHandler", 3, out(3), "tdikrnl.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "TdiDeregisterAddressChangeHandler"), what: "registration" }, [
    ["TdiRegisterAddressChangeHandler", 3, out(3), "tdikrnl.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "TdiDeregisterNetAddress"), what: "registration" }, [
    ["TdiRegisterNetAddress", 4, out(4), "tdikrnl.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "TdiDeregisterDeviceObject"), what: "registration" }, [
    ["TdiRegisterDeviceObject", 2, out(2), "tdikrnl.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "TdiDeregisterProvider"), what: "registration" }, [
    ["TdiRegisterProvider", 2, out(2), "tdikrnl.h"],
  ]),
];
