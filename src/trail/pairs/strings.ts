import type { Acquirer, Release } from "./pair.ts";
import { FREE, FREE_BUFFER } from "./releases.ts";
import { by, byAddress, group, inside, isSet, out, type Row } from "./rows.ts";

const FREES = ["RtlFreeUnicodeString", "RtlFreeAnsiString", "RtlFreeOemString", "RtlFreeUTF8String"] as const;

/** The one documented first; all of them free the buffer of a string, and strings of either kind look alike. */
const freed = (documented: (typeof FREES)[number]): readonly Release[] => [
  ...byAddress(1, documented, ...FREES.filter((name) => name !== documented)),
  ...FREE_BUFFER,
];
const UNICODE = freed("RtlFreeUnicodeString");

/** RtlXxx(destination, source, AllocateDestinationString): with FALSE the caller's own buffer is filled. */
const converting = (name: string, header: string): Row => [
  name,
  3,
  inside(1),
  header,
  "Strg",
  { when: [isSet(3)] },
];

/** The run-time library's strings: all of them allocate with its one tag. */
export const STRINGS: readonly Acquirer[] = [
  ...group({ fails: "status", releases: UNICODE, what: "string" }, [
    converting("RtlAnsiStringToUnicodeString", "wdm.h"),
    converting("RtlOemStringToUnicodeString", "ntifs.h"),
    converting("RtlOemStringToCountedUnicodeString", "ntifs.h"),
    converting("RtlUTF8StringToUnicodeString", "wdm.h"),
    converting("RtlUpcaseUnicodeString", "ntddk.h"),
    converting("RtlDowncaseUnicodeString", "ntifs.h"),
    converting("RtlConvertSidToUnicodeString", "ntifs.h"),
    ["RtlStringFromGUID", 2, inside(2), "wdm.h", "Strg"],
    [
      "RtlDuplicateUnicodeString",
      3,
      inside(3),
      "exported, no page; as RtlCreateUnicodeString of ntifs.h",
      "Strg",
    ],
    [
      "RtlFormatCurrentUserKeyPath",
      1,
      inside(1),
      "exported, no page; as RtlCreateUnicodeString of ntifs.h",
      "Strg",
    ],
  ]),
  ...group({ fails: "false", releases: UNICODE, what: "string" }, [
    ["RtlCreateUnicodeString", 2, inside(1), "ntifs.h", "Strg"],
    [
      "RtlCreateUnicodeStringFromAsciiz",
      2,
      inside(1),
      "exported, no page; as RtlCreateUnicodeString of ntifs.h",
      "Strg",
    ],
  ]),
  ...group({ fails: "status", releases: freed("RtlFreeAnsiString"), what: "string" }, [
    converting("RtlUnicodeStringToAnsiString", "wdm.h"),
    converting(
      "RtlUpcaseUnicodeStringToAnsiString",
      "exported, no page; as RtlUnicodeStringToAnsiString of wdm.h",
    ),
  ]),
  ...group({ fails: "status", releases: freed("RtlFreeOemString"), what: "string" }, [
    converting("RtlUnicodeStringToOemString", "ntifs.h"),
    converting("RtlUnicodeStringToCountedOemString", "ntifs.h"),
    converting("RtlUpcaseUnicodeStringToOemString", "ntifs.h"),
    converting("RtlUpcaseUnicodeStringToCountedOemString", "ntifs.h"),
  ]),
  ...group({ fails: "status", releases: freed("RtlFreeUTF8String"), what: "string" }, [
    converting("RtlUnicodeStringToUTF8String", "wdm.h"),
  ]),
  // Strings that the I/O manager makes, in memory of its own.
  ...group({ fails: "status", releases: UNICODE, what: "string" }, [
    ["IoRegisterDeviceInterface", 4, inside(4), "wdm.h"],
    ["IoGetDeviceInterfaceAlias", 3, inside(3), "wdm.h"],
  ]),
  ...group({ fails: "status", releases: FREE_BUFFER, what: "string" }, [
    ["IoVolumeDeviceToDosName", 2, inside(2), "ntddk.h"],
    ["RtlVolumeDeviceToDosName", 2, inside(2), "ntddk.h"],
    ["IoWMISuggestInstanceName", 4, inside(4), "wdm.h"],
    ["IoWMIDeviceObjectToInstanceName", 3, inside(3), "wdm.h"],
    ["IoWMIHandleToInstanceName", 3, inside(3), "wdm.h"],
    ["IoQueryFullDriverPath", 2, inside(2), "ntddk.h"],
  ]),
  ...group({ fails: "status", releases: FREE, what: "string" }, [
    ["IoGetDeviceInterfaces", 4, out(4), "wdm.h", "Pp  "],
    ["IoQueryFileDosDeviceName", 2, out(2), "ntifs.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "CmCallbackReleaseKeyObjectIDEx"), what: "string" }, [
    ["CmCallbackGetKeyObjectIDEx", 5, out(4), "wdm.h", "", { when: [isSet(4)] }],
  ]),
];
