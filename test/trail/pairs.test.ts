import { describe, expect, it } from "vitest";
import { poolRoutine } from "../../src/code/allocators.ts";
import { x86 } from "../../src/isa/x86/sets.ts";
import { CONSUMERS } from "../../src/trail/pairs/consumers.ts";
import { contextAcquirers } from "../../src/trail/pairs/filter-contexts.ts";
import { OBJECT_TAGS, objectTags } from "../../src/trail/pairs/object-types.ts";
import { argumentWord, isFastcall } from "../../src/trail/pairs/signatures.ts";
import {
  ACQUIRERS,
  acquirersFor,
  acquirersNamed,
  anyObjectAcquirersFor,
  consumersNamed,
  isExisting,
  plainFree,
  releasesNamed,
} from "../../src/trail/pairs/table.ts";

const only = (name: string) => {
  const rows = acquirersNamed(name);
  expect(rows, name).toHaveLength(1);
  return rows[0]!;
};
const releaseNames = (name: string) => acquirersNamed(name).flatMap((row) => row.releases.map((r) => r.name));

describe("the table of pairs", () => {
  it("says of each function once what it gives, where, and under which conditions", () => {
    const keys = ACQUIRERS.map((row) => JSON.stringify([row.name, row.gives, row.when ?? []]));
    expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
    const consumed = CONSUMERS.map((row) => `${row.name} ${row.argument}`);
    expect(consumed.filter((key, at) => consumed.indexOf(key) !== at)).toEqual([]);
  });

  it("names no argument that the function has not", () => {
    for (const row of [...ACQUIRERS, ...CONSUMERS]) {
      const used = (row.when ?? []).map((condition) => condition.argument);
      if ("gives" in row && row.gives.by !== "return") used.push(row.gives.argument);
      if ("fails" in row && typeof row.fails === "object" && "status" in row.fails)
        used.push(row.fails.status);
      if ("fate" in row) used.push(row.argument);
      if ("gives" in row)
        used.push(
          ...Object.values(row.anyObject ?? {}),
          ...(row.tagArgument === undefined ? [] : [row.tagArgument]),
        );
      for (const argument of used) {
        expect(argument, row.name).toBeGreaterThanOrEqual(1);
        expect(argument, row.name).toBeLessThanOrEqual(row.arguments);
      }
    }
  });

  it("gives each release a name and an argument, and each acquisition that has none a reason", () => {
    for (const row of ACQUIRERS)
      for (const release of row.releases) {
        expect(release.name, row.name).toMatch(/^[A-Z]\w+$/);
        expect(release.argument, row.name).toBeGreaterThanOrEqual(1);
      }
    // Arrays of references: whoever fills one releases each entry.
    expect(ACQUIRERS.filter((row) => row.releases.length === 0).map((row) => row.name)).toEqual([
      "IoEnumerateDeviceObjectList",
      "IoEnumerateRegisteredFiltersList",
      "FltEnumerateFilters",
      "FltEnumerateInstances",
      "FltEnumerateVolumes",
    ]);
  });

  it("hands a release the structure's address, or a field of it, where a structure holds what was acquired", () => {
    for (const row of ACQUIRERS)
      if (row.gives.by === "structure")
        for (const release of row.releases)
          expect(release.takes, `${row.name} ${release.name}`).toBeDefined();
  });

  it("writes every tag with its four letters", () => {
    for (const row of ACQUIRERS) for (const tag of row.tags) expect(tag, row.name).toHaveLength(4);
    for (const tag of OBJECT_TAGS) expect(tag).toHaveLength(4);
  });

  it("has no tag of one type for functions that acquire objects of any type", () => {
    for (const row of ACQUIRERS) if (row.anyObject !== undefined) expect(row.tags, row.name).toEqual([]);
  });

  it("names the tag's argument only where it is the caller's, and as the allocators' table does", () => {
    for (const row of ACQUIRERS) {
      if (row.tagArgument === undefined) continue;
      expect(row.tags, row.name).toEqual([]);
      const known = poolRoutine(row.name)?.tag;
      if (known !== undefined) expect(row.tagArgument, row.name).toBe(known);
    }
    expect(only("FsRtlAllocateExtraCreateParameter").tagArgument).toBe(5);
  });

  it("knows a system service by both names, released by both", () => {
    const services = ACQUIRERS.filter((row) => /^(Zw|Nt)/.test(row.name));
    expect(services.length).toBeGreaterThan(80);
    for (const row of services) {
      const twin = row.name.startsWith("Zw") ? row.name.replace("Zw", "Nt") : row.name.replace("Nt", "Zw");
      expect(
        acquirersNamed(twin).map((other) => [other.gives, other.tags]),
        twin,
      ).toContainEqual([row.gives, row.tags]);
    }
    expect(releaseNames("NtOpenKey")).toEqual(
      expect.arrayContaining(["ZwClose", "NtClose", "ObCloseHandle"]),
    );
  });

  it("says of every row where it is documented", () => {
    for (const row of [...ACQUIRERS, ...CONSUMERS])
      expect(row.source, row.name).toMatch(/^\w+ \(([\w]+\.h|exported, no page(; [^)]+)?)\)$/);
  });
});

// Copied by hand from the functions' pages of the Windows driver documentation: parameters, "Return value", "Remarks".
describe("rows as documented", () => {
  it.each([
    // NTSTATUS PsLookupProcessByProcessId(HANDLE ProcessId, PEPROCESS *Process)
    ["PsLookupProcessByProcessId", { by: "out", argument: 2 }, "status", ["Proc"]],
    ["PsLookupThreadByThreadId", { by: "out", argument: 2 }, "status", ["Thre"]],
    // NTSTATUS SeQueryInformationToken(Token, TokenInformationClass, PVOID *TokenInformation)
    ["SeQueryInformationToken", { by: "out", argument: 3 }, "status", ["Se  "]],
    // PMDL IoAllocateMdl(VirtualAddress, Length, SecondaryBuffer, ChargeQuota, Irp)
    ["IoAllocateMdl", { by: "return" }, "null", ["Mdl "]],
    // NTSTATUS ZwDuplicateToken(ExistingTokenHandle, DesiredAccess, ObjectAttributes, EffectiveOnly, TokenType, NewTokenHandle)
    ["ZwDuplicateToken", { by: "out", argument: 6 }, "status", ["Toke"]],
    // NTSTATUS SeFilterToken(ExistingToken, Flags, SidsToDisable, PrivilegesToDelete, RestrictedSids, PACCESS_TOKEN *FilteredToken)
    ["SeFilterToken", { by: "out", argument: 6 }, "status", ["Toke"]],
    // NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, …): "must close the handle with ZwClose"
    ["PsCreateSystemThread", { by: "out", argument: 1 }, "status", ["Thre"]],
    // NTSTATUS IoGetDeviceInterfaces(InterfaceClassGuid, PhysicalDeviceObject, Flags, PZZWSTR *SymbolicLinkList)
    ["IoGetDeviceInterfaces", { by: "out", argument: 4 }, "status", ["Pp  "]],
    // NTSTATUS FltGetFileNameInformationUnsafe(FileObject, Instance, NameOptions, PFLT_FILE_NAME_INFORMATION *FileNameInformation)
    ["FltGetFileNameInformationUnsafe", { by: "out", argument: 4 }, "status", ["FMfn"]],
    // NTSTATUS FwpsAcquireWritableLayerDataPointer0(classifyHandle, filterId, flags, PVOID *writableLayerData, classifyOut)
    ["FwpsAcquireWritableLayerDataPointer0", { by: "out", argument: 4 }, "status", ["Fecf"]],
    // PFLT_GENERIC_WORKITEM FltAllocateGenericWorkItem()
    ["FltAllocateGenericWorkItem", { by: "return" }, "null", ["FMwi"]],
    // NTSTATUS WdfMemoryCreate(Attributes, PoolType, PoolTag, BufferSize, WDFMEMORY *Memory, PVOID *Buffer), behind the globals
    ["WdfMemoryCreate", { by: "out", argument: 6 }, "status", []],
    // BOOLEAN CcMapData(FileObject, FileOffset, Length, Flags, PVOID *Bcb, PVOID *Buffer)
    ["CcMapData", { by: "out", argument: 5 }, "false", ["CcBc"]],
    // VOID NdisAllocateBuffer(PNDIS_STATUS Status, PNDIS_BUFFER *Buffer, PoolHandle, VirtualAddress, Length)
    ["NdisAllocateBuffer", { by: "out", argument: 2 }, { status: 1 }, ["Mdl "]],
  ] as const)("%s", (name, gives, fails, tags) => {
    expect(only(name)).toMatchObject({ gives, fails, tags });
  });

  it("RtlAnsiStringToUnicodeString allocates only with AllocateDestinationString, the third argument", () => {
    const row = only("RtlAnsiStringToUnicodeString");
    expect(row.gives).toEqual({ by: "structure", argument: 1 });
    expect(row.when).toEqual([{ argument: 3, is: "nonzero" }]);
    expect(row.releases[0]).toEqual({ name: "RtlFreeUnicodeString", argument: 1, takes: "address" });
    // UNICODE_STRING: two USHORTs, then the pointer at its own alignment.
    expect(row.releases.find((release) => release.name === "ExFreePoolWithTag")?.takes).toEqual({
      field: { 4: 4, 8: 8 },
    });
  });

  it("of the strings without that argument, RtlDuplicateUnicodeString writes its third and RtlStringFromGUID its second", () => {
    expect(only("RtlDuplicateUnicodeString")).toMatchObject({ gives: { by: "structure", argument: 3 } });
    expect(only("RtlStringFromGUID")).toMatchObject({ gives: { by: "structure", argument: 2 } });
    expect(only("RtlCreateUnicodeString")).toMatchObject({
      gives: { by: "structure", argument: 1 },
      fails: "false",
    });
    for (const name of ["RtlDuplicateUnicodeString", "RtlStringFromGUID", "RtlCreateUnicodeString"])
      expect(only(name).when, name).toBeUndefined();
  });

  it("SeQueryInformationToken allocates nothing for TokenSessionId (12) and TokenIntegrityLevel (25)", () => {
    expect(only("SeQueryInformationToken").when).toEqual([{ argument: 2, is: { noneOf: [12, 25] } }]);
  });

  it("SeCreateClientSecurity is undone by either token dereference, of the token behind the quality of service", () => {
    const row = only("SeCreateClientSecurity");
    expect(row.gives).toEqual({ by: "structure", argument: 4 });
    const field = { 4: 12, 8: 16 };
    for (const name of [
      "PsDereferencePrimaryToken",
      "PsDereferenceImpersonationToken",
      "ObfDereferenceObject",
    ])
      expect(row.releases, name).toContainEqual({ name, argument: 1, takes: { field } });
    expect(row.releases[0]).toEqual({ name: "SeDeleteClientSecurity", argument: 1, takes: "address" });
  });

  it("ObReferenceObjectByHandle tells its type by the third argument or by the handle", () => {
    expect(only("ObReferenceObjectByHandle")).toMatchObject({
      gives: { by: "out", argument: 5 },
      anyObject: { typeArgument: 3, handleArgument: 1 },
    });
    expect(only("ObReferenceObjectByHandleWithTag").gives).toEqual({ by: "out", argument: 6 });
    expect(only("ObOpenObjectByPointer")).toMatchObject({
      gives: { by: "out", argument: 7 },
      anyObject: { typeArgument: 5, objectArgument: 1 },
    });
  });

  it("an object that is referenced may be one that the PnP manager drops, and an MDL of an IRP goes with it", () => {
    // IRP.IoStatus.Information: a 32-bit bus driver stores the DEVICE_RELATIONS that it answers at IRP+0x1c.
    expect(only("ObfReferenceObject").duties).toEqual([
      { keeper: "pnp-manager", tags: ["Devi"], irpField: { 4: 0x1c, 8: 0x38 } },
    ]);
    expect(only("IoAllocateMdl").duties).toEqual([
      { keeper: "io-manager", when: [{ argument: 5, is: "nonzero" }] },
      // IoCompleteRequest frees the MDLs of the IRP; the filter manager those of exchanged buffers (the swapBuffers sample).
      { keeper: "io-manager", putInto: "irp" },
      { keeper: "filter-manager", putInto: "parameters" },
    ]);
  });

  it("what another routine of the driver undoes is no forgetting where it is made", () => {
    // IoDeleteDevice in Unload, through DriverObject->DeviceObject; CcUninitializeCacheMap in IRP_MJ_CLEANUP.
    for (const name of [
      "IoCreateDevice",
      "CcInitializeCacheMap",
      "CmRegisterCallbackEx",
      "FltRegisterFilter",
    ])
      expect(only(name).what, name).toBe("registration");
    expect(only("IoAllocateWorkItem").what).toBe("memory");
  });

  it("FltCreateFileEx gives a handle, and a file object where one is asked for", () => {
    expect(acquirersNamed("FltCreateFileEx").map((row) => [row.what, row.gives, row.when])).toEqual([
      ["handle", { by: "out", argument: 3 }, undefined],
      ["reference", { by: "out", argument: 4 }, [{ argument: 4, is: "nonzero" }]],
    ]);
  });

  it("setting a context does not take over the caller's reference, and may give the old one", () => {
    expect(consumersNamed("FltSetStreamContext")).toEqual([]);
    const set = (name: string) =>
      acquirersNamed(name).map(({ gives, fails, when = [] }) => [gives, fails, when[1]]);
    expect(set("FltSetStreamContext")).toEqual([
      [{ by: "out", argument: 5 }, "null", { argument: 3, is: "zero" }],
      [{ by: "out", argument: 5 }, { only: 0xc01c0002 }, { argument: 3, is: "nonzero" }],
    ]);
    expect(set("FltSetInstanceContext")).toMatchObject([
      [{ argument: 4 }, "null", { argument: 2 }],
      [{ argument: 4 }, {}, { argument: 2 }],
    ]);
    expect(only("FltDeleteStreamContext")).toMatchObject({ gives: { argument: 3 }, fails: "status" });
  });

  it("one export of storport allocates and frees, by its first argument", () => {
    expect(
      acquirersNamed("StorPortExtendedFunction").map((row) => [row.when, row.releases[0]?.when]),
    ).toEqual([
      [[{ argument: 1, is: "zero" }], [{ argument: 1, is: { equals: 1 } }]],
      [[{ argument: 1, is: { equals: 2 } }], [{ argument: 1, is: { equals: 3 } }]],
    ]);
  });
});

describe("looking a function up", () => {
  it("finds what opener.sys acquires and never gives back", () => {
    for (const [name, tag] of [
      ["ZwOpenProcessToken", "Toke"],
      ["ZwOpenThreadToken", "Toke"],
      ["ZwDuplicateToken", "Toke"],
      ["SeFilterToken", "Toke"],
      ["ZwOpenThread", "Thre"],
      ["ZwOpenSection", "Sect"],
      ["ZwOpenEvent", "Even"],
      ["RtlDuplicateUnicodeString", "Strg"],
      ["RtlCreateUnicodeString", "Strg"],
      ["ZwCreateMutant", "Muta"],
      ["ZwCreateSemaphore", "Sema"],
      ["ZwCreateTimer", "Time"],
      ["ZwOpenKeyTransacted", "Key "],
      ["RtlUpcaseUnicodeString", "Strg"],
      ["RtlUnicodeStringToOemString", "Strg"],
      ["FltGetTunneledName", "FMfn"],
    ] as const)
      expect(
        acquirersFor(tag).map((row) => row.name),
        name,
      ).toContain(name);
    for (const name of ["ZwDuplicateObject", "ObOpenObjectByPointerWithTag"])
      expect(anyObjectAcquirersFor("Thre").map((row) => row.name)).toContain(name);
    expect(releaseNames("IoRegisterDeviceInterface")[0]).toBe("RtlFreeUnicodeString");
    expect(releaseNames("IoGetDeviceInterfaces")[0]).toBe("ExFreePool");
    expect(releaseNames("FltObjectReference")).toEqual(["FltObjectDereference"]);
    expect(releaseNames("CmCallbackGetKeyObjectIDEx")).toEqual(["CmCallbackReleaseKeyObjectIDEx"]);
  });

  it("keeps functions for any object out of a tag's, and knows none for a tag that is no object's", () => {
    expect(acquirersFor("Toke").map((row) => row.name)).not.toContain("ObfReferenceObject");
    expect(anyObjectAcquirersFor("Strg")).toEqual([]);
    expect(objectTags("PsProcessType")).toEqual(["Proc"]);
    expect(objectTags("toString")).toEqual([]);
  });

  it("tells what gives contexts of the types that are registered, and no others", () => {
    const names = contextAcquirers(new Set([8])).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["FltAllocateContext", "FltGetStreamContext"]));
    expect(names).toEqual(expect.arrayContaining(["FltReferenceContext", "FltGetContexts"]));
    expect(names.filter((name) => /StreamHandle|File|Volume|Section/.test(name))).toEqual([]);
    const [allocate] = contextAcquirers(new Set([8, 0x10]));
    expect(allocate?.when).toEqual([{ argument: 2, is: { noneOf: [1, 2, 4, 0x20, 0x40] } }]);
  });

  it("knows what opens an object that is there already", () => {
    const opening = [
      "ZwOpenEvent",
      "NtOpenSection",
      "IoCreateNotificationEvent",
      "IoCreateSynchronizationEvent",
    ];
    expect(opening.filter((name) => !isExisting(only(name)))).toEqual([]);
    const making = ["ZwCreateEvent", "ZwCreateSection", "ZwOpenProcess", "ZwOpenKey"];
    expect(making.filter((name) => isExisting(only(name)))).toEqual([]);
  });

  it("takes the names of 32-bit images", () => {
    expect(acquirersNamed("_PsLookupProcessByProcessId@8")).toBe(
      acquirersNamed("PsLookupProcessByProcessId"),
    );
    expect(releasesNamed("@ObfDereferenceObject@4")).toBe(releasesNamed("ObfDereferenceObject"));
    expect(acquirersNamed("constructor")).toEqual([]);
  });

  it("tells what a release is handed: the value, or a field of the structure that holds it", () => {
    const uses = releasesNamed("PsDereferencePrimaryToken");
    expect(uses.map((use) => use.takes ?? "value")).toEqual(["value", { field: { 4: 12, 8: 16 } }]);
    expect(uses[0]?.balances.map((row) => row.name)).toContain("PsReferencePrimaryToken");
    expect(uses[1]?.balances.map((row) => row.name)).toContain("SeCreateClientSecurity");
    expect(releasesNamed("FltUnregisterFilter")[0]?.balances.map((row) => row.name)).toEqual([
      "FltRegisterFilter",
    ]);
  });

  it("frees by the second argument where a handle stands first, and by a string's buffer", () => {
    expect(plainFree("ExFreePoolWithTag")).toEqual({ name: "ExFreePoolWithTag", argument: 1 });
    expect(plainFree("FltFreePoolAlignedWithTag")?.argument).toBe(2);
    expect(plainFree("_RtlFreeUnicodeString@4")?.field).toEqual({ 4: 4, 8: 8 });
    expect(plainFree("FltUnregisterFilter")).toBeUndefined();
  });

  it("tells who takes over, and when", () => {
    expect(consumersNamed("@IofCallDriver@8")).toMatchObject([{ argument: 2, fate: "completion" }]);
    // VOID IoQueueWorkItem, BOOLEAN IoTryQueueWorkItem: the item stays the caller's, the routine gets the context
    // PLIST_ENTRY ExInterlockedInsertTailList(ListHead, ListEntry, Lock); __fastcall under its other name on x86
    expect(consumersNamed("ExInterlockedInsertTailList")).toMatchObject([{ argument: 2, fate: "kept" }]);
    expect(consumersNamed("@ExfInterlockedInsertTailList@12")).toMatchObject([{ argument: 2, fate: "kept" }]);
    // BOOLEAN KeSetTimer(Timer, LARGE_INTEGER DueTime, Dpc)
    expect(consumersNamed("KeSetTimer").map(({ argument }) => argument)).toEqual([1, 3]);
    expect([argumentWord(x86.abi, "KeSetTimer", 3), isFastcall("ExfInterlockedInsertTailList")]).toEqual([
      4,
      true,
    ]);
    // PMDL IoAllocateMdl(VirtualAddress, …)
    expect(consumersNamed("IoAllocateMdl")).toMatchObject([{ argument: 1, fate: "described" }]);
    expect(consumersNamed("IoQueueWorkItem")).toMatchObject([
      { argument: 1, fate: "lent" },
      { argument: 4, fate: "callback" },
    ]);
    expect(consumersNamed("IoTryQueueWorkItem")).toMatchObject([
      { argument: 1, fate: "lent" },
      { argument: 4, fate: "callback", fails: "false" },
    ]);
    // NDIS_RECEIVE_FLAGS_RESOURCES: the lists come back at once.
    expect(consumersNamed("NdisMIndicateReceiveNetBufferLists")[0]?.when).toEqual([
      { argument: 5, is: { clear: 2 } },
    ]);
  });
});

describe("arguments in 32-bit code", () => {
  it("start after both words of each argument of 64 bits", () => {
    // (HANDLE, HANDLE, UINT32, UINT64 flowId, UINT32, UINT16, UINT32, NET_BUFFER_LIST *): two words for the fourth
    expect(argumentWord(x86.abi, "FwpsStreamInjectAsync0", 4)).toBe(4);
    expect(argumentWord(x86.abi, "FwpsStreamInjectAsync0", 8)).toBe(9);
    // (UINT64 classifyHandle, UINT64 filterId, UINT32 flags, PVOID *writableLayerData, …)
    expect(argumentWord(x86.abi, "FwpsAcquireWritableLayerDataPointer0", 4)).toBe(6);
    expect(argumentWord(x86.abi, "ExFreePoolWithTag", 2)).toBe(2);
    expect(argumentWord(x86.abi, "constructor", 2)).toBe(2);
  });

  it("stand in registers for the functions declared FASTCALL", () => {
    expect(isFastcall("ObfDereferenceObject")).toBe(true);
    expect(isFastcall("ObDereferenceObject")).toBe(false);
  });
});
