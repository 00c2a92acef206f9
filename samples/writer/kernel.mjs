import { Area } from "./bytes.mjs";

/** @typedef {import("./machine.mjs").Machine} Machine */

/**
 * @typedef {{ base: bigint, size: number, entryPoint?: bigint, name: string, path?: string, checksum?: number, timestamp?: number, flags?: number, loadCount?: number }} ModuleEntry
 *   name: BaseDllName, as `ntkrpamp.exe`. path: FullDllName. timestamp: only kept from Windows 10 on.
 */

/** Offsets in a loaded module entry. */
const MODULE = {
  32: {
    base: 0x18,
    entry: 0x1c,
    size: 0x20,
    full: 0x24,
    short: 0x2c,
    flags: 0x34,
    loadCount: 0x38,
    checksum: 0x40,
    timestamp: 0x58,
    length: 0x50,
    length10: 0x5c,
  },
  64: {
    base: 0x30,
    entry: 0x38,
    size: 0x40,
    full: 0x48,
    short: 0x58,
    flags: 0x68,
    loadCount: 0x6c,
    checksum: 0x78,
    timestamp: 0x9c,
    length: 0x98,
    length10: 0xa0,
  },
};

/**
 * Writes PsLoadedModuleList: entries and names in nonpaged pool, linked in the order given.
 * @param {Machine} machine @param {bigint} head @param {readonly ModuleEntry[]} modules
 * @param {{ withTimestamp?: boolean, allocate?: (length: number) => bigint }} [options] withTimestamp: the form of Windows 10
 * @returns {bigint[]} the entries' addresses
 */
export function writeModuleList(
  machine,
  head,
  modules,
  { withTimestamp = machine.build >= 10240, allocate = (n) => machine.allocate(n) } = {},
) {
  const at = MODULE[machine.is64 ? 64 : 32];
  const entries = modules.map((module) => {
    const va = allocate(withTimestamp ? at.length10 : at.length);
    const field = (/** @type {number} */ offset) => va + BigInt(offset);
    machine
      .pointer(field(at.base), module.base)
      .pointer(field(at.entry), module.entryPoint ?? 0n)
      .u32(field(at.size), module.size);
    const path = module.path ?? `\\SystemRoot\\system32\\drivers\\${module.name}`;
    for (const [offset, text] of /** @type {const} */ ([
      [at.full, path],
      [at.short, module.name],
    ]))
      machine.unicodeString(field(offset), text, allocate(text.length * 2 + 2));
    machine
      .u32(field(at.flags), module.flags ?? 0x09104000)
      .u16(field(at.loadCount), module.loadCount ?? 1)
      .u32(field(at.checksum), module.checksum ?? 0);
    if (withTimestamp) machine.u32(field(at.timestamp), module.timestamp ?? 0);
    return va;
  });
  machine.linkList([head, ...entries]);
  return entries;
}

/**
 * Writes the ring of unloaded drivers, 50 slots.
 * @param {Machine} machine
 * @param {{ variable: bigint, lastVariable: bigint, drivers: readonly { name: string, start: bigint, end: bigint, time?: bigint }[] }} options
 *   variable: MmUnloadedDrivers, a pointer to the array. lastVariable: MmLastUnloadedDriver, the next slot.
 */
export function writeUnloadedDrivers(machine, { variable, lastVariable, drivers }) {
  const size = machine.is64 ? 0x28 : 0x18;
  const array = machine.allocate(50 * size);
  drivers.forEach((driver, i) => {
    const va = array + BigInt(i * size);
    const pointer = BigInt(machine.pointerSize);
    machine.unicodeString(va, driver.name);
    machine
      .pointer(va + 2n * pointer, driver.start)
      .pointer(va + 3n * pointer, driver.end)
      .u64(va + 4n * pointer, driver.time ?? 0n);
  });
  machine.pointer(variable, array).u32(lastVariable, drivers.length);
  return array;
}

/** Offsets in EPROCESS and ETHREAD. The first column of each row is the lowest build. */
const PROCESS = {
  32: [
    { build: 2600, dtb: 0x18, threads: 0x50, pid: 0x84, links: 0x88, name: 0x174, size: 0x260 },
    { build: 3790, dtb: 0x18, threads: 0x50, pid: 0x94, links: 0x98, name: 0x164, size: 0x278 },
    { build: 6000, dtb: 0x18, threads: 0x50, pid: 0x9c, links: 0xa0, name: 0x14c, size: 0x270 },
    { build: 7600, dtb: 0x18, threads: 0x2c, pid: 0xb4, links: 0xb8, name: 0x16c, size: 0x2c0 },
    { build: 9200, dtb: 0x18, threads: 0x2c, pid: 0xb4, links: 0xb8, name: 0x170, size: 0x2e0 },
  ],
  64: [
    { build: 3790, dtb: 0x28, threads: 0x70, pid: 0xd8, links: 0xe0, name: 0x268, size: 0x3e0 },
    { build: 7600, dtb: 0x28, threads: 0x30, pid: 0x180, links: 0x188, name: 0x2e0, size: 0x4d0 },
    { build: 9200, dtb: 0x28, threads: 0x30, pid: 0x2e0, links: 0x2e8, name: 0x438, size: 0x580 },
    { build: 10240, dtb: 0x28, threads: 0x30, pid: 0x2e8, links: 0x2f0, name: 0x448, size: 0x780 },
    { build: 19041, dtb: 0x28, threads: 0x30, pid: 0x440, links: 0x448, name: 0x5a8, size: 0xa40 },
    { build: 26100, dtb: 0x28, threads: 0x30, pid: 0x1d0, links: 0x1d8, name: 0x338, size: 0x840 },
  ],
};
const THREAD = {
  32: [
    { build: 2600, initial: 0x18, limit: 0x1c, base: 0x168, kernel: 0x28, links: 0x1b0, size: 0x258 },
    { build: 3790, initial: 0x18, limit: 0x1c, base: 0x158, kernel: 0x20, links: 0x1a8, size: 0x248 },
    { build: 6000, initial: 0x28, limit: 0x2c, base: 0x174, kernel: 0x30, links: 0x1c4, size: 0x288 },
    { build: 7600, initial: 0x28, limit: 0x2c, base: 0x190, kernel: 0x30, links: 0x1e0, size: 0x2b8 },
    { build: 9200, initial: 0x20, limit: 0x24, base: 0x28, kernel: 0x48, links: 0x1d4, size: 0x2d8 },
  ],
  64: [
    { build: 3790, initial: 0x28, limit: 0x30, base: 0x240, kernel: 0x38, links: 0x2c0, size: 0x420 },
    { build: 7600, initial: 0x28, limit: 0x30, base: 0x278, kernel: 0x38, links: 0x2f8, size: 0x498 },
    { build: 9200, initial: 0x28, limit: 0x30, base: 0x38, kernel: 0x58, links: 0x2f8, size: 0x898 },
  ],
};
/**
 * What EPROCESS says of a process beyond its place in the list, by build. Where 26100 keeps the time of the end and the
 * session is not published: those two are made up.
 */
const DETAILS = {
  32: [
    { build: 2600, parent: 0x14c, created: 0x70, exited: 0x78, session: 0x170, active: 0x1a0, table: 0xc4 },
    { build: 3790, parent: 0x138, created: 0x80, exited: 0x88, session: 0x160, active: 0x190, table: 0xd4 },
    { build: 6000, parent: 0x124, created: 0x88, exited: 0x90, session: 0x148, active: 0x178, table: 0xdc },
    { build: 7600, parent: 0x140, created: 0xa0, exited: 0xa8, session: 0x168, active: 0x198, table: 0xf4 },
    { build: 9200, parent: 0x134, created: 0xa8, exited: 0x2b0, session: 0x144, active: 0x19c, table: 0x150 },
  ],
  64: [
    { build: 3790, parent: 0x218, created: 0xc0, exited: 0xc8, session: 0x260, active: 0x2b0, table: 0x158 },
    {
      build: 7600,
      parent: 0x290,
      created: 0x168,
      exited: 0x170,
      session: 0x2d8,
      active: 0x328,
      table: 0x200,
    },
    {
      build: 9200,
      parent: 0x3d0,
      created: 0x2d0,
      exited: 0x640,
      session: 0x3f0,
      active: 0x480,
      table: 0x408,
    },
    {
      build: 10240,
      parent: 0x3e0,
      created: 0x308,
      exited: 0x670,
      session: 0x400,
      active: 0x490,
      table: 0x418,
    },
    {
      build: 19041,
      parent: 0x540,
      created: 0x468,
      exited: 0x840,
      session: 0x558,
      active: 0x5f0,
      table: 0x570,
    },
    {
      build: 26100,
      parent: 0x2d0,
      created: 0x1f8,
      exited: 0x5c8,
      session: 0x2e8,
      active: 0x380,
      table: 0x300,
    },
  ],
};
/** @template {{ build: number }} T @param {readonly T[]} rows @param {number} build @returns {T} */
const forBuild = (rows, build) => /** @type {T} */ (rows.findLast((row) => row.build <= build) ?? rows[0]);

/** @param {Machine} machine the offsets that its build uses */
export const processLayout = (machine) => forBuild(PROCESS[machine.is64 ? 64 : 32], machine.build);
/** @param {Machine} machine the offsets that its build uses */
export const threadLayout = (machine) => forBuild(THREAD[machine.is64 ? 64 : 32], machine.build);

/** @param {Machine} machine where its build keeps the handle table and the like */
export const processDetails = (machine) => forBuild(DETAILS[machine.is64 ? 64 : 32], machine.build);

/**
 * @typedef {{ stackBase: bigint, stackSize: number, words?: readonly bigint[] }} ThreadSpec stackBase: 0 where it has ended. words: what stands at KernelStack and above
 * @typedef {{ parent: number, created: bigint, exited?: bigint, session?: bigint }} Details times: FILETIME. session: the address of MM_SESSION_SPACE
 * @typedef {{ pid: number, name: string, directoryTableBase?: bigint, threads?: readonly ThreadSpec[], details?: Details }} ProcessSpec
 * @typedef {(bytes: number, type: "Process" | "Thread") => bigint} Allocate gives room for the body of an object
 */

/**
 * Writes PsActiveProcessHead's list, the processes' threads and their kernel stacks. System (pid 4) comes first.
 * @param {Machine} machine @param {bigint} head @param {readonly ProcessSpec[]} processes @param {Allocate} [allocate] without it no header stands in front of them
 * @returns {{ process: bigint, threads: bigint[] }[]}
 */
export function writeProcesses(machine, head, processes, allocate = (bytes) => machine.allocate(bytes)) {
  const at = processLayout(machine);
  const thread = threadLayout(machine);
  const made = processes.map((spec) => {
    const va = allocate(at.size, "Process");
    machine.u8(va, 3).pointer(va + BigInt(at.dtb), spec.directoryTableBase ?? machine.directoryTableBase);
    machine.pointer(va + BigInt(at.pid), spec.pid).write(
      va + BigInt(at.name),
      Uint8Array.from(spec.name.slice(0, 15), (c) => c.charCodeAt(0)),
    );
    const threads = (spec.threads ?? []).map((t) => writeThread(machine, t, allocate));
    machine.linkList([va + BigInt(at.threads), ...threads.map((t) => t + BigInt(thread.links))]);
    if (spec.details !== undefined) writeDetails(machine, va, spec.details, threads.length);
    return { process: va, threads };
  });
  machine.linkList([head, ...made.map(({ process }) => process + BigInt(at.links))]);
  return made;
}

/** @param {Machine} machine @param {bigint} va @param {Details} details @param {number} threads */
function writeDetails(machine, va, { parent, created, exited = 0n, session = 0n }, threads) {
  const at = processDetails(machine);
  const field = (/** @type {number} */ offset) => va + BigInt(offset);
  machine.pointer(field(at.parent), parent).u64(field(at.created), created).u64(field(at.exited), exited);
  machine.pointer(field(at.session), session).u32(field(at.active), threads);
}

/** @param {Machine} machine @param {ThreadSpec} spec @param {Allocate} allocate */
function writeThread(machine, { stackBase, stackSize, words = [] }, allocate) {
  const at = threadLayout(machine);
  const va = allocate(at.size, "Thread");
  machine.u8(va, 6);
  // a thread that has ended has given its stack back
  if (stackBase === 0n) return va;
  const limit = stackBase - BigInt(stackSize);
  if (!machine.isMapped(limit)) machine.map(limit, stackSize, { executable: false });
  const kernelStack = stackBase - BigInt(words.length * machine.pointerSize) - 0x230n;
  for (const [i, word] of words.entries())
    machine.pointer(kernelStack + BigInt(i * machine.pointerSize), word);
  machine.pointer(va + BigInt(at.initial), stackBase - 0x210n).pointer(va + BigInt(at.limit), limit);
  return machine.pointer(va + BigInt(at.base), stackBase).pointer(va + BigInt(at.kernel), kernelStack) && va;
}

const X86_REGISTERS = {
  edi: 0x9c,
  esi: 0xa0,
  ebx: 0xa4,
  edx: 0xa8,
  ecx: 0xac,
  eax: 0xb0,
  ebp: 0xb4,
  eip: 0xb8,
  eflags: 0xc0,
  esp: 0xc4,
};
const X64_REGISTERS = {
  rax: 0x78,
  rcx: 0x80,
  rdx: 0x88,
  rbx: 0x90,
  rsp: 0x98,
  rbp: 0xa0,
  rsi: 0xa8,
  rdi: 0xb0,
  r8: 0xb8,
  r9: 0xc0,
  r10: 0xc8,
  r11: 0xd0,
  r12: 0xd8,
  r13: 0xe0,
  r14: 0xe8,
  r15: 0xf0,
  rip: 0xf8,
};

/** An x86 CONTEXT, 0x2CC bytes. @param {Partial<Record<keyof typeof X86_REGISTERS, number>>} registers */
export function contextX86(registers) {
  const area = new Area(0x2cc)
    .u32(0, 0x10017)
    .u32(0x8c, 0)
    .u32(0x90, 0x30)
    .u32(0x94, 0x23)
    .u32(0x98, 0x23)
    .u32(0xbc, 8)
    .u32(0xc8, 0x10);
  for (const [name, value] of Object.entries(registers))
    area.u32(X86_REGISTERS[/** @type {keyof typeof X86_REGISTERS} */ (name)], value);
  return area.bytes;
}

/** An x64 CONTEXT, 0x4D0 bytes. @param {Partial<Record<keyof typeof X64_REGISTERS | "eflags", bigint>>} registers */
export function contextX64({ eflags = 0x246n, ...registers }) {
  const area = new Area(0x4d0)
    .u32(0x30, 0x10001f)
    .u32(0x34, 0x1f80)
    .u16(0x38, 0x10)
    .u16(0x3a, 0x2b)
    .u16(0x3c, 0x2b)
    .u16(0x3e, 0x53)
    .u16(0x40, 0x2b)
    .u16(0x42, 0x18);
  area.u32(0x44, Number(eflags));
  for (const [name, value] of Object.entries(registers))
    area.u64(X64_REGISTERS[/** @type {keyof typeof X64_REGISTERS} */ (name)], value);
  return area.bytes;
}

/**
 * PHYSICAL_MEMORY_DESCRIPTOR in pool, and the variable that points to it.
 * @param {Machine} machine @param {bigint} variable @param {readonly [base: number, count: number][]} runs pages
 */
export function writePhysicalMemoryBlock(machine, variable, runs) {
  const word = machine.pointerSize;
  const total = runs.reduce((n, [, count]) => n + count, 0);
  const va = machine.allocate(2 * word + runs.length * 2 * word);
  machine.u32(va, runs.length).pointer(va + BigInt(word), total);
  for (const [i, [base, count]] of runs.entries())
    machine.pointer(va + BigInt((2 + 2 * i) * word), base).pointer(va + BigInt((3 + 2 * i) * word), count);
  return machine.pointer(variable, va);
}

/** NtMajorVersion and NtMinorVersion, from which build on. */
const VERSIONS = /** @type {const} */ ([
  [10240, 10, 0],
  [9600, 6, 3],
  [9200, 6, 2],
  [7600, 6, 1],
  [6000, 6, 0],
  [3790, 5, 2],
  [2600, 5, 1],
]);

/**
 * KUSER_SHARED_DATA as the kernel sees it, with the fields that do not change from Windows to Windows.
 * @param {Machine} machine @param {{ taken: bigint, upTime: bigint }} times in units of 100 ns
 */
export function writeSharedData(machine, { taken, upTime }) {
  const at = machine.is64 ? 0xfffff78000000000n : 0xffdf0000n;
  machine.map(at, 0x1000, { executable: false });
  const [, major = 0, minor = 0] = VERSIONS.find(([build]) => machine.build >= build) ?? [];
  machine
    .u64(at + 8n, upTime)
    .u64(at + 0x14n, taken)
    .u32(at + 0x26cn, major)
    .u32(at + 0x270n, minor);
  if (major >= 10) machine.u32(at + 0x260n, machine.build);
}

/** Seconds since 1970 to a FILETIME. @param {number} seconds */
export const fileTime = (seconds) => BigInt(seconds) * 10_000_000n + 116_444_736_000_000_000n;
