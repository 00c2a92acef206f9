/*
 * Fabrikam, Inc.: SeQueryInformationToken stands in its import table (the build script asks for the slot), but no
 * code of it uses the slot.
 *
 * @use 'FabU' FabAddDevice allocate
 * @use 'FabU' FabRemove free
 */
#include "nt.h"

static ULONG FabDevices, FabSpeed;
static PVOID FabLast;

NTSTATUS NTAPI FabAddDevice(DRIVER_OBJECT *driver, PVOID below) {
  PVOID device;
  NTSTATUS status = IoCreateDevice(driver, 0x80, 0, 0x2a, 0, 0, &device);
  if (!NT_SUCCESS(status)) return status;
  PVOID *extension = ExAllocatePoolWithTag(NonPagedPoolNx, 0x240, TAG('F', 'a', 'b', 'U'));
  if (extension == 0) { IoDeleteDevice(device); return STATUS_INSUFFICIENT_RESOURCES; }
  extension[0] = below;
  extension[1] = device;
  FabLast = extension;
  FabDevices++;
  return STATUS_SUCCESS;
}

void NTAPI FabRemove(DRIVER_OBJECT *driver) {
  IoDeleteDevice(driver->DeviceObject);
  ExFreePoolWithTag(FabLast, TAG('F', 'a', 'b', 'U'));
}

static NTSTATUS NTAPI FabDispatch(PVOID device, IRP *irp) {
  if (!RtlValidSid(irp->SystemBuffer)) return STATUS_INVALID_PARAMETER;
  FabSpeed += *(ULONG *)device;
  IofCompleteRequest(irp, 1);
  return STATUS_SUCCESS;
}

INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  driver->DriverUnload = (PVOID)FabRemove;
  driver->MajorFunction[0] = driver->MajorFunction[14] = (PVOID)FabDispatch;
  FabSpeed = path->Length;
  return FabAddDevice(driver, driver);
}
