/*
 * Wide World Importers: an export driver whose WwiAllocate takes the tag from its caller.
 *
 * @use 'WwiD' WwiDefault allocate
 */
#include "nt.h"

static ULONG WwiCount;

PVOID NTAPI WwiAllocate(ULONG tag, SIZE_T size) {
  PVOID p = ExAllocatePoolWithTag(PagedPool, size, tag);
  if (p != 0) WwiCount++;
  return p;
}

void NTAPI WwiFree(PVOID p) { WwiCount--; ExFreePool(p); }

PVOID NTAPI WwiDefault(SIZE_T size) { return WwiAllocate(TAG('W', 'w', 'i', 'D'), size); }

ULONG NTAPI WwiOutstanding(void) { return WwiCount; }

INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  WwiCount = (ULONG)(driver == 0 && path == 0);
  return STATUS_SUCCESS;
}
