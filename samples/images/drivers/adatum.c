/*
 * A. Datum Corporation: a driver with tags of its own, a lookaside list among them.
 *
 * @use 'AdtM' AdtOpen allocate
 * @use 'AdtM' AdtClose free
 * @use 'AdtL' DriverEntry lookaside
 * @use 'AdtB' AdtBuffer allocate
 * @use 'AdtM' AdtIsOurs compare
 */
#include "nt.h"

static LOOKASIDE_LIST AdtLookaside;
static ULONG AdtOpened;

NOINLINE PVOID AdtOpen(ULONG size) {
  ULONG *p = ExAllocatePool2(POOL_FLAG_NON_PAGED, size + 0x20, TAG('A', 'd', 't', 'M'));
  if (p != 0) { p[0] = TAG('A', 'd', 't', '!'); AdtOpened++; }
  return p;
}

NOINLINE void AdtClose(PVOID p) {
  AdtOpened--;
  ExFreePoolWithTag(p, TAG('A', 'd', 't', 'M'));
}

NOINLINE BOOLEAN AdtIsOurs(const ULONG *header) { return header[1] == TAG('A', 'd', 't', 'M') && header[0] != 0; }

NOINLINE PVOID AdtBuffer(ULONG count) {
  PVOID *b = ExAllocatePoolWithQuotaTag(PagedPool | 8, count * 0x40, IN_REGISTER(TAG('A', 'd', 't', 'B')));
  if (b != 0) b[0] = ExAllocateFromLookasideListEx(&AdtLookaside);
  return b;
}

static NTSTATUS NTAPI AdtDispatch(PVOID device, IRP *irp) {
  PVOID p = AdtOpen(irp->Flags & 0xfff);
  if (p == 0) return STATUS_INSUFFICIENT_RESOURCES;
  if (AdtIsOurs(p)) irp->SystemBuffer = AdtBuffer(*(ULONG *)device);
  AdtClose(p);
  IofCompleteRequest(irp, 0);
  return STATUS_SUCCESS;
}

PAGED void NTAPI AdtUnload(DRIVER_OBJECT *driver) {
  ExDeleteLookasideListEx(&AdtLookaside);
  driver->DriverUnload = 0;
}

INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  ExInitializeNPagedLookasideList(&AdtLookaside, 0, 0, 0, 0x70, TAG('A', 'd', 't', 'L'), 0);
  driver->DriverUnload = (PVOID)AdtUnload;
  driver->MajorFunction[path->Length & 27] = (PVOID)AdtDispatch;
  return STATUS_SUCCESS;
}
