import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ascii, random } from "./bytes.mjs";
import { shareOut, totalBytes } from "./innocent-tags.mjs";
import { writeKdbg } from "./kdbg.mjs";
import {
  contextX64,
  contextX86,
  processDetails,
  processLayout,
  threadLayout,
  writeModuleList,
  writePhysicalMemoryBlock,
  writeProcesses,
  writeSharedData,
  writeUnloadedDrivers,
} from "./kernel.mjs";
import { loadImages } from "./load-pe.mjs";
import { Machine } from "./machine.mjs";
import { ObjectWriter } from "./objects.mjs";
import { stackWords } from "./stack.mjs";
import { writeBigPages, writeTracker } from "./tracker.mjs";

/**
 * A whole machine around the compiled images of samples/images: x64 as Windows 10 19041, x86 PAE as Server 2003 SP2.
 *
 * @typedef {"x64" | "x86"} Arch
 * @typedef {import("./load-pe.mjs").LoadedImage} LoadedImage
 * @typedef {import("./tracker.mjs").Row} Row
 * @typedef {{ image: string, function: string, fragments: [number, number][] }} Place
 * @typedef {{ in: string, calls: string, nth?: number }} Call "image!function" and the name that it calls; `*` for a call through a pointer
 */

const ROOT = new URL("../images/", import.meta.url);
const number = (/** @type {string} */ hex) => Number.parseInt(hex, 16);

/** @param {string} name @param {Arch} arch @param {string} [directory] below samples/images */
const imageFile = (name, arch, directory = arch) =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`${directory}/${name}`, ROOT))));
/** What is known of an image. @param {string} name @param {Arch} arch @returns {any} */
const truth = (name, arch) =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`truth/${name}.${arch}.json`, ROOT)), "utf8"));

/**
 * KDDEBUGGER_DATA64 grows with Windows: from which build on it has how many bytes. The images have no room for the 0x3a0
 * of 26100.
 */
const KDBG_SIZES = /** @type {const} */ ([
  [17763, 0x380],
  [14393, 0x368],
  [9200, 0x360],
  [6000, 0x340],
]);

/** FILETIME. */
const TAKEN = 133_456_789_012_345_678n;

/** @param {Machine} machine @returns {import("./tracker.mjs").Layout} */
function trackerLayout({ is64, build }) {
  if (build < 16299) return is64 ? "A64" : "A32";
  return is64 ? (build < 20348 ? "B64" : "C64") : "B32";
}

export class System {
  /** @param {{ arch: Arch, processors: number, physicalPages?: number, hole?: readonly [base: number, count: number], seed: number, pteBase?: bigint, build?: number }} options hole: pages where devices are, and no memory */
  constructor({
    arch,
    processors,
    physicalPages = 0x100000,
    hole,
    seed,
    pteBase,
    build = arch === "x64" ? 19041 : 3790,
  }) {
    this.arch = arch;
    this.is64 = arch === "x64";
    this.seed = seed;
    this.machine = new Machine({
      mode: this.is64 ? "x64" : "pae",
      processors,
      build,
      physicalPages,
      seed,
      ...(pteBase === undefined ? {} : { pteBase }),
    });
    if (hole !== undefined) {
      this.machine.frames.reserved.push([...hole]);
      this.machine.frames.low = { chunks: 3, below: hole[0] };
    }
    /** @type {[base: number, count: number][]} pages of memory */
    this.memory = [
      [1, 0x9f],
      ...(hole === undefined
        ? /** @type {[number, number][]} */ ([[0x100, physicalPages - 0x100]])
        : /** @type {[number, number][]} */ ([
            [0x100, hole[0] - 0x100],
            [hole[0] + hole[1], physicalPages - hole[0] - hole[1]],
          ])),
    ];
    this.random = random(seed ^ 0x5a5a5a5a);
    /** @type {Map<string, LoadedImage>} by file name */
    this.images = new Map();
    /** @type {Map<string, any>} */
    this.truths = new Map();
  }

  /** @param {readonly import("./load-pe.mjs").LoadOptions[]} list the kernel first */
  load(list) {
    for (const image of loadImages(
      this.machine,
      list.map((options) => ({ file: imageFile(options.name, this.arch), options })),
    )) {
      this.images.set(image.name, image);
      this.truths.set(image.name, truth(image.name, this.arch));
    }
    return this;
  }

  /** @param {string} name */
  image(name) {
    const image = this.images.get(name);
    if (image === undefined) throw new RangeError(`no image ${name}`);
    return image;
  }

  /** The address of a variable or function. @param {string} image @param {string} name */
  symbol(image, name) {
    const known = this.truths.get(image);
    const rva =
      known.variables[name] ?? known.functions.find((/** @type {any} */ f) => f.name === name)?.entry;
    if (rva === undefined) throw new RangeError(`${image} has no ${name}`);
    return this.image(image).base + BigInt(number(rva));
  }

  /** @param {string} name a variable of the kernel */
  nt(name) {
    return this.symbol("ntoskrnl.exe", name);
  }

  /** Where a function goes on after one of its calls. @param {Call} call @returns {{ image: LoadedImage, rva: number, name: string }} */
  after({ in: where, calls, nth = 0 }) {
    const [file = "", fn = ""] = where.split("!");
    const known = this.truths.get(file);
    const sites =
      calls === "*"
        ? known.indirectCalls.filter((/** @type {any} */ c) => c.from === fn)
        : [
            ...known.calls.filter((/** @type {any} */ c) => c.from === fn && c.to === calls),
            ...known.importCalls.filter((/** @type {any} */ c) => c.from === fn && c.name === calls),
          ];
    const site = sites[nth];
    if (site === undefined) throw new RangeError(`${where} does not call ${calls}`);
    const image = this.image(file);
    return {
      image,
      rva: image.rewritten.includes(number(site.at)) ? number(site.at) + 12 : number(site.next),
      name: where,
    };
  }

  /** The words of a stack, from where the innermost function stands. @param {string} innermost "image!function" @param {readonly Call[]} calls innermost first */
  stack(innermost, calls) {
    const [file = "", fn = ""] = innermost.split("!");
    const image = this.image(file);
    const start = Number(this.symbol(file, fn) - image.base);
    const filler = (/** @type {number} */ n) =>
      n % 3 === 0
        ? BigInt(this.random(0x10000))
        : n % 3 === 1
          ? 0n
          : (this.is64 ? 0xffffbe0e40000000n : 0x89400000n) + BigInt(this.random(0x8000)) * 8n;
    return stackWords([{ image, rva: start, name: innermost }, ...calls.map((c) => this.after(c))], {
      is64: this.is64,
      filler,
    });
  }

  /**
   * Writes the kernel's own structures over the loaded images.
   * @param {{
   *   rows: readonly Row[], shares?: Parameters<typeof shareOut>[1]["shares"], hashed?: number, bigPages?: Parameters<typeof writeBigPages>[1]["entries"],
   *   unloaded?: Parameters<typeof writeUnloadedDrivers>[1]["drivers"], processes: readonly import("./kernel.mjs").ProcessSpec[], absent?: readonly import("./kernel.mjs").ModuleEntry[],
   *   pagedMaximum?: number, nonPagedMaximum?: number, uptimeSeconds?: number,
   *   objects?: (writer: ObjectWriter, made: readonly { process: bigint, threads: readonly bigint[] }[]) => void,
   * }} options objects: makes the processes objects with headers in front of them, and may give them handle tables. rows: the whole machine's counts, shared out over the processors. absent: modules of which no page is readable. maxima: pages
   * @returns {import("./dump.mjs").HeaderFields}
   */
  finish({
    rows,
    shares = {},
    hashed = this.is64 ? 4096 : 1024,
    bigPages = [],
    unloaded = [],
    processes,
    absent = [],
    pagedMaximum,
    nonPagedMaximum,
    uptimeSeconds = 19 * 86400 + 40271,
    objects,
  }) {
    const { machine, is64 } = this;
    const head = this.nt("PsLoadedModuleList");
    const modules = [...this.images.values()].map((i) => ({
      base: i.base,
      size: i.size,
      entryPoint: i.entryPoint,
      name: i.name,
      checksum: i.checksum,
      timestamp: i.timestamp,
      path:
        i.path ??
        (/^(ntoskrnl|hal)/.test(i.name)
          ? `\\SystemRoot\\system32\\${i.name}`
          : `\\SystemRoot\\System32\\drivers\\${i.name}`),
    }));
    writeModuleList(machine, head, [...modules, ...absent]);
    writeUnloadedDrivers(machine, {
      variable: this.nt("MmUnloadedDrivers"),
      lastVariable: this.nt("MmLastUnloadedDriver"),
      drivers: unloaded,
    });
    const made = this.#processes(processes, objects);
    const threads = made.flatMap((p) => p.threads);
    writePhysicalMemoryBlock(machine, this.nt("MmPhysicalMemoryBlock"), this.memory);
    writeTracker(machine, {
      layout: trackerLayout(machine),
      hashed,
      processors: shareOut(rows, { processors: machine.processors, seed: this.seed, shares }),
      poolTrackTable: this.nt("PoolTrackTable"),
      tagTables: this.nt("ExPoolTagTables"),
      sizeVariable: this.nt("PoolTrackTableSize"),
      maskVariable: this.nt("PoolTrackTableMask"),
    });
    writeBigPages(machine, {
      variable: this.nt("PoolBigPageTable"),
      sizeVariable: this.nt("PoolBigPageTableSize"),
      slots: is64 ? 0x1000 : 0x400,
      entries: bigPages,
    });
    writeSharedData(machine, { taken: TAKEN, upTime: BigInt(uptimeSeconds) * 10_000_000n });
    const context = this.#processors(threads);
    this.#memoryCounters(rows, pagedMaximum, nonPagedMaximum);
    this.#kdbg();
    return {
      minor: machine.build,
      pfnDatabase: is64 ? 0xffffe28000000000n : 0x81000000n,
      psLoadedModuleList: head,
      psActiveProcessHead: this.nt("PsActiveProcessHead"),
      bugcheck: { code: 0xe2, parameters: [0n, 0n, 0n, 0n] },
      kdDebuggerDataBlock: this.nt("KdDebuggerDataBlock"),
      context,
      systemTime: TAKEN,
      upTime: BigInt(uptimeSeconds) * 10_000_000n,
      productType: 3,
      suiteMask: 0x110,
      secondaryDataState: 0,
      directoryTableBase: machine.directoryTableBase,
    };
  }

  /** @param {readonly import("./kernel.mjs").ProcessSpec[]} processes @param {Parameters<System["finish"]>[0]["objects"]} objects */
  #processes(processes, objects) {
    const { machine } = this;
    const head = this.nt("PsActiveProcessHead");
    if (objects === undefined) return writeProcesses(machine, head, processes);
    // the images keep no table of types by name: it stands where the memory manager's state has room
    const writer = new ObjectWriter(machine, { typeTable: this.nt("MiState") + 0x200n });
    const made = writeProcesses(machine, head, processes, (bytes, type) =>
      writer.object(type, bytes, { handles: 0, parts: ["quota"] }),
    );
    objects(writer, made);
    writer.idTable(
      this.nt("PspCidTable"),
      new Map([
        ...made.map(
          ({ process }, i) =>
            /** @type {const} */ ([/** @type {{ pid: number }} */ (processes[i]).pid, process]),
        ),
        ...made
          .flatMap(({ threads }) => threads)
          .map((thread, i) => /** @type {const} */ ([0x10000 + i * 4, thread])),
      ]),
    );
    writer.finish();
    return made;
  }

  /** The processors' control blocks, each with its current thread, and the first one's registers. @param {readonly bigint[]} threads @returns {Uint8Array} the context */
  #processors(threads) {
    const { machine, is64 } = this;
    const at = is64
      ? { size: 0xaf00, thread: 8, number: 0x24, special: 0x100, context: 0x85c0 }
      : { size: 0xec0, thread: 4, number: 0x10, special: 0x1c + 0x2cc, context: 0 };
    const bugCheck = this.nt("KeBugCheckEx");
    const thread = threadLayout(machine);
    const sp = machine.readPointer(/** @type {bigint} */ (threads[0]) + BigInt(thread.kernel));
    const context = is64
      ? contextX64({ rip: bugCheck, rsp: sp, rcx: 0xe2n })
      : contextX86({ eip: Number(bugCheck), esp: Number(sp), ecx: 0xe2 });
    const copy = machine.allocate(context.length, { align: 16 });
    machine.write(copy, context);
    for (let cpu = 0; cpu < machine.processors; cpu++) {
      const va = machine.allocate(at.size, { align: 0x40 });
      const field = (/** @type {number} */ offset) => va + BigInt(offset);
      machine.pointer(this.nt("KiProcessorBlock") + BigInt(cpu * machine.pointerSize), va);
      machine.pointer(field(at.thread), /** @type {bigint} */ (threads[cpu % threads.length]));
      if (is64) machine.u32(field(at.number), cpu);
      else machine.u8(field(at.number), cpu);
      const word = BigInt(machine.pointerSize);
      machine
        .pointer(field(at.special), 0x80050033n)
        .pointer(field(at.special) + 2n * word, machine.directoryTableBase)
        .pointer(field(at.special) + 3n * word, is64 ? 0x350ef8n : 0x6f9n);
      if (is64 && cpu === 0) machine.pointer(field(at.context), copy);
    }
    return context;
  }

  /** What `!vm` shows, where this Windows keeps it. @param {readonly Row[]} rows @param {number | undefined} pagedMaximum @param {number | undefined} nonPagedMaximum */
  #memoryCounters(rows, pagedMaximum, nonPagedMaximum) {
    const { machine, is64 } = this;
    const { paged, nonPaged } = totalBytes(rows);
    // blocks do not fill their pages
    this.pagedPages = Math.ceil((paged * 1.03) / 0x1000);
    this.nonPagedPages = Math.ceil((nonPaged * 1.04) / 0x1000);
    const state = this.nt("MiState") + 0x100n;
    if (is64) {
      machine
        .u64(state - 8n, pagedMaximum ?? 0x100000000n)
        .u64(state, this.pagedPages)
        .u64(state + 8n, nonPagedMaximum ?? 0x100000000n)
        .u64(state + 0x78n, this.nonPagedPages);
      machine.u64(this.nt("MmSizeOfPagedPoolInBytes"), BigInt(pagedMaximum ?? 0x100000000) * 0x1000n);
    } else {
      machine.u32(state, this.pagedPages);
      machine.u32(this.nt("MmSizeOfPagedPoolInBytes"), (pagedMaximum ?? 0x15800) * 0x1000);
    }
    machine.pointer(this.nt("MmPfnDatabase"), is64 ? 0xffffe28000000000n : 0x81000000n);
    machine
      .pointer(this.nt("MmSystemRangeStart"), is64 ? 0xffff800000000000n : 0x80000000n)
      .pointer(this.nt("MmHighestUserAddress"), is64 ? 0x7fffffffeffffn : 0x7ffeffffn)
      .pointer(this.nt("MmUserProbeAddress"), is64 ? 0x7fffffff0000n : 0x7fff0000n);
    if (machine.readPointer(this.nt("PspCidTable")) === 0n)
      machine.pointer(this.nt("PspCidTable"), machine.allocate(0x40));
    machine.u32(this.nt("CmNtCSDVersion"), 0).u32(this.nt("NtBuildNumber"), 0xf0000000 + machine.build);
    machine
      .pointer(this.nt("KiBugcheckData"), 0xe2)
      .write(this.nt("KdPrintCircularBuffer"), ascii("sample machine\n"));
  }

  #kdbg() {
    const { machine, is64 } = this;
    const process = processLayout(machine);
    const thread = threadLayout(machine);
    /** @type {Record<string, bigint | number>} */
    const fields = {
      KernBase: this.image("ntoskrnl.exe").base,
      BreakpointWithStatus: this.nt("DbgPrintEx"),
      PaeEnabled: is64 ? 0 : 1,
      MmPageSize: 0x1000,
      MmPagedPoolCommit: this.nt("MiState") + 0x100n,
      KdPrintCircularBufferEnd: this.nt("KdPrintCircularBuffer") + 0x200n,
      OffsetKThreadKernelStack: thread.kernel,
      OffsetKThreadInitialStack: thread.initial,
      OffsetKThreadApcProcess: is64
        ? machine.build < 9200
          ? 0x70
          : 0xb8
        : machine.build < 6000
          ? 0x44
          : 0x50,
      SizeEProcess: process.size,
      OffsetEprocessParentCID: processDetails(machine).parent,
      OffsetEprocessDirectoryTableBase: process.dtb,
      SizePrcb: is64 ? 0xaf00 : 0xec0,
      OffsetPrcbCurrentThread: is64 ? 8 : 4,
      OffsetPrcbNumber: is64 ? 0x24 : 0x10,
      SizeEThread: thread.size,
      OffsetPrcbProcStateSpecialReg: is64 ? 0x100 : 0x1c + 0x2cc,
    };
    for (const name of [
      "PsLoadedModuleList",
      "PsActiveProcessHead",
      "PspCidTable",
      "KiBugcheckData",
      "MmPfnDatabase",
      "MmSizeOfPagedPoolInBytes",
      "PoolTrackTable",
      "MmHighestUserAddress",
      "MmSystemRangeStart",
      "MmUserProbeAddress",
      "KdPrintCircularBuffer",
      "NtBuildLab",
      "KiProcessorBlock",
      "MmUnloadedDrivers",
      "MmLastUnloadedDriver",
      "MmTriageActionTaken",
      "MmSpecialPoolTag",
      "KernelVerifier",
      "MmVerifierData",
      "CmNtCSDVersion",
      "MmPhysicalMemoryBlock",
    ])
      fields[name] = this.nt(name);
    if (is64) fields.OffsetPrcbContext = 0x85c0;
    if (is64 && machine.build >= 9200)
      Object.assign(fields, { OffsetKThreadStackLimit: thread.limit, OffsetKThreadStackBase: thread.base });
    if (is64 && machine.build >= 14393) fields.PteBase = machine.pteBase;
    writeKdbg(machine, this.nt("KdDebuggerDataBlock"), {
      size: KDBG_SIZES.find(([build]) => machine.build >= build)?.[1] ?? 0x318,
      listHead: this.nt("KdpDebuggerDataListHead"),
      fields,
    });
  }
}
