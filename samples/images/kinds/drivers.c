/*
 * The drivers of the kinds, one for each KIND_ name; what each does wrong, or does right, is said at it.
 */
#include "kinds.h"

static ULONG Count;
static PVOID Device;
static ULONG Seen(PVOID p) { return *(volatile ULONG *)p; }
#define QUERY(p) SeQueryInformationToken(PsInitialSystemProcess, 1, (p))

/* OBJ_CASE_INSENSITIVE, and OBJ_KERNEL_HANDLE. */
#ifdef KIND_KERNKEY
#define OF_HANDLE 0x240
#else
#define OF_HANDLE 0x40
#endif

#if defined KIND_ONEPATH
/* Leaks on one path only: where the length is odd, it returns before the release. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  NTSTATUS status = QUERY(&p);
  if (!NT_SUCCESS(status)) return status;
  if (Seen(p) & 1) { irp->Information = 0; return STATUS_NOT_FOUND; }
  Count += Seen(p);
  ExFreePool(p);
  return STATUS_SUCCESS;
}
#elif defined KIND_ALLPATHS
/* Releases on both. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  NTSTATUS status = QUERY(&p);
  if (!NT_SUCCESS(status)) return status;
  if (Seen(p) & 1) { irp->Information = 0; ExFreePool(p); return STATUS_NOT_FOUND; }
  Count += Seen(p);
  ExFreePool(p);
  return STATUS_SUCCESS;
}
#elif defined KIND_FORTY || defined KIND_FORTYALL
/* Forty control codes, each asks and releases; fortys forgets it in one of them, fortyall in none. */
#ifdef KIND_FORTY
#define LAST(p) Count += Seen(p)
#else
#define LAST(p) ExFreePool(p)
#endif
#define CODE(n, release) \
  case 0x222000 + 4 * (n): \
    status = SeQueryInformationToken(PsInitialSystemProcess, (n) % 29 + 1, &p); \
    if (!NT_SUCCESS(status)) return status; \
    irp->Information = Seen(p) + (n); \
    release(p); \
    return STATUS_SUCCESS;
#define FIVE(n) CODE(n, ExFreePool) CODE(n + 1, ExFreePool) CODE(n + 2, ExFreePool) CODE(n + 3, ExFreePool) CODE(n + 4, ExFreePool)
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  NTSTATUS status;
  switch (irp->Flags) {
    FIVE(0) FIVE(5) FIVE(10) FIVE(15) FIVE(20) FIVE(25) FIVE(30)
    CODE(35, ExFreePool) CODE(36, ExFreePool) CODE(37, LAST) CODE(38, ExFreePool) CODE(39, ExFreePool)
  }
  return STATUS_INVALID_PARAMETER;
}
#elif defined KIND_GLOBKEEP || defined KIND_GLOBFREE
/* Stores the answer in a variable; globfree releases the one before, globkeep nothing. */
static PVOID Kept;
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  NTSTATUS status = QUERY(&p);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(p);
#ifdef KIND_GLOBFREE
  if (Kept != 0) ExFreePool(Kept);
#endif
  Kept = p;
  return STATUS_SUCCESS;
}
#elif defined KIND_FIELDKEEP || defined KIND_FIELDFREE
/* Stores the answer in a field of its argument; fieldfree has a routine that only a pointer leads to and that releases it. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  NTSTATUS status = QUERY(&p);
  if (!NT_SUCCESS(status)) return status;
  *(PVOID *)(irp->Rest + 16) = p;
  return STATUS_SUCCESS;
}
#ifdef KIND_FIELDFREE
#define SECOND Cleanup
NTSTATUS NTAPI Cleanup(PVOID device, IRP *irp) {
  PVOID p = *(PVOID *)(irp->Rest + 16);
  if (device == 0) return STATUS_INVALID_PARAMETER;
  if (p != 0) ExFreePool(p);
  *(PVOID *)(irp->Rest + 16) = 0;
  return STATUS_SUCCESS;
}
#endif
#elif defined KIND_LISTKEEP || defined KIND_LISTFREE
/* Puts the answer on a list; listfree has a routine that empties it. */
static LIST_ENTRY List = { &List, &List };
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  NTSTATUS status = QUERY(&p);
  if (!NT_SUCCESS(status)) return status;
  LIST_ENTRY *e = (LIST_ENTRY *)((UCHAR *)p + 16);
  irp->Information = Count++;
  e->Blink = &List;
  e->Flink = List.Flink;
  List.Flink->Blink = e;
  List.Flink = e;
  return STATUS_SUCCESS;
}
#ifdef KIND_LISTFREE
#define SECOND Cleanup
NTSTATUS NTAPI Cleanup(PVOID device, IRP *irp) {
  while (List.Flink != &List) {
    LIST_ENTRY *e = List.Flink;
    List.Flink = e->Flink;
    e->Flink->Blink = &List;
    ExFreePool((UCHAR *)e - 16);
  }
  irp->Status = device == 0 ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
  return irp->Status;
}
#endif
#elif defined KIND_OUTKEEP || defined KIND_OUTFREE
/* One function hands the answer to another through an out-parameter; outfree's caller releases it. */
NOINLINE NTSTATUS Ask(ULONG flags, PVOID *answer) {
  if (flags == 0) return STATUS_INVALID_PARAMETER;
  return SeQueryInformationToken(PsInitialSystemProcess, flags, answer);
}
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  NTSTATUS status = Ask(irp->Flags, &p);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(p);
#ifdef KIND_OUTFREE
  ExFreePoolWithTag(p, TAG('S', 'e', ' ', ' '));
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_NULLOK || defined KIND_IRPKEEP
/* Needs to free nothing where nothing was given; irpkeep frees nothing anywhere. */
NOINLINE NTSTATUS Work(IRP *irp) {
  IRP *mine = IoAllocateIrp(2, 0);
  if (mine == 0) { Count++; return STATUS_INSUFFICIENT_RESOURCES; }
  mine->Flags = irp->Flags;
#ifdef KIND_NULLOK
  Count += mine->Size;
  IoFreeIrp(mine);
#else
  Device = mine;
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_EXCUSE
/* Keeps the answer, and calls a library that frees what is the library's own. */
static PVOID Kept, Port;
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  NTSTATUS status = QUERY(&p);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(p);
  Kept = p;
  return STATUS_SUCCESS;
}
#define SECOND Cleanup
NTSTATUS NTAPI Cleanup(PVOID device, IRP *irp) {
  if (device == 0) return STATUS_INVALID_PARAMETER;
  InnUnregister(Port);
  irp->Status = STATUS_SUCCESS;
  return STATUS_SUCCESS;
}
#elif defined KIND_OTHERTAG
/* Releases the answer under a tag that is not its own: where the kernel does not check, that is a release. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  NTSTATUS status = QUERY(&p);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(p);
  ExFreePoolWithTag(p, TAG('O', 't', 'h', 'r'));
  return STATUS_SUCCESS;
}
#elif defined KIND_TAILFREE
/* Releases in a function of its own whose last instruction is a jump. */
NOINLINE void GiveBack(PVOID p) { ExFreePool(p); }
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  NTSTATUS status = QUERY(&p);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(p);
  GiveBack(p);
  return STATUS_SUCCESS;
}
#elif defined KIND_LOOKFREE || defined KIND_LOOKKEEP
/* Both look a function up by its name: lookfree the release, lookkeep the query, and it keeps the answer. */
static const WCHAR Name[] =
#ifdef KIND_LOOKFREE
  L"ExFreePool";
typedef void NTAPI FUNCTION(PVOID p);
#else
  L"SeQueryInformationToken";
typedef NTSTATUS NTAPI FUNCTION(PVOID token, ULONG class_, PVOID *information);
#endif
static FUNCTION *Found;
NOINLINE void Resolve(void) {
  UNICODE_STRING name;
  RtlInitUnicodeString(&name, Name);
  Found = (FUNCTION *)MmGetSystemRoutineAddress(&name);
}
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  if (Found == 0) Resolve();
  if (Found == 0) return STATUS_NOT_FOUND;
#ifdef KIND_LOOKFREE
  NTSTATUS status = QUERY(&p);
#else
  NTSTATUS status = Found(PsInitialSystemProcess, 1, &p);
#endif
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(p);
#ifdef KIND_LOOKFREE
  Found(p);
#else
  Device = p;
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_KEYKEEP || defined KIND_KEYCLOSE
/* Opens a key for each request; keyclose closes it. */
NOINLINE NTSTATUS Work(IRP *irp) {
  HANDLE key;
  NTSTATUS status = ZwOpenKey(&key, 0x20019, irp->SystemBuffer);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = (ULONG_PTR)key;
#ifdef KIND_KEYCLOSE
  ZwClose(key);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_STRFALSE || defined KIND_STRKEEP || defined KIND_STRALIAS
/* strfalse lets nothing be allocated: its string has a buffer. strkeep never frees, stralias frees under the other name of the routine. */
NOINLINE NTSTATUS Work(IRP *irp) {
  UNICODE_STRING text;
#ifdef KIND_STRFALSE
  WCHAR buffer[32];
  text.Buffer = buffer;
  text.MaximumLength = sizeof buffer;
  NTSTATUS status = RtlAnsiStringToUnicodeString(&text, irp->SystemBuffer, 0);
#else
  NTSTATUS status = RtlAnsiStringToUnicodeString(&text, irp->SystemBuffer, 1);
#endif
  if (!NT_SUCCESS(status)) return status;
  irp->Information = text.Buffer[0];
#ifdef KIND_STRALIAS
  RtlFreeAnsiString(&text);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_SECTREF
/* References the section that it has just opened, and keeps it: no process, token or file can grow by it. */
NOINLINE NTSTATUS Work(IRP *irp) {
  HANDLE section;
  PVOID object;
  NTSTATUS status = ZwOpenSection(&section, 0xf001f, irp->SystemBuffer);
  if (!NT_SUCCESS(status)) return status;
  status = ObReferenceObjectByHandle(section, 0xf001f, 0, 0, &object, 0);
  if (NT_SUCCESS(status)) irp->Information = (ULONG_PTR)object;
  ZwClose(section);
  return status;
}
#elif defined KIND_TYPEDPROC || defined KIND_TYPEDFILE
/* References what a caller's handle stands for, by type, and keeps it: a process, or a file. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID object;
#ifdef KIND_TYPEDPROC
  NTSTATUS status = ObReferenceObjectByHandle((HANDLE)(ULONG_PTR)irp->Flags, 0x400, PsProcessType, 1, &object, 0);
#else
  NTSTATUS status = ObReferenceObjectByHandle((HANDLE)(ULONG_PTR)irp->Flags, 1, IoFileObjectType, 1, &object, 0);
#endif
  if (NT_SUCCESS(status)) irp->Information = Seen(object);
  return status;
}
#elif defined KIND_PROCKEEP || defined KIND_PROCDEREF
/* Looks a process up for each request; procderef gives it back. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID process;
  NTSTATUS status = PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)irp->Flags, &process);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = (ULONG_PTR)PsGetProcessId(process);
#ifdef KIND_PROCDEREF
  ObfDereferenceObject(process);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_ONCE
/* Looks one process up when it starts, and keeps it for as long as it runs. */
static PVOID System;
NOINLINE NTSTATUS Work(IRP *irp) { irp->Information = (ULONG_PTR)PsGetProcessId(System); return STATUS_SUCCESS; }
#define AT_START NT_SUCCESS(PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)8, &System))
#elif defined KIND_PDOBUS
/* A bus driver: references the devices that it reports, as the PnP manager wants it, which dereferences them. */
NOINLINE NTSTATUS Work(IRP *irp) {
  ULONG_PTR *relations = ExAllocatePoolWithTag(PagedPool, 2 * sizeof(ULONG_PTR), TAG('B', 'u', 's', 'R'));
  if (relations == 0) return STATUS_INSUFFICIENT_RESOURCES;
  *(ULONG *)relations = 1;
  relations[1] = (ULONG_PTR)Device;
  ObfReferenceObject(Device);
  irp->Information = (ULONG_PTR)relations;
  return STATUS_SUCCESS;
}
#elif defined KIND_TOKEKEEP || defined KIND_TOKEDEREF
/* References the caller's token for each request; tokederef gives it back. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID token = PsReferencePrimaryToken(PsGetCurrentProcess());
  irp->Information = Seen(token);
#ifdef KIND_TOKEDEREF
  PsDereferencePrimaryToken(token);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_SENDER
/* Calls a library function that gives back what it takes. */
NOINLINE NTSTATUS Work(IRP *irp) { irp->Information = 0; return InnSend(Device); }
#elif defined KIND_PORTER
/* Registers with a library, which keeps what it takes. */
static PVOID Port;
NOINLINE NTSTATUS Work(IRP *irp) { irp->Information = (ULONG_PTR)Port; return STATUS_SUCCESS; }
#define AT_START NT_SUCCESS(InnRegister(driver, &Port))
#elif defined KIND_LIBKEEP || defined KIND_LIBFREE
/* Opens a library's handle for each request; libfree closes it. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID handle;
  NTSTATUS status = InnOpen(0x40, &handle);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(handle);
#ifdef KIND_LIBFREE
  InnClose(handle);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_CHAINKEEP || defined KIND_CHAINFREE
/* Takes data through two libraries; chainfree gives it back through them. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID data;
  NTSTATUS status = OutAcquire(irp->SystemBuffer, &data);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(data);
#ifdef KIND_CHAINFREE
  OutApply(irp->SystemBuffer, data);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_VIALIBKEEP || defined KIND_VIALIBFREE
/* A library asks the kernel for it; vialibfree releases the answer as its own. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  NTSTATUS status = InnQuery(irp->SystemBuffer, &p);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(p);
#ifdef KIND_VIALIBFREE
  ExFreePool(p);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_ORDER
/* Ends its thread by a kernel function that balances, at an address below the query that it keeps. */
NOINLINE void EndThread(void) { PsTerminateSystemThread(STATUS_SUCCESS); }
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  if (irp->Flags == 0xffff) EndThread();
  NTSTATUS status = QUERY(&p);
  if (!NT_SUCCESS(status)) return status;
  Device = p;
  return STATUS_SUCCESS;
}
#elif defined KIND_ENDER
/* Ends its thread, and does no more with a token. */
NOINLINE NTSTATUS Work(IRP *irp) { return irp->Flags == 0xffff ? PsTerminateSystemThread(STATUS_SUCCESS) : STATUS_SUCCESS; }
#elif defined KIND_MAPKEEP || defined KIND_MAPFREE
/* Maps sections; mapfree unmaps them. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID map = MmMapSection(irp->Flags);
  if (map == 0) return STATUS_INSUFFICIENT_RESOURCES;
  irp->Information = Seen(map);
#ifdef KIND_MAPFREE
  MmUnmapSection(map);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_GLOBTAG || defined KIND_GLOBTAGFREE
/* The tag of its own allocations is a constant in memory. */
const ULONG TagConstant = TAG('G', 'l', 'b', 'T');
#define Tag (*(const volatile ULONG *)&TagConstant)
NOINLINE NTSTATUS Work(IRP *irp) {
  ULONG *p = ExAllocatePoolWithTag(PagedPool, 0x80, Tag);
  if (p == 0) return STATUS_INSUFFICIENT_RESOURCES;
  p[0] = irp->Flags;
#ifdef KIND_GLOBTAGFREE
  Count += Seen(p);
  ExFreePoolWithTag(p, Tag);
#else
  Device = p;
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_TEXTONLY
/* Has the letters of tags in its texts and in the names of what it calls. */
static const char Text[] = "Process created; Token dropped; Keys and Irp  in Strg";
NOINLINE NTSTATUS Work(IRP *irp) { irp->Information = (ULONG)Text[irp->Flags & 31]; return CmOpenHive(irp->SystemBuffer); }
#elif defined KIND_OWNONCE
/* Allocates its own memory once, when it starts. */
static PVOID Own;
NOINLINE NTSTATUS Work(IRP *irp) { irp->Information = Seen(Own); return STATUS_SUCCESS; }
#define AT_START (Own = ExAllocatePoolWithTag(NonPagedPoolNx, 0x400, TAG('G', 'l', 'b', 'T'))) != 0
#elif defined KIND_UNRELATED
/* Keeps the answer; the handle of the thread that it starts it closes, which says nothing of the answer. */
static BOOLEAN Started(DRIVER_OBJECT *driver) {
  HANDLE thread;
  if (!NT_SUCCESS(PsCreateSystemThread(&thread, 0, 0, 0, 0, (WORKER *)IoDeleteDevice, driver))) return 0;
  ZwClose(thread);
  return 1;
}
#define AT_START Started(driver)
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  NTSTATUS status = QUERY(&p);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(p);
  Device = p;
  return STATUS_SUCCESS;
}
#elif defined KIND_LINKKEEP || defined KIND_LINKFREE
/* Has the link of a device interface made in its extension; linkfree frees it in another routine, by the string's address. */
typedef struct { ULONG Users; PVOID Lower; UNICODE_STRING Link; } EXTENSION;
static EXTENSION *Extension;
NOINLINE NTSTATUS Work(IRP *irp) {
  static const ULONG class_[4] = { 1, 2, 3, 4 };
  irp->Information = Extension->Users++;
  return IoRegisterDeviceInterface(Device, class_, 0, &Extension->Link);
}
#ifdef KIND_LINKFREE
#define SECOND Cleanup
NTSTATUS NTAPI Cleanup(PVOID device, IRP *irp) {
  if (device == 0) return STATUS_INVALID_PARAMETER;
  RtlFreeUnicodeString(&Extension->Link);
  irp->Status = STATUS_SUCCESS;
  return STATUS_SUCCESS;
}
#endif
#elif defined KIND_DEEPKEEP || defined KIND_DEEPFREE
/* The answer hangs in a context that the other routine reaches through several pointers; deepkeep frees the context alone. */
typedef struct { ULONG Flags; PVOID User; } CONTEXT;
typedef struct { ULONG Type; PVOID Device; CONTEXT *Context; } FILE_OBJECT;
typedef struct { ULONG Major; PVOID Parameters[4]; FILE_OBJECT *File; } STACK;
#define STACK_OF(irp) (*(STACK **)((irp)->Rest + 16))
NOINLINE NTSTATUS Work(IRP *irp) {
  CONTEXT *c = ExAllocatePoolWithTag(PagedPool, sizeof(CONTEXT), TAG('C', 't', 'x', 't'));
  if (c == 0) return STATUS_INSUFFICIENT_RESOURCES;
  c->Flags = irp->Flags;
  NTSTATUS status = QUERY(&c->User);
  if (NT_SUCCESS(status)) STACK_OF(irp)->File->Context = c;
  else ExFreePoolWithTag(c, TAG('C', 't', 'x', 't'));
  return status;
}
#define SECOND Cleanup
NTSTATUS NTAPI Cleanup(PVOID device, IRP *irp) {
  CONTEXT *c = STACK_OF(irp)->File->Context;
  if (device == 0 || c == 0) return STATUS_INVALID_PARAMETER;
#ifdef KIND_DEEPFREE
  if (c->User != 0) ExFreePool(c->User);
#endif
  ExFreePoolWithTag(c, TAG('C', 't', 'x', 't'));
  return STATUS_SUCCESS;
}
#elif defined KIND_HEADKEEP || defined KIND_HEADFREE
/* Its own allocator puts the length in front of what it hands out, and its own free goes back to there; headkeep forgets it on one path. */
NOINLINE PVOID Take(SIZE_T size) {
  SIZE_T *p = ExAllocatePoolWithTag(PagedPool, size + 16, TAG('H', 'e', 'a', 'd'));
  if (p == 0) return 0;
  p[0] = size;
  return p + 16 / sizeof(SIZE_T);
}
NOINLINE void Give(PVOID p) { if (p != 0) ExFreePoolWithTag((UCHAR *)p - 16, TAG('H', 'e', 'a', 'd')); }
NOINLINE NTSTATUS Work(IRP *irp) {
  ULONG *p = Take(irp->Flags);
  if (p == 0) return STATUS_INSUFFICIENT_RESOURCES;
  p[0] = irp->Flags;
#ifdef KIND_HEADKEEP
  if (Seen(p) & 4) return STATUS_SUCCESS;
#endif
  irp->Information = Seen(p);
  Give(p);
  return STATUS_SUCCESS;
}
#elif defined KIND_ITEMKEEP || defined KIND_ITEMFREE
/* A work item for each request, in a context that its routine frees; itemfree's frees the item as well, which the routine is not given. */
typedef struct { PVOID Item; ULONG Code; } JOB;
void NTAPI Later(PVOID device, PVOID context) {
  JOB *job = context;
  Count += job->Code + (device != 0);
#ifdef KIND_ITEMFREE
  IoFreeWorkItem(job->Item);
#endif
  ExFreePoolWithTag(job, TAG('J', 'o', 'b', ' '));
}
NOINLINE NTSTATUS Work(IRP *irp) {
  JOB *job = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(JOB), TAG('J', 'o', 'b', ' '));
  if (job == 0) return STATUS_INSUFFICIENT_RESOURCES;
  job->Item = IoAllocateWorkItem(Device);
  if (job->Item == 0) { ExFreePoolWithTag(job, TAG('J', 'o', 'b', ' ')); return STATUS_INSUFFICIENT_RESOURCES; }
  job->Code = irp->Flags;
  IoQueueWorkItem(job->Item, (PVOID)Later, 1, job);
  return STATUS_SUCCESS;
}
#elif defined KIND_DEVICEKEEP || defined KIND_DEVICEFREE
/* One call gives two things, and only the file is a reference; devicekeep gives the device back instead. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID file, device;
  NTSTATUS status = IoGetDeviceObjectPointer(irp->SystemBuffer, 0x80, &file, &device);
  if (!NT_SUCCESS(status)) return status;
  if (device == 0) return STATUS_NOT_FOUND;
  irp->Information = Seen(device);
#ifdef KIND_DEVICEFREE
  ObfDereferenceObject(file);
#else
  ObfDereferenceObject(device);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_PARENTKEEP || defined KIND_PARENTFREE
/* Goes from process to parent, and gives each back when it has the next; parentkeep only the last. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID process, parent;
  ULONG depth = 0;
  NTSTATUS status = PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)irp->Flags, &process);
  if (!NT_SUCCESS(status)) return status;
  while (depth < 20 && NT_SUCCESS(PsLookupProcessByProcessId(PsGetProcessId(process), &parent))) {
#ifdef KIND_PARENTFREE
    ObfDereferenceObject(process);
#endif
    process = parent;
    depth++;
  }
  ObfDereferenceObject(process);
  irp->Information = depth;
  return STATUS_SUCCESS;
}
#elif defined KIND_UNDOKEEP || defined KIND_UNDOFREE
/* Puts a process into a record on a list, and gives it back where that fails; undofree also where the record goes. */
typedef struct { PVOID Next, Process; } RECORD;
static RECORD *Records;
NOINLINE NTSTATUS Work(IRP *irp) {
  RECORD *r = ExAllocatePoolWithTag(PagedPool, sizeof(RECORD), TAG('R', 'e', 'c', ' '));
  if (r == 0) return STATUS_INSUFFICIENT_RESOURCES;
  NTSTATUS status = PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)irp->Flags, &r->Process);
  if (NT_SUCCESS(status) && Count < 1000) { r->Next = Records; Records = r; Count++; return STATUS_SUCCESS; }
  if (NT_SUCCESS(status)) ObfDereferenceObject(r->Process);
  ExFreePoolWithTag(r, TAG('R', 'e', 'c', ' '));
  return STATUS_UNSUCCESSFUL;
}
#define SECOND Cleanup
NTSTATUS NTAPI Cleanup(PVOID device, IRP *irp) {
  RECORD *r = Records;
  if (device == 0 || r == 0) return STATUS_INVALID_PARAMETER;
  Records = r->Next;
  irp->Information = --Count;
#ifdef KIND_UNDOFREE
  ObfDereferenceObject(r->Process);
#endif
  ExFreePoolWithTag(r, TAG('R', 'e', 'c', ' '));
  return STATUS_SUCCESS;
}
#elif defined KIND_RESERVEKEEP || defined KIND_RESERVEFREE
/* Its own tag goes to a routine whose memory no plain free takes. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p = MmAllocateMappingAddress(0x10000, TAG('R', 's', 'r', 'v'));
  if (p == 0) return STATUS_INSUFFICIENT_RESOURCES;
  *(PVOID *)(irp->Rest + 16) = p;
  return STATUS_SUCCESS;
}
#ifdef KIND_RESERVEFREE
#define SECOND Cleanup
NTSTATUS NTAPI Cleanup(PVOID device, IRP *irp) {
  PVOID p = *(PVOID *)(irp->Rest + 16);
  if (device == 0) return STATUS_INVALID_PARAMETER;
  if (p != 0) MmFreeMappingAddress(p, TAG('R', 's', 'r', 'v'));
  *(PVOID *)(irp->Rest + 16) = 0;
  return STATUS_SUCCESS;
}
#endif
#elif defined KIND_QUEUEKEEP || defined KIND_QUEUEFREE
/* Puts the answers on the end of a list; queuefree's other routine takes them from its start. */
static LIST_ENTRY Queue = { &Queue, &Queue };
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  NTSTATUS status = QUERY(&p);
  if (!NT_SUCCESS(status)) return status;
  LIST_ENTRY *e = p;
  irp->Information = Count++;
  e->Flink = &Queue;
  e->Blink = Queue.Blink;
  Queue.Blink->Flink = e;
  Queue.Blink = e;
  return STATUS_SUCCESS;
}
#define SECOND Cleanup
NTSTATUS NTAPI Cleanup(PVOID device, IRP *irp) {
  while (Queue.Flink != &Queue) {
    LIST_ENTRY *e = Queue.Flink;
    Queue.Flink = e->Flink;
    e->Flink->Blink = &Queue;
#ifdef KIND_QUEUEFREE
    ExFreePool(e);
#endif
  }
  irp->Status = device == 0 ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
  return irp->Status;
}
#elif defined KIND_SENTKEEP || defined KIND_SENTFREE
/* Sends IRPs of its own, whose completion routine frees its context; sentfree's frees the IRP as well. */
typedef struct { PVOID Routine, Context; } STACK;
NTSTATUS NTAPI Completed(PVOID device, IRP *irp, PVOID context) {
  Count += irp->Status == STATUS_SUCCESS && device != 0;
  ExFreePoolWithTag(context, TAG('R', 'e', 'q', ' '));
#ifdef KIND_SENTFREE
  IoFreeIrp(irp);
#endif
  return STATUS_UNSUCCESSFUL;
}
NOINLINE NTSTATUS Work(IRP *irp) {
  ULONG *request = ExAllocatePoolWithTag(NonPagedPoolNx, 64, TAG('R', 'e', 'q', ' '));
  if (request == 0) return STATUS_INSUFFICIENT_RESOURCES;
  IRP *mine = IoAllocateIrp(2, 0);
  if (mine == 0) { ExFreePoolWithTag(request, TAG('R', 'e', 'q', ' ')); return STATUS_INSUFFICIENT_RESOURCES; }
  STACK *next = *(STACK **)(mine->Rest + 16);
  request[0] = irp->Flags;
  next->Routine = (PVOID)Completed;
  next->Context = request;
  return IofCallDriver(Device, mine);
}
#elif defined KIND_TAKEKEEP || defined KIND_TAKEFREE
/* Its own memory, by a helper that is told the tag, gives it where it is pointed to, and answers whether it did; takekeep frees it where nothing is odd. */
NOINLINE BOOLEAN Take(ULONG **into, SIZE_T bytes, ULONG tag) {
  ULONG *p = ExAllocatePoolWithTag(PagedPool, bytes, tag);
  if (p == 0) return 0;
  p[0] = tag;
  *into = p;
  return 1;
}
NOINLINE NTSTATUS Work(IRP *irp) {
  ULONG *p;
  if (!Take(&p, 0x80, TAG('T', 'a', 'k', 'e'))) return STATUS_INSUFFICIENT_RESOURCES;
  p[1] = irp->Flags;
  irp->Information = Seen(p + 1);
#ifdef KIND_TAKEKEEP
  if (Seen(p) & 1) return STATUS_SUCCESS;
#endif
  ExFreePoolWithTag(p, TAG('T', 'a', 'k', 'e'));
  return STATUS_SUCCESS;
}
#elif defined KIND_SLOTFREE
/* Collects answers in an array on its stack, and frees them by their index. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID answers[8];
  ULONG have = 0;
  for (ULONG i = 0; i < irp->Flags && i < 8; i++)
    if (NT_SUCCESS(QUERY(&answers[have]))) have++;
  irp->Information = have;
  for (ULONG i = 0; i < have; i++) {
    Count += Seen(answers[i]);
    ExFreePool(answers[i]);
  }
  return STATUS_SUCCESS;
}
#elif defined KIND_RECFREE
/* Fills a record on its stack, copies it as a whole into a variable, and frees what is there in another routine. */
typedef struct { ULONG Flags; PVOID Answer; ULONG Rest[16]; } RECORD;
static RECORD Kept;
NOINLINE NTSTATUS Work(IRP *irp) {
  RECORD record = { 0 };
  if (Kept.Answer != 0) return STATUS_UNSUCCESSFUL;
  NTSTATUS status = QUERY(&record.Answer);
  if (!NT_SUCCESS(status)) return status;
  record.Flags = irp->Flags;
  record.Rest[irp->Flags & 15] = Seen(record.Answer);
  Kept = record;
  return STATUS_SUCCESS;
}
#define SECOND Cleanup
NTSTATUS NTAPI Cleanup(PVOID device, IRP *irp) {
  if (device == 0 || Kept.Answer == 0) return STATUS_INVALID_PARAMETER;
  ExFreePool(Kept.Answer);
  Kept.Answer = 0;
  irp->Status = STATUS_SUCCESS;
  return STATUS_SUCCESS;
}
#elif defined KIND_FILLONCE || defined KIND_FILLAGAIN
/* Asks only while its variable is empty, and keeps the answer there; fillagain empties it in another routine. */
static PVOID Cached;
NOINLINE NTSTATUS Work(IRP *irp) {
  if (Cached == 0) {
    NTSTATUS status = QUERY(&Cached);
    if (!NT_SUCCESS(status)) return status;
  }
  irp->Information = Seen(Cached);
  return STATUS_SUCCESS;
}
#ifdef KIND_FILLAGAIN
#define SECOND Cleanup
NTSTATUS NTAPI Cleanup(PVOID device, IRP *irp) {
  if (device == 0) return STATUS_INVALID_PARAMETER;
  Cached = 0;
  irp->Status = STATUS_SUCCESS;
  return STATUS_SUCCESS;
}
#endif
#elif defined KIND_STATEKEEP || defined KIND_STATEFREE
/*
 * A loop that goes from state to state until it is told to end, with a variable where there is no answer; statekeep asks
 * again where it was told to wait, and forgets the answer before.
 */
NOINLINE NTSTATUS Work(IRP *irp) {
  ULONG none[4] = { 0 };
  PVOID p = none;
  volatile ULONG state = 0;
  for (;;) {
    switch (state) {
    case 0:
      if (!NT_SUCCESS(QUERY(&p))) p = none;
      state = 1;
      break;
    case 1:
      Count += Seen(p);
      state = irp->Flags < 8 ? 5 : 2;
      break;
    case 2:
      irp->Information = Count;
      state = NT_SUCCESS(irp->Status) ? 4 : 5;
      break;
    case 4:
#ifdef KIND_STATEKEEP
      state = 0;
#else
      state = 1;
#endif
      break;
    default:
      if (p != none) ExFreePool(p);
      return STATUS_SUCCESS;
    }
  }
}
#elif defined KIND_TWINKEEP || defined KIND_TWINFREE
/* Keeps the answer in three fields, as where a buffer starts and two places in it; twinfree frees it by the first of them. */
typedef struct { PVOID Start; ULONG Length; PVOID Next; PVOID Last; } RING;
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  RING *ring = *(RING **)irp->Rest;
  if (ring->Start != 0) return STATUS_UNSUCCESSFUL;
  NTSTATUS status = QUERY(&p);
  if (!NT_SUCCESS(status)) return status;
  ring->Start = p;
  ring->Length = Seen(p);
  ring->Next = p;
  ring->Last = p;
  return STATUS_SUCCESS;
}
#define SECOND Cleanup
NTSTATUS NTAPI Cleanup(PVOID device, IRP *irp) {
  RING *ring = *(RING **)irp->Rest;
  if (device == 0 || ring->Start == 0) return STATUS_INVALID_PARAMETER;
#ifdef KIND_TWINFREE
  ExFreePool(ring->Start);
#endif
  ring->Start = 0;
  return STATUS_SUCCESS;
}
#elif defined KIND_ASKKEEP || defined KIND_ASKFREE
/* Looks up the query and what frees its answer by a helper, one after the other; askfree calls both. */
typedef NTSTATUS NTAPI ASK(PVOID token, ULONG class_, PVOID *information);
typedef void NTAPI GIVE(PVOID p);
static ASK *Ask;
static GIVE *Give;
NOINLINE PVOID Find(const WCHAR *text) {
  UNICODE_STRING name;
  RtlInitUnicodeString(&name, text);
  return MmGetSystemRoutineAddress(&name);
}
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID p;
  if (Ask == 0) Ask = (ASK *)Find(L"SeQueryInformationToken");
  if (Give == 0) Give = (GIVE *)Find(L"ExFreePool");
  if (Ask == 0 || Give == 0) return STATUS_NOT_FOUND;
  NTSTATUS status = Ask(PsInitialSystemProcess, 1, &p);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(p);
#ifdef KIND_ASKFREE
  Give(p);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_SIGNKEEP || defined KIND_SIGNFREE
/* A helper makes a BOOLEAN of the status by its sign; signkeep forgets the string where it is long. */
NOINLINE BOOLEAN Ansi(UNICODE_STRING *to, const UNICODE_STRING *from) {
  return NT_SUCCESS(RtlAnsiStringToUnicodeString(to, from, 1));
}
NOINLINE NTSTATUS Work(IRP *irp) {
  UNICODE_STRING text;
  if (!Ansi(&text, irp->SystemBuffer)) return STATUS_NOT_FOUND;
#ifdef KIND_SIGNKEEP
  if (text.Length > 0x40) return STATUS_SUCCESS;
#endif
  irp->Information = text.Length;
  RtlFreeUnicodeString(&text);
  return STATUS_SUCCESS;
}
#elif defined KIND_KERNKEY || defined KIND_USERKEY
/* Gives the requester a handle: userkey one of the requester's own process, kernkey one of the kernel's, for good. */
NOINLINE NTSTATUS Work(IRP *irp) {
  struct { ULONG Length; HANDLE Root; PVOID Name; ULONG Attributes; PVOID Security, Quality; } attributes =
      { sizeof attributes, 0, irp->SystemBuffer, OF_HANDLE, 0, 0 };
  HANDLE key;
  NTSTATUS status = ZwOpenKey(&key, 0x20019, &attributes);
  if (!NT_SUCCESS(status)) return status;
  *(HANDLE *)irp->SystemBuffer = key;
  return STATUS_SUCCESS;
}
#elif defined KIND_CTXKEEP || defined KIND_CTXFREE || defined KIND_CTXLOST || defined KIND_CTXFIND
/* Minifilters that hang a context on each file; ctxkeep forgets to release one in two. */
typedef struct { USHORT Type, Flags; PVOID Cleanup; SIZE_T Size; ULONG PoolTag; PVOID Allocate, Free, Spare; } CONTEXT;
typedef struct { USHORT Size, Version; ULONG Flags; const CONTEXT *Contexts; PVOID Operations, Unload, Spare[10]; } FILTER;
static const CONTEXT Contexts[] = {
  { 0x10, 0, 0, 0x40, TAG('C', 't', 'x', 'H'), 0, 0, 0 },
  { 0xffff, 0, 0, 0, 0, 0, 0, 0 }
};
static const FILTER Registration = { sizeof(FILTER), 0x203, 0, Contexts, 0, 0, { 0 } };
static PVOID Filter;
#define AT_START NT_SUCCESS(FltRegisterFilter(driver, &Registration, &Filter))
#if defined KIND_CTXLOST || defined KIND_CTXFIND
/* Finds a file's context, or gives it one; if another was faster ctxfind takes that, and ctxlost forgets it. */
#define STATUS_FLT_CONTEXT_ALREADY_DEFINED ((NTSTATUS)0xc01c0002)
NOINLINE NTSTATUS Find(PVOID instance, PVOID file, PVOID **found) {
  PVOID *context, *old;
  NTSTATUS status = FltGetStreamHandleContext(instance, file, (PVOID *)&context);
  if (status == STATUS_NOT_FOUND) {
    status = FltAllocateContext(Filter, 0x10, 0x40, NonPagedPoolNx, (PVOID *)&context);
    if (!NT_SUCCESS(status)) return status;
    context[0] = file;
    status = FltSetStreamHandleContext(instance, file, 1, context, (PVOID *)&old);
    if (!NT_SUCCESS(status)) {
      FltReleaseContext(context);
      if (status != STATUS_FLT_CONTEXT_ALREADY_DEFINED) return status;
#ifdef KIND_CTXFIND
      context = old;
      status = STATUS_SUCCESS;
#else
      return STATUS_SUCCESS;
#endif
    }
  }
  if (NT_SUCCESS(status)) *found = context;
  return status;
}
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID *context = 0;
  NTSTATUS status = Find(irp->SystemBuffer, irp, &context);
  if (!NT_SUCCESS(status)) return status;
  if (context == 0) return STATUS_SUCCESS;
  Count += Seen(context[0]);
  FltReleaseContext(context);
  return STATUS_SUCCESS;
}
#else
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID *context;
  NTSTATUS status = FltAllocateContext(Filter, 0x10, 0x40, NonPagedPoolNx, (PVOID *)&context);
  if (!NT_SUCCESS(status)) return status;
  context[0] = irp;
#ifdef KIND_CTXKEEP
  if (Count & 1) return STATUS_SUCCESS;
#endif
  Count += Seen(context[0]);
  FltReleaseContext(context);
  return STATUS_SUCCESS;
}
#endif
#elif defined KIND_SOMELOST || defined KIND_SOMETOLD || defined KIND_SOMEFLAG
/*
 * A helper gives back what it is given only where the object is of one kind. somelost leaves it at that; sometold is
 * answered whether it did, and someflag tells the helper to.
 */
#if defined KIND_SOMELOST
NOINLINE void Done(PVOID process) {
  if (*(volatile ULONG *)process & 1) return;
  ObfDereferenceObject(process);
  Count++;
}
#elif defined KIND_SOMETOLD
NOINLINE BOOLEAN Done(PVOID process) {
  if (*(volatile ULONG *)process & 1) return 0;
  ObfDereferenceObject(process);
  Count++;
  return 1;
}
#else
NOINLINE void Done(PVOID process, ULONG last) {
  if (last == 0) return;
  ObfDereferenceObject(process);
  Count++;
}
#endif
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID process;
  NTSTATUS status = PsLookupProcessByProcessId((HANDLE)irp->Information, &process);
  if (!NT_SUCCESS(status)) return status;
#if defined KIND_SOMELOST
  Done(process);
#elif defined KIND_SOMETOLD
  if (!Done(process)) ObfDereferenceObject(process);
#else
  Done(process, 0);
  Done(process, 1);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_LEVELFREE
/* A helper gives back what it is given where the level is low enough, as it always is: its caller sees to that. */
NOINLINE ULONG Level(void) { return Count & 3; }
NOINLINE void Done(PVOID process) {
  if (Level() > 2) return;
  ObfDereferenceObject(process);
}
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID process;
  NTSTATUS status = PsLookupProcessByProcessId((HANDLE)irp->Information, &process);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(process);
  Done(process);
  return STATUS_SUCCESS;
}
#elif defined KIND_LATERLOST || defined KIND_LATERDONE
/* A work item is given the object; laterlost's routine gives it back only where the object is of one kind. */
static PVOID Item;
#define AT_START (Item = IoAllocateWorkItem(driver->DeviceObject)) != 0
static void NTAPI Later(PVOID device, PVOID process) {
  if (*(volatile ULONG *)process & 1) {
    Count++;
#ifdef KIND_LATERDONE
    ObfDereferenceObject(process);
#endif
    return;
  }
  Count += Seen(device);
  ObfDereferenceObject(process);
}
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID process;
  NTSTATUS status = PsLookupProcessByProcessId((HANDLE)irp->Information, &process);
  if (!NT_SUCCESS(status)) return status;
  IoQueueWorkItem(Item, (PVOID)Later, 1, process);
  return STATUS_SUCCESS;
}
#elif defined KIND_MIDKEEP || defined KIND_MIDFREE
/* Puts the process into a record that a list links by its middle; midfree gives back what it takes off the list. */
typedef struct { ULONG Id; PVOID Process; LIST_ENTRY Link; ULONG Seen; } RECORD;
static LIST_ENTRY Records = { &Records, &Records };
NOINLINE NTSTATUS Work(IRP *irp) {
  RECORD *r = ExAllocatePoolWithTag(PagedPool, sizeof *r, TAG('R', 'e', 'c', 'M'));
  if (r == 0) return STATUS_INSUFFICIENT_RESOURCES;
  NTSTATUS status = PsLookupProcessByProcessId((HANDLE)irp->Information, &r->Process);
  if (!NT_SUCCESS(status)) { ExFreePoolWithTag(r, TAG('R', 'e', 'c', 'M')); return status; }
  r->Id = irp->Flags;
  r->Seen = Count++;
  r->Link.Blink = &Records;
  r->Link.Flink = Records.Flink;
  Records.Flink->Blink = &r->Link;
  Records.Flink = &r->Link;
  return STATUS_SUCCESS;
}
#define SECOND Drain
NTSTATUS NTAPI Drain(PVOID device, IRP *irp) {
  if (device == 0) return STATUS_INVALID_PARAMETER;
  while (Records.Flink != &Records) {
    LIST_ENTRY *e = Records.Flink;
    RECORD *r = (RECORD *)((UCHAR *)e - (ULONG_PTR)&((RECORD *)0)->Link);
    Records.Flink = e->Flink;
    e->Flink->Blink = &Records;
    irp->Information += (ULONG_PTR)PsGetProcessId(r->Process);
#ifdef KIND_MIDFREE
    ObfDereferenceObject(r->Process);
#endif
    ExFreePoolWithTag(r, TAG('R', 'e', 'c', 'M'));
  }
  return STATUS_SUCCESS;
}
#elif defined KIND_PARTKEEP || defined KIND_PARTFREE
/* Keeps the process in a structure that is a variable; what stops it is given the structure's address. */
typedef struct { LIST_ENTRY Queue; ULONG State; PVOID Process; } WATCH;
static WATCH Watch;
NOINLINE void Stop(WATCH *watch) {
  if (watch->Process == 0) return;
  Count += Seen(watch->Process);
#ifdef KIND_PARTFREE
  ObfDereferenceObject(watch->Process);
#endif
  watch->Process = 0;
  watch->State = 0;
}
NOINLINE NTSTATUS Work(IRP *irp) {
  if (irp->Flags == 0) { Stop(&Watch); return STATUS_SUCCESS; }
  if (Watch.State != 0) return STATUS_UNSUCCESSFUL;
  Watch.State = irp->Flags;
  return PsLookupProcessByProcessId((HANDLE)irp->Information, &Watch.Process);
}
#elif defined KIND_MARKKEEP || defined KIND_MARKFREE
/* Exchanges what a variable has, with the lowest bit set; markfree clears the bit of the one before, and gives that back. */
static PVOID volatile Marked;
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID process;
  NTSTATUS status = PsLookupProcessByProcessId((HANDLE)irp->Information, &process);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(process);
  ULONG_PTR before = (ULONG_PTR)__atomic_exchange_n(&Marked, (PVOID)((ULONG_PTR)process | 1), __ATOMIC_SEQ_CST);
#ifdef KIND_MARKFREE
  if (before & 1) ObfDereferenceObject((PVOID)(before & ~(ULONG_PTR)1));
#else
  Count += (ULONG)before;
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_FILLKEEP || defined KIND_FILLFREE
/* A work item's routine puts the process where its queuer waits for it, on that one's stack; fillfree gives it back there. */
typedef struct { HANDLE Id; PVOID Process; NTSTATUS Status; volatile ULONG Done; } ASKED;
static PVOID Item;
#define AT_START (Item = IoAllocateWorkItem(driver->DeviceObject)) != 0
static void NTAPI Find(PVOID device, PVOID context) {
  ASKED *asked = context;
  asked->Status = PsLookupProcessByProcessId(asked->Id, &asked->Process);
  Count += Seen(device);
  asked->Done = 1;
}
NOINLINE NTSTATUS Work(IRP *irp) {
  ULONG64 soon = 10000;
  ASKED asked = { (HANDLE)irp->Information, 0, 0, 0 };
  IoQueueWorkItem(Item, (PVOID)Find, 1, &asked);
  while (asked.Done == 0) KeDelayExecutionThread(0, 0, &soon);
  if (!NT_SUCCESS(asked.Status)) return asked.Status;
  irp->Information = Seen(asked.Process);
#ifdef KIND_FILLFREE
  ObfDereferenceObject(asked.Process);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_PAIRFREE
/* A helper returns a string: in 32-bit code its length in eax, and its buffer in edx. */
NOINLINE UNICODE_STRING Converted(const UNICODE_STRING *from) {
  UNICODE_STRING to;
  if (!NT_SUCCESS(RtlAnsiStringToUnicodeString(&to, from, 1))) to.Length = 0, to.Buffer = 0;
  return to;
}
NOINLINE NTSTATUS Work(IRP *irp) {
  UNICODE_STRING name = Converted((UNICODE_STRING *)irp->Rest);
  if (name.Buffer == 0) return STATUS_INSUFFICIENT_RESOURCES;
  irp->Information = name.Length;
  RtlFreeUnicodeString(&name);
  return STATUS_SUCCESS;
}
#elif defined KIND_AGAINKEEP || defined KIND_AGAINFREE
/* Remembers processes; one that it finds again and that ends it forgets. againfree gives back both references then. */
typedef struct { LIST_ENTRY Link; PVOID Process; } KNOWN;
static LIST_ENTRY Known = { &Known, &Known };
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID process;
  NTSTATUS status = PsLookupProcessByProcessId((HANDLE)irp->Information, &process);
  if (!NT_SUCCESS(status)) return status;
  if (irp->Flags & 1) {
    KNOWN *k = ExAllocatePoolWithTag(PagedPool, sizeof *k, TAG('R', 'e', 'c', 'K'));
    if (k == 0) { ObfDereferenceObject(process); return STATUS_INSUFFICIENT_RESOURCES; }
    k->Process = process;
    k->Link.Blink = &Known;
    k->Link.Flink = Known.Flink;
    Known.Flink->Blink = &k->Link;
    Known.Flink = &k->Link;
    return STATUS_SUCCESS;
  }
  for (LIST_ENTRY *e = Known.Flink; e != &Known; e = e->Flink) {
    KNOWN *k = (KNOWN *)e;
    if (k->Process != process) continue;
    e->Flink->Blink = e->Blink;
    e->Blink->Flink = e->Flink;
    ExFreePoolWithTag(k, TAG('R', 'e', 'c', 'K'));
#ifdef KIND_AGAINFREE
    ObfDereferenceObject(process);
#endif
    break;
  }
  ObfDereferenceObject(process);
  return STATUS_SUCCESS;
}
#elif defined KIND_PLACEKEEP || defined KIND_PLACEFREE
/* Sends an IRP of its own, and leaves the process in a stack location that is its own as well, where placefree finds it. */
#define BY_SIZE(wide, narrow) (sizeof(PVOID) == 8 ? (wide) : (narrow))
#define CURRENT(irp) (*(UCHAR **)((UCHAR *)(irp) + BY_SIZE(0xb8, 0x60)))
#define LOCATION BY_SIZE(0x48, 0x24)
#define FIRST_PARAMETER sizeof(PVOID)
NTSTATUS NTAPI Finished(PVOID device, IRP *irp, PVOID context) {
  PVOID process = *(PVOID *)(CURRENT(irp) + FIRST_PARAMETER);
  Count += Seen(process) + (ULONG)(device != context);
#ifdef KIND_PLACEFREE
  ObfDereferenceObject(process);
#endif
  IoFreeIrp(irp);
  return (NTSTATUS)0xC0000016;
}
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID process;
  NTSTATUS status = PsLookupProcessByProcessId((HANDLE)irp->Information, &process);
  if (!NT_SUCCESS(status)) return status;
  IRP *mine = IoAllocateIrp(2, 0);
  if (mine == 0) { ObfDereferenceObject(process); return STATUS_INSUFFICIENT_RESOURCES; }
  CURRENT(mine) -= LOCATION;
  *(PVOID *)(CURRENT(mine) + FIRST_PARAMETER) = process;
  UCHAR *next = CURRENT(mine) - LOCATION;
  next[0] = 9;
  next[3] = 0xe0;
  *(PVOID *)(next + BY_SIZE(0x38, 0x1c)) = (PVOID)Finished;
  return IofCallDriver(Device, mine);
}
#elif defined KIND_STEPKEEP || defined KIND_STEPFREE
/* Goes from step to step, the next one by the sign of a status; stepkeep leaves out the last where the answer is odd. */
NOINLINE NTSTATUS Work(IRP *irp) {
  HANDLE key = 0;
  PVOID p = 0;
  NTSTATUS status = 0;
  volatile ULONG seen = 0;
  ULONG step = 0;
  for (;;) {
    seen++;
    switch (step) {
      case 0:
        status = ZwOpenKey(&key, 0x20019, irp->SystemBuffer);
        step = 1 + ((ULONG)(status >> 31) & 3);
        break;
      case 1:
        status = QUERY(&p);
        step = 2 + ((ULONG)(status >> 31) & 1);
        break;
      case 2:
        step = 3;
#ifdef KIND_STEPKEEP
        if (Seen(p) & 1) step = 4;
#endif
        ExFreePool(p);
        break;
      case 3:
        ZwClose(key);
        step = 4;
        break;
      default:
        irp->Information = seen;
        return status;
    }
  }
}
#elif defined KIND_STRUCTKEEP || defined KIND_STRUCTFREE
/* Opens a library's structure that has a buffer in it; structfree closes it. */
NOINLINE NTSTATUS Work(IRP *irp) {
  OWN_FILE *file;
  NTSTATUS status = OwnOpen(0x200, &file);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(file->Buffer) + file->Size;
#ifdef KIND_STRUCTFREE
  OwnClose(file);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_HOLDERKEEP || defined KIND_HOLDERFREE
/* The same of a structure with a reference in it. */
NOINLINE NTSTATUS Work(IRP *irp) {
  OWN_WATCH *watch;
  NTSTATUS status = OwnWatch((HANDLE)(ULONG_PTR)irp->Flags, &watch);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(watch->Process) + watch->State;
#ifdef KIND_HOLDERFREE
  OwnUnwatch(watch);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_ADDKEEP || defined KIND_ADDFREE
/* A library's item, which the library has on its list too; addfree gives it back. */
NOINLINE NTSTATUS Work(IRP *irp) {
  OWN_ITEM *item;
  NTSTATUS status = OwnAdd(irp->Flags, &item);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(item) + item->Id;
#ifdef KIND_ADDFREE
  OwnDrop(item);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_NAMEKEEP || defined KIND_NAMEFREE
/* The same of one that the library returns. */
NOINLINE NTSTATUS Work(IRP *irp) {
  OWN_ITEM *item = OwnName(irp->Flags);
  if (item == 0) return STATUS_INSUFFICIENT_RESOURCES;
  irp->Information = Seen(item) + item->Id;
#ifdef KIND_NAMEFREE
  OwnForget(item);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_FINDONLY
/* Innocent: asks for what the library keeps. */
NOINLINE NTSTATUS Work(IRP *irp) {
  OWN_ITEM *item;
  NTSTATUS status = OwnFind(irp->Flags, &item);
  if (NT_SUCCESS(status)) irp->Information = Seen(item) + item->Id;
  return status;
}
#elif defined KIND_TRACKONLY
/* Innocent: the library sweeps up what nobody gives back. */
NOINLINE NTSTATUS Work(IRP *irp) {
  OWN_ITEM *item;
  NTSTATUS status = OwnTrack(irp->Flags, &item);
  if (NT_SUCCESS(status)) irp->Information = Seen(item) + item->Id;
  return status;
}
#elif defined KIND_MAKEKEEP || defined KIND_SUBMITFREE
/* Makes an item; submitfree submits it, or gives it back where the library does not take it. */
NOINLINE NTSTATUS Work(IRP *irp) {
  NTSTATUS status = STATUS_SUCCESS;
  OWN_ITEM *item = OwnMake(irp->Flags);
  if (item == 0) return STATUS_INSUFFICIENT_RESOURCES;
  irp->Information = Seen(item) + item->Id;
#ifdef KIND_SUBMITFREE
  status = OwnSubmit(item);
  if (!NT_SUCCESS(status)) OwnFree(item);
#endif
  return status;
}
#elif defined KIND_TEXTKEEP || defined KIND_TEXTFREE
/* Puts texts of the library's in the place of others; textfree gives those back, by the place where they stand. */
static struct { OWN_TEXT Text; ULONG Uses; } Texts[16];
NOINLINE NTSTATUS Work(IRP *irp) {
  OWN_TEXT text = { 0 };
  ULONG i = irp->Flags & 15;
  NTSTATUS status = OwnText(&text, irp->Flags >> 4);
  if (!NT_SUCCESS(status)) return status;
#ifdef KIND_TEXTFREE
  OwnClear(&Texts[i].Text);
#endif
  Texts[i].Text = text;
  irp->Information = ++Texts[i].Uses;
  return STATUS_SUCCESS;
}
#elif defined KIND_ENTRYKEEP || defined KIND_ENTRYFREE
/* Takes an entry of a library's lookaside list; entryfree gives it back. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID entry = OwnTake();
  if (entry == 0) return STATUS_INSUFFICIENT_RESOURCES;
  irp->Information = Seen(entry);
#ifdef KIND_ENTRYFREE
  OwnPut(entry);
#endif
  return STATUS_SUCCESS;
}
#elif defined KIND_ASIDEKEEP || defined KIND_ASIDEFREE
/* Entries of a lookaside list of its own, on a list until another request takes them off; asidefree gives them back. */
typedef struct { LIST_ENTRY Link; ULONG Value; } ENTRY;
static ENTRY_LIST Entries;
static LIST_ENTRY Waiting = { &Waiting, &Waiting };
NOINLINE NTSTATUS Work(IRP *irp) {
  ENTRY *entry;
  if (irp->Flags & 1) {
    entry = TakeEntry(&Entries);
    if (entry == 0) return STATUS_INSUFFICIENT_RESOURCES;
    entry->Value = irp->Flags;
    entry->Link.Flink = &Waiting;
    entry->Link.Blink = Waiting.Blink;
    Waiting.Blink->Flink = &entry->Link;
    Waiting.Blink = &entry->Link;
    return STATUS_SUCCESS;
  }
  entry = (ENTRY *)Waiting.Flink;
  if (&entry->Link == &Waiting) return STATUS_NOT_FOUND;
  entry->Link.Flink->Blink = &Waiting;
  Waiting.Flink = entry->Link.Flink;
  irp->Information = entry->Value;
#ifdef KIND_ASIDEFREE
  GiveEntry(&Entries, entry);
#endif
  return STATUS_SUCCESS;
}
#define AT_START (ExInitializeNPagedLookasideList((PVOID)&Entries, 0, 0, 0, sizeof(ENTRY), TAG('K', 'A', 's', 'd'), 0), 1)
#elif defined KIND_DENYKEEP || defined KIND_DENYFREE
/* Keeps what a library hands out, which gives it back itself where it does not; denyfree gives it back for the next. */
typedef struct { ULONG State; PVOID Process; } GUARD;
NOINLINE NTSTATUS Work(IRP *irp) {
  GUARD *guard = (GUARD *)irp->Rest;
#ifdef KIND_DENYFREE
  if (irp->Flags & 1) {
    OwnUnguard(guard->Process);
    guard->Process = 0;
    return STATUS_SUCCESS;
  }
#endif
  return OwnGuard((HANDLE)(ULONG_PTR)irp->Flags, &guard->Process);
}
#elif defined KIND_FRAMEKEYKEEP || defined KIND_FRAMEKEYFREE || defined KIND_FRAMEKEEP || defined KIND_FRAMEFREE
static PVOID *Functions, Globals;
static const WCHAR Component[] = { 'K', 'm', 'd', 'f', 'L', 'i', 'b', 'r', 'a', 'r', 'y', 0 };
static WDF_BIND Bind = { sizeof(WDF_BIND), Component, { 1, 15, 0 }, 440, &Functions, 0 };
#define CALL(function, result, ...) ((result(NTAPI *)(PVOID, __VA_ARGS__))Functions[function])
#define AT_START NT_SUCCESS(WdfVersionBind(driver, path, &Bind, &Globals))
#if defined KIND_FRAMEKEYKEEP || defined KIND_FRAMEKEYFREE
/* Opens the driver's key by the framework; framekeyfree closes it by the framework. */
NOINLINE NTSTATUS Work(IRP *irp) {
  PVOID key;
  NTSTATUS status = CALL(WDF_DRIVER_PARAMETERS, NTSTATUS, PVOID, ULONG, PVOID, PVOID *)(Globals, Device, 0x20019, 0, &key);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(key);
#ifdef KIND_FRAMEKEYFREE
  CALL(WDF_REGISTRY_CLOSE, void, PVOID)(Globals, key);
#endif
  return STATUS_SUCCESS;
}
#else
/* Makes memory by the framework; the parent that framefree names deletes it. */
NOINLINE NTSTATUS Work(IRP *irp) {
  WDF_ATTRIBUTES attributes = { sizeof attributes, 0, 0, 1, 1, 0, 0, 0 };
  PVOID memory, buffer;
#ifdef KIND_FRAMEFREE
  attributes.ParentObject = irp->SystemBuffer;
#endif
  NTSTATUS status = CALL(WDF_MEMORY_CREATE, NTSTATUS, WDF_ATTRIBUTES *, ULONG, ULONG, SIZE_T, PVOID *, PVOID *)(
      Globals, &attributes, PagedPool, TAG('K', 'W', 'd', 'f'), 0x40, &memory, &buffer);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(buffer);
  return STATUS_SUCCESS;
}
#endif
#elif defined KIND_GROWKEEP || defined KIND_GROWFREE
/* A buffer on the stack that grows in a loop; growfree gives back the smaller one each time. */
typedef struct { ULONG *Buffer; ULONG Used, Size; } GROWING;
NOINLINE NTSTATUS Grow(GROWING *growing, ULONG more) {
  ULONG size = growing->Size == 0 ? 0x40 : growing->Size;
  if (growing->Used + more <= growing->Size) return STATUS_SUCCESS;
  while (size < growing->Used + more) size *= 2;
  ULONG *p = ExAllocatePoolWithTag(PagedPool, size * sizeof(ULONG), TAG('K', 'G', 'r', 'w'));
  if (p == 0) return STATUS_INSUFFICIENT_RESOURCES;
  if (growing->Buffer != 0) {
    for (ULONG i = 0; i < growing->Used; i++) p[i] = growing->Buffer[i];
#ifdef KIND_GROWFREE
    ExFreePoolWithTag(growing->Buffer, TAG('K', 'G', 'r', 'w'));
#endif
  }
  growing->Buffer = p;
  growing->Size = size;
  return STATUS_SUCCESS;
}
NOINLINE NTSTATUS Work(IRP *irp) {
  GROWING growing = { 0 };
  NTSTATUS status = STATUS_SUCCESS;
  for (ULONG i = 0; i < irp->Flags; i++) {
    status = Grow(&growing, i & 15);
    if (!NT_SUCCESS(status)) break;
    growing.Used += i & 15;
  }
  irp->Information = growing.Used;
  if (growing.Buffer != 0) ExFreePoolWithTag(growing.Buffer, TAG('K', 'G', 'r', 'w'));
  return status;
}
#elif defined KIND_TREEKEEP || defined KIND_TREEFREE
/* A tree, into which a function puts another node and returns the root; treefree takes it down at the end. */
typedef struct NODE_ { struct NODE_ *Left, *Right; ULONG Key; } NODE;
NOINLINE NODE *Insert(NODE *node, ULONG key) {
  if (node == 0) {
    node = ExAllocatePoolWithTag(PagedPool, sizeof *node, TAG('K', 'T', 'r', 'e'));
    if (node == 0) return 0;
    node->Left = node->Right = 0;
    node->Key = key;
  } else if (key < node->Key) node->Left = Insert(node->Left, key);
  else node->Right = Insert(node->Right, key);
  return node;
}
NOINLINE void TakeDown(NODE *node) {
  if (node == 0) return;
  TakeDown(node->Left);
  TakeDown(node->Right);
#ifdef KIND_TREEFREE
  ExFreePoolWithTag(node, TAG('K', 'T', 'r', 'e'));
#else
  node->Key = 0;
#endif
}
NOINLINE NTSTATUS Work(IRP *irp) {
  NODE *root = 0;
  for (ULONG i = 0; i < (irp->Flags & 31); i++) root = Insert(root, (i * 7) & 15);
  if (root != 0) irp->Information = root->Key;
  TakeDown(root);
  return STATUS_SUCCESS;
}
#elif defined KIND_CHILDFREE
/* Innocent: a structure's children go with it. */
NOINLINE NTSTATUS Work(IRP *irp) {
  OWN_PARENT *parent;
  OWN_ITEM *item;
  NTSTATUS status = OwnParent(&parent);
  if (!NT_SUCCESS(status)) return status;
  status = OwnChild(parent, &item);
  if (NT_SUCCESS(status)) irp->Information = Seen(item) + item->Id;
  OwnEnd(parent);
  return status;
}
#elif defined KIND_READKEEP || defined KIND_READFREE
/* Is told of a buffer that its own structure has; readfree empties the structure. */
NOINLINE NTSTATUS Work(IRP *irp) {
  OWN_TEXT text = { 0 };
  PVOID buffer;
  NTSTATUS status = OwnRead(&text, &buffer);
  if (!NT_SUCCESS(status)) return status;
  irp->Information = Seen(buffer);
#ifdef KIND_READFREE
  OwnReset(&text);
#endif
  return STATUS_SUCCESS;
}
#endif

NTSTATUS NTAPI Dispatch(PVOID device, IRP *irp) {
  if (device == 0) return STATUS_INVALID_PARAMETER;
  NTSTATUS status = Work(irp);
  irp->Status = status;
  IofCompleteRequest(irp, 0);
  return status;
}
PAGED void NTAPI Unload(DRIVER_OBJECT *driver) { IoDeleteDevice(driver->DeviceObject); }
INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  driver->DriverUnload = (PVOID)Unload;
  driver->MajorFunction[14] = (PVOID)Dispatch;
#ifdef SECOND
  driver->MajorFunction[18] = (PVOID)SECOND;
#endif
  Count = path->Length;
  Device = driver->DeviceObject;
#ifdef AT_START
  if (!(AT_START)) return STATUS_UNSUCCESSFUL;
#endif
  return STATUS_SUCCESS;
}
