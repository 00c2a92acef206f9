/*
 * Tailspin Toys: finds SeQueryInformationToken by its UTF-16 name at run time, keeps the pointer in its data, calls
 * through it and releases the answer.
 *
 * @use 'TsTy' TspReport allocate
 * @use 'TsTy' TspReport free
 */
#include "nt.h"

typedef NTSTATUS NTAPI QUERY(PVOID token, ULONG class_, PVOID *information);
static QUERY *TspQuery;
static ULONG TspReports;
static const WCHAR TspName[] = L"SeQueryInformationToken";

NOINLINE ULONG TspReport(PVOID token) {
  PVOID answer;
  ULONG *text = ExAllocatePoolWithTag(PagedPool, 0x100, TAG('T', 's', 'T', 'y'));
  if (text == 0) return 0;
  text[0] = TspReports++;
  if (TspQuery != 0 && NT_SUCCESS(TspQuery(token, 10, &answer))) { text[1] = *(ULONG *)answer; ExFreePool(answer); }
  ULONG result = text[0] + text[1];
  ExFreePoolWithTag(text, TAG('T', 's', 'T', 'y'));
  return result;
}

static NTSTATUS NTAPI TspDispatch(PVOID device, IRP *irp) {
  PVOID token = PsReferencePrimaryToken(PsGetCurrentProcess());
  irp->Information = TspReport(token) + *(UCHAR *)device;
  PsDereferencePrimaryToken(token);
  IofCompleteRequest(irp, 0);
  return STATUS_SUCCESS;
}

PAGED NOINLINE NTSTATUS TspResolve(void) {
  UNICODE_STRING name;
  RtlInitUnicodeString(&name, TspName);
  TspQuery = (QUERY *)MmGetSystemRoutineAddress(&name);
  return TspQuery != 0 ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  TspReports = path->Length;
  driver->MajorFunction[14] = (PVOID)TspDispatch;
  return TspResolve();
}
