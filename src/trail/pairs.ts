/** A function that gives something which must be given back, and what gives it back. */
export interface AcquiringFunction {
  readonly acquire: string;
  /** Any one of them balances it. */
  readonly release: readonly string[];
  /** Tags of what it allocates or keeps alive. */
  readonly tags: readonly string[];
  /** By what the code of a library does, and not by what its documentation says. */
  readonly guessed?: boolean;
  /** With that argument, from 1, the I/O manager gives back instead; 0 there means nobody does. */
  readonly takenOver?: { readonly argument: number; readonly by: string };
}

const DEREFERENCE = [
  "ObDereferenceObject",
  "ObfDereferenceObject",
  "ObfDereferenceObjectWithTag",
  "ObDereferenceObjectDeferDelete",
  "ObDereferenceObjectDeferDeleteWithTag",
] as const;
const CLOSE = ["ZwClose", "NtClose", "ObCloseHandle"] as const;
/** What gives pool memory back. */
export const FREE = ["ExFreePool", "ExFreePoolWithTag", "ExFreePool2"] as const;
const OBJECTS = ["Proc", "Thre", "Toke", "File", "Even", "Sema", "Muta", "Sect", "Key "] as const;

/**
 * Functions that acquire, each with what its documentation says must follow: "Remarks" and "Return value"
 * of the function's page in the Windows driver reference (wdm, ntddk, ntifs, fltkernel, ndis), and the
 * object tags of the same names in use since NT 4.
 */
const ACQUIRING: readonly AcquiringFunction[] = [
  { acquire: "PsLookupProcessByProcessId", release: DEREFERENCE, tags: ["Proc"] },
  { acquire: "PsLookupProcessThreadByCid", release: DEREFERENCE, tags: ["Proc", "Thre"] },
  { acquire: "PsLookupThreadByThreadId", release: DEREFERENCE, tags: ["Thre"] },
  {
    acquire: "PsReferencePrimaryToken",
    release: ["PsDereferencePrimaryToken", ...DEREFERENCE],
    tags: ["Toke"],
  },
  {
    acquire: "PsReferenceImpersonationToken",
    release: ["PsDereferenceImpersonationToken", ...DEREFERENCE],
    tags: ["Toke"],
  },
  { acquire: "SeCaptureSubjectContext", release: ["SeReleaseSubjectContext"], tags: ["Toke"] },
  { acquire: "SeCaptureSubjectContextEx", release: ["SeReleaseSubjectContext"], tags: ["Toke"] },
  { acquire: "SeCreateClientSecurity", release: ["SeDeleteClientSecurity", ...DEREFERENCE], tags: ["Toke"] },
  {
    acquire: "SeCreateClientSecurityFromSubjectContext",
    release: ["SeDeleteClientSecurity", ...DEREFERENCE],
    tags: ["Toke"],
  },
  { acquire: "SeQueryInformationToken", release: FREE, tags: ["Se  "] },
  {
    acquire: "SeCaptureSecurityDescriptor",
    release: ["SeReleaseSecurityDescriptor", ...FREE],
    tags: ["SeSd"],
  },
  { acquire: "SeLocateProcessImageName", release: FREE, tags: ["SePA"] },
  { acquire: "ObReferenceObjectByHandle", release: DEREFERENCE, tags: OBJECTS },
  { acquire: "ObReferenceObjectByHandleWithTag", release: DEREFERENCE, tags: OBJECTS },
  { acquire: "ObReferenceObjectByPointer", release: DEREFERENCE, tags: OBJECTS },
  { acquire: "ObReferenceObjectByPointerWithTag", release: DEREFERENCE, tags: OBJECTS },
  { acquire: "ObfReferenceObject", release: DEREFERENCE, tags: OBJECTS },
  { acquire: "ObfReferenceObjectWithTag", release: DEREFERENCE, tags: OBJECTS },
  { acquire: "ObReferenceObjectByName", release: DEREFERENCE, tags: ["Driv", "Devi"] },
  { acquire: "ObOpenObjectByPointer", release: CLOSE, tags: OBJECTS },
  { acquire: "IoGetDeviceObjectPointer", release: DEREFERENCE, tags: ["File"] },
  { acquire: "IoGetAttachedDeviceReference", release: DEREFERENCE, tags: ["Devi"] },
  { acquire: "IoCreateFile", release: CLOSE, tags: ["File"] },
  { acquire: "IoCreateFileEx", release: CLOSE, tags: ["File"] },
  { acquire: "IoCreateFileSpecifyDeviceObjectHint", release: CLOSE, tags: ["File"] },
  { acquire: "ZwCreateFile", release: CLOSE, tags: ["File"] },
  { acquire: "ZwOpenFile", release: CLOSE, tags: ["File"] },
  { acquire: "FltCreateFile", release: ["FltClose", ...CLOSE], tags: ["File"] },
  { acquire: "FltCreateFileEx", release: ["FltClose", ...CLOSE], tags: ["File"] },
  { acquire: "FltCreateFileEx2", release: ["FltClose", ...CLOSE], tags: ["File"] },
  { acquire: "ZwCreateKey", release: CLOSE, tags: ["Key "] },
  { acquire: "ZwOpenKey", release: CLOSE, tags: ["Key "] },
  { acquire: "ZwOpenKeyEx", release: CLOSE, tags: ["Key "] },
  { acquire: "ZwOpenProcess", release: CLOSE, tags: ["Proc"] },
  { acquire: "ZwOpenProcessTokenEx", release: CLOSE, tags: ["Toke"] },
  { acquire: "ZwOpenThreadTokenEx", release: CLOSE, tags: ["Toke"] },
  { acquire: "ZwCreateSection", release: CLOSE, tags: ["Sect"] },
  { acquire: "ZwCreateEvent", release: CLOSE, tags: ["Even"] },
  { acquire: "PsCreateSystemThread", release: CLOSE, tags: ["Thre"] },
  { acquire: "IoAllocateIrp", release: ["IoFreeIrp"], tags: ["Irp "] },
  {
    acquire: "IoAllocateMdl",
    release: ["IoFreeMdl"],
    tags: ["Mdl "],
    takenOver: {
      argument: 5,
      by: "gives it an IRP, and the I/O manager frees the MDLs of an IRP that completes",
    },
  },
  { acquire: "IoAllocateWorkItem", release: ["IoFreeWorkItem"], tags: ["IoWI"] },
  { acquire: "RtlAnsiStringToUnicodeString", release: ["RtlFreeUnicodeString", ...FREE], tags: ["Strg"] },
  { acquire: "RtlUnicodeStringToAnsiString", release: ["RtlFreeAnsiString", ...FREE], tags: ["Strg"] },
  { acquire: "RtlConvertSidToUnicodeString", release: ["RtlFreeUnicodeString", ...FREE], tags: ["Strg"] },
  { acquire: "FltGetFileNameInformation", release: ["FltReleaseFileNameInformation"], tags: ["FMfn"] },
  { acquire: "FltGetFileNameInformationUnsafe", release: ["FltReleaseFileNameInformation"], tags: ["FMfn"] },
  {
    acquire: "FltGetDestinationFileNameInformation",
    release: ["FltReleaseFileNameInformation"],
    tags: ["FMfn"],
  },
  { acquire: "FltAllocateGenericWorkItem", release: ["FltFreeGenericWorkItem"], tags: ["FMwi"] },
  { acquire: "FltAllocateDeferredIoWorkItem", release: ["FltFreeDeferredIoWorkItem"], tags: ["FMwi"] },
];

const BY_NAME: ReadonlyMap<string, AcquiringFunction> = new Map(
  ACQUIRING.map((pair) => [pair.acquire, pair]),
);

/** What must be given back after a call of that name; undefined where nothing is known to be. */
export function acquiringFunction(name: string): AcquiringFunction | undefined {
  return BY_NAME.get(name);
}

/** The functions that acquire objects or memory of a tag. */
export function acquiringFor(tag: string): readonly AcquiringFunction[] {
  return ACQUIRING.filter((pair) => pair.tags.includes(tag));
}
