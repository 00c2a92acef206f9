/* What the drivers of the kinds use beside nt.h: exports of the small kernel and of three libraries here. */
#ifndef SAMPLES_KINDS_H
#define SAMPLES_KINDS_H
#include "nt.h"

#ifdef BUILD_INNER
#define INNERAPI
#else
#define INNERAPI __declspec(dllimport)
#endif
#ifdef BUILD_OUTER
#define OUTERAPI
#else
#define OUTERAPI __declspec(dllimport)
#endif
#ifdef BUILD_OWNER
#define OWNERAPI
#else
#define OWNERAPI __declspec(dllimport)
#endif

extern NTKERNELAPI PVOID IoFileObjectType;
NTKERNELAPI NTSTATUS NTAPI RtlAnsiStringToUnicodeString(UNICODE_STRING *to, const UNICODE_STRING *from, BOOLEAN allocate);
NTKERNELAPI BOOLEAN NTAPI RtlCreateUnicodeString(UNICODE_STRING *to, const WCHAR *from);
NTKERNELAPI void NTAPI RtlFreeUnicodeString(UNICODE_STRING *string);
NTKERNELAPI void NTAPI RtlFreeAnsiString(UNICODE_STRING *string);
NTKERNELAPI NTSTATUS NTAPI ZwOpenKey(HANDLE *key, ULONG access, PVOID attributes);
NTKERNELAPI NTSTATUS NTAPI ZwOpenSection(HANDLE *section, ULONG access, PVOID attributes);
NTKERNELAPI NTSTATUS NTAPI CmOpenHive(PVOID attributes);
NTKERNELAPI PVOID NTAPI MmMapSection(ULONG pages);
NTKERNELAPI void NTAPI MmUnmapSection(PVOID map);
NTKERNELAPI PVOID NTAPI MmAllocateMappingAddress(SIZE_T size, ULONG tag);
NTKERNELAPI void NTAPI MmFreeMappingAddress(PVOID address, ULONG tag);
NTKERNELAPI void NTAPI IoQueueWorkItem(PVOID item, PVOID routine, ULONG queue, PVOID context);
NTKERNELAPI NTSTATUS NTAPI IoGetDeviceObjectPointer(UNICODE_STRING *name, ULONG access, PVOID *file, PVOID *device);
NTKERNELAPI NTSTATUS NTAPI IoRegisterDeviceInterface(PVOID device, const void *class_, UNICODE_STRING *reference, UNICODE_STRING *link);

/* What ExAllocateFromNPagedLookasideList and its opposite are compiled to, as headers have them. */
NTKERNELAPI PVOID NTAPI ExpInterlockedPopEntrySList(PVOID list);
NTKERNELAPI PVOID NTAPI ExpInterlockedPushEntrySList(PVOID list, PVOID entry);
NTKERNELAPI PVOID FASTCALL InterlockedPopEntrySList(PVOID list);
NTKERNELAPI PVOID FASTCALL InterlockedPushEntrySList(PVOID list, PVOID entry);
#ifdef __x86_64__
#define POP_ENTRY ExpInterlockedPopEntrySList
#define PUSH_ENTRY ExpInterlockedPushEntrySList
#define SLIST_WORDS 2
#else
#define POP_ENTRY InterlockedPopEntrySList
#define PUSH_ENTRY InterlockedPushEntrySList
#define SLIST_WORDS 1
#endif
typedef struct { ULONG64 Header[SLIST_WORDS]; USHORT Depth, Maximum; ULONG Counts[4], Type, Tag, Size; PVOID Allocate, Free; PVOID Rest[8]; } ENTRY_LIST;
static __inline__ __attribute__((always_inline)) PVOID TakeEntry(ENTRY_LIST *list) {
  PVOID entry;
  list->Counts[0]++;
  entry = POP_ENTRY(list);
  if (entry != 0) return entry;
  list->Counts[1]++;
  return ((PVOID(NTAPI *)(ULONG, SIZE_T, ULONG))list->Allocate)(list->Type, list->Size, list->Tag);
}
static __inline__ __attribute__((always_inline)) void GiveEntry(ENTRY_LIST *list, PVOID entry) {
  list->Counts[2]++;
  if ((USHORT)list->Header[0] < list->Depth) PUSH_ENTRY(list, entry);
  else ((void(NTAPI *)(PVOID))list->Free)(entry);
}

/* fltmgr: what the other samples do not call */
FLTAPI NTSTATUS NTAPI FltGetStreamHandleContext(PVOID instance, PVOID file, PVOID *context);
FLTAPI NTSTATUS NTAPI FltSetStreamHandleContext(PVOID instance, PVOID file, ULONG operation, PVOID context, PVOID *old);

/* The framework: the loader's export, what it is told, and places in the table that it fills (wdffuncenum.h). */
typedef struct {
  ULONG Size;
  const WCHAR *Component;
  ULONG Version[3];
  ULONG FunctionCount;
  PVOID **FunctionTable;
  PVOID Module;
} WDF_BIND;
typedef struct {
  ULONG Size;
  PVOID Cleanup, Destroy;
  ULONG ExecutionLevel, SynchronizationScope;
  PVOID ParentObject;
  SIZE_T ContextSize;
  const void *ContextType;
} WDF_ATTRIBUTES;
__declspec(dllimport) NTSTATUS NTAPI WdfVersionBind(DRIVER_OBJECT *driver, UNICODE_STRING *path, WDF_BIND *bind, PVOID *globals);
#define WDF_DRIVER_PARAMETERS 119
#define WDF_MEMORY_CREATE 192
#define WDF_REGISTRY_CLOSE 231

/* inner: a library of one layer */
INNERAPI NTSTATUS NTAPI InnSend(PVOID device);
INNERAPI NTSTATUS NTAPI InnOpen(ULONG size, PVOID *handle);
INNERAPI void NTAPI InnClose(PVOID handle);
INNERAPI NTSTATUS NTAPI InnRegister(DRIVER_OBJECT *driver, PVOID *port);
INNERAPI void NTAPI InnUnregister(PVOID port);
INNERAPI NTSTATUS NTAPI InnQuery(PVOID token, PVOID *information);
/* outer: a library over it */
OUTERAPI NTSTATUS NTAPI OutAcquire(PVOID layer, PVOID *data);
OUTERAPI void NTAPI OutApply(PVOID layer, PVOID data);
/* owner: a library of objects */
typedef struct { LIST_ENTRY Link; ULONG Id; LONG References; } OWN_ITEM;
typedef struct { ULONG Size, State; PVOID Buffer; } OWN_FILE;
typedef struct { ULONG State; PVOID Process; } OWN_WATCH;
typedef struct { ULONG Length, Flags; PVOID Owner, Next, Buffer; } OWN_TEXT;
OWNERAPI NTSTATUS NTAPI OwnOpen(ULONG size, OWN_FILE **out);
OWNERAPI void NTAPI OwnClose(OWN_FILE *file);
OWNERAPI NTSTATUS NTAPI OwnWatch(HANDLE id, OWN_WATCH **out);
OWNERAPI void NTAPI OwnUnwatch(OWN_WATCH *watch);
OWNERAPI NTSTATUS NTAPI OwnGuard(HANDLE id, PVOID *process);
OWNERAPI void NTAPI OwnUnguard(PVOID process);
OWNERAPI NTSTATUS NTAPI OwnAdd(ULONG id, OWN_ITEM **out);
OWNERAPI void NTAPI OwnDrop(OWN_ITEM *item);
OWNERAPI OWN_ITEM *NTAPI OwnName(ULONG id);
OWNERAPI void NTAPI OwnForget(OWN_ITEM *item);
OWNERAPI NTSTATUS NTAPI OwnFind(ULONG id, OWN_ITEM **out);
OWNERAPI void NTAPI OwnRemove(OWN_ITEM *item);
OWNERAPI NTSTATUS NTAPI OwnTrack(ULONG id, OWN_ITEM **out);
OWNERAPI void NTAPI OwnUntrack(OWN_ITEM *item);
OWNERAPI OWN_ITEM *NTAPI OwnMake(ULONG id);
OWNERAPI NTSTATUS NTAPI OwnSubmit(OWN_ITEM *item);
OWNERAPI void NTAPI OwnFree(OWN_ITEM *item);
OWNERAPI NTSTATUS NTAPI OwnText(OWN_TEXT *text, ULONG length);
OWNERAPI void NTAPI OwnClear(OWN_TEXT *text);
typedef struct { LIST_ENTRY Children; ULONG Count; } OWN_PARENT;
OWNERAPI NTSTATUS NTAPI OwnParent(OWN_PARENT **out);
OWNERAPI NTSTATUS NTAPI OwnChild(OWN_PARENT *parent, OWN_ITEM **out);
OWNERAPI void NTAPI OwnOrphan(OWN_ITEM *item);
OWNERAPI void NTAPI OwnEnd(OWN_PARENT *parent);
OWNERAPI NTSTATUS NTAPI OwnRead(OWN_TEXT *text, PVOID *buffer);
OWNERAPI void NTAPI OwnReset(OWN_TEXT *text);
OWNERAPI PVOID NTAPI OwnTake(void);
OWNERAPI void NTAPI OwnPut(PVOID entry);
#endif
