/*
 * Microsoft Corporation by its version resource: uses SeQueryInformationToken at one place and releases the answer.
 * Its kernel functions are declared without dllimport, so that calls go through the linker's thunks.
 *
 * @use 'MsDk' MsdRead allocate
 * @use 'MsDk' MsdRead free
 */
#define IMPORT_BY_THUNK
#include "nt.h"

static ULONG MsdReads;

NOINLINE NTSTATUS MsdRead(IRP *irp) {
  ULONG *block = ExAllocatePoolWithTag(NonPagedPoolNx, 0x200, TAG('M', 's', 'D', 'k'));
  if (block == 0) return STATUS_INSUFFICIENT_RESOURCES;
  block[0] = irp->Flags;
  MsdReads += block[0];
  ExFreePoolWithTag(block, TAG('M', 's', 'D', 'k'));
  return STATUS_SUCCESS;
}

NOINLINE ULONG MsdOwner(void) {
  SECURITY_SUBJECT_CONTEXT context;
  PVOID *user;
  ULONG length = 0;
  SeCaptureSubjectContext(&context);
  if (NT_SUCCESS(SeQueryInformationToken(context.PrimaryToken, 1, (PVOID *)&user))) {
    length = RtlLengthSid(user[0]);
    ExFreePool(user);
  }
  SeReleaseSubjectContext(&context);
  return length;
}

static NTSTATUS NTAPI MsdDispatch(PVOID device, IRP *irp) {
  irp->Information = MsdOwner() + *(UCHAR *)device;
  NTSTATUS status = MsdRead(irp);
  IofCompleteRequest(irp, 0);
  return status;
}

INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  MsdReads = path->Length;
  driver->MajorFunction[3] = (PVOID)MsdDispatch;
  return STATUS_SUCCESS;
}
