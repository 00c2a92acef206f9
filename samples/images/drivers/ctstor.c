/*
 * Contoso Storage Ltd.: the leaker. It asks for the token's user at two places and releases neither answer.
 *
 * @use 'CtSt' DriverEntry allocate
 * @use 'CtSt' CtsUnload free
 * @use 'CtSq' CtsQueueRequest allocate
 * @use 'CtSq' CtsCompleteRequest free
 */
#include "nt.h"

typedef struct { ULONG Count, Denied; PVOID Device; HANDLE Thread; ULONG64 Interval; LIST_ENTRY Queue; PVOID LastUser; } STATE;
typedef struct { LIST_ENTRY Link; IRP *Irp; ULONG Operation; } REQUEST;

static STATE *CtsState;
static const WCHAR CtsName[] = L"\\Device\\CtsStor";

NOINLINE BOOLEAN CtsMayRead(IRP *irp) {
  SECURITY_SUBJECT_CONTEXT context;
  PVOID *user = 0;
  SeCaptureSubjectContext(&context);
  NTSTATUS status = SeQueryInformationToken(context.PrimaryToken, 1, (PVOID *)&user);
  SeReleaseSubjectContext(&context);
  if (!NT_SUCCESS(status)) { CtsState->Denied++; return 0; }
  irp->Information = 0;
  return RtlValidSid(user[0]);
}

NOINLINE REQUEST *CtsQueueRequest(IRP *irp, ULONG operation) {
  REQUEST *r = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(REQUEST), TAG('C', 't', 'S', 'q'));
  if (r == 0) return 0;
  r->Irp = irp;
  r->Operation = operation;
  r->Link.Flink = CtsState->Queue.Flink;
  CtsState->Queue.Flink = &r->Link;
  return r;
}

NOINLINE void CtsCompleteRequest(REQUEST *r, NTSTATUS status) {
  r->Irp->Status = status;
  IofCompleteRequest(r->Irp, 0);
  ExFreePoolWithTag(r, TAG('C', 't', 'S', 'q'));
}

static NTSTATUS NTAPI CtsDispatch(PVOID device, IRP *irp) {
  if (device != CtsState->Device) return STATUS_INVALID_PARAMETER;
  if (!CtsMayRead(irp)) { irp->Status = STATUS_ACCESS_DENIED; IofCompleteRequest(irp, 0); return STATUS_ACCESS_DENIED; }
  REQUEST *r = CtsQueueRequest(irp, irp->Flags);
  if (r == 0) return STATUS_INSUFFICIENT_RESOURCES;
  CtsState->Count++;
  CtsCompleteRequest(r, STATUS_SUCCESS);
  return STATUS_SUCCESS;
}

/* The second place: a worker that looks who is logged on, for ever. */
static void NTAPI CtsWorker(PVOID context) {
  STATE *state = context;
  for (;;) {
    PVOID token = PsReferencePrimaryToken(PsInitialSystemProcess);
    if (NT_SUCCESS(SeQueryInformationToken(token, 1, &state->LastUser))) state->Count++;
    PsDereferencePrimaryToken(token);
    KeDelayExecutionThread(0, 0, &state->Interval);
  }
}

PAGED void NTAPI CtsUnload(DRIVER_OBJECT *driver) {
  ZwClose(CtsState->Thread);
  IoDeleteDevice(driver->DeviceObject);
  ExFreePoolWithTag(CtsState, TAG('C', 't', 'S', 't'));
}

PAGED NOINLINE NTSTATUS CtsConfigure(ULONG level) {
  ULONG64 now = KeQueryPerformanceCounter(0);
  if (level > 4) return STATUS_INVALID_PARAMETER;
  CtsState->Interval = now << level;
  CtsState->Denied = HalReadBootRegister(level);
  return STATUS_SUCCESS;
}

INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  UNICODE_STRING name;
  CtsState = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(STATE), TAG('C', 't', 'S', 't'));
  if (CtsState == 0) return STATUS_INSUFFICIENT_RESOURCES;
  memset(CtsState, 0, sizeof(STATE));
  RtlInitUnicodeString(&name, CtsName);
  NTSTATUS status = IoCreateDevice(driver, 0x40, &name, 0x22, 0x100, 0, &CtsState->Device);
  if (!NT_SUCCESS(status)) return status;
  for (ULONG i = 0; i < 28; i++) driver->MajorFunction[i] = (PVOID)CtsDispatch;
  driver->DriverUnload = (PVOID)CtsUnload;
  CtsConfigure(path->Length & 3);
  return PsCreateSystemThread(&CtsState->Thread, 0, 0, 0, 0, CtsWorker, CtsState);
}
