/*
 * The kernel's variables that a debugger's data block names. They are filled in by the scenario that loads the
 * image (samples/leak-x64.mjs); here they only have a place, in nt's own writable data.
 */
#include "nt.h"

#define BLOCK(name, bytes) UCHAR name[bytes] __attribute__((aligned(16))) = { 0 }
BLOCK(KdDebuggerDataBlock, 0x380);
LIST_ENTRY KdpDebuggerDataListHead;
PVOID PoolTrackTable, PoolBigPageTable, ExpSessionPoolTrackTable;
SIZE_T PoolTrackTableMask, PoolTrackTableSize, PoolBigPageTableSize;
/* the tables of the processors; slot 0 is PoolTrackTable's */
PVOID ExPoolTagTables[64];
PVOID KiProcessorBlock[64];
PVOID MmUnloadedDrivers;
ULONG MmLastUnloadedDriver, MmTriageActionTaken, MmSpecialPoolTag, KernelVerifier, CmNtCSDVersion;
PVOID MmPhysicalMemoryBlock, MmPfnDatabase, PspCidTable;
ULONG_PTR MmSizeOfPagedPoolInBytes, KiBugcheckData[5], MmVerifierData[32];
/* MiState: the part of it that MmPagedPoolCommit points into stands at 0x100 */
BLOCK(MiState, 0x400);
BLOCK(KdPrintCircularBuffer, 0x200);
const char NtBuildLab[] = "19041.1.sample.vb_pooltrail.000000-0000";
/* keeps the variables in the image though no code reads them */
PVOID const KiKeep[] = {
  KdDebuggerDataBlock, &KdpDebuggerDataListHead, &PoolBigPageTable, &PoolBigPageTableSize, &ExpSessionPoolTrackTable, KiProcessorBlock, &MmUnloadedDrivers,
  &MmLastUnloadedDriver, &MmTriageActionTaken, &MmSpecialPoolTag, &KernelVerifier, &CmNtCSDVersion, &MmPhysicalMemoryBlock, &MmPfnDatabase, &PspCidTable,
  &MmSizeOfPagedPoolInBytes, KiBugcheckData, MmVerifierData, MiState, KdPrintCircularBuffer, (PVOID)NtBuildLab,
};
