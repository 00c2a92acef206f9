/**
 * Names that this kernel exports. Those with an address stand where the article's output puts them, or
 * where the story needs them; the others are laid out one after the other.
 */

/** @type {readonly [name: string, address: number, argumentBytes: number][]} plain functions at fixed addresses */
export const FIXED = [
  ["KeLeaveCriticalRegion", 0x8081757e, 0],
  ["IofCompleteRequest", 0x8081e5e0, 0],
  ["ExAcquireResourceExclusiveLite", 0x8082b4f2, 8],
  ["memcpy", 0x80884150, 0],
  ["memset", 0x808847f0, 0],
  ["RtlCompareMemory", 0x8089e180, 12],
  ["IoCreateDevice", 0x808eadc6, 28],
  ["PsDereferencePrimaryToken", 0x8094d438, 4],
  ["RtlEqualUnicodeString", 0x80959546, 12],
  ["RtlValidSid", 0x8096000a, 4],
  ["RtlEqualSid", 0x80960054, 8],
  ["RtlLengthRequiredSid", 0x8096010a, 4],
  ["RtlInitializeSid", 0x80960122, 12],
  ["RtlSubAuthoritySid", 0x80960158, 8],
  ["RtlLengthSid", 0x80960182, 4],
  ["RtlCreateSecurityDescriptor", 0x80960638, 8],
  ["RtlSetDaclSecurityDescriptor", 0x8096091a, 16],
  ["SeAccessCheck", 0x80966c60, 40],
  ["SePrivilegeCheck", 0x80966e10, 12],
  ["SeSinglePrivilegeCheck", 0x80966f20, 12],
  ["SeAuditingFileEvents", 0x8096a080, 8],
  ["SeCaptureSubjectContext", 0x8096b2d0, 4],
  ["SeLockSubjectContext", 0x8096b40c, 4],
  ["SeUnlockSubjectContext", 0x8096b42e, 4],
  ["SeReleaseSubjectContext", 0x8096b450, 4],
  ["SeCaptureObjectTypeList", 0x8096cdc0, 16],
  ["SeImpersonateClientEx", 0x8096da80, 8],
  ["SeTokenIsAdmin", 0x80973660, 4],
  ["SeTokenType", 0x80974100, 4],
  ["SeQueryAuthenticationIdToken", 0x80974210, 8],
  ["SeQuerySessionIdToken", 0x80976a20, 8],
  ["SeRegisterLogonSessionTerminatedRoutine", 0x809e437c, 4],
];

/** Resident functions, with the bytes of their arguments. */
export const RESIDENT = `ExAcquireResourceSharedLite:8 ExDeleteNPagedLookasideList:4 ExDeleteResourceLite:4 ExGetPreviousMode:0 ExInitializeNPagedLookasideList:28
  ExInitializeResourceLite:4 ExQueueWorkItem:8 ExReleaseResourceLite:4 IoAllocateIrp:8 IoAllocateMdl:20 IoBuildDeviceIoControlRequest:36
  IoBuildSynchronousFsdRequest:28 IoFreeIrp:4 IoFreeMdl:4 IoGetAttachedDeviceReference:4 IoGetCurrentProcess:0 IoGetRequestorProcess:4 IoInitializeIrp:12
  IoReuseIrp:8 IofCallDriver:0 KeBugCheck:4 KeBugCheckEx:20 KeCancelTimer:4 KeClearEvent:4 KeDelayExecutionThread:12 KeEnterCriticalRegion:0
  KeGetCurrentThread:0 KeInitializeDpc:12 KeInitializeEvent:12 KeInitializeMutex:8 KeInitializeSpinLock:4 KeInitializeTimer:4 KeInsertQueueDpc:12
  KeQuerySystemTime:4 KeQueryTimeIncrement:0 KeReadStateEvent:4 KeReleaseMutex:8 KeResetEvent:4 KeSetEvent:12 KeSetTimer:16 KeWaitForMultipleObjects:32
  KeWaitForSingleObject:20 MmBuildMdlForNonPagedPool:4 MmMapLockedPagesSpecifyCache:24 MmProbeAndLockPages:12 MmUnlockPages:4 MmUnmapLockedPages:8
  ObReferenceObjectByHandle:24 ObReferenceObjectByPointer:16 ObfDereferenceObject:0 ObfReferenceObject:0 PsGetCurrentProcessId:0 PsGetCurrentThreadId:0
  PsGetVersion:16 RtlInitAnsiString:8 RtlInitUnicodeString:8 RtlUnicodeToMultiByteN:20 ZwClose:4 ZwCreateFile:44 ZwCreateKey:28 ZwOpenFile:24 ZwOpenKey:12
  ZwOpenProcessToken:12 ZwQueryInformationFile:20 ZwQueryInformationToken:20 ZwQuerySystemInformation:16 ZwQueryValueKey:24 ZwReadFile:36 ZwSetValueKey:24 ZwWriteFile:36`;

/** Pageable functions. */
export const PAGEABLE = `CcCopyRead:24 CcFlushCache:16 CcInitializeCacheMap:20 CcUninitializeCacheMap:12 CmRegisterCallback:12 FsRtlIsNameInExpression:16
  FsRtlRegisterUncProvider:12 IoCreateFile:56 IoCreateSymbolicLink:8 IoDeleteDevice:4 IoDeleteSymbolicLink:4 IoGetDeviceObjectPointer:16 IoQueryFileInformation:20
  IoRegisterFileSystem:4 IoRegisterShutdownNotification:4 IoUnregisterShutdownNotification:4 MmGetSystemRoutineAddress:4 NtClose:4 NtOpenProcessToken:12
  NtQueryInformationToken:20 ObDereferenceSecurityDescriptor:8 ObOpenObjectByPointer:28 ObQueryNameString:16 PsCreateSystemThread:28 PsDereferenceImpersonationToken:4
  PsImpersonateClient:20 PsLookupProcessByProcessId:8 PsReferenceImpersonationToken:16 PsReferencePrimaryToken:4 PsRevertToSelf:0 PsSetCreateProcessNotifyRoutine:8
  PsTerminateSystemThread:4 RtlAddAccessAllowedAce:16 RtlAnsiStringToUnicodeString:12 RtlAppendUnicodeStringToString:8 RtlAppendUnicodeToString:8
  RtlCompareUnicodeString:12 RtlConvertSidToUnicodeString:12 RtlCopySid:12 RtlCopyUnicodeString:8 RtlCreateAcl:12 RtlFreeUnicodeString:4
  RtlGetOwnerSecurityDescriptor:12 RtlIntegerToUnicodeString:12 RtlLengthSecurityDescriptor:4 RtlQueryRegistryValues:20 RtlUnicodeStringToInteger:12
  RtlUpcaseUnicodeString:12 RtlValidSecurityDescriptor:4`;

/** Exported variables. */
export const VARIABLES = [
  "InitSafeBootMode",
  "IoFileObjectType",
  "KdDebuggerEnabled",
  "KdDebuggerNotPresent",
  "KeServiceDescriptorTable",
  "MmHighestUserAddress",
  "NtBuildNumber",
  "PsInitialSystemProcess",
  "SeExports",
  "SeTokenObjectType",
];

/** @param {string} list @returns {[name: string, argumentBytes: number][]} */
export const parseNames = (list) =>
  list
    .trim()
    .split(/\s+/)
    .map((entry) => {
      const [name, bytes] = entry.split(":");
      return [/** @type {string} */ (name), Number(bytes)];
    });
