/*
 * Security: the home of the tag `Se  `. What each reference does is listed for the truth tables:
 *
 * @use 'Se  ' SepBuildInformation allocate
 * @use 'Se  ' SepBuildInformation free
 * @use 'Se  ' SeReleaseSubjectContext free
 * @use 'Se  ' SepCaptureProcessAuditId allocate
 * @use 'Se  ' SeAssignSecurity allocate
 * @use 'Se  ' SeDeassignSecurity free
 * @use 'Se  ' SeSetAuditParameter allocate
 * @use 'Se  ' SepIsSecurityTag compare
 * @use 'Se  ' SeDeleteObjectAuditAlarm store
 * @use 'Se  ' SeRegisterLogonSessionTerminatedRoutine allocate
 * @use 'Se  ' SepInitializePhase1 lookaside
 * @use 'SeAc' SeAccessCheck allocate
 * @use 'SeAc' SeAccessCheck free
 * @use 'SeSd' SepCopyDescriptor wrapper
 * @use 'SeLw' SepInitializePhase1 allocate
 * @use 'SeOn' SeLocateProcessImageName allocate
 * @use 'Toke' SepDuplicateToken allocate
 *
 * The internal SepBuildInformation stands behind SeUnlockSubjectContext, which has nothing to do with it and is
 * the nearest export below it. It is reached from SeQueryInformationToken (directly) and from
 * NtQueryInformationToken (through SepQueryTokenWorker).
 */
#include "nt.h"

#define TAG_SE TAG('S', 'e', ' ', ' ')
#define TAG_SEAC TAG('S', 'e', 'A', 'c')
#define TAG_SESD TAG('S', 'e', 'S', 'd')
#define TAG_SELW TAG('S', 'e', 'L', 'w')
#define TAG_SEON TAG('S', 'e', 'O', 'n')
#define TAG_TOKE TAG('T', 'o', 'k', 'e')

typedef struct {
  UCHAR Source[16];
  ULONG64 TokenId;
  ULONG UserLength, GroupCount, PrivilegeCount, DefaultOwner;
  PVOID UserSid, PrimaryGroup, Dacl;
  ULONG Type, ImpersonationLevel, SessionId, Flags;
} TOKEN;

typedef struct { UCHAR Revision, Count, Authority[6]; ULONG Sub[1]; } SID;

PVOID SeTokenObjectType;
PVOID SeTokenUserSid;
static LOOKASIDE_LIST SepInformationLookaside;
static ULONG SepAuditCount, SepWorkItems;
static PVOID SepNotifyRoutines[16];
/* data: a tag in a table, and the same bytes in a text */
const ULONG SepTagTable[4] = { TAG_TOKE, TAG_SE, TAG_SEAC, TAG_SESD };
const char SepAuditFormat[] = "%s: Se   operation %08x on %p";

NOINLINE NTSTATUS SepBuildInformation(TOKEN *token, ULONG class_, PVOID *information);
NOINLINE NTSTATUS SepQueryTokenWorker(TOKEN *token, ULONG class_, PVOID buffer, ULONG length, ULONG *returned);
COLD NTSTATUS SepAuditFailed(ULONG code, PVOID what);

BOOLEAN NTAPI RtlValidSid(PVOID p) {
  SID *sid = p;
  return sid != 0 && (sid->Revision & 0xf) == 1 && sid->Count <= 15;
}

ULONG NTAPI RtlLengthSid(PVOID p) { return 8 + 4 * ((SID *)p)->Count; }

NTSTATUS NTAPI RtlCopySid(ULONG length, PVOID to, PVOID from) {
  ULONG need = RtlLengthSid(from);
  if (need > length) return (NTSTATUS)0xC0000023;
  RtlMoveMemory(to, from, need);
  return STATUS_SUCCESS;
}

BOOLEAN NTAPI SeTokenIsAdmin(PVOID token) { return (((TOKEN *)token)->Flags & 0x20) != 0; }

BOOLEAN NTAPI SeTokenIsRestricted(PVOID token) { return (((TOKEN *)token)->Flags & 0x10) != 0; }

NTSTATUS NTAPI SeQueryInformationToken(PVOID token, ULONG class_, PVOID *information) {
  if (token == 0 || information == 0) return STATUS_INVALID_PARAMETER;
  *information = 0;
  if (class_ == 0 || class_ > 41) return STATUS_INVALID_INFO_CLASS;
  NTSTATUS status = SepBuildInformation(token, class_, information);
  if (!NT_SUCCESS(status)) SepAuditCount++;
  return status;
}

NTSTATUS NTAPI NtQueryInformationToken(HANDLE handle, ULONG class_, PVOID buffer, ULONG length, ULONG *returned) {
  PVOID token;
  NTSTATUS status = ObReferenceObjectByHandle(handle, 8, SeTokenObjectType, 1, &token, 0);
  if (!NT_SUCCESS(status)) return status;
  status = SepQueryTokenWorker(token, class_, buffer, length, returned);
  ObfDereferenceObject(token);
  return status;
}

NOINLINE PVOID SepDuplicateToken(TOKEN *token, ULONG level) {
  TOKEN *copy = ExAllocatePoolWithTag(PagedPool, sizeof(TOKEN) + token->GroupCount * 16, TAG_TOKE);
  if (copy == 0) return 0;
  RtlMoveMemory(copy, token, sizeof(TOKEN));
  copy->ImpersonationLevel = level;
  return copy;
}

void NTAPI SeCaptureSubjectContext(SECURITY_SUBJECT_CONTEXT *context) {
  PVOID process = PsGetCurrentProcess();
  context->ClientToken = 0;
  context->ImpersonationLevel = 0;
  context->PrimaryToken = PsReferencePrimaryToken(process);
  context->ProcessAuditId = PsGetProcessId(process);
}

/* An allocation whose only caller is a function pointer in a table: address taken, no direct edge. */
NOINLINE PVOID SepCaptureProcessAuditId(PVOID process) {
  ULONG *copy = ExAllocatePoolWithTag(NonPagedPoolNx, 0x18, TAG_SE);
  if (copy != 0) copy[0] = (ULONG)(ULONG_PTR)PsGetProcessId(process);
  return copy;
}
PVOID const SepAuditDispatch[2] = { (PVOID)SepCaptureProcessAuditId, (PVOID)SeTokenIsAdmin };

void NTAPI SeReleaseSubjectContext(SECURITY_SUBJECT_CONTEXT *context) {
  if (context->PrimaryToken != 0) PsDereferencePrimaryToken(context->PrimaryToken);
  if (context->ClientToken != 0) ObfDereferenceObject(context->ClientToken);
  if (context->ImpersonationLevel & 0x80000000) ExFreePoolWithTag(context->ProcessAuditId, TAG_SE);
  context->PrimaryToken = 0;
}

void NTAPI SeLockSubjectContext(SECURITY_SUBJECT_CONTEXT *context) {
  if (context->PrimaryToken != 0) KeWaitForSingleObject((UCHAR *)context->PrimaryToken + 0x30, 0, 0, 0, 0);
}

void NTAPI SeUnlockSubjectContext(SECURITY_SUBJECT_CONTEXT *context) {
  if (context->PrimaryToken != 0) KeSetEvent((UCHAR *)context->PrimaryToken + 0x30, 0, 0);
}

/* Internal. Nearest export below: SeUnlockSubjectContext, which is unrelated. */
NOINLINE NTSTATUS SepBuildInformation(TOKEN *token, ULONG class_, PVOID *information) {
  ULONG *result;
  switch (class_) {
    case 1:
      result = ExAllocatePoolWithTag(PagedPool, 0x50, TAG_SE);
      if (result == 0) return STATUS_INSUFFICIENT_RESOURCES;
      *(PVOID *)result = result + 4;
      if (!NT_SUCCESS(RtlCopySid(0x40, result + 4, token->UserSid))) {
        ExFreePoolWithTag(result, TAG_SE);
        return STATUS_UNSUCCESSFUL;
      }
      break;
    case 2:
      result = ExAllocatePoolWithTag(PagedPool, 0x10 + token->GroupCount * 0x20, TAG_SE);
      if (result == 0) return STATUS_INSUFFICIENT_RESOURCES;
      result[0] = token->GroupCount;
      break;
    case 3:
      result = ExAllocatePoolWithTag(PagedPool, 4 + token->PrivilegeCount * 12, TAG_SE);
      if (result == 0) return STATUS_INSUFFICIENT_RESOURCES;
      result[0] = token->PrivilegeCount;
      break;
    case 8:
      *information = (PVOID)(ULONG_PTR)token->Type;
      return STATUS_SUCCESS;
    case 9:
      *information = (PVOID)(ULONG_PTR)token->ImpersonationLevel;
      return STATUS_SUCCESS;
    case 10:
      result = ExAllocatePoolWithTag(PagedPool, 0x38, TAG_SE);
      if (result == 0) return STATUS_INSUFFICIENT_RESOURCES;
      *(ULONG64 *)result = token->TokenId;
      result[6] = token->Type;
      break;
    case 12:
      *information = (PVOID)(ULONG_PTR)token->SessionId;
      return STATUS_SUCCESS;
    default:
      return STATUS_INVALID_INFO_CLASS;
  }
  *information = result;
  return STATUS_SUCCESS;
}

NOINLINE NTSTATUS SepQueryTokenWorker(TOKEN *token, ULONG class_, PVOID buffer, ULONG length, ULONG *returned) {
  PVOID information = 0;
  NTSTATUS status = SepBuildInformation(token, class_, &information);
  if (!NT_SUCCESS(status)) return status;
  if (length < 0x50) return (NTSTATUS)0xC0000023;
  RtlMoveMemory(buffer, information, 0x50);
  if (returned != 0) *returned = 0x50;
  ExFreePool(information);
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI SeLocateProcessImageName(PVOID process, UNICODE_STRING **name) {
  USHORT length = *(USHORT *)((UCHAR *)process + 0x5b8);
  UNICODE_STRING *copy = ExAllocatePoolWithTag(PagedPool, length + sizeof(UNICODE_STRING), TAG_SEON);
  if (copy == 0) return STATUS_INSUFFICIENT_RESOURCES;
  copy->Length = copy->MaximumLength = length;
  copy->Buffer = (WCHAR *)(copy + 1);
  RtlMoveMemory(copy->Buffer, *(PVOID *)((UCHAR *)process + 0x5c0), length);
  *name = copy;
  return STATUS_SUCCESS;
}

/* compare: not exported, and no allocation */
NOINLINE BOOLEAN SepIsSecurityTag(ULONG tag) { return tag == TAG_SE || (tag & 0xffff) == ('S' | 'e' << 8); }

BOOLEAN NTAPI SeAccessCheck(PVOID sd, SECURITY_SUBJECT_CONTEXT *context, ULONG access, ULONG *granted) {
  ULONG *set = ExAllocatePoolWithTag(PagedPool, 0x40, TAG_SEAC);
  if (set == 0) { SepAuditFailed(access, sd); return 0; }
  SeLockSubjectContext(context);
  for (ULONG i = 0; i < 8; i++) set[i] = access >> i & 1;
  BOOLEAN ok = sd != 0 && set[0] + set[3] == 1;
  SeUnlockSubjectContext(context);
  *granted = ok ? access : 0;
  if (!ok) SepAuditFailed(access, context);
  ExFreePoolWithTag(set, TAG_SEAC);
  return ok;
}

BOOLEAN NTAPI SeSinglePrivilegeCheck(ULONG64 privilege, ULONG mode) {
  SECURITY_SUBJECT_CONTEXT context;
  if (mode == 0) return 1;
  SeCaptureSubjectContext(&context);
  BOOLEAN held = (((TOKEN *)context.PrimaryToken)->PrivilegeCount >> (privilege & 31) & 1) != 0;
  SeReleaseSubjectContext(&context);
  return held;
}

/* The tag is loaded once into a register that is kept across the calls in between. */
NTSTATUS NTAPI SeAssignSecurity(PVOID parent, PVOID explicit_, PVOID *created, ULONG directory) {
  ULONG tag = IN_REGISTER(TAG_SE);
  ULONG length = explicit_ != 0 ? RtlLengthSid(explicit_) : 0x14;
  KeWaitForSingleObject(parent, 0, 0, 0, 0);
  UCHAR *first = ExAllocatePoolWithTag(PagedPool, length + 0x14, tag);
  if (first == 0) return STATUS_INSUFFICIENT_RESOURCES;
  RtlMoveMemory(first, explicit_, length);
  if (directory) {
    PVOID second = ExAllocatePoolWithTag(PagedPool, length * 2, tag);
    *(PVOID *)first = second;
  }
  KeSetEvent(parent, 0, 0);
  *created = first;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI SeDeassignSecurity(PVOID *sd) {
  if (*sd != 0) { ExFreePoolWithTag(*sd, TAG_SE); *sd = 0; }
  return STATUS_SUCCESS;
}

/* A wrapper that takes the tag as a parameter. */
NOINLINE PVOID SepAllocateTagged(ULONG tag, SIZE_T size) {
  PVOID p = ExAllocatePoolWithTag(PagedPool | 0x10, size, tag);
  if (p == 0) SepAuditFailed((ULONG)size, 0);
  return p;
}

NOINLINE PVOID SepCopyDescriptor(PVOID sd, ULONG length) {
  PVOID copy = SepAllocateTagged(TAG_SESD, length);
  if (copy != 0) RtlMoveMemory(copy, sd, length);
  return copy;
}

NTSTATUS NTAPI SeCaptureSecurityDescriptor(PVOID sd, ULONG mode, ULONG pool, BOOLEAN force, PVOID *captured) {
  if (mode == 0 && !force) { *captured = sd; return STATUS_SUCCESS; }
  *captured = SepCopyDescriptor(sd, pool & 1 ? 0x80 : 0x60);
  return *captured != 0 ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* The allocation stands in the cold part, which the compiler splits off and the linker puts far away. */
void NTAPI SeSetAuditParameter(PVOID parameters, ULONG type, ULONG index, PVOID data) {
  ULONG_PTR *slot = (ULONG_PTR *)parameters + 2 * index;
  slot[0] = type;
  slot[1] = (ULONG_PTR)data;
  if (index > 27) {
    SepAuditFailed(index, data);
    PVOID overflow = ExAllocatePoolWithTag(PagedPool, 0x120, TAG_SE);
    slot[1] = (ULONG_PTR)overflow;
  }
}

NTSTATUS NTAPI SeRegisterLogonSessionTerminatedRoutine(PVOID routine) {
  for (ULONG i = 0; i < 16; i++)
    if (SepNotifyRoutines[i] == 0) {
      PVOID *block = ExAllocatePool2(POOL_FLAG_PAGED, 0x20, TAG_SE);
      if (block == 0) return STATUS_INSUFFICIENT_RESOURCES;
      block[0] = routine;
      SepNotifyRoutines[i] = block;
      return STATUS_SUCCESS;
    }
  return STATUS_UNSUCCESSFUL;
}

/* store: the tag's bytes begin a name that is built on the stack */
void NTAPI SeDeleteObjectAuditAlarm(PVOID object, HANDLE handle) {
  volatile ULONG name[4];
  name[0] = TAG_SE;
  name[1] = TAG('O', 'b', 'C', 'l');
  name[2] = TAG('C', 'c', 0, 0);
  SepAuditFailed(name[0] ^ name[1] ^ name[2] ^ (ULONG)(ULONG_PTR)handle, object);
}

COLD NTSTATUS SepAuditFailed(ULONG code, PVOID what) {
  SepAuditCount += code;
  SepNotifyRoutines[15] = what;
  return STATUS_ACCESS_DENIED;
}

INIT NOINLINE BOOLEAN SepInitializePhase1(void) {
  ExInitializePagedLookasideList(&SepInformationLookaside, 0, 0, 0, 0x50, TAG_SE, 0);
  SeTokenUserSid = ExAllocatePoolWithTag(PagedPool, 0x44, TAG_SELW);
  SepWorkItems = SepTagTable[1] ^ (ULONG)SepAuditFormat[4];
  return SepDuplicateToken(SeTokenUserSid, 1) != 0 && SepIsSecurityTag(SepWorkItems) && SepAuditDispatch[1] != 0;
}
