import { ascii, concat } from "../writer/bytes.mjs";
import { writeKdbg } from "../writer/kdbg.mjs";
import { writePhysicalMemoryBlock } from "../writer/kernel.mjs";
import { writePoolPage } from "../writer/poolpages.mjs";
import { writeBigPages, writePoolDescriptor, writeTracker } from "../writer/tracker.mjs";
import { allRows, bigAllocations, splitOverProcessors } from "./pool-figures.mjs";

/**
 * @typedef {import("../writer/machine.mjs").Machine} Machine
 * @typedef {(name: string, size?: number) => bigint} Variable the address of a variable of nt's
 */

/** The article's `!vm 1`, in pages. */
const VM = {
  physical: 2096922,
  pageFile: 4194816,
  pageFileFree: 4138123,
  available: 1607242,
  residentAvailable: 1991659,
  lockedIo: 656,
  freeSystemPtes: 163671,
  freeNonPagedPtes: 32766,
  freeSpecialNonPaged: 0,
  modified: 10775,
  modifiedForPageFile: 10728,
  nonPagedUsage: 7881,
  nonPagedMax: 65279,
  pagedPools: [67074, 3266, 3282, 3268, 3214],
  pagedMax: 134144,
  sessionCommit: 14832,
  sharedCommit: 19969,
  specialPool: 0,
  sharedProcess: 19362,
  mdls: 146,
  pagedCommit: 80140,
  driverCommit: 1602,
  committed: 520485,
  commitLimit: 6241313,
};
/** Paged pool of that size ends where it does on such a machine. */
const PAGED_POOL_START = 0xd0000000n;

/** @param {Machine} machine @param {Variable} v */
export function writeMemoryFigures(machine, v) {
  const put = (/** @type {string} */ name, /** @type {number} */ value) => machine.u32(v(name), value);
  put("MmNumberOfPhysicalPages", VM.physical);
  put("MmAvailablePages", VM.available);
  put("MmResidentAvailablePages", VM.residentAvailable);
  put("MmMaximumNonPagedPoolInBytes", VM.nonPagedMax * 0x1000);
  put("MmSizeOfPagedPoolInBytes", VM.pagedMax * 0x1000);
  put("MmSharedCommit", VM.sharedCommit);
  put("MmDriverCommit", VM.driverCommit);
  put("MmTotalCommittedPages", VM.committed);
  put("MmTotalCommitLimit", VM.commitLimit);
  put("MmTotalCommitLimitMaximum", VM.commitLimit);
  put("MmPeakCommitment", 731904);
  put("MmProcessCommit", 402217);
  put("MmAllocatedNonPagedPool", VM.nonPagedUsage);
  put("MmLowestPhysicalPage", 1);
  put("MmHighestPhysicalPage", machine.physicalPages - 1);
  // these have no field in KDBG: without symbols they are not to be found
  put("MmLockPagesCount", VM.lockedIo);
  put("MmTotalFreeSystemPtes", VM.freeSystemPtes);
  put("MmTotalFreeNonPagedPtes", VM.freeNonPagedPtes);
  put("MmTotalPagesForPagingFile", VM.modifiedForPageFile);
  put("MmSessionCommit", VM.sessionCommit);
  put("MmSharedProcessCommit", VM.sharedProcess);
  put("MmMdlPagesAllocated", VM.mdls);

  const zeroed = 12048;
  const free = 3310;
  for (const [name, total, list] of /** @type {const} */ ([
    ["MmZeroedPageListHead", zeroed, 0],
    ["MmFreePageListHead", free, 1],
    ["MmStandbyPageListHead", VM.available - zeroed - free, 2],
    ["MmModifiedPageListHead", VM.modified, 3],
    ["MmModifiedNoWritePageListHead", 0, 4],
  ])) {
    const head = v(name, 16);
    machine
      .u32(head, total)
      .u32(head + 4n, list)
      .u32(head + 8n, 0xffffffff)
      .u32(head + 12n, 0xffffffff);
  }

  // MM_PAGED_POOL_INFO: commit at +18h, allocated at +1Ch
  const info = v("MmPagedPoolInfo", 0x20);
  machine.u32(info + 0x18n, VM.pagedCommit).u32(
    info + 0x1cn,
    VM.pagedPools.reduce((a, b) => a + b, 0),
  );
  machine
    .u32(v("MmPagedPoolStart"), Number(PAGED_POOL_START))
    .u32(v("MmPagedPoolEnd"), Number(PAGED_POOL_START) + VM.pagedMax * 0x1000 - 1);
  machine
    .u32(v("MmNonPagedPoolStart"), 0x89000000)
    .u32(v("MmNonPagedPoolEnd"), 0x89000000 + VM.nonPagedMax * 0x1000)
    .u32(v("MmNonPagedSystemStart"), 0xf2800000);

  // MMPAGING_FILE
  const file = machine.allocate(0x3c);
  const sizes = [
    VM.pageFile,
    VM.pageFile,
    VM.pageFile,
    VM.pageFileFree,
    VM.pageFile - VM.pageFileFree,
    71220,
    VM.pageFile - 1,
  ];
  for (const [i, value] of sizes.entries()) machine.u32(file + BigInt(i * 4), value);
  machine.unicodeString(file + 0x28n, "\\??\\D:\\pagefile.sys").u32(file + 0x34n, 0x10);
  machine.pointer(v("MmPagingFile", 16 * 4), file).u32(v("MmNumberOfPagingFiles"), 1);

  writePoolDescriptor(machine, v("NonPagedPoolDescriptor", 0x1030), {
    type: 0,
    index: 0,
    pages: 6214,
    bigPages: VM.nonPagedUsage - 6214,
    allocs: 41872209,
    frees: 41679714,
  });
  const descriptors = v("ExpPagedPoolDescriptor", 17 * 4);
  VM.pagedPools.forEach((pages, i) => {
    const va = machine.allocate(0x1030);
    const big = i === 0 ? 4120 : 388 + i;
    writePoolDescriptor(machine, va, {
      type: 1,
      index: i,
      pages: pages - big,
      bigPages: big,
      allocs: 9_000_000 + i,
      frees: 8_900_000,
    });
    machine.pointer(descriptors + BigInt(i * 4), va);
  });
  machine.u32(v("ExpNumberOfPagedPools"), VM.pagedPools.length - 1);
}

/**
 * The tag tracker of four processors, the big pages, and some pages of paged pool with their blocks.
 * @param {Machine} machine @param {Variable} v @param {{ processes: number, threads: number }} live
 */
export function writePool(machine, v, live) {
  const rows = allRows(live);
  writeTracker(machine, {
    layout: "A32",
    hashed: 1024,
    processors: splitOverProcessors(rows, machine.processors),
    tags: [...rows.slice(16).map((row) => row.tag), ...rows.slice(0, 16).map((row) => row.tag)],
    poolTrackTable: v("PoolTrackTable"),
    tagTables: v("ExPoolTagTables", 32 * 4),
    sizeVariable: v("PoolTrackTableSize"),
    maskVariable: v("PoolTrackTableMask"),
  });

  let at = 0xe4000000n;
  const big = bigAllocations().map(({ tag, pages }) => {
    const va = at;
    at += BigInt(pages * 0x1000);
    return { va, tag, bytes: pages * 0x1000, paged: true };
  });
  const freed = [0, 1, 2, 3, 4, 5].map((i) => ({
    va: at + BigInt(i * 0x3000),
    tag: "Ntff",
    bytes: 0x3000,
    paged: true,
    free: true,
  }));
  writeBigPages(machine, {
    variable: v("PoolBigPageTable"),
    sizeVariable: v("PoolBigPageTableSize"),
    slots: 1024,
    entries: [...big, ...freed],
  });

  // two blocks of the leaking tag a page, as its 1,351 bytes an allocation suggest, and what lies beside them
  const page = (/** @type {number} */ n) => 0xe1400000n + BigInt(n * 0x1000);
  machine.map(page(0), 24 * 0x1000, { executable: false });
  for (let n = 0; n < 24; n++) {
    const small = [
      { tag: "Key ", bytes: 0x68 },
      { tag: "ObNm", bytes: 0x20 + (n % 4) * 8 },
      { tag: "CM25", bytes: 0x90, free: n % 3 === 0 },
    ];
    const leaked = [
      { tag: "Se  ", bytes: 0x558 },
      { tag: "Se  ", bytes: 0x550 },
      { tag: "Se  ", bytes: n % 5 === 0 ? 0x18 : 0x40 },
    ].map((block) => ({
      ...block,
      content: concat(Uint8Array.of(9, 0, 0, 0), Uint8Array.of(1, 5, 0, 0, 0, 0, 0, 5)),
    }));
    writePoolPage(
      machine,
      page(n),
      n % 8 === 7 ? [{ tag: "MmSt", bytes: 0x828 }, ...small] : [...leaked, ...small],
      { paged: true, index: n % 5 },
    );
  }
  machine.setState(page(3), 0x2000, "transition");
  machine.setState(page(9), 0x1000, "paged-out");
  machine.setState(page(17), 0x1000, "paged-out");
}

/**
 * KDBG and what it points to, the processors' control regions, the version text.
 * @param {Machine} machine @param {Variable} v
 * @param {{ kernelBase: bigint, currentThreads: readonly bigint[], memory: readonly (readonly [number, number])[], breakpoint: bigint }} options
 * @returns {bigint} KDBG's address
 */
export function describeKernel(machine, v, { kernelBase, currentThreads, memory, breakpoint }) {
  writePhysicalMemoryBlock(
    machine,
    v("MmPhysicalMemoryBlock"),
    memory.map(([base, count]) => [base, count]),
  );
  machine.write(v("NtBuildLab", 64), ascii("3790.srv03_sp2_rtm.070216-1710\0"));
  machine.u32(v("CmNtCSDVersion"), 0x200).pointer(v("MmPfnDatabase"), 0x81000000n);
  machine
    .u32(v("MmHighestUserAddress"), 0x7ffeffff)
    .u32(v("MmSystemRangeStart"), 0x80000000)
    .u32(v("MmUserProbeAddress"), 0x7fff0000);
  machine
    .u32(v("MmSystemCacheStart"), 0xc1000000)
    .u32(v("MmSystemCacheEnd"), 0xcfffffff)
    .u32(v("KeTimeIncrement"), 156250);

  const version = v("KdVersionBlock", 0x28);
  const listHead = v("KdpDebuggerDataListHead", 8);
  const names = [
    "MmNumberOfPhysicalPages",
    "MmAvailablePages",
    "MmResidentAvailablePages",
    "MmMaximumNonPagedPoolInBytes",
    "MmSizeOfPagedPoolInBytes",
    "MmSharedCommit",
    "MmDriverCommit",
    "MmProcessCommit",
    "MmTotalCommittedPages",
    "MmTotalCommitLimit",
    "MmTotalCommitLimitMaximum",
    "MmPeakCommitment",
    "MmAllocatedNonPagedPool",
    "MmLowestPhysicalPage",
    "MmHighestPhysicalPage",
    "MmNumberOfPagingFiles",
    "MmPagedPoolStart",
    "MmPagedPoolEnd",
    "MmNonPagedPoolStart",
    "MmNonPagedPoolEnd",
    "MmNonPagedSystemStart",
    "ExpNumberOfPagedPools",
    "PoolTrackTable",
    "MmUnloadedDrivers",
    "MmLastUnloadedDriver",
    "MmHighestUserAddress",
    "MmSystemRangeStart",
    "MmUserProbeAddress",
    "MmSystemCacheStart",
    "MmSystemCacheEnd",
    "MmPfnDatabase",
    "MmPhysicalMemoryBlock",
    "CmNtCSDVersion",
    "KeTimeIncrement",
    "PspCidTable",
    "ObpRootDirectoryObject",
    "ObpTypeObjectType",
    "MmTriageActionTaken",
    "MmSpecialPoolTag",
    "KernelVerifier",
    "MmVerifierData",
    "MmExtendedCommit",
    "IopErrorLogListHead",
  ];
  /** @type {Record<string, bigint | number>} */
  const fields = Object.fromEntries(names.map((name) => [name, v(name)]));
  for (const [name, size] of /** @type {const} */ ([
    ["PsLoadedModuleList", 8],
    ["PsActiveProcessHead", 8],
    ["MmZeroedPageListHead", 16],
    ["MmFreePageListHead", 16],
    ["MmStandbyPageListHead", 16],
    ["MmModifiedPageListHead", 16],
    ["MmModifiedNoWritePageListHead", 16],
    ["NonPagedPoolDescriptor", 0x1030],
    ["NtBuildLab", 64],
    ["ExpPagedPoolDescriptor", 17 * 4],
    ["KiProcessorBlock", 32 * 4],
  ]))
    fields[name] = v(name, size);
  const info = v("MmPagedPoolInfo", 0x20);
  const kdbg = v("KdDebuggerDataBlock", 0x318);
  writeKdbg(machine, kdbg, {
    size: 0x318,
    listHead,
    fields: {
      ...fields,
      KernBase: kernelBase,
      BreakpointWithStatus: breakpoint,
      MmPageSize: 0x1000,
      PaeEnabled: 1,
      MmPagedPoolInformation: info,
      MmPagedPoolCommit: info + 0x18n,
      OffsetKThreadNextProcessor: 0x40,
      OffsetKThreadTeb: 0x74,
      OffsetKThreadKernelStack: 0x20,
      OffsetKThreadInitialStack: 0x18,
      OffsetKThreadApcProcess: 0x38,
      OffsetKThreadState: 0x4c,
      SizeEProcess: 0x278,
      OffsetEprocessPeb: 0x1a0,
      OffsetEprocessParentCID: 0x138,
      OffsetEprocessDirectoryTableBase: 0x18,
      SizePrcb: 0xec0,
      OffsetPrcbCurrentThread: 4,
      OffsetPrcbCpuType: 0x18,
      OffsetPrcbProcStateContext: 0x1c,
      OffsetPrcbNumber: 0x10,
      SizeEThread: 0x250,
      SizePcr: 0xfe0,
      OffsetPcrSelfPcr: 0x1c,
      OffsetPcrCurrentPrcb: 0x20,
      OffsetPcrContainedPrcb: 0x120,
      OffsetPrcbProcStateSpecialReg: 0x2e8,
      GdtR0Code: 8,
      GdtR0Data: 0x10,
      GdtR0Pcr: 0x30,
      GdtR3Code: 0x1b,
      GdtR3Data: 0x23,
      GdtR3Teb: 0x3b,
      GdtTss: 0x28,
    },
  });
  machine
    .u16(version, 0xf)
    .u16(version + 2n, 3790)
    .u8(version + 4n, 6)
    .u16(version + 6n, 3)
    .u16(version + 8n, 0x14c);
  machine
    .u64(version + 0x10n, BigInt.asIntN(64, kernelBase | 0xffffffff00000000n))
    .u64(version + 0x18n, v("PsLoadedModuleList") | 0xffffffff00000000n)
    .u64(version + 0x20n, listHead | 0xffffffff00000000n);

  for (let cpu = 0; cpu < machine.processors; cpu++) {
    const pcr = cpu === 0 ? 0xffdff000n : 0xf7737000n + BigInt(0x100000 * cpu);
    machine.map(pcr, 0x1000, { executable: false });
    const prcb = pcr + 0x120n;
    machine
      .pointer(pcr + 0x1cn, pcr)
      .pointer(pcr + 0x20n, prcb)
      .pointer(pcr + 0x34n, version)
      .u8(pcr + 0x51n, cpu);
    machine
      .u16(prcb, 1)
      .u16(prcb + 2n, 1)
      .pointer(prcb + 4n, currentThreads[cpu] ?? 0n)
      .u8(prcb + 0x10n, cpu);
    const special = prcb + 0x2e8n;
    machine
      .u32(special, 0x8001003b)
      .u32(special + 8n, Number(machine.directoryTableBase))
      .u32(special + 12n, 0x6f9);
    machine.pointer(v("KiProcessorBlock", 32 * 4) + BigInt(cpu * 4), prcb);
  }
  machine.map(0xffdf0000n, 0x1000, { executable: false });
  machine.u32(0xffdf026cn, 5).u32(0xffdf0270n, 2);
  return kdbg;
}
