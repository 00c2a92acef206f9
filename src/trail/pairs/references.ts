import type { Acquirer, Duty } from "./pair.ts";
import { CLOSE, DEREFERENCE } from "./releases.ts";
import { by, group, inside, isSet, onto, out, RETURNED } from "./rows.ts";

/**
 * IRP_MN_QUERY_DEVICE_RELATIONS: a driver references each device that it reports, and the PnP manager drops it. The
 * DEVICE_RELATIONS goes into IRP.IoStatus.Information.
 */
const REPORTED: { readonly duties: readonly Duty[] } = {
  duties: [{ keeper: "pnp-manager", tags: ["Devi"], irpField: { 4: 0x1c, 8: 0x38 } }],
};

const TRACED = { source: "ObReferenceObjectWithTag (wdm.h)" } as const;

/** References to kernel objects. */
export const REFERENCES: readonly Acquirer[] = [
  ...group({ fails: "status", releases: DEREFERENCE, what: "reference" }, [
    ["PsLookupProcessByProcessId", 2, out(2), "ntifs.h", "Proc"],
    [
      "PsLookupProcessThreadByCid",
      3,
      out(2),
      "exported, no page; as PsLookupProcessByProcessId of ntifs.h",
      "Proc",
      { when: [isSet(2)] },
    ],
    [
      "PsLookupProcessThreadByCid",
      3,
      out(3),
      "exported, no page; as PsLookupThreadByThreadId of ntifs.h",
      "Thre",
    ],
    ["PsLookupThreadByThreadId", 2, out(2), "ntifs.h", "Thre"],
    [
      "ObReferenceObjectByHandle",
      6,
      out(5),
      "wdm.h",
      "",
      { anyObject: { typeArgument: 3, handleArgument: 1 } },
    ],
    [
      "ObReferenceObjectByHandleWithTag",
      7,
      out(6),
      "wdm.h",
      "",
      { anyObject: { typeArgument: 3, handleArgument: 1 } },
    ],
    [
      "ObReferenceObjectByName",
      8,
      out(8),
      "exported, no page; as ObReferenceObjectByHandle of wdm.h",
      "",
      { anyObject: { typeArgument: 5 } },
    ],
    [
      "ObReferenceObjectByPointer",
      4,
      onto(1),
      "wdm.h",
      "",
      { anyObject: { typeArgument: 3, objectArgument: 1 }, ...REPORTED },
    ],
    [
      "ObReferenceObjectByPointerWithTag",
      5,
      onto(1),
      "wdm.h",
      "",
      { anyObject: { typeArgument: 3, objectArgument: 1 }, ...REPORTED },
    ],
    ["IoGetDeviceObjectPointer", 4, out(3), "wdm.h", "File"],
    [
      "PsReferenceProcessFilePointer",
      2,
      out(2),
      "exported, no page; as ObReferenceObjectByPointer of wdm.h",
      "File",
    ],
    ["MmCreateSection", 8, out(1), "exported, no page; as ZwCreateSection of wdm.h", "Sect"],
    ["IoGetDiskDeviceObject", 2, out(2), "ntifs.h", "Devi"],
    ["IoWMIOpenBlock", 3, out(3), "wdm.h", "WmiG"],
    // The lists are the caller's arrays: each of their entries is a reference.
    ["IoEnumerateDeviceObjectList", 4, inside(2), "ntifs.h", "Devi", { releases: [] }],
    ["IoEnumerateRegisteredFiltersList", 3, inside(1), "ntifs.h", "Driv", { releases: [] }],
  ]),
  ...group({ fails: "never", releases: DEREFERENCE, what: "reference" }, [
    ["ObReferenceObject", 1, onto(1), "wdm.h", "", { anyObject: { objectArgument: 1 }, ...REPORTED }],
    ["ObfReferenceObject", 1, onto(1), "wdm.h", "", { anyObject: { objectArgument: 1 }, ...REPORTED }],
    ["ObReferenceObjectWithTag", 2, onto(1), "wdm.h", "", { anyObject: { objectArgument: 1 }, ...REPORTED }],
    [
      "ObfReferenceObjectWithTag",
      2,
      onto(1),
      "",
      "",
      { anyObject: { objectArgument: 1 }, ...REPORTED, ...TRACED },
    ],
    ["IoGetAttachedDeviceReference", 1, RETURNED, "wdm.h", "Devi", REPORTED],
    ["IoGetDeviceAttachmentBaseRef", 1, RETURNED, "ntifs.h", "Devi"],
  ]),
  ...group({ fails: "false", releases: DEREFERENCE, what: "reference" }, [
    ["ObReferenceObjectSafe", 1, onto(1), "wdm.h", "", { anyObject: { objectArgument: 1 } }],
    ["ObReferenceObjectSafeWithTag", 2, onto(1), "wdm.h", "", { anyObject: { objectArgument: 1 } }],
  ]),
  ...group({ fails: "null", releases: DEREFERENCE, what: "reference" }, [
    ["IoGetLowerDeviceObject", 1, RETURNED, "ntifs.h", "Devi"],
    ["CcGetFileObjectFromSectionPtrsRef", 1, RETURNED, "ntifs.h", "File"],
    ["FsRtlOplockGetAnyBreakOwnerProcess", 1, RETURNED, "ntifs.h", "Proc"],
    // A stream file object is made, and the reference that keeps it is the caller's.
    ["IoCreateStreamFileObject", 2, RETURNED, "ntifs.h", "File", { fails: "never" }],
    ["IoCreateStreamFileObjectEx", 3, RETURNED, "ntifs.h", "File", { fails: "never" }],
    ["IoCreateStreamFileObjectLite", 2, RETURNED, "ntifs.h", "File", { fails: "never" }],
    ["IoCreateStreamFileObjectEx2", 5, out(4), "ntifs.h", "File", { fails: "status" }],
  ]),
  ...group({ fails: "status", releases: DEREFERENCE, what: "object" }, [
    ["ExCreateCallback", 4, out(1), "wdm.h", "Call"],
  ]),
  ...group({ fails: "status", releases: CLOSE, what: "handle" }, [
    [
      "ObOpenObjectByPointer",
      7,
      out(7),
      "ntifs.h",
      "",
      { anyObject: { typeArgument: 5, objectArgument: 1 } },
    ],
    [
      "ObOpenObjectByPointerWithTag",
      8,
      out(8),
      "exported, no page; as ObOpenObjectByPointer of ntifs.h",
      "",
      { anyObject: { typeArgument: 5, objectArgument: 1 } },
    ],
    [
      "ObOpenObjectByName",
      7,
      out(7),
      "exported, no page; as ObOpenObjectByPointer of ntifs.h",
      "",
      { anyObject: { typeArgument: 2 } },
    ],
    ["IoCreateStreamFileObjectEx", 3, out(3), "ntifs.h", "File", { fails: "never", when: [isSet(3)] }],
    ["IoCreateStreamFileObjectEx2", 5, out(5), "ntifs.h", "File", { when: [isSet(5)] }],
  ]),
  ...group({ fails: "status", releases: by(1, "PsDereferenceSiloContext"), what: "reference" }, [
    ["PsCreateSiloContext", 5, out(5), "ntddk.h", "", { what: "object" }],
    ["PsGetSiloContext", 3, out(3), "ntddk.h"],
    ["PsRemoveSiloContext", 3, out(3), "ntddk.h", "", { when: [isSet(3)] }],
    ["PsReplaceSiloContext", 4, out(4), "ntddk.h", "", { when: [isSet(4)] }],
    ["PsReferenceSiloContext", 1, onto(1), "ntddk.h", "", { fails: "never" }],
  ]),
];
