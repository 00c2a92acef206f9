import type { Acquirer } from "./pair.ts";
import { CLOSE, FREE } from "./releases.ts";
import { by, group, onto, out } from "./rows.ts";

/** Kernel streaming (ks.sys) and audio (portcls.sys, drmk.sys). */
export const STREAMING: readonly Acquirer[] = [
  ...group({ fails: "status", releases: by(1, "KsFreeDeviceHeader"), what: "memory" }, [
    ["KsAllocateDeviceHeader", 3, out(1), "ks.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "KsFreeObjectHeader"), what: "memory" }, [
    ["KsAllocateObjectHeader", 5, out(1), "ks.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "KsFreeObjectBag"), what: "object" }, [
    ["KsAllocateObjectBag", 2, out(2), "ks.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "KsFreeDefaultClock"), what: "memory" }, [
    ["KsAllocateDefaultClock", 1, out(1), "ks.h"],
    ["KsAllocateDefaultClockEx", 7, out(1), "ks.h"],
  ]),
  ...group({ fails: "status", releases: FREE, what: "memory" }, [["KsAllocateExtraData", 3, out(3), "ks.h"]]),
  ...group({ fails: "status", releases: by(1, "KsUnregisterWorker"), what: "registration" }, [
    ["KsRegisterWorker", 2, out(2), "ks.h"],
    ["KsRegisterCountedWorker", 3, out(3), "ks.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "KsStreamPointerDelete"), what: "memory" }, [
    ["KsStreamPointerClone", 4, out(4), "ks.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "KsDereferenceBusObject"), what: "reference" }, [
    ["KsReferenceBusObject", 1, onto(1), "ks.h"],
  ]),
  // The handle is of a file object, which the I/O manager makes for the other driver's pin or clock.
  ...group({ fails: "status", releases: CLOSE, what: "handle" }, [
    ["KsCreatePin", 4, out(4), "ks.h", "File", { fails: "nonzero" }],
    ["KsCreateClock", 3, out(3), "ks.h", "File"],
    ["KsCreateAllocator", 3, out(3), "ks.h", "File"],
    ["KsCreateTopologyNode", 4, out(4), "ks.h", "File"],
  ]),
  ...group({ fails: "status", releases: by(1, "DrmDestroyContent"), what: "object" }, [
    ["DrmCreateContentMixed", 3, out(3), "drmk.h"],
  ]),
];
