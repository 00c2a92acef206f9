/*
 * A small filter manager: its exports call the kernel for the minifilters.
 *
 * @use 'FMfn' FltGetFileNameInformation allocate
 * @use 'FMfn' FltReleaseFileNameInformation free
 * @use 'FMct' FltAllocateContext allocate
 * @use 'FMct' FltReleaseContext free
 * @use 'FMsl' FltRegisterFilter lookaside
 * @use 'FMfl' FltRegisterFilter allocate
 * @use 'FMfl' FltUnregisterFilter free
 */
#include "nt.h"

typedef struct { PVOID Driver; const void *Registration; ULONG Instances; LOOKASIDE_LIST Names; } FILTER;

static ULONG FltpFilters;
static const struct { const char *name; PVOID routine; } FltpRoutines[] = {
  { "FltGetFileNameInformation", (PVOID)FltGetFileNameInformation },
  { "FltQuerySecurityObject", (PVOID)FltQuerySecurityObject },
};

NTSTATUS NTAPI FltRegisterFilter(DRIVER_OBJECT *driver, const void *registration, PVOID *filter) {
  FILTER *f = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(FILTER), TAG('F', 'M', 'f', 'l'));
  if (f == 0) return STATUS_INSUFFICIENT_RESOURCES;
  f->Driver = driver;
  f->Registration = registration;
  f->Instances = 0;
  ExInitializeNPagedLookasideList(&f->Names, 0, 0, 0, 0x120, TAG('F', 'M', 's', 'l'), 0);
  *filter = f;
  FltpFilters++;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI FltStartFiltering(PVOID filter) { ((FILTER *)filter)->Instances++; return STATUS_SUCCESS; }

void NTAPI FltUnregisterFilter(PVOID filter) {
  ExDeleteLookasideListEx(&((FILTER *)filter)->Names);
  ExFreePoolWithTag(filter, TAG('F', 'M', 'f', 'l'));
  FltpFilters--;
}

NTSTATUS NTAPI FltAllocateContext(PVOID filter, USHORT type, SIZE_T size, ULONG pool, PVOID *context) {
  PVOID *c = ExAllocatePoolWithTag(pool, size + 0x40, TAG('F', 'M', 'c', 't'));
  if (c == 0) return STATUS_INSUFFICIENT_RESOURCES;
  c[0] = filter;
  c[1] = (PVOID)(ULONG_PTR)type;
  *context = c + 8;
  return STATUS_SUCCESS;
}

void NTAPI FltReleaseContext(PVOID context) { ExFreePoolWithTag((PVOID *)context - 8, TAG('F', 'M', 'c', 't')); }

/* Reaches the kernel's SeQueryInformationToken on the minifilter's behalf; the minifilter owns the result. */
NTSTATUS NTAPI FltQuerySecurityObject(PVOID instance, PVOID file, ULONG information, PVOID *sd) {
  SECURITY_SUBJECT_CONTEXT context;
  if (instance == 0 || file == 0) return STATUS_INVALID_PARAMETER;
  SeCaptureSubjectContext(&context);
  NTSTATUS status = SeQueryInformationToken(context.PrimaryToken, information, sd);
  SeReleaseSubjectContext(&context);
  return status;
}

NTSTATUS NTAPI FltGetFileNameInformation(PVOID data, ULONG options, PVOID *information) {
  ULONG *name = ExAllocatePoolWithTag(PagedPool, 0x120, TAG('F', 'M', 'f', 'n'));
  if (name == 0) return STATUS_INSUFFICIENT_RESOURCES;
  name[0] = options;
  NTSTATUS status = ObQueryNameString(data, name + 4, 0x110, name + 1);
  if (!NT_SUCCESS(status)) { FltReleaseFileNameInformation(name); return status; }
  *information = name;
  return STATUS_SUCCESS;
}

void NTAPI FltReleaseFileNameInformation(PVOID information) { ExFreePoolWithTag(information, TAG('F', 'M', 'f', 'n')); }

PVOID NTAPI FltGetRoutineAddress(const char *name) {
  for (ULONG i = 0; i < sizeof FltpRoutines / sizeof FltpRoutines[0]; i++) {
    const char *a = FltpRoutines[i].name, *b = name;
    while (*a != 0 && *a == *b) { a++; b++; }
    if (*a == *b) return FltpRoutines[i].routine;
  }
  return 0;
}

PVOID NTAPI FltAllocatePoolAlignedWithTag(PVOID instance, ULONG type, SIZE_T size, ULONG tag) {
  return instance == 0 ? 0 : ExAllocatePoolWithTag(type | 4, (size + 0x1ff) & ~(SIZE_T)0x1ff, tag);
}

void NTAPI FltFreePoolAlignedWithTag(PVOID instance, PVOID p, ULONG tag) {
  if (instance != 0) ExFreePoolWithTag(p, tag);
}

INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  driver->DriverUnload = 0;
  FltpFilters = path != 0 ? path->Length & 1 : 0;
  return STATUS_SUCCESS;
}
