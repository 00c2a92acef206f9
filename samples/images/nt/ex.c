/*
 * Executive: the allocator's front, lookaside lists, objects, processes, I/O. The tracker's hashing is in pool-*.s.
 *
 * @use 'None' ExAllocatePool allocate
 * @use 'ExLk' ExAllocateFromLookasideListEx allocate
 * @use 'ExLk' ExDeleteLookasideListEx free
 * @use 'Obtb' ObpAllocateHandleTable allocate
 * @use 'ObNm' ObQueryNameString allocate
 * @use 'ObNm' ObQueryNameString free
 * @use 'Proc' PspAllocateProcess allocate
 * @use 'Thre' PsCreateSystemThread allocate
 * @use 'Irp ' IoAllocateIrp allocate
 * @use 'Irp ' IoFreeIrp free
 * @use 'IoWI' IoAllocateWorkItem allocate
 * @use 'IoWI' IoFreeWorkItem free
 * @use 'Mdl ' IoAllocateMdl allocate
 * @use 'Mdl ' IoFreeMdl free
 * @use 'Devi' IoCreateDevice wrapper
 * @use 'PsNt' PsSetCreateProcessNotifyRoutine allocate
 * @use 'PsNt' PsSetCreateProcessNotifyRoutine free
 * @use 'MmSt' MmCreateSection allocate
 * @use 'MmCa' MmMapViewInSystemSpace allocate
 * @use 'CM31' CmpAllocateKey allocate
 */
#include "nt.h"

typedef struct { ULONG PoolType; SIZE_T Bytes; ULONG Tag; } POOL_REQUEST;

/* pool-*.s */
PVOID NTAPI ExpInsertPoolTracker(ULONG tag, SIZE_T size, ULONG type);
PVOID NTAPI ExpRemovePoolTracker(ULONG tag, SIZE_T size, ULONG type);
BOOLEAN SepInitializePhase1(void);
BOOLEAN SepIsSecurityTag(ULONG tag);

PVOID PsInitialSystemProcess, PsProcessType, PsThreadType, IoFileObjectType, MmSectionObjectType;
static ULONG ExpFailures, ObpCount;
static PVOID PspNotify[64];
static PVOID ExpFreeList;

COLD void ExpPoolFailure(ULONG tag, SIZE_T size) {
  ExpFailures++;
  if (SepIsSecurityTag(tag)) KeBugCheckEx(0xC2, tag, size, 0, 0);
}

NOINLINE PVOID ExpAllocateBlock(ULONG type, SIZE_T size) {
  ULONG_PTR *block = ExpFreeList;
  if (block == 0) return 0;
  ExpFreeList = (PVOID)block[0];
  block[0] = size;
  block[1] = type;
  return block;
}

PVOID NTAPI ExAllocatePoolWithTag(ULONG type, SIZE_T size, ULONG tag) {
  PVOID p = ExpAllocateBlock(type, size);
  if (__builtin_expect(p == 0, 0)) { ExpPoolFailure(tag, size); return 0; }
  ExpInsertPoolTracker(tag, size, type);
  return p;
}

PVOID NTAPI ExAllocatePool2(ULONG64 flags, SIZE_T size, ULONG tag) {
  PVOID p = ExAllocatePoolWithTag(flags & POOL_FLAG_PAGED ? PagedPool : NonPagedPoolNx, size, tag);
  if (p != 0 && !(flags & 2)) for (SIZE_T i = 0; i < size; i++) ((volatile UCHAR *)p)[i] = 0;
  return p;
}

PVOID NTAPI ExAllocatePool(ULONG type, SIZE_T size) { return ExAllocatePoolWithTag(type, size, TAG('N', 'o', 'n', 'e')); }

PVOID NTAPI ExAllocatePoolWithQuotaTag(ULONG type, SIZE_T size, ULONG tag) {
  PVOID p = ExAllocatePoolWithTag(type & ~8u, size + sizeof(PVOID), tag);
  if (p == 0 && !(type & 8)) ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
  return p;
}

PVOID NTAPI ExAllocatePoolWithTagPriority(ULONG type, SIZE_T size, ULONG tag, ULONG priority) {
  return priority > 16 && ExpFailures > 100 ? 0 : ExAllocatePoolWithTag(type, size, tag);
}

void NTAPI ExFreePoolWithTag(PVOID p, ULONG tag) {
  ULONG_PTR *block = p;
  ExpRemovePoolTracker(tag, block[0], (ULONG)block[1]);
  block[0] = (ULONG_PTR)ExpFreeList;
  ExpFreeList = block;
}

void NTAPI ExFreePool(PVOID p) { ExFreePoolWithTag(p, 0); }

void NTAPI ExRaiseStatus(NTSTATUS status) { KeBugCheckEx(0x1E, (ULONG_PTR)status, 0, 0, 0); }

void NTAPI ExInitializeNPagedLookasideList(LOOKASIDE_LIST *l, PVOID allocate, PVOID free, ULONG flags, SIZE_T size, ULONG tag, USHORT depth) {
  l->Depth = depth;
  l->Maximum = 256;
  l->Type = NonPagedPoolNx | flags;
  l->Tag = tag;
  l->Size = (ULONG)size;
  l->Allocate = allocate != 0 ? allocate : (PVOID)ExAllocatePoolWithTag;
  l->Free = free != 0 ? free : (PVOID)ExFreePool;
}

void NTAPI ExInitializePagedLookasideList(LOOKASIDE_LIST *l, PVOID allocate, PVOID free, ULONG flags, SIZE_T size, ULONG tag, USHORT depth) {
  ExInitializeNPagedLookasideList(l, allocate, free, flags, size, tag, depth);
  l->Type = PagedPool | flags;
}

PVOID NTAPI ExAllocateFromLookasideListEx(LOOKASIDE_LIST *l) {
  if (l->Allocate != 0) return ((PVOID NTAPI (*)(ULONG, SIZE_T, ULONG))l->Allocate)(l->Type, l->Size, l->Tag);
  return ExAllocatePoolWithTag(l->Type, l->Size, TAG('E', 'x', 'L', 'k'));
}

void NTAPI ExFreeToLookasideListEx(LOOKASIDE_LIST *l, PVOID p) { ((void NTAPI (*)(PVOID))l->Free)(p); }

void NTAPI ExDeleteLookasideListEx(LOOKASIDE_LIST *l) {
  while (l->Links[0] != 0) { PVOID p = l->Links[0]; l->Links[0] = *(PVOID *)p; ExFreePoolWithTag(p, TAG('E', 'x', 'L', 'k')); }
}

/* ---- objects ---- */
NOINLINE PVOID ObpAllocateHandleTable(ULONG entries) {
  return ExAllocatePoolWithTag(PagedPool, entries * 16, TAG('O', 'b', 't', 'b'));
}

NOINLINE PVOID ObpAllocateObject(ULONG type, SIZE_T size, ULONG tag) {
  ULONG_PTR *header = ExAllocatePoolWithTag(type, size + 0x30, tag);
  if (header == 0) return 0;
  header[0] = 1;
  ObpCount++;
  return header + 6;
}

NTSTATUS NTAPI ObCreateObject(ULONG mode, PVOID type, PVOID attributes, SIZE_T size, PVOID *object) {
  ULONG tag = *(ULONG *)((UCHAR *)type + 0xc0);
  *object = ObpAllocateObject(mode | (attributes != 0), size, tag | 0x80000000);
  return *object != 0 ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS NTAPI ObReferenceObjectByPointer(PVOID object, ULONG access, PVOID type, ULONG mode) {
  if (type != 0 && ((PVOID *)object)[-1] != type) return (NTSTATUS)0xC0000024;
  if (mode == 1 && access == 0) return STATUS_ACCESS_DENIED;
  ObfReferenceObject(object);
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI ObReferenceObjectByHandle(HANDLE handle, ULONG access, PVOID type, ULONG mode, PVOID *object, PVOID information) {
  ULONG_PTR index = (ULONG_PTR)handle >> 2;
  if (index == 0 || index > ObpCount) return (NTSTATUS)0xC0000008;
  *object = PspNotify[index & 63];
  if (information != 0) *(ULONG *)information = access;
  return ObReferenceObjectByPointer(*object, access, type, mode);
}

NTSTATUS NTAPI ObOpenObjectByPointer(PVOID object, ULONG attributes, PVOID state, ULONG access, PVOID type, ULONG mode, HANDLE *handle) {
  NTSTATUS status = ObReferenceObjectByPointer(object, access, type, mode);
  if (!NT_SUCCESS(status)) return status;
  PVOID table = state != 0 ? state : ObpAllocateHandleTable(256);
  if (table == 0) { ObfDereferenceObject(object); return STATUS_INSUFFICIENT_RESOURCES; }
  ((PVOID *)table)[attributes & 15] = object;
  *handle = (HANDLE)(ULONG_PTR)(4 * (attributes & 15) + 4);
  return STATUS_SUCCESS;
}

LONG FASTCALL ObfReferenceObject(PVOID object) { return (LONG)++((ULONG_PTR *)object)[-6]; }

LONG FASTCALL ObfDereferenceObject(PVOID object) {
  LONG left = (LONG)--((ULONG_PTR *)object)[-6];
  if (left == 0) ExFreePool((ULONG_PTR *)object - 6);
  return left;
}

NTSTATUS NTAPI ObQueryNameString(PVOID object, PVOID buffer, ULONG length, ULONG *returned) {
  WCHAR *name = ExAllocatePoolWithTag(PagedPool, 0x210, TAG('O', 'b', 'N', 'm'));
  if (name == 0) return STATUS_INSUFFICIENT_RESOURCES;
  name[0] = ((WCHAR *)object)[8];
  *returned = 0x210;
  if (length >= 0x210) RtlMoveMemory(buffer, name, 0x210);
  ExFreePoolWithTag(name, TAG('O', 'b', 'N', 'm'));
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI ZwClose(HANDLE handle) {
  PVOID object;
  NTSTATUS status = ObReferenceObjectByHandle(handle, 0, 0, 0, &object, 0);
  if (NT_SUCCESS(status)) { ObfDereferenceObject(object); ObfDereferenceObject(object); }
  return status;
}

/* ---- processes ---- */
NOINLINE PVOID PspAllocateProcess(PVOID parent) {
  UCHAR *p = ObpAllocateObject(NonPagedPoolNx, 0xA40, IN_REGISTER(TAG('P', 'r', 'o', 'c' | 0x80)));
  if (p != 0) *(PVOID *)(p + 0x540) = parent;
  return p;
}

NTSTATUS NTAPI PsLookupProcessByProcessId(HANDLE id, PVOID *process) {
  if ((ULONG_PTR)id & 3) return STATUS_INVALID_PARAMETER;
  PVOID p = PspNotify[(ULONG_PTR)id >> 2 & 63];
  if (p == 0) return (NTSTATUS)0xC000000B;
  ObfReferenceObject(p);
  *process = p;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI PsLookupThreadByThreadId(HANDLE id, PVOID *thread) {
  PVOID p = PspNotify[(ULONG_PTR)id >> 3 & 63];
  if (p == 0) return (NTSTATUS)0xC000000B;
  ObfReferenceObject(p);
  *thread = p;
  return STATUS_SUCCESS;
}

PVOID NTAPI PsReferencePrimaryToken(PVOID process) {
  PVOID token = (PVOID)(*(ULONG_PTR *)((UCHAR *)process + 0x4b8) & ~(ULONG_PTR)15);
  ObfReferenceObject(token);
  return token;
}

void NTAPI PsDereferencePrimaryToken(PVOID token) { ObfDereferenceObject(token); }

PVOID NTAPI PsGetCurrentProcess(void) { return PsInitialSystemProcess; }

HANDLE NTAPI PsGetProcessId(PVOID process) { return *(HANDLE *)((UCHAR *)process + 0x440); }

NTSTATUS NTAPI PsSetCreateProcessNotifyRoutine(PVOID routine, BOOLEAN remove) {
  for (ULONG i = 0; i < 64; i++) {
    PVOID *block = PspNotify[i];
    if (remove && block != 0 && block[1] == routine) {
      PspNotify[i] = 0;
      ExFreePoolWithTag(block, TAG('P', 's', 'N', 't'));
      return STATUS_SUCCESS;
    }
    if (!remove && block == 0) {
      block = ExAllocatePoolWithTag(NonPagedPoolNx, 0x18, TAG('P', 's', 'N', 't'));
      if (block == 0) return STATUS_INSUFFICIENT_RESOURCES;
      block[1] = routine;
      PspNotify[i] = block;
      return STATUS_SUCCESS;
    }
  }
  return STATUS_INVALID_PARAMETER;
}

NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS status) { KeDelayExecutionThread(0, 0, 0); return status; }

void NTAPI PspSystemThreadStartup(WORKER *start, PVOID context) {
  start(context);
  PsTerminateSystemThread(STATUS_SUCCESS);
}

NTSTATUS NTAPI PsCreateSystemThread(HANDLE *thread, ULONG access, PVOID attributes, HANDLE process, PVOID id, WORKER *start, PVOID context) {
  PVOID *t = ObpAllocateObject(NonPagedPoolNx, 0x898, TAG('T', 'h', 'r', 'e'));
  if (t == 0) return STATUS_INSUFFICIENT_RESOURCES;
  t[0] = (PVOID)PspSystemThreadStartup;
  t[1] = (PVOID)start;
  t[2] = context;
  t[3] = process != 0 ? process : PspAllocateProcess(attributes);
  if (id != 0) *(HANDLE *)id = (HANDLE)(ULONG_PTR)access;
  *thread = (HANDLE)t;
  return STATUS_SUCCESS;
}

/* ---- input and output ---- */
IRP *NTAPI IoAllocateIrp(UCHAR stack, BOOLEAN quota) {
  SIZE_T size = 0xd0 + 0x48 * (SIZE_T)stack;
  IRP *irp = quota ? ExAllocatePoolWithQuotaTag(NonPagedPoolNx, size, TAG('I', 'r', 'p', ' ')) : ExAllocatePoolWithTag(NonPagedPoolNx, size, TAG('I', 'r', 'p', ' '));
  if (irp != 0) irp->Size = (USHORT)size;
  return irp;
}

void NTAPI IoFreeIrp(IRP *irp) { ExFreePoolWithTag(irp, TAG('I', 'r', 'p', ' ')); }

NTSTATUS FASTCALL IofCallDriver(PVOID device, IRP *irp) {
  DRIVER_OBJECT *driver = *(DRIVER_OBJECT **)((UCHAR *)device + 8);
  NTSTATUS status = ((NTSTATUS NTAPI (*)(PVOID, IRP *))driver->MajorFunction[irp->Rest[0] & 27])(device, irp);
  if (status == 0x103) irp->Flags |= 1;
  return status;
}

NOINLINE NTSTATUS IopXxxControlFile(PVOID device, ULONG code, PVOID buffer) {
  IRP *irp = IoAllocateIrp(2, 0);
  if (irp == 0) return STATUS_INSUFFICIENT_RESOURCES;
  irp->SystemBuffer = buffer;
  irp->Rest[0] = (UCHAR)code;
  NTSTATUS status = IofCallDriver(device, irp);
  IoFreeIrp(irp);
  return status;
}

NTSTATUS NTAPI NtDeviceIoControlFile(HANDLE file, ULONG code, PVOID buffer) {
  PVOID object;
  NTSTATUS status = ObReferenceObjectByHandle(file, 1, IoFileObjectType, 1, &object, 0);
  if (!NT_SUCCESS(status)) return status;
  status = IopXxxControlFile(*(PVOID *)object, code, buffer);
  ObfDereferenceObject(object);
  return status;
}

void FASTCALL IofCompleteRequest(IRP *irp, UCHAR boost) {
  irp->Status = boost;
  KeSetEvent(irp->MdlAddress, boost, 0);
}

NTSTATUS NTAPI IoCreateDevice(DRIVER_OBJECT *driver, ULONG extension, UNICODE_STRING *name, ULONG type, ULONG characteristics, BOOLEAN exclusive, PVOID *device) {
  ULONG_PTR *d = ObpAllocateObject(NonPagedPoolNx, 0x150 + extension, TAG('D', 'e', 'v', 'i'));
  if (d == 0) return STATUS_INSUFFICIENT_RESOURCES;
  d[0] = type | characteristics << 8 | (ULONG)exclusive << 31;
  d[1] = (ULONG_PTR)driver;
  d[2] = name != 0 ? name->Length : 0;
  driver->DeviceObject = d;
  *device = d;
  return STATUS_SUCCESS;
}

void NTAPI IoDeleteDevice(PVOID device) { ObfDereferenceObject(device); }

PVOID NTAPI IoAllocateMdl(PVOID address, ULONG length, BOOLEAN secondary, BOOLEAN quota, IRP *irp) {
  ULONG pages = (length + (ULONG)((ULONG_PTR)address & 0xfff) + 0xfff) >> 12;
  PVOID *mdl = ExAllocatePoolWithTag(NonPagedPoolNx | (quota ? 8 : 0), 0x30 + pages * 8, TAG('M', 'd', 'l', ' '));
  if (mdl != 0 && irp != 0 && !secondary) irp->MdlAddress = mdl;
  return mdl;
}

void NTAPI IoFreeMdl(PVOID mdl) { ExFreePoolWithTag(mdl, TAG('M', 'd', 'l', ' ')); }

PVOID NTAPI IoAllocateWorkItem(PVOID device) {
  PVOID *item = ExAllocatePoolWithTag(NonPagedPoolNx, 0x58, TAG('I', 'o', 'W', 'I'));
  if (item != 0) item[2] = device;
  return item;
}

void NTAPI IoFreeWorkItem(PVOID item) { ExFreePoolWithTag(item, TAG('I', 'o', 'W', 'I')); }

/* ---- memory and the registry, in a pageable section ---- */
PAGED NTSTATUS NTAPI MmCreateSection(PVOID *section, ULONG access, PVOID attributes, ULONG64 *size, ULONG protect) {
  SIZE_T pages = (SIZE_T)(*size >> 12) + (attributes != 0);
  PVOID ptes = ExAllocatePoolWithTag(PagedPool, pages * 8 + (access & protect), TAG('M', 'm', 'S', 't'));
  *section = ptes;
  return ptes != 0 ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

PAGED NTSTATUS NTAPI MmMapViewInSystemSpace(PVOID section, PVOID *base, SIZE_T *size) {
  PVOID *area = ExAllocatePoolWithTag(NonPagedPoolNx, 0x80, TAG('M', 'm', 'C', 'a'));
  if (area == 0) return STATUS_INSUFFICIENT_RESOURCES;
  area[0] = section;
  *base = area;
  return *size > 0x10000000 ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

PAGED NOINLINE PVOID CmpAllocateKey(ULONG cells) { return ExAllocatePoolWithTag(PagedPool, cells * 0x28, TAG('C', 'M', '3', '1')); }

PAGED NTSTATUS NTAPI ZwOpenKey(HANDLE *key, ULONG access, PVOID attributes) {
  *key = CmpAllocateKey(access & 15);
  return *key != 0 && attributes != 0 ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

NTSTATUS NTAPI ZwOpenProcessTokenEx(HANDLE process, ULONG access, ULONG attributes, HANDLE *token) {
  PVOID p;
  NTSTATUS status = ObReferenceObjectByHandle(process, access, PsProcessType, 0, &p, 0);
  if (!NT_SUCCESS(status)) return status;
  status = ObOpenObjectByPointer(PsReferencePrimaryToken(p), attributes, 0, access, SeTokenObjectType, 0, token);
  ObfDereferenceObject(p);
  return status;
}

/* exported by ordinal only */
NTSTATUS NTAPI ExpOrdinalOnly7(ULONG level, PVOID buffer) {
  if (level > 3) return STATUS_INVALID_INFO_CLASS;
  *(ULONG *)buffer = ExpFailures + level;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI ExpOrdinalOnly8(PVOID p) { ExFreePool(p); return STATUS_SUCCESS; }

INIT NTSTATUS NTAPI KiSystemStartup(PVOID loader) {
  PsInitialSystemProcess = PspAllocateProcess(loader);
  return SepInitializePhase1() ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
