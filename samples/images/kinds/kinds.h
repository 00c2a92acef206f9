/* What the drivers of the kinds use beside nt.h: exports of the small kernel and of two libraries here. */
#ifndef SAMPLES_KINDS_H
#define SAMPLES_KINDS_H
#include "nt.h"

#ifdef BUILD_INNER
#define INNERAPI
#else
#define INNERAPI __declspec(dllimport)
#endif
#ifdef BUILD_OUTER
#define OUTERAPI
#else
#define OUTERAPI __declspec(dllimport)
#endif

extern NTKERNELAPI PVOID IoFileObjectType;
NTKERNELAPI NTSTATUS NTAPI RtlAnsiStringToUnicodeString(UNICODE_STRING *to, const UNICODE_STRING *from, BOOLEAN allocate);
NTKERNELAPI BOOLEAN NTAPI RtlCreateUnicodeString(UNICODE_STRING *to, const WCHAR *from);
NTKERNELAPI void NTAPI RtlFreeUnicodeString(UNICODE_STRING *string);
NTKERNELAPI void NTAPI RtlFreeAnsiString(UNICODE_STRING *string);
NTKERNELAPI NTSTATUS NTAPI ZwOpenKey(HANDLE *key, ULONG access, PVOID attributes);
NTKERNELAPI NTSTATUS NTAPI ZwOpenSection(HANDLE *section, ULONG access, PVOID attributes);
NTKERNELAPI NTSTATUS NTAPI CmOpenHive(PVOID attributes);
NTKERNELAPI PVOID NTAPI MmMapSection(ULONG pages);
NTKERNELAPI void NTAPI MmUnmapSection(PVOID map);
NTKERNELAPI PVOID NTAPI MmAllocateMappingAddress(SIZE_T size, ULONG tag);
NTKERNELAPI void NTAPI MmFreeMappingAddress(PVOID address, ULONG tag);
NTKERNELAPI void NTAPI IoQueueWorkItem(PVOID item, PVOID routine, ULONG queue, PVOID context);
NTKERNELAPI NTSTATUS NTAPI IoGetDeviceObjectPointer(UNICODE_STRING *name, ULONG access, PVOID *file, PVOID *device);
NTKERNELAPI NTSTATUS NTAPI IoRegisterDeviceInterface(PVOID device, const void *class_, UNICODE_STRING *reference, UNICODE_STRING *link);

/* fltmgr: what the other samples do not call */
FLTAPI NTSTATUS NTAPI FltGetStreamHandleContext(PVOID instance, PVOID file, PVOID *context);
FLTAPI NTSTATUS NTAPI FltSetStreamHandleContext(PVOID instance, PVOID file, ULONG operation, PVOID context, PVOID *old);

/* inner: a library of one layer */
INNERAPI NTSTATUS NTAPI InnSend(PVOID device);
INNERAPI NTSTATUS NTAPI InnOpen(ULONG size, PVOID *handle);
INNERAPI void NTAPI InnClose(PVOID handle);
INNERAPI NTSTATUS NTAPI InnRegister(DRIVER_OBJECT *driver, PVOID *port);
INNERAPI void NTAPI InnUnregister(PVOID port);
INNERAPI NTSTATUS NTAPI InnQuery(PVOID token, PVOID *information);
/* outer: a library over it */
OUTERAPI NTSTATUS NTAPI OutAcquire(PVOID layer, PVOID *data);
OUTERAPI void NTAPI OutApply(PVOID layer, PVOID data);
#endif
