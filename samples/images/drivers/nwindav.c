/*
 * Northwind Traders: an antivirus driver that calls SeQueryInformationToken and releases what it gets.
 *
 * @use 'NwAv' NwaRemember allocate
 * @use 'NwAv' NwaForget free
 */
#include "nt.h"

typedef struct ENTRY_ { struct ENTRY_ *Next; HANDLE Process; ULONG Length; UCHAR Sid[68]; } ENTRY;
static ENTRY *NwaList;
static ULONG NwaSeen;

NOINLINE ENTRY *NwaRemember(HANDLE process) {
  ENTRY *e = ExAllocatePoolWithTag(PagedPool, sizeof(ENTRY), TAG('N', 'w', 'A', 'v'));
  if (e == 0) return 0;
  e->Process = process;
  e->Next = NwaList;
  NwaList = e;
  return e;
}

NOINLINE void NwaForget(HANDLE process) {
  for (ENTRY **at = &NwaList; *at != 0; at = &(*at)->Next)
    if ((*at)->Process == process) {
      ENTRY *e = *at;
      *at = e->Next;
      ExFreePoolWithTag(e, TAG('N', 'w', 'A', 'v'));
      return;
    }
}

static void NTAPI NwaNotify(HANDLE parent, HANDLE id, BOOLEAN created) {
  PVOID process, token, *user;
  if (!created) { NwaForget(id); return; }
  if (!NT_SUCCESS(PsLookupProcessByProcessId(id, &process))) return;
  token = PsReferencePrimaryToken(process);
  if (NT_SUCCESS(SeQueryInformationToken(token, 1, (PVOID *)&user))) {
    ENTRY *e = NwaRemember(parent);
    if (e != 0) { e->Length = RtlLengthSid(user[0]); RtlCopySid(sizeof e->Sid, e->Sid, user[0]); }
    ExFreePool(user);
  }
  PsDereferencePrimaryToken(token);
  ObfDereferenceObject(process);
  NwaSeen++;
}

PAGED void NTAPI NwaUnload(DRIVER_OBJECT *driver) {
  PsSetCreateProcessNotifyRoutine((PVOID)NwaNotify, 1);
  while (NwaList != 0) NwaForget(NwaList->Process);
  driver->DriverUnload = 0;
}

INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  NwaSeen = path->Length;
  driver->DriverUnload = (PVOID)NwaUnload;
  return PsSetCreateProcessNotifyRoutine((PVOID)NwaNotify, 0);
}
