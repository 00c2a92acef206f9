/*
 * Litware, Inc.: a minifilter. It calls no security function of the kernel itself, but FltQuerySecurityObject,
 * which does, and releases the answer. Its context tag stands in a registration structure only.
 *
 * @use 'LtWs' BkpRegistration data
 * @use 'LtWn' BkpPreCreate allocate
 * @use 'LtWn' BkpPreCreate free
 */
#include "nt.h"

typedef struct { USHORT Type, Flags; PVOID Cleanup; SIZE_T Size; ULONG PoolTag; PVOID Allocate, Free, Spare; } CONTEXT_REGISTRATION;
typedef struct { USHORT Size, Version; ULONG Flags; const CONTEXT_REGISTRATION *Contexts; const void *Operations; PVOID Unload; PVOID Spare[10]; } REGISTRATION;

static PVOID BkpFilter;
static ULONG BkpStreams;
NTSTATUS NTAPI BkpUnload(ULONG flags);
/* use: data (BkpRegistration) */
static const CONTEXT_REGISTRATION BkpContexts[] = { { 8, 0, 0, 0x60, TAG('L', 't', 'W', 's'), 0, 0, 0 }, { 0xffff, 0, 0, 0, 0, 0, 0, 0 } };
static const REGISTRATION BkpRegistration = { sizeof(REGISTRATION), 0x203, 0, BkpContexts, 0, (PVOID)BkpUnload, { 0 } };

NOINLINE ULONG BkpPreCreate(PVOID data, PVOID instance) {
  PVOID name, context, sd;
  ULONG *work = ExAllocatePoolWithTag(PagedPool, 0x90, TAG('L', 't', 'W', 'n'));
  if (work == 0) return 1;
  if (NT_SUCCESS(FltGetFileNameInformation(data, 0x101, &name))) { work[0] = *(ULONG *)name; FltReleaseFileNameInformation(name); }
  if (NT_SUCCESS(FltQuerySecurityObject(instance, data, 1, &sd))) { work[1] = *(ULONG *)sd; ExFreePool(sd); }
  if (NT_SUCCESS(FltAllocateContext(BkpFilter, 8, 0x60, NonPagedPoolNx, &context))) { *(ULONG *)context = work[0] ^ work[1]; FltReleaseContext(context); }
  BkpStreams++;
  ExFreePoolWithTag(work, TAG('L', 't', 'W', 'n'));
  return 0;
}

PAGED NTSTATUS NTAPI BkpUnload(ULONG flags) {
  FltUnregisterFilter(BkpFilter);
  return (NTSTATUS)(flags & 0) ;
}

INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  NTSTATUS status = FltRegisterFilter(driver, &BkpRegistration, &BkpFilter);
  if (!NT_SUCCESS(status)) return status;
  status = FltStartFiltering(BkpFilter);
  if (!NT_SUCCESS(status)) FltUnregisterFilter(BkpFilter);
  return BkpPreCreate(path, driver) != 0 ? STATUS_UNSUCCESSFUL : status;
}
