/* The few kernel types and prototypes that the sample images need. Written for these samples; it is no WDK header. */
#ifndef SAMPLES_NT_H
#define SAMPLES_NT_H

typedef unsigned char UCHAR;
typedef unsigned short USHORT;
typedef unsigned short WCHAR;
typedef unsigned long ULONG;
typedef long LONG;
typedef long NTSTATUS;
typedef unsigned long long ULONG64;
typedef __SIZE_TYPE__ SIZE_T;
typedef __UINTPTR_TYPE__ ULONG_PTR;
typedef void *PVOID;
typedef void *HANDLE;
typedef UCHAR BOOLEAN;
typedef UCHAR KIRQL;

#ifdef __x86_64__
#define NTAPI
#define FASTCALL
#else
#define NTAPI __attribute__((stdcall))
#define FASTCALL __attribute__((fastcall))
#endif

#if defined BUILD_NT || defined IMPORT_BY_THUNK
#define NTKERNELAPI
#else
#define NTKERNELAPI __declspec(dllimport)
#endif
#ifdef BUILD_HAL
#define HALAPI
#else
#define HALAPI __declspec(dllimport)
#endif
#ifdef BUILD_FLT
#define FLTAPI
#else
#define FLTAPI __declspec(dllimport)
#endif

#define NOINLINE __attribute__((noinline, noclone))
#define COLD __attribute__((cold, noinline, noclone))
#define PAGED __attribute__((section("PAGE")))
#define INIT __attribute__((section("INIT")))

/** The four bytes of a tag in the order in which they stand in memory. */
#define TAG(a, b, c, d) ((ULONG)(a) | (ULONG)(b) << 8 | (ULONG)(c) << 16 | (ULONG)(d) << 24)
/** Hides a constant from the optimiser, so that it stays in one register across calls. */
#define IN_REGISTER(v) ({ ULONG v_ = (v); __asm__("" : "+r"(v_)); v_; })

#define NonPagedPool 0
#define PagedPool 1
#define NonPagedPoolNx 0x200
#define POOL_FLAG_PAGED 0x100ull
#define POOL_FLAG_NON_PAGED 0x40ull
#define NT_SUCCESS(s) ((NTSTATUS)(s) >= 0)
#define STATUS_SUCCESS ((NTSTATUS)0)
#define STATUS_UNSUCCESSFUL ((NTSTATUS)0xC0000001)
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)
#define STATUS_INVALID_INFO_CLASS ((NTSTATUS)0xC0000003)
#define STATUS_ACCESS_DENIED ((NTSTATUS)0xC0000022)
#define STATUS_INSUFFICIENT_RESOURCES ((NTSTATUS)0xC000009A)
#define STATUS_NOT_FOUND ((NTSTATUS)0xC0000225)

typedef struct LIST_ENTRY_ { struct LIST_ENTRY_ *Flink, *Blink; } LIST_ENTRY;
typedef struct { USHORT Length, MaximumLength; WCHAR *Buffer; } UNICODE_STRING;
typedef struct { PVOID ClientToken; ULONG ImpersonationLevel; PVOID PrimaryToken; PVOID ProcessAuditId; } SECURITY_SUBJECT_CONTEXT;
typedef struct { ULONG Header[8]; PVOID Links[2]; USHORT Depth, Maximum; ULONG Type, Tag, Size; PVOID Allocate, Free; PVOID Spare[4]; } LOOKASIDE_LIST;
typedef struct DRIVER_OBJECT_ {
  USHORT Type, Size;
  PVOID DeviceObject;
  ULONG Flags;
  PVOID DriverStart;
  ULONG DriverSize;
  PVOID DriverSection, DriverExtension;
  UNICODE_STRING DriverName;
  UNICODE_STRING *HardwareDatabase;
  PVOID FastIoDispatch, DriverInit, DriverStartIo, DriverUnload;
  PVOID MajorFunction[28];
} DRIVER_OBJECT;
typedef struct { USHORT Type, Size; PVOID MdlAddress; ULONG Flags; PVOID SystemBuffer; LIST_ENTRY ThreadListEntry; NTSTATUS Status; ULONG_PTR Information; UCHAR Rest[64]; } IRP;
typedef void NTAPI WORKER(PVOID context);

/* ex */
NTKERNELAPI PVOID NTAPI ExAllocatePool(ULONG type, SIZE_T size);
NTKERNELAPI PVOID NTAPI ExAllocatePoolWithTag(ULONG type, SIZE_T size, ULONG tag);
NTKERNELAPI PVOID NTAPI ExAllocatePoolWithQuotaTag(ULONG type, SIZE_T size, ULONG tag);
NTKERNELAPI PVOID NTAPI ExAllocatePool2(ULONG64 flags, SIZE_T size, ULONG tag);
NTKERNELAPI void NTAPI ExFreePool(PVOID p);
NTKERNELAPI void NTAPI ExFreePoolWithTag(PVOID p, ULONG tag);
NTKERNELAPI void NTAPI ExInitializeNPagedLookasideList(LOOKASIDE_LIST *l, PVOID allocate, PVOID free, ULONG flags, SIZE_T size, ULONG tag, USHORT depth);
NTKERNELAPI void NTAPI ExInitializePagedLookasideList(LOOKASIDE_LIST *l, PVOID allocate, PVOID free, ULONG flags, SIZE_T size, ULONG tag, USHORT depth);
NTKERNELAPI PVOID NTAPI ExAllocateFromLookasideListEx(LOOKASIDE_LIST *l);
NTKERNELAPI void NTAPI ExFreeToLookasideListEx(LOOKASIDE_LIST *l, PVOID p);
NTKERNELAPI void NTAPI ExDeleteLookasideListEx(LOOKASIDE_LIST *l);
NTKERNELAPI void NTAPI ExRaiseStatus(NTSTATUS status);
/* se */
NTKERNELAPI NTSTATUS NTAPI SeQueryInformationToken(PVOID token, ULONG class_, PVOID *information);
NTKERNELAPI NTSTATUS NTAPI NtQueryInformationToken(HANDLE token, ULONG class_, PVOID buffer, ULONG length, ULONG *returned);
NTKERNELAPI void NTAPI SeCaptureSubjectContext(SECURITY_SUBJECT_CONTEXT *context);
NTKERNELAPI void NTAPI SeLockSubjectContext(SECURITY_SUBJECT_CONTEXT *context);
NTKERNELAPI void NTAPI SeUnlockSubjectContext(SECURITY_SUBJECT_CONTEXT *context);
NTKERNELAPI void NTAPI SeReleaseSubjectContext(SECURITY_SUBJECT_CONTEXT *context);
NTKERNELAPI NTSTATUS NTAPI SeLocateProcessImageName(PVOID process, UNICODE_STRING **name);
NTKERNELAPI BOOLEAN NTAPI SeTokenIsAdmin(PVOID token);
NTKERNELAPI BOOLEAN NTAPI SeTokenIsRestricted(PVOID token);
NTKERNELAPI BOOLEAN NTAPI SeAccessCheck(PVOID sd, SECURITY_SUBJECT_CONTEXT *context, ULONG access, ULONG *granted);
NTKERNELAPI BOOLEAN NTAPI SeSinglePrivilegeCheck(ULONG64 privilege, ULONG mode);
NTKERNELAPI NTSTATUS NTAPI SeAssignSecurity(PVOID parent, PVOID explicit_, PVOID *created, ULONG directory);
NTKERNELAPI NTSTATUS NTAPI SeCaptureSecurityDescriptor(PVOID sd, ULONG mode, ULONG pool, BOOLEAN force, PVOID *captured);
NTKERNELAPI NTSTATUS NTAPI SeDeassignSecurity(PVOID *sd);
NTKERNELAPI void NTAPI SeSetAuditParameter(PVOID parameters, ULONG type, ULONG index, PVOID data);
NTKERNELAPI void NTAPI SeOpenObjectAuditAlarm(UNICODE_STRING *type, PVOID object, ULONG flags);
NTKERNELAPI void NTAPI SeDeleteObjectAuditAlarm(PVOID object, HANDLE handle);
NTKERNELAPI NTSTATUS NTAPI SeRegisterLogonSessionTerminatedRoutine(PVOID routine);
NTKERNELAPI BOOLEAN NTAPI RtlValidSid(PVOID sid);
NTKERNELAPI ULONG NTAPI RtlLengthSid(PVOID sid);
NTKERNELAPI NTSTATUS NTAPI RtlCopySid(ULONG length, PVOID to, PVOID from);
/* ob, ps */
NTKERNELAPI NTSTATUS NTAPI ObReferenceObjectByHandle(HANDLE handle, ULONG access, PVOID type, ULONG mode, PVOID *object, PVOID information);
NTKERNELAPI NTSTATUS NTAPI ObReferenceObjectByPointer(PVOID object, ULONG access, PVOID type, ULONG mode);
NTKERNELAPI NTSTATUS NTAPI ObOpenObjectByPointer(PVOID object, ULONG attributes, PVOID state, ULONG access, PVOID type, ULONG mode, HANDLE *handle);
NTKERNELAPI LONG FASTCALL ObfReferenceObject(PVOID object);
NTKERNELAPI LONG FASTCALL ObfDereferenceObject(PVOID object);
NTKERNELAPI NTSTATUS NTAPI ObCreateObject(ULONG mode, PVOID type, PVOID attributes, SIZE_T size, PVOID *object);
NTKERNELAPI NTSTATUS NTAPI ObQueryNameString(PVOID object, PVOID buffer, ULONG length, ULONG *returned);
NTKERNELAPI NTSTATUS NTAPI PsLookupProcessByProcessId(HANDLE id, PVOID *process);
NTKERNELAPI NTSTATUS NTAPI PsLookupThreadByThreadId(HANDLE id, PVOID *thread);
NTKERNELAPI PVOID NTAPI PsReferencePrimaryToken(PVOID process);
NTKERNELAPI void NTAPI PsDereferencePrimaryToken(PVOID token);
NTKERNELAPI PVOID NTAPI PsGetCurrentProcess(void);
NTKERNELAPI HANDLE NTAPI PsGetProcessId(PVOID process);
NTKERNELAPI NTSTATUS NTAPI PsSetCreateProcessNotifyRoutine(PVOID routine, BOOLEAN remove);
NTKERNELAPI NTSTATUS NTAPI PsCreateSystemThread(HANDLE *thread, ULONG access, PVOID attributes, HANDLE process, PVOID id, WORKER *start, PVOID context);
NTKERNELAPI NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS status);
extern NTKERNELAPI LIST_ENTRY PsLoadedModuleList;
extern NTKERNELAPI PVOID PsInitialSystemProcess;
extern NTKERNELAPI PVOID PsProcessType;
extern NTKERNELAPI PVOID SeTokenObjectType;
/* io, ke, mm, rtl, zw */
NTKERNELAPI IRP *NTAPI IoAllocateIrp(UCHAR stack, BOOLEAN quota);
NTKERNELAPI void NTAPI IoFreeIrp(IRP *irp);
NTKERNELAPI NTSTATUS FASTCALL IofCallDriver(PVOID device, IRP *irp);
NTKERNELAPI void FASTCALL IofCompleteRequest(IRP *irp, UCHAR boost);
NTKERNELAPI NTSTATUS NTAPI IoCreateDevice(DRIVER_OBJECT *driver, ULONG extension, UNICODE_STRING *name, ULONG type, ULONG characteristics, BOOLEAN exclusive, PVOID *device);
NTKERNELAPI void NTAPI IoDeleteDevice(PVOID device);
NTKERNELAPI PVOID NTAPI IoAllocateMdl(PVOID address, ULONG length, BOOLEAN secondary, BOOLEAN quota, IRP *irp);
NTKERNELAPI void NTAPI IoFreeMdl(PVOID mdl);
NTKERNELAPI PVOID NTAPI IoAllocateWorkItem(PVOID device);
NTKERNELAPI void NTAPI IoFreeWorkItem(PVOID item);
NTKERNELAPI void NTAPI KeBugCheckEx(ULONG code, ULONG_PTR a, ULONG_PTR b, ULONG_PTR c, ULONG_PTR d);
NTKERNELAPI NTSTATUS NTAPI KeDelayExecutionThread(ULONG mode, BOOLEAN alertable, ULONG64 *interval);
NTKERNELAPI NTSTATUS NTAPI KeWaitForSingleObject(PVOID object, ULONG reason, ULONG mode, BOOLEAN alertable, ULONG64 *timeout);
NTKERNELAPI LONG NTAPI KeSetEvent(PVOID event, LONG increment, BOOLEAN wait);
NTKERNELAPI PVOID NTAPI MmGetSystemRoutineAddress(UNICODE_STRING *name);
NTKERNELAPI BOOLEAN NTAPI MmIsAddressValid(PVOID address);
NTKERNELAPI void NTAPI RtlInitUnicodeString(UNICODE_STRING *to, const WCHAR *from);
NTKERNELAPI void NTAPI RtlCopyUnicodeString(UNICODE_STRING *to, const UNICODE_STRING *from);
NTKERNELAPI BOOLEAN NTAPI RtlEqualUnicodeString(const UNICODE_STRING *a, const UNICODE_STRING *b, BOOLEAN insensitive);
NTKERNELAPI PVOID NTAPI RtlMoveMemory(PVOID to, const void *from, SIZE_T size);
NTKERNELAPI void *memset(void *to, int value, SIZE_T size);
NTKERNELAPI NTSTATUS NTAPI ZwClose(HANDLE handle);
NTKERNELAPI NTSTATUS NTAPI ZwOpenProcessTokenEx(HANDLE process, ULONG access, ULONG attributes, HANDLE *token);
NTKERNELAPI NTSTATUS NTAPI ExpOrdinalOnly7(ULONG level, PVOID buffer);
/* hal */
HALAPI ULONG NTAPI HalGetInterruptVector(ULONG interface, ULONG bus, ULONG level);
HALAPI ULONG_PTR NTAPI HalSetTimer(ULONG_PTR timer, ULONG_PTR due);
HALAPI ULONG NTAPI HalReadBootRegister(ULONG index);
HALAPI ULONG64 NTAPI KeQueryPerformanceCounter(ULONG64 *frequency);
HALAPI void NTAPI KeStallExecutionProcessor(ULONG microseconds);
/* fltmgr */
FLTAPI NTSTATUS NTAPI FltRegisterFilter(DRIVER_OBJECT *driver, const void *registration, PVOID *filter);
FLTAPI NTSTATUS NTAPI FltStartFiltering(PVOID filter);
FLTAPI void NTAPI FltUnregisterFilter(PVOID filter);
FLTAPI NTSTATUS NTAPI FltAllocateContext(PVOID filter, USHORT type, SIZE_T size, ULONG pool, PVOID *context);
FLTAPI void NTAPI FltReleaseContext(PVOID context);
FLTAPI NTSTATUS NTAPI FltQuerySecurityObject(PVOID instance, PVOID file, ULONG information, PVOID *sd);
FLTAPI NTSTATUS NTAPI FltGetFileNameInformation(PVOID data, ULONG options, PVOID *information);
FLTAPI void NTAPI FltReleaseFileNameInformation(PVOID information);
FLTAPI PVOID NTAPI FltGetRoutineAddress(const char *name);
FLTAPI PVOID NTAPI FltAllocatePoolAlignedWithTag(PVOID instance, ULONG type, SIZE_T size, ULONG tag);
FLTAPI void NTAPI FltFreePoolAlignedWithTag(PVOID instance, PVOID p, ULONG tag);

#endif
