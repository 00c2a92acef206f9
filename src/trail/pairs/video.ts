import type { Acquirer } from "./pair.ts";
import { by, byAddress, group, inside, out, RETURNED } from "./rows.ts";

/** Video port (videoprt.sys) and the graphics engine (win32k's Eng…). Their memory functions are in memory.ts. */
export const VIDEO: readonly Acquirer[] = [
  ...group({ fails: "nonzero", releases: by(2, "VideoPortReleaseBuffer"), what: "memory" }, [
    ["VideoPortAllocateBuffer", 3, out(3), "video.h"],
  ]),
  ...group({ fails: "null", releases: by(5, "VideoPortReleaseCommonBuffer"), what: "memory" }, [
    ["VideoPortAllocateCommonBuffer", 6, RETURNED, "video.h"],
  ]),
  ...group({ fails: "nonzero", releases: by(2, "VideoPortDeleteEvent"), what: "memory" }, [
    ["VideoPortCreateEvent", 4, out(4), "video.h"],
  ]),
  ...group({ fails: "nonzero", releases: by(2, "VideoPortDeleteSpinLock"), what: "memory" }, [
    ["VideoPortCreateSpinLock", 2, out(2), "video.h"],
  ]),
  ...group({ fails: "null", releases: by(2, "VideoPortPutDmaAdapter"), what: "object" }, [
    ["VideoPortGetDmaAdapter", 2, RETURNED, "video.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "EngDeleteSemaphore"), what: "memory" }, [
    ["EngCreateSemaphore", 0, RETURNED, "winddi.h"],
  ]),
  ...group({ fails: "false", releases: byAddress(1, "EngDeleteSafeSemaphore"), what: "memory" }, [
    ["EngInitializeSafeSemaphore", 1, inside(1), "winddi.h"],
  ]),
  ...group({ fails: "false", releases: by(1, "EngDeleteEvent"), what: "memory" }, [
    ["EngCreateEvent", 1, out(1), "winddi.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "EngDeleteSurface"), what: "object" }, [
    ["EngCreateBitmap", 5, RETURNED, "winddi.h"],
    ["EngCreateDeviceBitmap", 3, RETURNED, "winddi.h"],
    ["EngCreateDeviceSurface", 3, RETURNED, "winddi.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "EngUnlockSurface"), what: "reference" }, [
    ["EngLockSurface", 1, RETURNED, "winddi.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "EngDeleteClip"), what: "object" }, [
    ["EngCreateClip", 0, RETURNED, "winddi.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "EngDeletePath"), what: "object" }, [
    ["EngCreatePath", 0, RETURNED, "winddi.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "EngDeletePalette"), what: "object" }, [
    ["EngCreatePalette", 6, RETURNED, "winddi.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "EngDeleteWnd"), what: "object" }, [
    ["EngCreateWnd", 5, RETURNED, "winddi.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "EngDeleteDriverObj"), what: "object" }, [
    ["EngCreateDriverObj", 3, RETURNED, "winddi.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "EngUnloadImage"), what: "object" }, [
    ["EngLoadImage", 1, RETURNED, "winddi.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "EngFreeModule"), what: "object" }, [
    ["EngLoadModule", 1, RETURNED, "winddi.h"],
  ]),
];
