/*
 * Proseware, Inc.: binds wwilib.sys only when it is first needed (delay import, delay-*.s), imports from the kernel
 * by ordinal, and hal functions through forwarders.
 *
 * @use 'Pros' PrwCollect wrapper
 * @use 'Prs2' PrwDispatch allocate
 * @use 'Prs2' PrwDispatch free
 */
#include "nt.h"

/* delay-*.s */
extern PVOID (NTAPI *__imp_delay_WwiAllocate)(ULONG tag, SIZE_T size);
extern void (NTAPI *__imp_delay_WwiFree)(PVOID p);
static ULONG PrwLevel, PrwCollected;

NOINLINE PVOID PrwCollect(ULONG size) {
  PVOID p = __imp_delay_WwiAllocate(TAG('P', 'r', 'o', 's'), size);
  if (p != 0) PrwCollected++;
  return p;
}

NOINLINE void PrwDrop(PVOID p) {
  if (p != 0) __imp_delay_WwiFree(p);
}

static NTSTATUS NTAPI PrwDispatch(PVOID device, IRP *irp) {
  PVOID p = PrwCollect(irp->Flags);
  ULONG *q = ExAllocatePoolWithTag(PagedPool, 0x44, TAG('P', 'r', 's', '2'));
  if (q == 0) { PrwDrop(p); return STATUS_INSUFFICIENT_RESOURCES; }
  q[0] = *(ULONG *)device;
  irp->Information = q[0] + PrwLevel;
  KeStallExecutionProcessor(q[0] & 7);
  HalSetTimer(q[0], 3);
  ExFreePoolWithTag(q, TAG('P', 'r', 's', '2'));
  PrwDrop(p);
  return STATUS_SUCCESS;
}

INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  driver->MajorFunction[3] = (PVOID)PrwDispatch;
  PrwLevel = HalGetInterruptVector(1, 0, path->Length);
  return ExpOrdinalOnly7(2, &PrwLevel);
}
