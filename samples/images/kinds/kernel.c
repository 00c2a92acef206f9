/*
 * A kernel of few exports, in the shapes that real ones have: a string routine behind a constant pointer, an allocator
 * behind a variable, a tag in a constant in .text, one address under two names, calls of its own exports.
 */
#include "kinds.h"

PVOID PsProcessType, IoFileObjectType, PsInitialSystemProcess;
static PVOID ExpFreeList;
static ULONG ExpCount, ObpReferences;
static struct { const WCHAR *name; PVOID routine; } MmpRoutines[4];

NOINLINE PVOID ExpAllocateBlock(ULONG type, SIZE_T size) {
  ULONG_PTR *block = ExpFreeList;
  if (block == 0) return 0;
  ExpFreeList = (PVOID)block[0];
  block[0] = size;
  block[1] = type;
  return block;
}
PVOID NTAPI ExAllocatePoolWithTag(ULONG type, SIZE_T size, ULONG tag) {
  ULONG *p = ExpAllocateBlock(type, size + 16);
  if (p == 0) return 0;
  p[0] = tag;
  ExpCount++;
  return p + 4;
}
NOINLINE void ExpFreeBlock(ULONG *p) {
  *(PVOID *)p = ExpFreeList;
  ExpFreeList = p;
}
void NTAPI ExFreePoolWithTag(PVOID p, ULONG tag) {
  ULONG *block = (ULONG *)p - 4;
  if (tag != 0 && block[0] != tag) KeBugCheckEx(0xC2, tag, block[0], 0, 0);
  ExpFreeBlock(block);
  ExpCount--;
}
void NTAPI ExFreePool(PVOID p) { ExFreePoolWithTag(p, 0); }
void NTAPI KeBugCheckEx(ULONG code, ULONG_PTR a, ULONG_PTR b, ULONG_PTR c, ULONG_PTR d) {
  for (;;) ExpCount += code + a + b + c + d;
}

NTSTATUS NTAPI SeQueryInformationToken(PVOID token, ULONG class_, PVOID *information) {
  if (class_ == 0 || class_ > 40) return STATUS_INVALID_INFO_CLASS;
  ULONG *p = ExAllocatePoolWithTag(PagedPool, 0x54, TAG('S', 'e', ' ', ' '));
  if (p == 0) return STATUS_INSUFFICIENT_RESOURCES;
  p[0] = class_;
  *(PVOID *)(p + 2) = token;
  *information = p;
  return STATUS_SUCCESS;
}

/* The last thing that it does with its thread gives all back. */
NOINLINE void PspAuditThread(NTSTATUS status) {
  PVOID groups;
  if (!NT_SUCCESS(SeQueryInformationToken(PsInitialSystemProcess, 2, &groups))) return;
  ExpCount += *(ULONG *)groups + status;
  ExFreePool(groups);
}
NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS status) {
  PspAuditThread(status);
  for (;;) ExpCount++;
}

/* An allocator behind a variable that has a value in the file. */
NOINLINE IRP *NTAPI IopAllocateIrpPrivate(UCHAR stack, BOOLEAN quota) {
  IRP *irp = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(IRP) + stack * 0x48, TAG('I', 'r', 'p', ' '));
  if (irp == 0) return 0;
  irp->Type = 6;
  irp->Size = quota;
  return irp;
}
static IRP *(NTAPI *volatile IopAllocateIrp)(UCHAR, BOOLEAN) = IopAllocateIrpPrivate;
IRP *NTAPI IoAllocateIrp(UCHAR stack, BOOLEAN quota) { return IopAllocateIrp(stack, quota); }
void NTAPI IoFreeIrp(IRP *irp) { ExFreePoolWithTag(irp, TAG('I', 'r', 'p', ' ')); }

/* String memory behind a constant pointer. */
NOINLINE PVOID NTAPI ExpAllocateString(SIZE_T size) { return ExAllocatePoolWithTag(PagedPool, size, TAG('S', 't', 'r', 'g')); }
typedef PVOID NTAPI ALLOCATE_STRING(SIZE_T size);
ALLOCATE_STRING *const RtlAllocateStringRoutine = ExpAllocateString;
/* read from memory each time, as across modules */
#define RtlpAllocate (*(ALLOCATE_STRING *const volatile *)&RtlAllocateStringRoutine)
NTSTATUS NTAPI RtlAnsiStringToUnicodeString(UNICODE_STRING *to, const UNICODE_STRING *from, BOOLEAN allocate) {
  ULONG length = from->Length * 2;
  if (allocate) {
    to->Buffer = RtlpAllocate(length + 2);
    if (to->Buffer == 0) return STATUS_INSUFFICIENT_RESOURCES;
    to->MaximumLength = length + 2;
  } else if (length >= to->MaximumLength) return STATUS_INVALID_PARAMETER;
  for (ULONG i = 0; i < from->Length; i++) to->Buffer[i] = ((const UCHAR *)from->Buffer)[i];
  to->Length = length;
  return STATUS_SUCCESS;
}
BOOLEAN NTAPI RtlCreateUnicodeString(UNICODE_STRING *to, const WCHAR *from) {
  ULONG n = 0;
  while (from[n] != 0) n++;
  to->Buffer = RtlpAllocate(n * 2 + 2);
  if (to->Buffer == 0) return 0;
  to->Length = n * 2;
  return 1;
}
void NTAPI RtlFreeUnicodeString(UNICODE_STRING *string) {
  if (string->Buffer == 0) return;
  ExFreePoolWithTag(string->Buffer, 0);
  string->Buffer = 0;
}
#ifdef __x86_64__
void NTAPI RtlFreeAnsiString(UNICODE_STRING *string) __attribute__((alias("RtlFreeUnicodeString")));
#else
void NTAPI RtlFreeAnsiString(UNICODE_STRING *string) __attribute__((alias("RtlFreeUnicodeString@4")));
#endif
void NTAPI RtlInitUnicodeString(UNICODE_STRING *to, const WCHAR *from) {
  ULONG n = 0;
  while (from[n] != 0) n++;
  to->Length = n * 2;
  to->Buffer = (WCHAR *)from;
}

PVOID NTAPI MmAllocateMappingAddress(SIZE_T size, ULONG tag) { return ExAllocatePoolWithTag(NonPagedPoolNx, size >> 9, tag); }
void NTAPI MmFreeMappingAddress(PVOID address, ULONG tag) { ExFreePoolWithTag(address, tag); }

/* A work item is kept until its routine was called, with another pointer than its own. */
static PVOID *ExpWorkQueue;
PVOID NTAPI IoAllocateWorkItem(PVOID device) {
  PVOID *item = ExAllocatePoolWithTag(NonPagedPoolNx, 5 * sizeof(PVOID), TAG('I', 'o', 'W', 'I'));
  if (item != 0) item[1] = device;
  return item;
}
void NTAPI IoFreeWorkItem(PVOID item) { ExFreePoolWithTag(item, TAG('I', 'o', 'W', 'I')); }
void NTAPI IoQueueWorkItem(PVOID item, PVOID routine, ULONG queue, PVOID context) {
  PVOID *work = item;
  work[0] = ExpWorkQueue;
  work[2] = routine;
  work[3] = context;
  ExpCount += queue;
  ExpWorkQueue = work;
}
/* The link's memory is the caller's, whose tag is nowhere documented. */
NTSTATUS NTAPI IoRegisterDeviceInterface(PVOID device, const void *class_, UNICODE_STRING *reference, UNICODE_STRING *link) {
  ULONG *text = ExAllocatePoolWithTag(PagedPool, 0x100, TAG('P', 'p', 'L', 'k'));
  if (text == 0) return STATUS_INSUFFICIENT_RESOURCES;
  text[0] = *(const ULONG *)class_ ^ (device == reference);
  link->Buffer = (WCHAR *)text;
  link->Length = 0xf0;
  link->MaximumLength = 0x100;
  return STATUS_SUCCESS;
}

/* The tag stands in a constant beside code, as after /MERGE:.rdata=.text. */
__attribute__((section(".text$zz"), used)) static const volatile struct { ULONG64 fixed; ULONG tag, spare; } MiConstants = { 0x1312d00, TAG('M', 'm', 'S', 't'), 0 };
PVOID NTAPI MmMapSection(ULONG pages) {
  ULONG *map = ExAllocatePoolWithTag(PagedPool, pages * 8 + 8, MiConstants.tag);
  if (map != 0) map[0] = pages;
  return map;
}
void NTAPI MmUnmapSection(PVOID map) { ExFreePoolWithTag(map, 0); }

LONG FASTCALL ObfReferenceObject(PVOID object) { return __sync_add_and_fetch((LONG *)object - 12, 1); }
LONG FASTCALL ObfDereferenceObject(PVOID object) { return __sync_sub_and_fetch((LONG *)object - 12, 1); }
NTSTATUS NTAPI ObReferenceObjectByHandle(HANDLE handle, ULONG access, PVOID type, ULONG mode, PVOID *object, PVOID information) {
  PVOID *entry = (PVOID *)((ULONG_PTR)handle & ~(ULONG_PTR)7);
  if (entry == 0 || (type != 0 && entry[1] != type)) return STATUS_INVALID_PARAMETER;
  ObfReferenceObject(entry[0]);
  ObpReferences += access + mode;
  if (information != 0) *(ULONG *)information = access;
  *object = entry[0];
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI PsLookupProcessByProcessId(HANDLE id, PVOID *process) {
  PVOID *entry = (PVOID *)((ULONG_PTR)id & ~(ULONG_PTR)3);
  if (entry == 0) return STATUS_INVALID_PARAMETER;
  ObfReferenceObject(entry[0]);
  *process = entry[0];
  return STATUS_SUCCESS;
}
/* Only the file is referenced: the device goes with it. */
NTSTATUS NTAPI IoGetDeviceObjectPointer(UNICODE_STRING *name, ULONG access, PVOID *file, PVOID *device) {
  PVOID *object = (PVOID *)name->Buffer;
  if (object == 0 || access == 0) return STATUS_NOT_FOUND;
  ObfReferenceObject(object);
  *file = object;
  *device = object[1];
  return STATUS_SUCCESS;
}
PVOID NTAPI PsReferencePrimaryToken(PVOID process) {
  PVOID token = ((PVOID *)process)[9];
  ObfReferenceObject(token);
  return token;
}
void NTAPI PsDereferencePrimaryToken(PVOID token) { ObfDereferenceObject(token); }
PVOID NTAPI PsGetCurrentProcess(void) { return PsInitialSystemProcess; }
HANDLE NTAPI PsGetProcessId(PVOID process) { return ((HANDLE *)process)[4]; }
NOINLINE PVOID PspAllocateProcess(void) { return ExAllocatePoolWithTag(NonPagedPoolNx, 0xa80, TAG('P', 'r', 'o', 'c')); }
NOINLINE PVOID SepAllocateToken(void) { return ExAllocatePoolWithTag(PagedPool, 0x480, TAG('T', 'o', 'k', 'e')); }
NOINLINE PVOID CmpAllocateKeyBody(void) { return ExAllocatePoolWithTag(PagedPool, 0x68, TAG('K', 'e', 'y', ' ')); }
NOINLINE PVOID MiAllocateSection(void) { return ExAllocatePoolWithTag(PagedPool, 0x58, TAG('S', 'e', 'c', 't')); }
NTSTATUS NTAPI PsCreateSystemThread(HANDLE *thread, ULONG access, PVOID attributes, HANDLE process, PVOID id, WORKER *start, PVOID context) {
  ULONG_PTR *t = ExAllocatePoolWithTag(NonPagedPoolNx, 0x600, TAG('T', 'h', 'r', 'e'));
  if (t == 0) return STATUS_INSUFFICIENT_RESOURCES;
  t[0] = access + (ULONG_PTR)attributes + (ULONG_PTR)process + (ULONG_PTR)id;
  t[1] = (ULONG_PTR)start;
  t[2] = (ULONG_PTR)context;
  *thread = t;
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI ZwOpenKey(HANDLE *key, ULONG access, PVOID attributes) {
  if (attributes == 0) return STATUS_INVALID_PARAMETER;
  *key = (HANDLE)(ULONG_PTR)(0x100 + access);
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI ZwOpenSection(HANDLE *section, ULONG access, PVOID attributes) {
  if (attributes == 0) return STATUS_NOT_FOUND;
  *section = (HANDLE)(ULONG_PTR)(0x200 + access);
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI ZwClose(HANDLE handle) { return handle == 0 ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS; }
/* The kernel opens, closes, references and gives back by calls of its own exports. */
NTSTATUS NTAPI CmOpenHive(PVOID attributes) {
  HANDLE key;
  PVOID object;
  NTSTATUS status = ZwOpenKey(&key, 0x20019, attributes);
  if (!NT_SUCCESS(status)) return status;
  status = ObReferenceObjectByHandle(key, 1, 0, 0, &object, 0);
  if (NT_SUCCESS(status)) {
    ExpCount += *(ULONG *)object;
    ObfDereferenceObject(object);
  }
  ZwClose(key);
  return status;
}

NTSTATUS FASTCALL IofCallDriver(PVOID device, IRP *irp) { irp->Status = device == 0 ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS; return irp->Status; }
void FASTCALL IofCompleteRequest(IRP *irp, UCHAR boost) { irp->Size += boost; }
void NTAPI IoDeleteDevice(PVOID device) { *(ULONG *)device = 0; }
NTSTATUS NTAPI KeDelayExecutionThread(ULONG mode, BOOLEAN alertable, ULONG64 *interval) { ExpCount += mode + alertable + (interval != 0); return STATUS_SUCCESS; }
PVOID NTAPI MmGetSystemRoutineAddress(UNICODE_STRING *name) {
  for (ULONG i = 0; i < 4; i++) if (MmpRoutines[i].name == name->Buffer) return MmpRoutines[i].routine;
  return 0;
}
/* Lists of free entries: an empty one gives nothing. */
NOINLINE PVOID ExpPopEntry(PVOID *list) {
  PVOID *entry = list[0];
  if (entry != 0) list[0] = entry[0];
  return entry;
}
NOINLINE PVOID ExpPushEntry(PVOID *list, PVOID *entry) {
  PVOID first = list[0];
  entry[0] = first;
  list[0] = entry;
  return first;
}
PVOID NTAPI ExpInterlockedPopEntrySList(PVOID list) { return ExpPopEntry(list); }
PVOID NTAPI ExpInterlockedPushEntrySList(PVOID list, PVOID entry) { return ExpPushEntry(list, entry); }
PVOID FASTCALL InterlockedPopEntrySList(PVOID list) { return ExpPopEntry(list); }
PVOID FASTCALL InterlockedPushEntrySList(PVOID list, PVOID entry) { return ExpPushEntry(list, entry); }
void NTAPI ExInitializeNPagedLookasideList(LOOKASIDE_LIST *l, PVOID allocate, PVOID free, ULONG flags, SIZE_T size, ULONG tag, USHORT depth) {
  ENTRY_LIST *list = (ENTRY_LIST *)l;
  list->Header[0] = 0;
  list->Type = NonPagedPoolNx | flags;
  list->Tag = tag;
  list->Size = (ULONG)size;
  list->Depth = depth;
  list->Allocate = allocate == 0 ? (PVOID)ExAllocatePoolWithTag : allocate;
  list->Free = free == 0 ? (PVOID)ExFreePool : free;
}

NTSTATUS NTAPI KiSystemStartup(PVOID block) {
  PVOID made[4] = { PspAllocateProcess(), SepAllocateToken(), CmpAllocateKeyBody(), MiAllocateSection() };
  PsInitialSystemProcess = made[0];
  ExpCount += block != made[1] && made[2] != made[3];
  return STATUS_SUCCESS;
}
