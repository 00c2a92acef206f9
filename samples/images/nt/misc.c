/* The rest of the kernel: small exported functions, so that the export table and the distances look like one. */
#include "nt.h"

ULONG NtBuildNumber = 0xF0004A61;
ULONG NtGlobalFlag;
ULONG InitSafeBootMode;
volatile ULONG64 KeTickCount;
ULONG_PTR MmSystemRangeStart, MmUserProbeAddress, MmHighestUserAddress;
LIST_ENTRY PsLoadedModuleList, PsActiveProcessHead;
static ULONG_PTR KiState[64];
static PVOID KiNames[32];

PVOID NTAPI RtlMoveMemory(PVOID to, const void *from, SIZE_T size) {
  UCHAR *d = to;
  const UCHAR *s = from;
  if (d < s) while (size--) { *(volatile UCHAR *)d++ = *s++; }
  else while (size--) ((volatile UCHAR *)d)[size] = s[size];
  return to;
}

void *memcpy(void *to, const void *from, SIZE_T size) {
  for (SIZE_T i = 0; i < size; i++) ((volatile UCHAR *)to)[i] = ((const UCHAR *)from)[i];
  return to;
}

void *memset(void *to, int value, SIZE_T size) {
  for (SIZE_T i = 0; i < size; i++) ((volatile UCHAR *)to)[i] = (UCHAR)value;
  return to;
}

COLD void KiHalt(void) { for (;;) KiState[63]++; }

void NTAPI KeBugCheckEx(ULONG code, ULONG_PTR a, ULONG_PTR b, ULONG_PTR c, ULONG_PTR d) {
  KiState[0] = code; KiState[1] = a; KiState[2] = b; KiState[3] = c; KiState[4] = d;
  KiHalt();
}

void NTAPI KeBugCheck(ULONG code) { KeBugCheckEx(code, 0, 0, 0, 0); }

NOINLINE NTSTATUS KiSwapThread(PVOID object, ULONG64 until) {
  KiState[5] = (ULONG_PTR)object;
  return until < KeTickCount ? 0x102 : STATUS_SUCCESS;
}

NTSTATUS NTAPI KeDelayExecutionThread(ULONG mode, BOOLEAN alertable, ULONG64 *interval) {
  if (mode > 1) KeBugCheckEx(0x1E, mode, alertable, 0, 0);
  return KiSwapThread(0, interval != 0 ? *interval : 0);
}

NTSTATUS NTAPI KeWaitForSingleObject(PVOID object, ULONG reason, ULONG mode, BOOLEAN alertable, ULONG64 *timeout) {
  if (*(LONG *)((UCHAR *)object + 4) > 0) { --*(LONG *)((UCHAR *)object + 4); return STATUS_SUCCESS; }
  KiState[6] = reason + mode + alertable;
  return KiSwapThread(object, timeout != 0 ? *timeout : ~0ull);
}

LONG NTAPI KeSetEvent(PVOID event, LONG increment, BOOLEAN wait) {
  LONG was = *(LONG *)((UCHAR *)event + 4);
  *(LONG *)((UCHAR *)event + 4) = 1;
  if (wait) KiState[7] += increment;
  return was;
}

BOOLEAN NTAPI RtlEqualUnicodeString(const UNICODE_STRING *a, const UNICODE_STRING *b, BOOLEAN insensitive) {
  if (a->Length != b->Length) return 0;
  WCHAR mask = insensitive ? 0xffdf : 0xffff;
  for (ULONG i = 0; i < a->Length / 2u; i++) if ((a->Buffer[i] & mask) != (b->Buffer[i] & mask)) return 0;
  return 1;
}

void NTAPI RtlInitUnicodeString(UNICODE_STRING *to, const WCHAR *from) {
  USHORT n = 0;
  if (from != 0) while (from[n] != 0) n++;
  to->Length = n * 2;
  to->MaximumLength = n * 2 + 2;
  to->Buffer = (WCHAR *)from;
}

void NTAPI RtlCopyUnicodeString(UNICODE_STRING *to, const UNICODE_STRING *from) {
  USHORT n = from == 0 ? 0 : from->Length < to->MaximumLength ? from->Length : to->MaximumLength;
  if (n != 0) RtlMoveMemory(to->Buffer, from->Buffer, n);
  to->Length = n;
}

PVOID NTAPI MmGetSystemRoutineAddress(UNICODE_STRING *name) {
  for (ULONG i = 0; i < 32; i++) if (KiNames[i] != 0 && RtlEqualUnicodeString(KiNames[i], name, 0)) return KiNames[i];
  return 0;
}

BOOLEAN NTAPI MmIsAddressValid(PVOID address) {
  ULONG_PTR *pte = (ULONG_PTR *)KiState[8];
  return pte != 0 && (pte[(ULONG_PTR)address >> 12 & 511] & 1) != 0;
}

/* Field readers as Ps, Io and Mm have many of them: each its own function and export. */
#define READER(name, offset) PVOID NTAPI name(PVOID object) { return *(PVOID *)((UCHAR *)object + (offset)); }
READER(PsGetProcessPeb, 0x550) READER(PsGetProcessWow64Process, 0x580) READER(PsGetProcessJob, 0x510) READER(PsGetProcessSectionBaseAddress, 0x520)
READER(PsGetProcessDebugPort, 0x578) READER(PsGetProcessSecurityPort, 0x5a0) READER(PsGetProcessInheritedFromUniqueProcessId, 0x540)
READER(PsGetThreadId, 0x480) READER(PsGetThreadProcess, 0x220) READER(PsGetThreadTeb, 0xf0) READER(PsGetThreadWin32Thread, 0x1c8)
READER(IoGetRelatedDeviceObject, 0x8) READER(IoGetAttachedDevice, 0x18) READER(IoGetDeviceObjectPointer, 0x20) READER(IoGetBaseFileSystemDeviceObject, 0x28)
READER(IoGetTopLevelIrp, 0x10) READER(IoGetStackLimits, 0x30) READER(ObGetObjectType, 0x38) READER(ObGetObjectSecurity, 0x40)
READER(MmGetPhysicalAddress, 0x48) READER(MmGetVirtualForPhysical, 0x50) READER(KeGetProcessorNumberFromIndex, 0x58) READER(CcGetFileObjectFromBcb, 0x60)
READER(FsRtlGetFileSize, 0x68) READER(ExGetExclusiveWaiterCount, 0x70) READER(ExGetSharedWaiterCount, 0x78)

/* Functions that change a state word and call another, so that there are more edges than leaves. */
#define STEP(name, index, amount) ULONG_PTR NTAPI name(ULONG_PTR a, ULONG_PTR b) { \
  KiState[index] += a * (amount) + b; \
  if (KiState[index] > 0x1000000u * (amount)) KeBugCheckEx(0x100 + (index), a, b, KiState[index], 0); \
  return KiState[index] ^ (KiState[(index) + 1] >> ((amount) & 7)); }
STEP(KeQueryTickCount, 8, 3) STEP(KeQueryActiveProcessorCount, 9, 5) STEP(KeInitializeEvent, 10, 7) STEP(KeInitializeTimer, 11, 9) STEP(KeSetTimer, 12, 11)
STEP(KeCancelTimer, 13, 13) STEP(KeInitializeDpc, 14, 15) STEP(KeInsertQueueDpc, 15, 17) STEP(KeInitializeSpinLock, 16, 19) STEP(KeAcquireSpinLockRaiseToDpc, 17, 21)
STEP(KeReleaseSpinLock, 18, 23) STEP(KeRaiseIrqlToDpcLevel, 19, 25) STEP(KeLowerIrql, 20, 27) STEP(KeEnterCriticalRegion, 21, 29) STEP(KeLeaveCriticalRegion, 22, 31)
STEP(ExAcquireFastMutex, 23, 33) STEP(ExReleaseFastMutex, 24, 35) STEP(ExAcquireResourceSharedLite, 25, 37) STEP(ExAcquireResourceExclusiveLite, 26, 39)
STEP(ExReleaseResourceLite, 27, 41) STEP(ExInterlockedInsertHeadList, 28, 43) STEP(ExInterlockedRemoveHeadList, 29, 45) STEP(ExQueueWorkItem, 30, 47)
STEP(IoQueueWorkItem, 31, 49) STEP(IoBuildDeviceIoControlRequest, 32, 51) STEP(IoBuildSynchronousFsdRequest, 33, 53) STEP(IoCancelIrp, 34, 55)
STEP(IoAttachDevice, 35, 57) STEP(IoDetachDevice, 36, 59) STEP(IoRegisterShutdownNotification, 37, 61) STEP(IoInvalidateDeviceRelations, 38, 63)
STEP(MmProbeAndLockPages, 39, 65) STEP(MmUnlockPages, 40, 67) STEP(MmBuildMdlForNonPagedPool, 41, 69) STEP(MmMapLockedPagesSpecifyCache, 42, 71)
STEP(MmUnmapLockedPages, 43, 73) STEP(MmMapIoSpace, 44, 75) STEP(MmUnmapIoSpace, 45, 77) STEP(MmAllocateContiguousMemory, 46, 79) STEP(MmFreeContiguousMemory, 47, 81)
STEP(RtlCompareMemory, 48, 83) STEP(RtlTimeToTimeFields, 49, 85) STEP(RtlRandom, 50, 87) STEP(CcCopyRead, 51, 89) STEP(CcCopyWrite, 52, 91)
STEP(CcInitializeCacheMap, 53, 93) STEP(FsRtlNotifyFullChangeDirectory, 54, 95) STEP(PoCallDriver, 55, 97) STEP(PoRegisterDeviceNotify, 56, 99)
STEP(WmiTraceMessage, 57, 101) STEP(EtwWrite, 58, 103) STEP(DbgPrintEx, 59, 105) STEP(ZwReadFile, 60, 107) STEP(ZwWriteFile, 61, 109) STEP(ZwCreateFile, 62, 111)
