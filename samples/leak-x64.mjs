/**
 * Writes leak-x64.dmp, a bitmap kernel dump of a 64-bit machine on which ctstor.sys leaks the tag `Se  ` through
 * SeQueryInformationToken, and leak-x64.json with what a reader should find: from the compilers' and the linker's
 * output (samples/images/truth) and from the numbers below, never from a reader.
 *
 * `node samples/leak-x64.mjs`
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Area } from "./writer/bytes.mjs";
import { describeLeak } from "./writer/describe-leak.mjs";
import { writeDump } from "./writer/dump.mjs";
import { innocentTags, totalBytes } from "./writer/innocent-tags.mjs";
import { fileTime } from "./writer/kernel.mjs";
import { USUAL, usualHandles } from "./writer/objects.mjs";
import { writePoolPage } from "./writer/poolpages.mjs";
import { System } from "./writer/system.mjs";

const LEAKED = 412_000;
const BLOCK = 0x60;
const ALLOCATIONS = 1_236_540;
const SEED = 19041;

/** The tags of the sample images, in the order: outstanding, frees, bytes each. */
const OWN = /** @type {const} */ ({
  nonPaged: {
    CtSt: [1, 0, 0x50],
    CtSq: [14, 824_482, 0x30],
    FabU: [2, 0, 0x250],
    AdtM: [120, 88_213, 0x60],
    AdtL: [64, 4_101, 0x80],
    MsDk: [8, 51_440, 0x210],
    FMct: [3_210, 40_118, 0xb0],
    FMsl: [96, 2_203, 0x130],
    FMfl: [6, 1, 0xc0],
    PsNt: [9, 2, 0x30],
    None: [31, 5_122, 0x90],
    Even: [948, 201_044, 0x70],
  },
  paged: {
    NwAv: [118, 6_204, 0x70],
    TsTy: [1, 9_412, 0x110],
    LtWs: [0, 0, 0],
    LtWn: [2, 301_442, 0xa0],
    AdtB: [12, 701, 0x110],
    WwiD: [3, 40, 0x60],
    Pros: [17, 2_210, 0x50],
    Prs2: [1, 2_227, 0x60],
    SeAc: [44, 501_202, 0x50],
    SeSd: [1_604, 22_414, 0xa0],
    SeOn: [61, 7_733, 0x90],
  },
});

/** @param {readonly [number, number, number]} counts */
const counts = ([live, frees, each]) => ({ allocs: live + frees, frees, bytes: live * each });
const outstanding = /** @type {import("./writer/tracker.mjs").Row[]} */ ([
  ...Object.entries(OWN.nonPaged).map(([tag, c]) => ({ tag, nonPaged: counts(c) })),
  ...Object.entries(OWN.paged).map(([tag, c]) => ({ tag, paged: counts(c) })),
]);

const bigLeaks = Array.from({ length: 24 }, (_, i) => ({
  va: 0xffffd70b40000000n + BigInt(i) * 0x7000n,
  tag: "Se  ",
  bytes: 0x1000 + (i % 3) * 0x800,
  paged: true,
}));
const bigLeakBytes = bigLeaks.reduce((n, b) => n + b.bytes, 0);
const leak = {
  tag: "Se  ",
  nonPaged: { allocs: 9_204, frees: 9_160, bytes: 44 * 0x30 },
  paged: {
    allocs: ALLOCATIONS,
    frees: ALLOCATIONS - LEAKED - bigLeaks.length,
    bytes: LEAKED * BLOCK + bigLeakBytes,
  },
};
const rows = [
  leak,
  ...outstanding,
  ...innocentTags({
    seed: SEED,
    word: 8,
    without: ["Se  ", "Proc", "Thre", ...outstanding.map((r) => r.tag)],
  }),
];

/** Who started whom; the services controller those that are not here. @type {Readonly<Record<string, number>>} */
const PARENTS = {
  System: 0,
  Registry: 4,
  "smss.exe": 4,
  "csrss.exe": 348,
  "wininit.exe": 348,
  "services.exe": 532,
  "lsass.exe": 532,
};
/** Events that processes have besides the usual handles, by image. @type {Readonly<Record<string, number>>} */
const EVENTS = { "sqlservr.exe": 600, "explorer.exe": 90 };

/** The machine and its header, also for tests that write the same memory in other forms. */
export function leakX64() {
  const system = new System({ arch: "x64", processors: 4, seed: SEED, pteBase: 0xfffffa0000000000n });
  const { machine } = system;
  const drivers = { importOptimisation: true };
  system.load([
    {
      name: "ntoskrnl.exe",
      base: 0xfffff8047bbf0000n,
      largePages: [".text"],
      pages: [{ section: "PAGE", state: "paged-out" }],
    },
    { name: "hal.dll", base: 0xfffff8047b140000n, ...drivers },
    { name: "fltmgr.sys", base: 0xfffff8047e5a0000n, ...drivers },
    // two whose INIT was kept, so that their look-up entries show: of a boot driver, from before it was moved
    {
      name: "msdisk.sys",
      base: 0xfffff8047e640000n,
      boundAt: 0xfffff80479c13000n,
      keep: ["INIT"],
      ...drivers,
    },
    { name: "wwilib.sys", base: 0xfffff8047e780000n, ...drivers },
    { name: "litwflt.sys", base: 0xfffff80480ba0000n, ...drivers },
    { name: "adatum.sys", base: 0xfffff80480be0000n, keep: ["INIT"], ...drivers },
    { name: "fabusb.sys", base: 0xfffff80481200000n, ...drivers },
    // built before there was filler: its calls keep the form of the file
    {
      name: "nwindav.sys",
      base: 0xfffff80481260000n,
      importOptimisation: false,
      pages: [{ section: "PAGE", state: "transition" }],
    },
    {
      name: "tailspin.sys",
      base: 0xfffff80481310000n,
      ...drivers,
      pages: [{ section: "PAGE", state: "transition" }],
    },
    { name: "prosew.sys", base: 0xfffff80481370000n, ...drivers },
    {
      name: "ctstor.sys",
      base: 0xfffff80481400000n,
      ...drivers,
      pages: [{ section: "PAGE", state: "paged-out" }],
    },
  ]);
  const query = system.nt("SeQueryInformationToken");
  machine.pointer(system.symbol("tailspin.sys", "TspQuery"), query);
  machine.pointer(system.symbol("ctstor.sys", "CtsState"), machine.allocate(0x50));
  writeLeakedBlocks(machine);

  const stackAt = (/** @type {number} */ i) => 0xfffff30c4a000000n + BigInt(i) * 0x10000n;
  let stacks = 0;
  const thread = (
    /** @type {string} */ innermost,
    /** @type {import("./writer/system.mjs").Call[]} */ calls,
  ) => ({
    stackBase: stackAt(++stacks),
    stackSize: 0x6000,
    words: [...system.stack(innermost, calls), 0n, 0n],
  });
  const waiting = (/** @type {import("./writer/system.mjs").Call[]} */ ...outer) =>
    thread("ntoskrnl.exe!KiSwapThread", [
      { in: "ntoskrnl.exe!KeDelayExecutionThread", calls: "KiSwapThread" },
      ...outer,
    ]);
  const started = { in: "ntoskrnl.exe!PspSystemThreadStartup", calls: "*" };
  const inside = [
    { in: "ntoskrnl.exe!ExAllocatePoolWithTag", calls: "ExpAllocateBlock" },
    { in: "ntoskrnl.exe!SepBuildInformation", calls: "ExAllocatePoolWithTag" },
    { in: "ntoskrnl.exe!SeQueryInformationToken", calls: "SepBuildInformation" },
  ];
  const dispatched = [
    { in: "ctstor.sys!CtsMayRead", calls: "SeQueryInformationToken" },
    { in: "ctstor.sys!CtsDispatch", calls: "CtsMayRead" },
    { in: "ntoskrnl.exe!IofCallDriver", calls: "*" },
    { in: "ntoskrnl.exe!IopXxxControlFile", calls: "IofCallDriver" },
    { in: "ntoskrnl.exe!NtDeviceIoControlFile", calls: "IopXxxControlFile" },
  ];
  const worker = [{ in: "ctstor.sys!CtsWorker", calls: "SeQueryInformationToken" }, started];
  const systemThreads = [
    waiting({ in: "ntoskrnl.exe!PsTerminateSystemThread", calls: "KeDelayExecutionThread" }, started),
    waiting(started),
    waiting(started),
    waiting(started),
    thread("ntoskrnl.exe!ExpAllocateBlock", [...inside, ...worker]),
  ];
  const agent = [thread("ntoskrnl.exe!ExpAllocateBlock", [...inside, ...dispatched])];
  const antivirus = [waiting(started)];
  const process = (
    /** @type {number} */ pid,
    /** @type {string} */ name,
    /** @type {import("./writer/kernel.mjs").ThreadSpec[]} */ threads = [],
  ) => ({
    pid,
    name,
    threads,
    details: { parent: PARENTS[name] ?? 664, created: fileTime(1_699_999_000 + pid) },
  });
  const processes = [
    process(4, "System", systemThreads),
    process(92, "Registry"),
    process(348, "smss.exe"),
    process(456, "csrss.exe"),
    process(532, "wininit.exe"),
    process(664, "services.exe", [waiting(started)]),
    process(676, "lsass.exe", [waiting(started)]),
    ...Array.from({ length: 9 }, (_, i) => process(788 + i * 52, "svchost.exe")),
    process(2120, "ctsagent.exe", agent),
    process(2388, "nwavsvc.exe", antivirus),
    process(4016, "explorer.exe"),
    process(5180, "sqlservr.exe"),
  ];
  const header = system.finish({
    rows,
    bigPages: bigPages(),
    processes,
    objects: (writer, made) => {
      for (const [i, { pid, name }] of processes.entries()) {
        const { process: object } = /** @type {{ process: bigint }} */ (made[i]);
        const events = Array.from({ length: EVENTS[name] ?? 0 }, () => ({
          type: "Event",
          object: writer.object("Event", 0x20, { handles: 1 }),
        }));
        writer.handleTable(object, pid, [...usualHandles(writer), ...events]);
      }
    },
    shares: {
      "Se  ": { allocs: [3, 31, 30, 36], frees: [61, 14, 13, 12] },
      File: { allocs: [1, 9, 9, 9], frees: [8, 1, 1, 1] },
    },
    unloaded: [
      {
        name: "ctsprobe.sys",
        start: 0xfffff80481500000n,
        end: 0xfffff8048150a000n,
        time: fileTime(1_700_000_000),
      },
      {
        name: "dump_msdisk.sys",
        start: 0xfffff80481520000n,
        end: 0xfffff8048152e000n,
        time: fileTime(1_700_000_100),
      },
    ],
    absent: [
      {
        name: "win32k.sys",
        path: "\\SystemRoot\\System32\\win32k.sys",
        base: 0xffffd5e49ac00000n,
        size: 0x12000,
        entryPoint: 0xffffd5e49ac01000n,
        timestamp: 0x5f000000,
        checksum: 0x95000,
      },
    ],
  });
  // what the antivirus driver's last callback left behind, below the live part of a stack
  const stale = system.after({ in: "nwindav.sys!NwaNotify", calls: "SeQueryInformationToken" });
  machine.pointer(
    /** @type {{ stackBase: bigint }} */ (antivirus[0]).stackBase - 0x1800n,
    stale.image.base + BigInt(stale.rva),
  );
  return {
    system,
    header,
    onStack: {
      worker: system.after(/** @type {any} */ (worker[0])),
      dispatch: system.after(/** @type {any} */ (dispatched[0])),
      stale,
    },
    processes: processes.map(({ pid, name, threads, details }) => ({
      pid,
      parent: details.parent,
      name,
      threads: threads.length,
      handles: USUAL.reduce((n, { count }) => n + count, EVENTS[name] ?? 0),
    })),
  };
}

/** Twelve pages of paged pool full of the leaked blocks: each begins with a pointer to the SID behind it. @param {import("./writer/machine.mjs").Machine} machine */
function writeLeakedBlocks(machine) {
  for (let page = 0; page < 12; page++) {
    const va = machine.allocate(0x1000, { align: 0x1000, paged: true });
    const blocks = Array.from({ length: 42 }, (_, i) => {
      const content = new Area(BLOCK - 16).u64(0, va + BigInt(i * BLOCK) + 0x20n).u32(8, 0);
      content
        .put(0x10, Uint8Array.of(1, 5, 0, 0, 0, 0, 0, 5))
        .u32(0x18, 21)
        .u32(0x1c, 0x3f1c70aa)
        .u32(0x20, 0x5d8a2b11)
        .u32(0x24, 0x13af88c0)
        .u32(0x28, 1104);
      return { tag: "Se  ", bytes: BLOCK, content: content.bytes };
    });
    writePoolPage(machine, va, blocks, { paged: true });
    if (page >= 8) machine.setState(va, 0x1000, "transition");
  }
}

function bigPages() {
  const others = /** @type {const} */ ([
    ["MmSt", 0x4000, true],
    ["CM25", 0x9000, true],
    ["Ntff", 0x2000, true],
    ["UlHT", 0x40000, true],
    ["Pool", 0x10000, false],
    ["EtwB", 0x8000, false],
    ["AfdB", 0x3000, false],
    ["DxgK", 0x1000, true],
  ]);
  const rest = others.flatMap(([tag, bytes, paged], k) =>
    Array.from({ length: 8 }, (_, i) => ({
      va: 0xffffd70b60000000n + BigInt(k) * 0x1000000n + BigInt(i) * 0x100000n,
      tag,
      bytes,
      paged,
      free: i >= 6,
    })),
  );
  return [...bigLeaks, ...rest];
}

/** Bytes from a function's entry to its far part. @param {any} known @param {string} name */
function coldDistance(known, name) {
  const [near, far] = known.functions.find((/** @type {any} */ f) => f.name === name).fragments;
  return Number.parseInt(far[0], 16) - Number.parseInt(near[0], 16);
}

/** Handles by type, of all processes. @param {ReturnType<typeof leakX64>["processes"]} processes */
function handleTotals(processes) {
  /** @type {Record<string, number>} */
  const totals = Object.fromEntries(USUAL.map(({ type, count }) => [type, count * processes.length]));
  for (const { name } of processes) totals.Event = (totals.Event ?? 0) + (EVENTS[name] ?? 0);
  return totals;
}

/** What a reader should find. @param {ReturnType<typeof leakX64>} made */
function golden({ system, onStack, processes }) {
  const nt = system.truths.get("ntoskrnl.exe");
  const hex = (/** @type {bigint | number} */ v) => `0x${v.toString(16)}`;
  const address = (/** @type {string} */ image, /** @type {string} */ rva) =>
    hex(system.image(image).base + BigInt(Number.parseInt(rva, 16)));
  const exported = nt.exports
    .filter((/** @type {any} */ e) => e.rva !== null && e.name !== null)
    .map((/** @type {any} */ e) => ({ name: e.name, rva: Number.parseInt(e.rva, 16) }))
    .sort((/** @type {any} */ a, /** @type {any} */ b) => a.rva - b.rva);
  const below = (/** @type {string} */ rva) =>
    exported.findLast((/** @type {any} */ e) => e.rva <= Number.parseInt(rva, 16))?.name ?? null;
  const readable = (/** @type {string} */ rva) =>
    system.machine.isMapped(system.image("ntoskrnl.exe").base + BigInt(Number.parseInt(rva, 16)));
  const sites = (/** @type {string} */ image) =>
    system.truths
      .get(image)
      .importCalls.filter((/** @type {any} */ c) => c.name === "SeQueryInformationToken")
      .map((/** @type {any} */ c) => ({
        address: address(image, c.at),
        in: c.from,
        rewritten: system.image(image).rewritten.includes(Number.parseInt(c.at, 16)),
      }));
  const importers = [...system.images.keys()].filter((n) =>
    system.truths
      .get(n)
      .imports.some(
        (/** @type {any} */ i) => i.name === "SeQueryInformationToken" && i.dll === "ntoskrnl.exe",
      ),
  );
  return {
    tag: "Se  ",
    usage: {
      paged: {
        allocations: leak.paged.allocs,
        frees: leak.paged.frees,
        outstanding: LEAKED + bigLeaks.length,
        bytes: leak.paged.bytes,
      },
      nonPaged: {
        allocations: leak.nonPaged.allocs,
        frees: leak.nonPaged.frees,
        outstanding: 44,
        bytes: leak.nonPaged.bytes,
      },
    },
    totals: totalBytes(rows),
    tags: rows.length,
    bigPages: { entries: bigLeaks.length, bytes: bigLeakBytes },
    pool: { pagedPages: system.pagedPages, nonPagedPages: system.nonPagedPages },
    modules: [...system.images.values()].map((i) => ({
      name: i.name,
      base: hex(i.base),
      size: hex(i.size),
      timestamp: hex(i.timestamp),
      checksum: hex(i.checksum),
    })),
    references: nt.tags
      .filter((/** @type {any} */ t) => t.tag === "Se  " && readable(t.rva))
      .map((/** @type {any} */ t) => ({
        address: address("ntoskrnl.exe", t.rva),
        section: t.section,
        function: t.function,
        use: t.use,
        nearestExport: t.section === ".text" ? below(t.rva) : null,
      })),
    internal: nt.functions
      .filter((/** @type {any} */ f) => f.name === "SepBuildInformation")
      .map((/** @type {any} */ f) => ({
        ...f,
        entry: address("ntoskrnl.exe", f.entry),
        fragments: f.fragments.map((/** @type {any} */ p) =>
          p.map((/** @type {string} */ r) => address("ntoskrnl.exe", r)),
        ),
      }))[0],
    coldDistance: Object.fromEntries(
      ["SeOpenObjectAuditAlarm", "SeSetAuditParameter"].map((name) => [name, hex(coldDistance(nt, name))]),
    ),
    target: hex(system.nt("SeQueryInformationToken")),
    importers: importers.map((n) => ({
      module: n,
      slot: address(
        n,
        system.truths.get(n).imports.find((/** @type {any} */ i) => i.name === "SeQueryInformationToken")
          .slot,
      ),
      sites: sites(n),
    })),
    lookup: {
      module: "tailspin.sys",
      pointer: hex(system.symbol("tailspin.sys", "TspQuery")),
      name: hex(system.symbol("tailspin.sys", "TspName")),
    },
    onStack: Object.fromEntries(
      Object.entries(onStack).map(([k, f]) => [k, hex(f.image.base + BigInt(f.rva))]),
    ),
    culprit: "ctstor.sys",
    processes,
    handles: handleTotals(processes),
  };
}

/** The dump's bytes. */
export function build() {
  const { system, header } = leakX64();
  return writeDump(system.machine, { type: "bitmap-kernel", header });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL("leak-x64.dmp", import.meta.url), build());
  const found = golden(leakX64());
  writeFileSync(new URL("leak-x64.json", import.meta.url), `${JSON.stringify(found, undefined, 2)}\n`);
  writeFileSync(new URL("leak-x64.md", import.meta.url), describeLeak(found));
}
