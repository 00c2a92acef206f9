/*
 * The drivers of the leak benchmark, one for each BENCH_ name; what each does wrong, or does right, is said at it.
 * The uses of tags are listed in bench-uses.txt, by driver.
 */
#include "nt.h"

static ULONG BenchCount;
static PVOID BenchKept;

#if defined BENCH_ADVWORKS
/* Adventure Works: allocates AdvW at two places and frees neither; AdvF is freed. */
NOINLINE PVOID AdvRecord(ULONG kind) {
  ULONG *p = ExAllocatePoolWithTag(NonPagedPoolNx, 0xd0, TAG('A', 'd', 'v', 'W'));
  if (p != 0) p[0] = kind;
  return p;
}
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  ULONG *scratch = ExAllocatePoolWithTag(PagedPool, 0x80, TAG('A', 'd', 'v', 'F'));
  if (scratch == 0) return STATUS_INSUFFICIENT_RESOURCES;
  scratch[0] = irp->Flags;
  BenchKept = AdvRecord(scratch[0]);
  if (scratch[0] & 4) BenchKept = ExAllocatePoolWithTag(NonPagedPoolNx, 0xd0, TAG('A', 'd', 'v', 'W'));
  ExFreePoolWithTag(scratch, TAG('A', 'd', 'v', 'F'));
  return STATUS_SUCCESS;
}

#elif defined BENCH_COHO
/* Coho Winery: captures security descriptors and keeps them; the tag stands two calls deep in the kernel. */
NOINLINE NTSTATUS BenchWork(IRP *irp) { return SeCaptureSecurityDescriptor(irp->SystemBuffer, 1, PagedPool, 1, &BenchKept); }

#elif defined BENCH_WINGTIP
/* Wingtip Toys: finds SeQueryInformationToken at run time, and never releases the answer. */
typedef NTSTATUS NTAPI QUERY(PVOID token, ULONG class_, PVOID *information);
static QUERY *WtpQuery;
static const WCHAR WtpName[] = L"SeQueryInformationToken";
NOINLINE void WtpResolve(void) {
  UNICODE_STRING name;
  RtlInitUnicodeString(&name, WtpName);
  WtpQuery = (QUERY *)MmGetSystemRoutineAddress(&name);
}
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  PVOID token;
  if (WtpQuery == 0) WtpResolve();
  token = PsReferencePrimaryToken(PsGetCurrentProcess());
  NTSTATUS status = WtpQuery != 0 ? WtpQuery(token, 1, &BenchKept) : STATUS_NOT_FOUND;
  irp->Information = BenchCount++;
  PsDereferencePrimaryToken(token);
  return status;
}

#elif defined BENCH_LUCERNE
/* Lucerne Publishing: a minifilter that keeps what FltQuerySecurityObject gives it. */
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  PVOID sd;
  NTSTATUS status = FltQuerySecurityObject(irp, irp->SystemBuffer, 1, &sd);
  if (NT_SUCCESS(status)) BenchCount += *(UCHAR *)sd;
  return status;
}

#elif defined BENCH_MARGIES
/* Margie's Travel: looks processes up and never dereferences them. */
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  PVOID process;
  NTSTATUS status = PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)irp->Flags, &process);
  if (NT_SUCCESS(status)) irp->Information = (ULONG_PTR)PsGetProcessId(process);
  return status;
}

#elif defined BENCH_HUMONG
/* Humongous Insurance: looks processes and threads up and dereferences them. */
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  PVOID process, thread;
  NTSTATUS status = PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)irp->Flags, &process);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = (ULONG_PTR)PsGetProcessId(process);
  if (NT_SUCCESS(PsLookupThreadByThreadId((HANDLE)irp->Information, &thread))) ObfDereferenceObject(thread);
  ObfDereferenceObject(process);
  return STATUS_SUCCESS;
}

#elif defined BENCH_FOURTHC
/* Fourth Coffee: allocates through wwilib's WwiAllocate with a tag of its own, and never gives it back. */
__declspec(dllimport) PVOID NTAPI WwiAllocate(ULONG tag, SIZE_T size);
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  ULONG *p = WwiAllocate(TAG('F', 'c', 'o', 'f'), 0x1c0);
  if (p == 0) return STATUS_INSUFFICIENT_RESOURCES;
  p[0] = irp->Flags;
  BenchKept = p;
  return STATUS_SUCCESS;
}

#elif defined BENCH_GRAPHIC
/* Graphic Design Institute: a lookaside list whose entries never come back. */
static LOOKASIDE_LIST GdiList;
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  if (BenchCount++ == 0) ExInitializeNPagedLookasideList(&GdiList, 0, 0, 0, 0x140, TAG('G', 'd', 'i', 'L'), 0);
  ULONG *p = ExAllocateFromLookasideListEx(&GdiList);
  if (p == 0) return STATUS_INSUFFICIENT_RESOURCES;
  p[0] = irp->Flags;
  BenchKept = p;
  return STATUS_SUCCESS;
}

#elif defined BENCH_STORAHX
/* Microsoft Corporation by its version resource: asks for the token's groups and forgets them. */
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  PVOID token = PsReferencePrimaryToken(PsInitialSystemProcess), groups;
  NTSTATUS status = SeQueryInformationToken(token, 2, &groups);
  if (NT_SUCCESS(status)) irp->Information = *(ULONG *)groups;
  PsDereferencePrimaryToken(token);
  return status;
}

#elif defined BENCH_SOUTHR
/* Southridge Video: the tags stand in its texts and tables only. */
static const char SrText[] = "AdvW Se   Proc Irp  Shrd SeSd: none of these is ours";
static const ULONG SrTags[] = { TAG('A', 'd', 'v', 'W'), TAG('S', 'e', ' ', ' '), TAG('S', 'h', 'r', 'd') };
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  irp->Information = (ULONG)SrText[irp->Flags & 31] ^ SrTags[irp->Flags % 3];
  return STATUS_SUCCESS;
}

#elif defined BENCH_CITYPW
/* City Power & Light: shares the tag Shrd with treyres.sys, and frees what it allocates. */
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  ULONG *p = ExAllocatePoolWithTag(PagedPool, 0x60, TAG('S', 'h', 'r', 'd'));
  if (p == 0) return STATUS_INSUFFICIENT_RESOURCES;
  p[0] = irp->Flags;
  BenchCount += p[0];
  ExFreePoolWithTag(p, TAG('S', 'h', 'r', 'd'));
  return STATUS_SUCCESS;
}

#elif defined BENCH_TREYRES
/* Trey Research: shares the tag Shrd with citypw.sys, and frees nothing. */
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  ULONG *p = ExAllocatePoolWithTag(PagedPool, 0x310, TAG('S', 'h', 'r', 'd'));
  if (p == 0) return STATUS_INSUFFICIENT_RESOURCES;
  p[0] = irp->Flags;
  BenchKept = p;
  return STATUS_SUCCESS;
}

#elif defined BENCH_VANARS
/* VanArsdel: imports what others leak through (the build script asks for the slots), and calls none of it. */
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  BenchCount += irp->Flags;
  return KeSetEvent(irp->SystemBuffer, 0, 0) != 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

#elif defined BENCH_BLUEYON
/* Blue Yonder Airlines: allocates IRPs and frees none; its MDLs it frees. */
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  IRP *mine = IoAllocateIrp(4, 0);
  if (mine == 0) return STATUS_INSUFFICIENT_RESOURCES;
  mine->Flags = irp->Flags;
  PVOID mdl = IoAllocateMdl(irp->SystemBuffer, 0x2000, 0, 0, mine);
  if (mdl != 0) IoFreeMdl(mdl);
  return IofCallDriver(BenchKept, mine);
}

#elif defined BENCH_SCHOOLF
/* School of Fine Art: allocates MDLs and frees none; its IRPs and work items it frees. */
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  IRP *mine = IoAllocateIrp(2, 0);
  if (mine == 0) return STATUS_INSUFFICIENT_RESOURCES;
  BenchKept = IoAllocateMdl(irp->SystemBuffer, 0x10000, 0, 0, 0);
  PVOID item = IoAllocateWorkItem(BenchKept);
  if (item != 0) IoFreeWorkItem(item);
  IoFreeIrp(mine);
  return STATUS_SUCCESS;
}

#elif defined BENCH_LAMNA
/* Lamna Healthcare: leaks what it asks of the token at two places, one of them in pageable code. */
PAGED NOINLINE NTSTATUS PatSlowPath(PVOID token, IRP *irp) {
  PVOID *user;
  NTSTATUS status = SeQueryInformationToken(token, 1, (PVOID *)&user);
  if (NT_SUCCESS(status)) irp->Information = RtlLengthSid(user[0]);
  return status;
}
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  SECURITY_SUBJECT_CONTEXT context;
  SeCaptureSubjectContext(&context);
  NTSTATUS status = irp->Flags & 1 ? PatSlowPath(context.PrimaryToken, irp) : SeQueryInformationToken(context.PrimaryToken, 1, &BenchKept);
  SeReleaseSubjectContext(&context);
  return status;
}

#elif defined BENCH_CONSOL
/* Consolidated Messenger: allocates IRPs, MDLs and work items, looks processes up, captures descriptors, and releases all. */
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  PVOID process, sd;
  IRP *mine = IoAllocateIrp(2, 0);
  if (mine == 0) return STATUS_INSUFFICIENT_RESOURCES;
  PVOID mdl = IoAllocateMdl(irp->SystemBuffer, 0x1000, 0, 0, mine);
  if (mdl != 0) IoFreeMdl(mdl);
  PVOID item = IoAllocateWorkItem(irp);
  if (item != 0) IoFreeWorkItem(item);
  if (NT_SUCCESS(PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)8, &process))) ObfDereferenceObject(process);
  if (NT_SUCCESS(SeCaptureSecurityDescriptor(irp->SystemBuffer, 1, PagedPool, 1, &sd))) ExFreePool(sd);
  IoFreeIrp(mine);
  return STATUS_SUCCESS;
}
#elif defined BENCH_ALPINE
/* Alpine Ski House: frees its IRPs in the completion routine, which only a pointer leads to. */
NTSTATUS NTAPI AlpDone(PVOID device, IRP *irp, PVOID context) {
  BenchCount += device == context;
  IoFreeIrp(irp);
  return STATUS_SUCCESS;
}
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  IRP *mine = IoAllocateIrp(4, 0);
  if (mine == 0) return STATUS_INSUFFICIENT_RESOURCES;
  mine->Flags = irp->Flags;
  *(PVOID *)(mine->Rest + 8) = (PVOID)AlpDone;
  return IofCallDriver(BenchKept, mine);
}

#elif defined BENCH_WOODGR
/* Woodgrove Bank: allocates AdvW too, and frees it without a tag in a routine that only a pointer leads to. */
void NTAPI WgbDone(PVOID record) {
  BenchCount++;
  ExFreePool(record);
}
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  PVOID *record = ExAllocatePoolWithTag(NonPagedPoolNx, 0xd0, TAG('A', 'd', 'v', 'W'));
  if (record == 0) return STATUS_INSUFFICIENT_RESOURCES;
  record[0] = (PVOID)WgbDone;
  irp->Information = (ULONG_PTR)record;
  return IofCallDriver(BenchKept, irp);
}

#elif defined BENCH_RELECL
/* Relecloud: takes memory of wwilib's own tag and keeps it. */
__declspec(dllimport) PVOID NTAPI WwiDefault(SIZE_T size);
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  ULONG *p = WwiDefault(0x1c0);
  if (p == 0) return STATUS_INSUFFICIENT_RESOURCES;
  p[0] = irp->Flags;
  BenchKept = p;
  return STATUS_SUCCESS;
}

#elif defined BENCH_BESTFOR
/* Best For You Organics: takes memory of wwilib's own tag and gives it back to wwilib. */
__declspec(dllimport) PVOID NTAPI WwiDefault(SIZE_T size);
__declspec(dllimport) void NTAPI WwiFree(PVOID p);
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  ULONG *p = WwiDefault(0x1c0);
  if (p == 0) return STATUS_INSUFFICIENT_RESOURCES;
  p[0] = irp->Flags;
  BenchCount += p[0];
  WwiFree(p);
  return STATUS_SUCCESS;
}

#elif defined BENCH_LIBERTY
/* Liberty's Delightful Bakery: allocates MDLs for IRPs that it passes on; the I/O manager frees them. */
NOINLINE NTSTATUS BenchWork(IRP *irp) {
  if (IoAllocateMdl(irp->SystemBuffer, 0x10000, 0, 0, irp) == 0) return STATUS_INSUFFICIENT_RESOURCES;
  return IofCallDriver(BenchKept, irp);
}
#endif

NTSTATUS NTAPI BenchDispatch(PVOID device, IRP *irp) {
  if (device == 0) return STATUS_INVALID_PARAMETER;
  NTSTATUS status = BenchWork(irp);
  irp->Status = status;
  IofCompleteRequest(irp, 0);
  return status;
}

void NTAPI BenchThread(PVOID context) {
  for (;;) {
    BenchWork(context);
    KeDelayExecutionThread(0, 0, 0);
  }
}

PAGED void NTAPI BenchUnload(DRIVER_OBJECT *driver) { IoDeleteDevice(driver->DeviceObject); }

INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  HANDLE thread;
  driver->DriverUnload = (PVOID)BenchUnload;
  driver->MajorFunction[14] = (PVOID)BenchDispatch;
  BenchCount = path->Length;
  return PsCreateSystemThread(&thread, 0, 0, 0, 0, BenchThread, driver);
}
