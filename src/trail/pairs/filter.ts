import type { Acquirer } from "./pair.ts";
import { CLOSE, DEREFERENCE } from "./releases.ts";
import { by, byAddress, group, inside, isSet, onto, out, RETURNED, type Row } from "./rows.ts";

const NAME = by(1, "FltReleaseFileNameInformation");
const OBJECT = by(1, "FltObjectDereference");
const FREE_ECP = [...by(2, "FltFreeExtraCreateParameter"), ...by(1, "FsRtlFreeExtraCreateParameter")];
const FREE_ECP_LIST = [
  ...by(2, "FltFreeExtraCreateParameterList"),
  ...by(1, "FsRtlFreeExtraCreateParameterList"),
];

/** FltCreateFileEx and its like write a handle, and a referenced file object where one is asked for. */
const file = (name: string, count: number): Row => [name, count, out(3), "fltkernel.h", "File"];
const fileObject = (name: string, count: number): Row => [
  name,
  count,
  out(4),
  "fltkernel.h",
  "File",
  { when: [isSet(4)] },
];

/** The filter manager: names, files, work items, the objects it counts. Its contexts have a file of their own. */
export const FILTER: readonly Acquirer[] = [
  ...group({ fails: "status", releases: NAME, what: "memory" }, [
    ["FltGetFileNameInformation", 3, out(3), "fltkernel.h", "FMfn"],
    ["FltGetFileNameInformationUnsafe", 4, out(4), "fltkernel.h", "FMfn"],
    ["FltGetDestinationFileNameInformation", 7, out(7), "fltkernel.h", "FMfn"],
    // A name that was not tunneled gives NULL, and success.
    ["FltGetTunneledName", 3, out(3), "fltkernel.h", "FMfn", { fails: "null" }],
    ["FltReferenceFileNameInformation", 1, onto(1), "fltkernel.h", "FMfn", { fails: "never" }],
  ]),
  ...group({ fails: "status", releases: CLOSE, what: "handle" }, [
    file("FltCreateFile", 14),
    file("FltCreateFileEx", 15),
    file("FltCreateFileEx2", 16),
    file("FltCreateNamedPipeFile", 18),
    file("FltCreateMailslotFile", 12),
    ["FltOpenVolume", 3, out(2), "fltkernel.h", "File"],
    ["FltCreateSectionForDataScan", 12, out(10), "fltkernel.h", "Sect"],
  ]),
  ...group({ fails: "status", releases: DEREFERENCE, what: "reference" }, [
    fileObject("FltCreateFileEx", 15),
    fileObject("FltCreateFileEx2", 16),
    fileObject("FltCreateNamedPipeFile", 18),
    fileObject("FltCreateMailslotFile", 12),
    ["FltOpenVolume", 3, out(3), "fltkernel.h", "File", { when: [isSet(3)] }],
    ["FltCreateSectionForDataScan", 12, out(11), "fltkernel.h", "Sect"],
    ["FltGetDeviceObject", 2, out(2), "fltkernel.h", "Devi"],
    ["FltGetDiskDeviceObject", 2, out(2), "fltkernel.h", "Devi"],
  ]),
  ...group({ fails: "status", releases: OBJECT, what: "reference" }, [
    ["FltObjectReference", 1, onto(1), "fltkernel.h"],
    ["FltAttachVolume", 4, out(4), "fltkernel.h", "", { when: [isSet(4)] }],
    ["FltAttachVolumeAtAltitude", 5, out(5), "fltkernel.h", "", { when: [isSet(5)] }],
    ["FltGetTopInstance", 2, out(2), "fltkernel.h"],
    ["FltGetBottomInstance", 2, out(2), "fltkernel.h"],
    ["FltGetUpperInstance", 2, out(2), "fltkernel.h"],
    ["FltGetLowerInstance", 2, out(2), "fltkernel.h"],
    ["FltGetFilterFromInstance", 2, out(2), "fltkernel.h"],
    ["FltGetFilterFromName", 2, out(2), "fltkernel.h"],
    ["FltGetVolumeFromDeviceObject", 3, out(3), "fltkernel.h"],
    ["FltGetVolumeFromFileObject", 3, out(3), "fltkernel.h"],
    ["FltGetVolumeFromInstance", 2, out(2), "fltkernel.h"],
    ["FltGetVolumeFromName", 3, out(3), "fltkernel.h"],
    ["FltGetVolumeInstanceFromName", 4, out(4), "fltkernel.h"],
    // Each entry of the caller's array is a reference.
    ["FltEnumerateFilters", 3, inside(1), "fltkernel.h", "", { releases: [] }],
    ["FltEnumerateInstances", 5, inside(3), "fltkernel.h", "", { releases: [] }],
    ["FltEnumerateVolumes", 4, inside(2), "fltkernel.h", "", { releases: [] }],
  ]),
  ...group({ fails: "null", releases: by(1, "FltFreeGenericWorkItem"), what: "memory" }, [
    ["FltAllocateGenericWorkItem", 0, RETURNED, "fltkernel.h", "FMwi"],
  ]),
  ...group({ fails: "null", releases: by(1, "FltFreeDeferredIoWorkItem"), what: "memory" }, [
    ["FltAllocateDeferredIoWorkItem", 0, RETURNED, "fltkernel.h", "FMwi"],
  ]),
  ...group({ fails: "status", releases: by(1, "FltFreeCallbackData"), what: "memory" }, [
    ["FltAllocateCallbackData", 3, out(3), "fltkernel.h"],
    ["FltAllocateCallbackDataEx", 4, out(4), "fltkernel.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "FltFreeFileLock"), what: "memory" }, [
    ["FltAllocateFileLock", 2, RETURNED, "fltkernel.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "FltFreeSecurityDescriptor"), what: "memory" }, [
    ["FltBuildDefaultSecurityDescriptor", 2, out(1), "fltkernel.h"],
  ]),
  ...group({ fails: "status", releases: FREE_ECP, what: "memory" }, [
    ["FltAllocateExtraCreateParameter", 7, out(7), "fltkernel.h", "", { tagArgument: 6 }],
    ["FltAllocateExtraCreateParameterFromLookasideList", 7, out(7), "fltkernel.h"],
    ["FltRemoveExtraCreateParameter", 5, out(4), "fltkernel.h"],
  ]),
  ...group({ fails: "status", releases: FREE_ECP_LIST, what: "memory" }, [
    ["FltAllocateExtraCreateParameterList", 3, out(3), "fltkernel.h"],
  ]),
  ...group(
    {
      fails: "never",
      releases: byAddress(2, "FltDeleteExtraCreateParameterLookasideList"),
      what: "list-head",
    },
    [["FltInitExtraCreateParameterLookasideList", 5, inside(2), "fltkernel.h", "", { tagArgument: 5 }]],
  ),
  ...group({ fails: "status", releases: by(1, "FltUnregisterFilter"), what: "registration" }, [
    ["FltRegisterFilter", 3, out(3), "fltkernel.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "FltCloseCommunicationPort"), what: "object" }, [
    ["FltCreateCommunicationPort", 8, out(2), "fltkernel.h", "Filt"],
  ]),
  ...group({ fails: "null", releases: by(3, "FltFastIoMdlReadComplete"), what: "memory" }, [
    ["FltFastIoMdlRead", 7, out(6), "fltkernel.h", "Mdl "],
  ]),
  ...group({ fails: "null", releases: by(4, "FltFastIoMdlWriteComplete"), what: "memory" }, [
    ["FltFastIoPrepareMdlWrite", 7, out(6), "fltkernel.h", "Mdl "],
  ]),
];
