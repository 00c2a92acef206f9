/* A library: what it takes it gives back itself, keeps for itself, or hands to its caller with a release of its own. */
#include "kinds.h"

static PVOID InnPorts[8];
static ULONG InnCount;

/* Balanced: its callers cannot leak through it. */
NTSTATUS NTAPI InnSend(PVOID device) {
  IRP *irp = IoAllocateIrp(4, 0);
  if (irp == 0) return STATUS_INSUFFICIENT_RESOURCES;
  irp->Flags = InnCount++;
  NTSTATUS status = IofCallDriver(device, irp);
  IoFreeIrp(irp);
  return status;
}
NOINLINE PVOID InnpAllocate(ULONG size) {
  ULONG *p = ExAllocatePoolWithTag(NonPagedPoolNx, size + 0x10, TAG('I', 'n', 'O', 'p'));
  if (p != 0) p[0] = size;
  return p;
}
NTSTATUS NTAPI InnOpen(ULONG size, PVOID *handle) {
  PVOID p = InnpAllocate(size);
  if (p == 0) return STATUS_INSUFFICIENT_RESOURCES;
  *handle = p;
  return STATUS_SUCCESS;
}
void NTAPI InnClose(PVOID handle) {
  InnCount += ((ULONG *)handle)[0];
  ExFreePoolWithTag(handle, TAG('I', 'n', 'O', 'p'));
}
/* Keeps what it takes: the caller gets a handle of the library's own memory. */
NTSTATUS NTAPI InnRegister(DRIVER_OBJECT *driver, PVOID *port) {
  PVOID *p = ExAllocatePoolWithTag(NonPagedPoolNx, 0x110, TAG('I', 'n', 'R', 'g'));
  if (p == 0) return STATUS_INSUFFICIENT_RESOURCES;
  p[0] = driver;
  InnPorts[InnCount++ & 7] = p;
  *port = (PVOID)(ULONG_PTR)InnCount;
  return STATUS_SUCCESS;
}
void NTAPI InnUnregister(PVOID port) {
  PVOID p = InnPorts[(ULONG_PTR)port & 7];
  InnPorts[(ULONG_PTR)port & 7] = 0;
  if (p != 0) ExFreePoolWithTag(p, TAG('I', 'n', 'R', 'g'));
}
/* Asks the kernel for its caller, who owns the answer. */
NTSTATUS NTAPI InnQuery(PVOID token, PVOID *information) { return token == 0 ? STATUS_INVALID_PARAMETER : SeQueryInformationToken(token, 1, information); }

INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  driver->DriverUnload = 0;
  InnCount = path->Length & 1;
  return STATUS_SUCCESS;
}
