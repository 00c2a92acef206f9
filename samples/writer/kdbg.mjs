import { Area, ascii } from "./bytes.mjs";

/** Names of the fields that are u8, from the offset at which the run of them starts. */
const U64_RUNS = {
  24: "KernBase BreakpointWithStatus SavedContext",
  56: `KiCallUserMode KeUserCallbackDispatcher PsLoadedModuleList PsActiveProcessHead PspCidTable ExpSystemResourcesList ExpPagedPoolDescriptor
    ExpNumberOfPagedPools KeTimeIncrement KeBugCheckCallbackListHead KiBugcheckData IopErrorLogListHead ObpRootDirectoryObject ObpTypeObjectType
    MmSystemCacheStart MmSystemCacheEnd MmSystemCacheWs MmPfnDatabase MmSystemPtesStart MmSystemPtesEnd MmSubsectionBase MmNumberOfPagingFiles
    MmLowestPhysicalPage MmHighestPhysicalPage MmNumberOfPhysicalPages MmMaximumNonPagedPoolInBytes MmNonPagedSystemStart MmNonPagedPoolStart
    MmNonPagedPoolEnd MmPagedPoolStart MmPagedPoolEnd MmPagedPoolInformation MmPageSize MmSizeOfPagedPoolInBytes MmTotalCommitLimit
    MmTotalCommittedPages MmSharedCommit MmDriverCommit MmProcessCommit MmPagedPoolCommit MmExtendedCommit MmZeroedPageListHead MmFreePageListHead
    MmStandbyPageListHead MmModifiedPageListHead MmModifiedNoWritePageListHead MmAvailablePages MmResidentAvailablePages PoolTrackTable
    NonPagedPoolDescriptor MmHighestUserAddress MmSystemRangeStart MmUserProbeAddress KdPrintCircularBuffer KdPrintCircularBufferEnd
    KdPrintWritePointer KdPrintRolloverCount MmLoadedUserImageList NtBuildLab KiNormalSystemCall KiProcessorBlock MmUnloadedDrivers
    MmLastUnloadedDriver MmTriageActionTaken MmSpecialPoolTag KernelVerifier MmVerifierData MmAllocatedNonPagedPool MmPeakCommitment
    MmTotalCommitLimitMaximum CmNtCSDVersion MmPhysicalMemoryBlock MmSessionBase MmSessionSize MmSystemParentTablePage MmVirtualTranslationBase`,
  712: "KdPrintCircularBufferPtr KdPrintBufferSize KeLoaderBlock",
  776: "IopNumTriageDumpDataBlocks IopTriageDumpDataBlocks VfCrashDataBlock MmBadPagesDetected MmZeroedPageSingleBitErrorsDetected EtwpDebuggerData",
  864: "PteBase RetpolineStubFunctionTable",
  904: "ShadowStackEnabled PointerAuthMask",
};
const U16_RUNS = {
  48: "ThCallbackStack NextCallback FramePointer PaeEnabled",
  664: `OffsetKThreadNextProcessor OffsetKThreadTeb OffsetKThreadKernelStack OffsetKThreadInitialStack OffsetKThreadApcProcess OffsetKThreadState
    OffsetKThreadBStore OffsetKThreadBStoreLimit SizeEProcess OffsetEprocessPeb OffsetEprocessParentCID OffsetEprocessDirectoryTableBase SizePrcb
    OffsetPrcbDpcRoutine OffsetPrcbCurrentThread OffsetPrcbMhz OffsetPrcbCpuType OffsetPrcbVendorString OffsetPrcbProcStateContext OffsetPrcbNumber SizeEThread`,
  736: `SizePcr OffsetPcrSelfPcr OffsetPcrCurrentPrcb OffsetPcrContainedPrcb OffsetPcrInitialBStore OffsetPcrBStoreLimit OffsetPcrInitialStack
    OffsetPcrStackLimit OffsetPrcbPcrPage OffsetPrcbProcStateSpecialReg GdtR0Code GdtR0Data GdtR0Pcr GdtR3Code GdtR3Data GdtR3Teb GdtLdt GdtTss Gdt64R3CmCode Gdt64R3CmTeb`,
  824: "OffsetPrcbContext OffsetPrcbMaxBreakpoints OffsetPrcbMaxWatchpoints",
  848: "OffsetPrcbIdleThread OffsetPrcbNormalDpcState OffsetPrcbDpcStack OffsetPrcbIsrStack SizeKDPC_STACK_FRAME OffsetKPriQueueThreadListHead OffsetKThreadWaitReason",
  892: "OffsetEProcessMmHotPatchContext",
  920: "OffsetPrcbExceptionStack",
};
const U32_RUNS = {
  832: "OffsetKThreadStackLimit OffsetKThreadStackBase OffsetKThreadQueueListEntry OffsetEThreadIrpList",
  880: "RetpolineStubFunctionTableSize RetpolineStubOffset RetpolineStubSize",
  896: "OffsetKThreadShadowStackLimit OffsetKThreadShadowStackBase",
};

/** @type {Map<string, { offset: number, size: 2 | 4 | 8 }>} field name, as Windows has it, to its place */
const KDBG_FIELDS = new Map();
for (const [runs, size] of /** @type {const} */ ([
  [U64_RUNS, 8],
  [U16_RUNS, 2],
  [U32_RUNS, 4],
])) {
  for (const [start, names] of Object.entries(runs)) {
    for (const [i, name] of names.trim().split(/\s+/).entries())
      KDBG_FIELDS.set(name, { offset: Number(start) + i * size, size });
  }
}

/**
 * The bytes of a KDDEBUGGER_DATA64.
 * @param {{ size: number, is64: boolean, listHead: bigint, fields: Record<string, bigint | number> }} options
 *   size: 0x318 for 2003, 0x340 for 7, 0x380 for 19041, 0x3A0 for 26100. listHead: KdpDebuggerDataListHead.
 *   fields: by Windows name; nearly all are the address of the kernel's variable. Those past `size` are an error.
 */
export function kdbgBytes({ size, is64, listHead, fields }) {
  const area = new Area(size);
  if (is64) area.u64(0, listHead).u64(8, listHead);
  else area.u32(0, Number(listHead)).u32(4, Number(listHead));
  area.put(0x10, ascii("KDBG")).u32(0x14, size);
  for (const [name, value] of Object.entries(fields)) {
    const field = KDBG_FIELDS.get(name);
    if (field === undefined) throw new RangeError(`no KDBG field ${name}`);
    if (field.offset + field.size > size)
      throw new RangeError(`${name} is past the end of a 0x${size.toString(16)} byte KDBG`);
    if (field.size === 2) area.u16(field.offset, Number(value));
    else if (field.size === 4) area.u32(field.offset, Number(value));
    // 32-bit kernels store addresses sign-extended
    else area.u64(field.offset, is64 ? value : BigInt.asIntN(32, BigInt(value)));
  }
  return area.bytes;
}

/**
 * Writes the block at `va`, and the list head that points to it.
 * @param {import("./machine.mjs").Machine} machine @param {bigint} va
 * @param {{ size: number, listHead: bigint, fields: Record<string, bigint | number> }} options
 */
export function writeKdbg(machine, va, { size, listHead, fields }) {
  machine.write(va, kdbgBytes({ size, is64: machine.is64, listHead, fields }));
  machine.pointer(listHead, va).pointer(listHead + BigInt(machine.pointerSize), va);
}

/**
 * A block as a running 64-bit kernel keeps it from Windows 8 on: elf2dmp's decoding, turned round.
 * @param {Uint8Array} block @param {{ never: bigint, always: bigint, flag: bigint }} keys KiWaitNever, KiWaitAlways, the address of KdpDataBlockEncoded
 * @returns {Uint8Array}
 */
export function encodeKdbg(block, { never, always, flag }) {
  const encoded = block.slice();
  const view = new DataView(encoded.buffer);
  const turn = never & 0x3fn;
  for (let at = 0; at + 8 <= encoded.length; at += 8) {
    const swapped = Buffer.alloc(8);
    swapped.writeBigUInt64LE(view.getBigUint64(at, true) ^ always);
    const mixed = swapped.readBigUInt64BE() ^ flag;
    const rotated = BigInt.asUintN(64, (mixed >> turn) | (mixed << (64n - turn)));
    view.setBigUint64(at, rotated ^ never, true);
  }
  return encoded;
}
