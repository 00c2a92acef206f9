/* A library of objects: what it makes is its callers', though it keeps lists of it, or puts it into a structure. */
#include "kinds.h"

#define LINK(to, item) \
  do { \
    (item)->Link.Flink = &(to); \
    (item)->Link.Blink = (to).Blink; \
    (to).Blink->Flink = &(item)->Link; \
    (to).Blink = &(item)->Link; \
  } while (0)
#define UNLINK(item) \
  do { \
    (item)->Link.Blink->Flink = (item)->Link.Flink; \
    (item)->Link.Flink->Blink = (item)->Link.Blink; \
  } while (0)

static ULONG OwnCount;
static LIST_ENTRY OwnItems = { &OwnItems, &OwnItems };
static LIST_ENTRY OwnNames = { &OwnNames, &OwnNames };
static LIST_ENTRY OwnCached = { &OwnCached, &OwnCached };
static LIST_ENTRY OwnTracked = { &OwnTracked, &OwnTracked };
static LIST_ENTRY OwnWaiting = { &OwnWaiting, &OwnWaiting };
static ENTRY_LIST OwnEntries;

static OWN_ITEM *OwnpAllocate(ULONG id, ULONG tag) {
  OWN_ITEM *item = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof *item, tag);
  if (item == 0) return 0;
  item->Id = id;
  item->References = 1;
  return item;
}

/* A structure, and a buffer in it. */
NTSTATUS NTAPI OwnOpen(ULONG size, OWN_FILE **out) {
  OWN_FILE *file = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof *file, TAG('O', 'w', 'n', 'F'));
  if (file == 0) return STATUS_INSUFFICIENT_RESOURCES;
  file->Size = size;
  file->Buffer = ExAllocatePoolWithTag(PagedPool, size, TAG('O', 'w', 'n', 'B'));
  if (file->Buffer == 0) {
    ExFreePoolWithTag(file, TAG('O', 'w', 'n', 'F'));
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  *out = file;
  return STATUS_SUCCESS;
}
void NTAPI OwnClose(OWN_FILE *file) {
  ExFreePoolWithTag(file->Buffer, TAG('O', 'w', 'n', 'B'));
  ExFreePoolWithTag(file, TAG('O', 'w', 'n', 'F'));
}

/* A structure with a reference in it. */
NTSTATUS NTAPI OwnWatch(HANDLE id, OWN_WATCH **out) {
  OWN_WATCH *watch = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof *watch, TAG('O', 'w', 'n', 'O'));
  if (watch == 0) return STATUS_INSUFFICIENT_RESOURCES;
  NTSTATUS status = PsLookupProcessByProcessId(id, &watch->Process);
  if (!NT_SUCCESS(status)) {
    ExFreePoolWithTag(watch, TAG('O', 'w', 'n', 'O'));
    return status;
  }
  watch->State = OwnCount++;
  *out = watch;
  return STATUS_SUCCESS;
}
void NTAPI OwnUnwatch(OWN_WATCH *watch) {
  ObfDereferenceObject(watch->Process);
  ExFreePoolWithTag(watch, TAG('O', 'w', 'n', 'O'));
}

/* Gives back itself what it does not hand out. */
NTSTATUS NTAPI OwnGuard(HANDLE id, PVOID *process) {
  NTSTATUS status = PsLookupProcessByProcessId(id, process);
  if (!NT_SUCCESS(status)) return status;
  if (*process != PsInitialSystemProcess) return STATUS_SUCCESS;
  ObfDereferenceObject(*process);
  *process = 0;
  return STATUS_ACCESS_DENIED;
}
void NTAPI OwnUnguard(PVOID process) {
  if (process != 0) ObfDereferenceObject(process);
}

/* Linked into the library's list, and handed out, by a variable or as the answer. */
NTSTATUS NTAPI OwnAdd(ULONG id, OWN_ITEM **out) {
  OWN_ITEM *item = OwnpAllocate(id, TAG('O', 'w', 'n', 'I'));
  if (item == 0) return STATUS_INSUFFICIENT_RESOURCES;
  LINK(OwnItems, item);
  *out = item;
  return STATUS_SUCCESS;
}
void NTAPI OwnDrop(OWN_ITEM *item) {
  if (--item->References != 0) return;
  UNLINK(item);
  ExFreePoolWithTag(item, TAG('O', 'w', 'n', 'I'));
}
OWN_ITEM *NTAPI OwnName(ULONG id) {
  OWN_ITEM *item = OwnpAllocate(id, TAG('O', 'w', 'n', 'N'));
  if (item == 0) return 0;
  LINK(OwnNames, item);
  return item;
}
void NTAPI OwnForget(OWN_ITEM *item) {
  UNLINK(item);
  ExFreePoolWithTag(item, TAG('O', 'w', 'n', 'N'));
}

/* What is there already is handed out again: it is the library's. */
NTSTATUS NTAPI OwnFind(ULONG id, OWN_ITEM **out) {
  for (LIST_ENTRY *e = OwnCached.Flink; e != &OwnCached; e = e->Flink) {
    OWN_ITEM *known = (OWN_ITEM *)e;
    if (known->Id == id) {
      *out = known;
      return STATUS_SUCCESS;
    }
  }
  OWN_ITEM *item = OwnpAllocate(id, TAG('O', 'w', 'n', 'C'));
  if (item == 0) return STATUS_INSUFFICIENT_RESOURCES;
  LINK(OwnCached, item);
  *out = item;
  return STATUS_SUCCESS;
}
void NTAPI OwnRemove(OWN_ITEM *item) {
  UNLINK(item);
  ExFreePoolWithTag(item, TAG('O', 'w', 'n', 'C'));
}

/* Whoever does not give it back need not: a work item of the library does. */
static void NTAPI OwnpSweep(PVOID context) {
  LIST_ENTRY *next;
  for (LIST_ENTRY *e = OwnTracked.Flink; e != &OwnTracked; e = next) {
    OWN_ITEM *item = (OWN_ITEM *)e;
    next = e->Flink;
    if (item->Id != (ULONG)(ULONG_PTR)context) continue;
    UNLINK(item);
    ExFreePoolWithTag(item, TAG('O', 'w', 'n', 'W'));
  }
}
NTSTATUS NTAPI OwnTrack(ULONG id, OWN_ITEM **out) {
  OWN_ITEM *item = OwnpAllocate(id, TAG('O', 'w', 'n', 'W'));
  if (item == 0) return STATUS_INSUFFICIENT_RESOURCES;
  LINK(OwnTracked, item);
  *out = item;
  return STATUS_SUCCESS;
}
void NTAPI OwnUntrack(OWN_ITEM *item) {
  UNLINK(item);
  ExFreePoolWithTag(item, TAG('O', 'w', 'n', 'W'));
}

/* What is submitted is the library's from then on. */
OWN_ITEM *NTAPI OwnMake(ULONG id) { return OwnpAllocate(id, TAG('O', 'w', 'n', 'M')); }
NTSTATUS NTAPI OwnSubmit(OWN_ITEM *item) {
  if (OwnCount > 0x1000) return STATUS_UNSUCCESSFUL;
  LINK(OwnWaiting, item);
  return STATUS_SUCCESS;
}
void NTAPI OwnFree(OWN_ITEM *item) { ExFreePoolWithTag(item, TAG('O', 'w', 'n', 'M')); }

/* A structure of the caller's with a buffer in it. */
NTSTATUS NTAPI OwnText(OWN_TEXT *text, ULONG length) {
  text->Buffer = ExAllocatePoolWithTag(PagedPool, length + 2, TAG('O', 'w', 'n', 'T'));
  if (text->Buffer == 0) return STATUS_INSUFFICIENT_RESOURCES;
  text->Length = length;
  return STATUS_SUCCESS;
}
void NTAPI OwnClear(OWN_TEXT *text) {
  if (text->Buffer != 0) ExFreePoolWithTag(text->Buffer, TAG('O', 'w', 'n', 'T'));
  text->Buffer = 0;
  text->Length = 0;
}

/* Children of a structure: they go with it, whatever their makers do with them. */
NTSTATUS NTAPI OwnParent(OWN_PARENT **out) {
  OWN_PARENT *parent = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof *parent, TAG('O', 'w', 'n', 'P'));
  if (parent == 0) return STATUS_INSUFFICIENT_RESOURCES;
  parent->Children.Flink = parent->Children.Blink = &parent->Children;
  parent->Count = 0;
  *out = parent;
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI OwnChild(OWN_PARENT *parent, OWN_ITEM **out) {
  OWN_ITEM *item = OwnpAllocate(parent->Count++, TAG('O', 'w', 'n', 'K'));
  if (item == 0) return STATUS_INSUFFICIENT_RESOURCES;
  LINK(parent->Children, item);
  *out = item;
  return STATUS_SUCCESS;
}
void NTAPI OwnOrphan(OWN_ITEM *item) {
  UNLINK(item);
  ExFreePoolWithTag(item, TAG('O', 'w', 'n', 'K'));
}
void NTAPI OwnEnd(OWN_PARENT *parent) {
  while (parent->Children.Flink != &parent->Children) {
    OWN_ITEM *item = (OWN_ITEM *)parent->Children.Flink;
    UNLINK(item);
    ExFreePoolWithTag(item, TAG('O', 'w', 'n', 'K'));
  }
  ExFreePoolWithTag(parent, TAG('O', 'w', 'n', 'P'));
}

/* A buffer that a structure of the caller's has, and that it is told of. */
NTSTATUS NTAPI OwnRead(OWN_TEXT *text, PVOID *buffer) {
  if (text->Buffer == 0) text->Buffer = ExAllocatePoolWithTag(PagedPool, 0x80, TAG('O', 'w', 'n', 'R'));
  if (text->Buffer == 0) return STATUS_INSUFFICIENT_RESOURCES;
  *buffer = text->Buffer;
  return STATUS_SUCCESS;
}
void NTAPI OwnReset(OWN_TEXT *text) {
  if (text->Buffer != 0) ExFreePoolWithTag(text->Buffer, TAG('O', 'w', 'n', 'R'));
  text->Buffer = 0;
}

/* Entries of a lookaside list. */
PVOID NTAPI OwnTake(void) { return TakeEntry(&OwnEntries); }
void NTAPI OwnPut(PVOID entry) { GiveEntry(&OwnEntries, entry); }

static PAGED void NTAPI Unload(DRIVER_OBJECT *driver) {
  while (OwnItems.Flink != &OwnItems) {
    OWN_ITEM *item = (OWN_ITEM *)OwnItems.Flink;
    UNLINK(item);
    ExFreePoolWithTag(item, TAG('O', 'w', 'n', 'I'));
  }
  IoDeleteDevice(driver->DeviceObject);
}
INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  driver->DriverUnload = (PVOID)Unload;
  OwnCount = path->Length & 1;
  ExInitializeNPagedLookasideList((PVOID)&OwnEntries, 0, 0, 0, 0x60, TAG('O', 'w', 'n', 'L'), 0);
  PVOID item = IoAllocateWorkItem(driver->DeviceObject);
  if (item != 0) IoQueueWorkItem(item, (PVOID)OwnpSweep, 1, path);
  return STATUS_SUCCESS;
}
