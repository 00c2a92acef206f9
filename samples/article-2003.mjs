import { ABC_BASE, buildAbcMiniFilter } from "./article-2003/abc-mini-filter.mjs";
import { buildDriver } from "./article-2003/driver.mjs";
import { describeKernel, writeMemoryFigures, writePool } from "./article-2003/figures.mjs";
import { FLTMGR_EXPORTS, HAL_EXPORTS, MODULES, UNLOADED, WIN32K } from "./article-2003/modules.mjs";
import { buildNt, NT_BASE, NT_SECTIONS } from "./article-2003/nt.mjs";
import { OCCURRENCES } from "./article-2003/se-code.mjs";
import { random } from "./writer/bytes.mjs";
import { writeDump } from "./writer/dump.mjs";
import {
  contextX86,
  fileTime,
  writeModuleList,
  writeProcesses,
  writeUnloadedDrivers,
} from "./writer/kernel.mjs";
import { Machine } from "./writer/machine.mjs";
import { ObjectWriter, usualHandles } from "./writer/objects.mjs";

/** Pages of the machine's 8 GB, and the hole below 4 GB where its devices are. */
const MEMORY = /** @type {const} */ ([
  [0x1, 0x9e],
  [0x100, 0xcfd00],
  [0x100000, 0x13017c],
]);
const DEVICES = /** @type {const} */ ([0xcfe00, 0x30200]);
const CRASHED = 1384810233;
const UP_SECONDS = 41 * 86400 + 6 * 3600 + 1927;

/** @param {Machine} machine @param {import("./writer/pe.mjs").Image} image */
function load(machine, image) {
  machine.map(image.base, image.size);
  machine.write(image.base, image.memory.bytes);
}

/** Whole pages of [rva, rva+size). @param {number} rva @param {number} size */
const wholePages = (rva, size) => {
  const first = Math.ceil(rva / 0x1000) * 0x1000;
  return { first, count: Math.max(0, Math.floor((rva + size) / 0x1000) - first / 0x1000) };
};

/** Takes away of a driver what a running system does not keep. @param {Machine} machine @param {ReturnType<typeof buildDriver> & { loaded: import("./article-2003/modules.mjs").Loaded }} built */
function makeHoles(machine, { image, sections, textEnd, loaded }) {
  const next = random(loaded.seed + 100);
  for (const section of sections) {
    const { first, count } = wholePages(section.rva, section.size);
    for (let i = 0; i < count; i++) {
      const va = image.base + BigInt(first + i * 0x1000);
      const set = (/** @type {import("./writer/machine.mjs").PageState} */ state) =>
        machine.setState(va, 0x1000, state);
      if (section.name === ".text" && i * 0x1000 >= textEnd) set("not-in-dump");
      else if (section.name === "PAGE" && i > 0)
        set(/** @type {const} */ (["paged-out", "paged-out", "prototype"])[next(3)] ?? "paged-out");
      else if (section.name === "PAGE" && next(3) === 0) set("transition");
      else if (section.name === ".reloc" && loaded.names !== undefined) machine.unmap(va, 0x1000);
      else if (section.name === "INIT" && loaded.names === "discarded") machine.unmap(va, 0x1000);
      else if (section.name === "INIT" && loaded.names === "paged-out") set("paged-out");
    }
  }
  if (loaded.headerGone === true) machine.setState(image.base, 0x1000, "paged-out");
}

/** What of nt is in memory, and what of that is in the dump. @param {Machine} machine */
function makeKernelHoles(machine) {
  const next = random(1914);
  const wanted = new Set(
    OCCURRENCES.flatMap(([address]) => [address & ~0xfff, (address + 0x100) & ~0xfff]).map((a) => a >>> 0),
  );
  for (const { name, rva, size } of NT_SECTIONS) {
    for (let at = rva; at < rva + size; at += 0x1000) {
      const va = BigInt(NT_BASE + at);
      const set = (/** @type {import("./writer/machine.mjs").PageState} */ state) =>
        machine.setState(va, 0x1000, state);
      const blank = machine.read(va, 0x1000).every((b) => b === 0);
      if (name === ".reloc" || (name === "INIT" && !wanted.has(NT_BASE + at))) machine.unmap(va, 0x1000);
      else if (name === "PAGEDATA") set(at % 0x3000 === 0 ? "transition" : "demand-zero");
      else if (name === ".rsrc" && at > rva) set("paged-out");
      else if (name === ".edata" && blank) set("paged-out");
      else if (name === ".text" && blank) set("not-in-dump");
      else if (name === ".data" && blank && at > rva + 0x8000) set("not-in-dump");
      else if (name === "PAGE" && blank)
        set(
          /** @type {const} */ (["paged-out", "paged-out", "paged-out", "prototype", "not-in-dump"])[
            next(5)
          ] ?? "paged-out",
        );
      else if (name === "PAGE" && next(5) === 0) set("transition");
    }
  }
}

/** Fills the gaps of nt's code around what was placed by hand. @param {ReturnType<typeof buildNt>} nt */
function fillKernelCode({ code }) {
  const ranges = [
    [0x80801000, 0x80808000],
    [0x80810000, 0x808a0000],
    [0x808e8000, 0x808fc000],
    [0x80948000, 0x80978000],
    [0x809e0000, 0x809e8000],
    [0x80a20000, 0x80a23000],
  ];
  for (const [i, [start, end]] of ranges.entries())
    code.fill(/** @type {number} */ (start), /** @type {number} */ (end), { seed: 500 + i });
}

/**
 * The article's case as one machine: Windows Server 2003 SP2 x86 with PAE and four processors, `Se  ` leaking.
 * @returns {{ machine: Machine, header: import("./writer/dump.mjs").HeaderFields }}
 */
export function article2003() {
  const machine = new Machine({
    mode: "pae",
    processors: 4,
    build: 3790,
    physicalPages: MEMORY[2][0] + MEMORY[2][1],
    seed: 333,
  });
  machine.frames.reserved.push([...DEVICES]);

  const hal = new Map(HAL_EXPORTS);
  const fltMgr = new Map(FLTMGR_EXPORTS);
  const nt = buildNt((_dll, name) => BigInt(/** @type {number} */ (hal.get(name))));
  const resolve = (/** @type {string} */ dll, /** @type {string} */ name) => {
    const address = (dll === "HAL.dll" ? hal : dll === "FLTMGR.SYS" ? fltMgr : nt.exports).get(name);
    if (address === undefined) throw new RangeError(`${dll} does not export ${name}`);
    return BigInt(address);
  };
  fillKernelCode(nt);
  const v = (/** @type {string} */ name, /** @type {number} */ size = 4) =>
    BigInt(nt.variables.at(name, size));
  nt.image.finish();
  load(machine, nt.image);

  const kernel = { argumentBytes: nt.argumentBytes, resolve };
  const drivers = MODULES.map((loaded) => ({ ...buildDriver(loaded, kernel), loaded }));
  const abc = buildAbcMiniFilter(kernel);
  for (const driver of drivers) load(machine, driver.image);
  load(machine, abc.image);

  const entries = [
    {
      base: BigInt(NT_BASE),
      size: nt.image.size,
      entryPoint: nt.image.va(0x1fc2a0),
      name: "ntkrpamp.exe",
      path: "\\WINDOWS\\system32\\ntkrpamp.exe",
      checksum: 0x25a6e3,
    },
    ...drivers.map(({ image, loaded }) => ({
      base: image.base,
      size: image.size,
      entryPoint: image.va(image.spec.entry ?? 0),
      name: loaded.file,
      ...(/\.dll$/i.test(loaded.file) ? { path: `\\WINDOWS\\system32\\${loaded.file}` } : {}),
      checksum: image.spec.checksum ?? 0,
    })),
  ];
  entries.splice(
    entries.findIndex((e) => e.name === "Fastfat.SYS"),
    0,
    {
      base: BigInt(ABC_BASE),
      size: 0x9e80,
      entryPoint: BigInt(ABC_BASE + 0x86b2),
      name: "ABCMiniFilter.sys",
      checksum: 0x11e27,
    },
  );
  entries.splice(
    entries.findIndex((e) => e.name === "HTTP.sys"),
    0,
    {
      base: BigInt(WIN32K.base),
      size: WIN32K.size,
      entryPoint: 0n,
      name: WIN32K.file,
      path: "\\SystemRoot\\System32\\win32k.sys",
      checksum: 0x1d39a8,
    },
  );
  writeModuleList(machine, v("PsLoadedModuleList", 8), entries);
  writeUnloadedDrivers(machine, {
    variable: v("MmUnloadedDrivers"),
    lastVariable: v("MmLastUnloadedDriver"),
    drivers: UNLOADED.map((u, i) => ({ ...u, time: fileTime(CRASHED - UP_SECONDS + 40 + i * 700000) })),
  });

  const address = (/** @type {string} */ name) => BigInt(/** @type {number} */ (nt.exports.get(name)));
  const idle = [address("KeDelayExecutionThread") + 9n, 0n, address("PsTerminateSystemThread") + 7n, 0n];
  // a worker that stands in the filter's first call: the frame of SeQueryInformationToken, its return address, its arguments
  const inFilter = [
    0x8089e1c1n,
    0x8096c91cn,
    0x1n,
    0x28n,
    0x20206553n,
    0n,
    0n,
    0xba31fda0n,
    BigInt(abc.returnAddress),
    0xe1405028n,
    2n,
    0xba31fdacn,
    0n,
    0n,
    0xe1405028n,
    0xba31fdd4n,
    BigInt(abc.callers[0] + 0x10),
    0xe1405028n,
    BigInt(FLTMGR_EXPORTS[7]?.[1] ?? 0) + 0x10n,
    0n,
    address("IofCallDriver") + 7n,
    0x8945a0c0n,
    address("IoCreateFile") + 9n,
  ];
  let stackBase = 0xba308000n;
  const thread = (/** @type {bigint[]} */ words) => {
    stackBase += 0x8000n;
    return { stackBase, stackSize: 0x3000, words };
  };
  const processes = [
    {
      pid: 4,
      name: "System",
      threads: [thread(idle), thread(idle), thread(inFilter), thread(idle), thread(idle)],
      details: { parent: 0, created: fileTime(CRASHED - UP_SECONDS) },
    },
    .../** @type {const} */ ([
      ["smss.exe", 388, 4],
      ["csrss.exe", 436, 388],
      ["winlogon.exe", 460, 388],
      ["services.exe", 508, 460],
      ["lsass.exe", 520, 460],
      ["svchost.exe", 712, 508],
      ["w3wp.exe", 2316, 712],
    ]).map(([name, pid, parent]) => ({
      pid,
      name,
      threads: [thread(idle)],
      details: { parent, created: fileTime(CRASHED - UP_SECONDS + pid) },
    })),
  ];
  const objects = new ObjectWriter(machine);
  const made = writeProcesses(machine, v("PsActiveProcessHead", 8), processes, (bytes, type) =>
    objects.object(type, bytes),
  );
  for (const [i, { pid }] of processes.entries())
    objects.handleTable(/** @type {{ process: bigint }} */ (made[i]).process, pid, usualHandles(objects));
  objects.finish();
  machine.pointer(v("PsInitialSystemProcess"), made[0]?.process ?? 0n).u32(v("NtBuildNumber"), 0xf0000ece);
  const threads = made.flatMap((p) => p.threads);
  const kdbg = describeKernel(machine, v, {
    kernelBase: BigInt(NT_BASE),
    currentThreads: threads.slice(0, 4),
    memory: MEMORY,
    breakpoint: address("KeBugCheckEx") + 8n,
  });
  writeMemoryFigures(machine, v);
  writePool(machine, v, { processes: made.length, threads: threads.length });

  for (const driver of drivers) makeHoles(machine, driver);
  machine.setState(abc.image.base + 0x5000n, 0x1000, "transition");
  makeKernelHoles(machine);

  const stack = Number(processes[0]?.threads[0]?.stackBase ?? 0n) - 0x300;
  return {
    machine,
    header: {
      major: 15,
      minor: 3790,
      pfnDatabase: 0x81000000n,
      psLoadedModuleList: v("PsLoadedModuleList"),
      psActiveProcessHead: v("PsActiveProcessHead"),
      bugcheck: { code: 0xe2, parameters: [0n, 0n, 0n, 0n] },
      kdDebuggerDataBlock: kdbg,
      context: contextX86({
        eip: Number(address("KeBugCheckEx")) + 7,
        esp: stack,
        ebp: stack + 0x20,
        ecx: 0xe2,
        eax: 1,
        ebx: 0xffdff120,
        eflags: 0x246,
      }),
      systemTime: fileTime(CRASHED),
      upTime: BigInt(UP_SECONDS) * 10_000_000n,
      productType: 3,
      suiteMask: 0x112,
    },
  };
}

/** @returns {Uint8Array} samples/article-2003.dmp */
export function build() {
  const { machine, header } = article2003();
  return writeDump(machine, { type: "full", header });
}
