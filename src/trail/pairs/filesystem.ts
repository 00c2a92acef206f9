import type { Acquirer } from "./pair.ts";
import { DEREFERENCE } from "./releases.ts";
import { by, byAddress, group, inside, isSet, onto, out, RETURNED } from "./rows.ts";

// The filter manager's functions are these, with the filter in front.
const FREE_ECP = [...by(1, "FsRtlFreeExtraCreateParameter"), ...by(2, "FltFreeExtraCreateParameter")];
const FREE_ECP_LIST = [
  ...by(1, "FsRtlFreeExtraCreateParameterList"),
  ...by(2, "FltFreeExtraCreateParameterList"),
];
const UNPIN = by(1, "CcUnpinData", "CcUnpinDataForThread");

/** The cache manager and the file system library: Cc… and FsRtl…. */
export const FILE_SYSTEM: readonly Acquirer[] = [
  ...group({ fails: "never", releases: by(1, "CcUninitializeCacheMap"), what: "registration" }, [
    ["CcInitializeCacheMap", 5, onto(1), "ntifs.h", "CcSc"],
  ]),
  ...group({ fails: "false", releases: UNPIN, what: "memory" }, [
    ["CcMapData", 6, out(5), "ntifs.h", "CcBc"],
    ["CcPinRead", 6, out(5), "ntifs.h", "CcBc"],
    ["CcPreparePinWrite", 7, out(6), "ntifs.h", "CcBc"],
  ]),
  ...group({ fails: "never", releases: by(1, "CcUnpinRepinnedBcb"), what: "reference" }, [
    ["CcRepinBcb", 1, onto(1), "ntifs.h", "CcBc"],
  ]),
  ...group({ fails: "never", releases: UNPIN, what: "reference" }, [
    ["CcRemapBcb", 1, RETURNED, "ntifs.h", "CcBc"],
  ]),
  ...group({ fails: "null", releases: by(2, "CcMdlReadComplete"), what: "memory" }, [
    ["CcMdlRead", 5, out(4), "", "Mdl ", { source: "CcMdlReadComplete (ntifs.h)" }],
  ]),
  ...group({ fails: "null", releases: by(2, "FsRtlMdlReadCompleteDev"), what: "memory" }, [
    ["FsRtlMdlReadDev", 7, out(5), "ntifs.h", "Mdl "],
  ]),
  ...group(
    {
      fails: "null",
      releases: [...by(3, "CcMdlWriteComplete"), ...by(2, "CcMdlWriteAbort")],
      what: "memory",
    },
    [["CcPrepareMdlWrite", 5, out(4), "ntifs.h", "Mdl "]],
  ),
  ...group({ fails: "null", releases: by(3, "FsRtlMdlWriteCompleteDev"), what: "memory" }, [
    ["FsRtlPrepareMdlWriteDev", 7, out(5), "ntifs.h", "Mdl "],
  ]),
  ...group(
    { fails: "status", releases: FREE_ECP, what: "memory" },
    // An ECP that is put into a list goes with the list: see the consumers.
    [
      ["FsRtlAllocateExtraCreateParameter", 6, out(6), "ntifs.h", "", { tagArgument: 5 }],
      ["FsRtlAllocateExtraCreateParameterFromLookasideList", 6, out(6), "ntifs.h"],
      ["FsRtlRemoveExtraCreateParameter", 4, out(3), "ntifs.h"],
    ],
  ),
  ...group({ fails: "status", releases: FREE_ECP_LIST, what: "memory" }, [
    ["FsRtlAllocateExtraCreateParameterList", 2, out(2), "ntifs.h"],
  ]),
  ...group(
    {
      fails: "never",
      releases: byAddress(1, "FsRtlDeleteExtraCreateParameterLookasideList"),
      what: "list-head",
    },
    [["FsRtlInitExtraCreateParameterLookasideList", 4, inside(1), "ntifs.h", "", { tagArgument: 4 }]],
  ),
  ...group({ fails: "null", releases: by(1, "FsRtlFreeFileLock"), what: "memory" }, [
    ["FsRtlAllocateFileLock", 2, RETURNED, "ntifs.h"],
  ]),
  ...group({ fails: "never", releases: byAddress(1, "FsRtlUninitializeFileLock"), what: "memory" }, [
    ["FsRtlInitializeFileLock", 3, inside(1), "ntifs.h"],
  ]),
  ...group({ fails: "never", releases: byAddress(1, "FsRtlNotifyUninitializeSync"), what: "memory" }, [
    ["FsRtlNotifyInitializeSync", 1, out(1), "ntifs.h"],
  ]),
  ...group({ fails: "never", releases: byAddress(1, "FsRtlUninitializeOplock"), what: "memory" }, [
    ["FsRtlInitializeOplock", 1, inside(1), "ntifs.h"],
  ]),
  ...group({ fails: "never", releases: byAddress(1, "FsRtlUninitializeLargeMcb"), what: "memory" }, [
    ["FsRtlInitializeLargeMcb", 2, inside(1), "ntifs.h"],
  ]),
  ...group({ fails: "never", releases: byAddress(1, "FsRtlUninitializeBaseMcb"), what: "memory" }, [
    ["FsRtlInitializeBaseMcb", 2, inside(1), "ntifs.h"],
    ["FsRtlInitializeBaseMcbEx", 3, inside(1), "ntifs.h", "", { fails: "false" }],
  ]),
  ...group({ fails: "never", releases: byAddress(1, "FsRtlUninitializeMcb"), what: "memory" }, [
    ["FsRtlInitializeMcb", 2, inside(1), "ntifs.h"],
  ]),
  ...group({ fails: "never", releases: byAddress(1, "FsRtlDeleteTunnelCache"), what: "memory" }, [
    ["FsRtlInitializeTunnelCache", 1, inside(1), "ntifs.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "FsRtlFreeAePushLock"), what: "memory" }, [
    ["FsRtlAllocateAePushLock", 2, RETURNED, "ntifs.h", "", { tagArgument: 2 }],
  ]),
  ...group({ fails: "status", releases: by(1, "FsRtlDeregisterUncProvider"), what: "registration" }, [
    ["FsRtlRegisterUncProvider", 3, out(1), "ntifs.h"],
    ["FsRtlRegisterUncProviderEx", 4, out(1), "ntifs.h"],
  ]),
  ...group({ fails: "false", releases: DEREFERENCE, what: "reference" }, [
    ["FsRtlCreateSectionForDataScan", 10, out(2), "ntifs.h", "Sect", { fails: "status", when: [isSet(2)] }],
  ]),
];
