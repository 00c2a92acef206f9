/* A library over inner: what it hands on comes from there, and goes back there. */
#include "kinds.h"

static ULONG OutCount;

NTSTATUS NTAPI OutAcquire(PVOID layer, PVOID *data) {
  if (layer == 0) return STATUS_INVALID_PARAMETER;
  OutCount++;
  return InnOpen(0x90, data);
}
void NTAPI OutApply(PVOID layer, PVOID data) {
  if (layer == 0) return;
  OutCount--;
  InnClose(data);
}
INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  driver->DriverUnload = 0;
  OutCount = path->Length & 1;
  return STATUS_SUCCESS;
}
