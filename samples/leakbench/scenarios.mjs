import { buildDump } from "./machine.mjs";

/**
 * The leak benchmark: machines of which it is known who leaks.
 *
 * @typedef {import("./machine.mjs").Arch} Arch
 * @typedef {import("./machine.mjs").Counted} Counted
 * @typedef {{ name: string, why: string, arch: Arch, form: import("../writer/dump.mjs").DumpKind, tag: string, kind: CulpritKind | null, culprit: string | null, build: () => Uint8Array }} Scenario
 *   culprit: its file name, a driver's or a process's; null where nobody in the dump can be blamed, and "cannot tell" is the right answer. kind:
 *   null where not even that can be told
 * @typedef {"driver" | "process" | "windows" | "none-visible"} CulpritKind
 */

/** @param {string} tag @param {boolean} paged @param {number} x64 @param {number} x86 @param {number} live @param {number} [frees] @returns {Counted} */
const counted = (tag, paged, x64, x86, live, frees) => ({
  tag,
  paged,
  block: { x64, x86 },
  live,
  ...(frees === undefined ? {} : { frees }),
});
const SE = counted("Se  ", true, 0x60, 0x58, 310_000);
const SESD = counted("SeSd", true, 0x90, 0x88, 240_000);
const ADVW = counted("AdvW", false, 0xe0, 0xd8, 96_000, 0);
const PROC = counted("Proc", false, 0xa80, 0xa78, 9_227, 41_400);
const DEAD = counted("Proc", false, 0xa80, 0xa78, 2_600, 300);
const EVENTS = counted("Even", false, 0x180, 0x180, 16_000, 300);
const TOKENS = counted("Toke", true, 0x760, 0x4b0, 4_000, 700);
const FCOF = counted("Fcof", true, 0x1d0, 0x1c8, 71_000, 12);
const GDIL = counted("GdiL", false, 0x150, 0x148, 66_000, 0);
const GROUPS = counted("Se  ", true, 0x1a0, 0x198, 120_000);
const SHRD = counted("Shrd", true, 0x320, 0x318, 52_000, 640_000);
const IRP = counted("Irp ", false, 0x200, 0x1f8, 81_000, 9_000_000);
const MDL = counted("Mdl ", false, 0xc0, 0xb8, 130_000, 7_100_000);
/** A library's own tag, of whoever calls it. */
const WWID = counted("WwiD", true, 0x1d0, 0x1c8, 71_000, 12);
const THREADS = counted("Thre", false, 0x4f0, 0x2f0, 2_600, 300);
const KEYS = counted("Key ", true, 0xe0, 0xd8, 24_000, 1_900);
const FILES = counted("File", false, 0x150, 0x148, 9_000, 800);
const PIPES = counted("NpFr", true, 0x140, 0x138, 8_990, 800);
const MANY_EVENTS = counted("Even", false, 0x80, 0x80, 54_800, 4_000);
const NAMES = counted("FMfn", true, 0x2b0, 0x2a8, 92_000, 300);
const OWN_OF_TWO = counted("AdvW", false, 0xe0, 0xd8, 96_000, 0);
const MDL_OF_TWO = counted("Mdl ", false, 0xc0, 0xb8, 96_040, 9_000);
/** Pages of entries, and what leads to them. */
const TABLES = counted("Obtb", true, 0x1000, 0x1000, 430, 60);
/** As many as a cache holds: large, and steady for as long as the machine runs. */
const CACHE = counted("CM31", true, 0x1000, 0x1000, 5_200, 18_300);
const SECTIONS = counted("MmSt", true, 0x800, 0x800, 9_100, 2_204_000);

const started = { in: "ntoskrnl.exe!PspSystemThreadStartup", calls: "*" };
const query = [
  { in: "ntoskrnl.exe!ExAllocatePoolWithTag", calls: "ExpAllocateBlock" },
  { in: "ntoskrnl.exe!SepBuildInformation", calls: "ExAllocatePoolWithTag" },
  { in: "ntoskrnl.exe!SeQueryInformationToken", calls: "SepBuildInformation" },
];
const ctstor = [...query, { in: "ctstor.sys!CtsWorker", calls: "SeQueryInformationToken" }, started];
const coho = [
  { in: "ntoskrnl.exe!ExAllocatePoolWithTag", calls: "ExpAllocateBlock" },
  { in: "ntoskrnl.exe!SepAllocateTagged", calls: "ExAllocatePoolWithTag" },
  { in: "ntoskrnl.exe!SepCopyDescriptor", calls: "SepAllocateTagged" },
  { in: "ntoskrnl.exe!SeCaptureSecurityDescriptor", calls: "SepCopyDescriptor" },
  { in: "coho.sys!BenchWork", calls: "SeCaptureSecurityDescriptor" },
  { in: "coho.sys!BenchThread", calls: "BenchWork" },
  started,
];
const alpine = [
  { in: "ntoskrnl.exe!ExAllocatePoolWithTag", calls: "ExpAllocateBlock" },
  { in: "ntoskrnl.exe!IoAllocateIrp", calls: "ExAllocatePoolWithTag", nth: 0 },
  { in: "alpine.sys!BenchWork", calls: "IoAllocateIrp" },
  { in: "alpine.sys!BenchThread", calls: "BenchWork" },
  started,
];
const blueyon = [
  { in: "ntoskrnl.exe!ExAllocatePoolWithTag", calls: "ExpAllocateBlock" },
  { in: "ntoskrnl.exe!IoAllocateIrp", calls: "ExAllocatePoolWithTag", nth: 0 },
  { in: "blueyon.sys!BenchWork", calls: "IoAllocateIrp" },
  { in: "blueyon.sys!BenchThread", calls: "BenchWork" },
  started,
];

/** A Windows of which a case is made besides those of `forms`: kernel dumps. */
const SYSTEMS = /** @type {const} */ ({
  "7-x86": { arch: "x86", build: 7601 },
  "7-x64": { arch: "x64", build: 7601 },
  "8.1-x64": { arch: "x64", build: 9600 },
  "10-x64": { arch: "x64", build: 19041 },
  "11-x64": { arch: "x64", build: 26100 },
});

/**
 * @typedef {Omit<Partial<import("./machine.mjs").Plan>, "counts"> & { why: string, drivers: readonly string[], leak: Counted, besides?: readonly Counted[], culprit: string | null, process?: string, kind?: CulpritKind, forms?: Partial<Record<Arch, import("../writer/dump.mjs").DumpKind>>, on?: readonly (keyof typeof SYSTEMS)[] }} Case
 *   besides: other tags that leak. culprit: a driver; null where none is. process: that is to blame. kind: where neither is
 * @type {Readonly<Record<string, Case>>}
 */
const CASES = {
  "own-tag": {
    why: "the driver's own code allocates with its own tag, and frees none",
    drivers: ["advworks", "citypw", "nwindav"],
    leak: ADVW,
    culprit: "advworks",
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  api: {
    why: "the kernel allocates for a driver that calls an exported function, and the driver keeps the answer",
    drivers: ["nwindav", "ctstor", "humong"],
    leak: SE,
    culprit: "ctstor",
    stacks: [ctstor],
    forms: { x64: "bitmap-kernel", x86: "summary" },
  },
  deep: {
    why: "the tag stands in a function that no driver can call, two calls below the exported one",
    drivers: ["consol", "coho", "citypw"],
    leak: SESD,
    culprit: "coho",
    stacks: [coho],
    forms: { x64: "summary", x86: "full" },
  },
  "run-time": {
    why: "the leaker imports nothing of it: it looks the function up by name, as does one that releases",
    drivers: ["tailspin", "wingtip", "fabusb"],
    leak: SE,
    culprit: "wingtip",
    pointers: [
      ["wingtip.sys", "WtpQuery", "SeQueryInformationToken"],
      ["tailspin.sys", "TspQuery", "SeQueryInformationToken"],
    ],
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  filter: {
    why: "a minifilter leaks what the filter manager asks of the kernel for it; another one releases",
    drivers: ["litwflt", "lucerne", "citypw"],
    leak: SE,
    culprit: "lucerne",
    forms: { x64: "bitmap-full", x86: "summary" },
  },
  object: {
    why: "no allocation at all: references to processes are taken and never given back",
    drivers: ["humong", "margies", "nwindav", "consol"],
    leak: PROC,
    culprit: "margies",
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  wrapper: {
    why: "the tag is a parameter of another driver's function",
    drivers: ["fourthc", "citypw", "humong"],
    leak: FCOF,
    culprit: "fourthc",
    forms: { x64: "full", x86: "summary" },
  },
  lookaside: {
    why: "the tag is only ever given to a lookaside list",
    drivers: ["graphic", "citypw", "humong"],
    leak: GDIL,
    culprit: "graphic",
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  "two-suspects": {
    why: "two drivers call the function, one of them releases",
    drivers: ["nwindav", "ctstor"],
    leak: SE,
    culprit: "ctstor",
    forms: { x64: "bitmap-kernel" },
  },
  "two-irps": {
    why: "two drivers allocate IRPs, one of them frees them",
    drivers: ["consol", "blueyon"],
    leak: IRP,
    culprit: "blueyon",
    forms: { x86: "full" },
  },
  "never-called": {
    why: "two of the importers never call what they import",
    drivers: ["vanars", "fabusb", "ctstor"],
    leak: SE,
    culprit: "ctstor",
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  microsoft: {
    why: "the leaker is Microsoft's by its version resource; the third parties release or never call",
    drivers: ["nwindav", "fabusb", "storahx"],
    leak: GROUPS,
    culprit: "storahx",
    forms: { x64: "bitmap-kernel", x86: "summary" },
  },
  unloaded: {
    why: "the leaker is gone: those who remain release, or never call",
    drivers: ["nwindav", "fabusb"],
    leak: SE,
    culprit: null,
    kind: "none-visible",
    unloaded: ["ctstor"],
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  "half-paged": {
    why: "the leaker's pageable code is paged out, with one of its two calls",
    drivers: ["nwindav", "lamna", "fabusb"],
    leak: SE,
    culprit: "lamna",
    images: { "lamna.sys": { pages: [{ section: "PAGE", state: "paged-out" }] } },
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  "all-paged": {
    why: "all of the leaker's code is paged out: it imports the function, and the others are cleared",
    drivers: ["nwindav", "ctstor", "fabusb"],
    leak: SE,
    culprit: "ctstor",
    images: {
      "ctstor.sys": {
        pages: [
          { section: ".text", state: "paged-out" },
          { section: "PAGE", state: "paged-out" },
        ],
      },
    },
    forms: { x64: "bitmap-kernel" },
  },
  "names-there": {
    why: "INIT is still there, and the import names with it: elsewhere they are gone",
    drivers: ["nwindav", "ctstor"],
    leak: SE,
    culprit: "ctstor",
    images: { "ctstor.sys": { keep: ["INIT"] }, "nwindav.sys": { keep: ["INIT"] } },
    forms: { x86: "full" },
  },
  "not-optimised": {
    why: "calls through the import table as in the file: no import optimisation",
    drivers: ["nwindav", "ctstor"],
    leak: SE,
    culprit: "ctstor",
    importOptimisation: false,
    forms: { x64: "full" },
  },
  "shared-tag": {
    why: "two drivers allocate with one tag, and one of them frees",
    drivers: ["citypw", "treyres"],
    leak: SHRD,
    culprit: "treyres",
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  decoy: {
    why: "a driver has the tag in its texts and tables only",
    drivers: ["southr", "ctstor"],
    leak: SE,
    culprit: "ctstor",
    forms: { x64: "bitmap-kernel" },
  },
  "decoy-own": {
    why: "a driver has another's tag in its texts and tables only",
    drivers: ["southr", "advworks"],
    leak: ADVW,
    culprit: "advworks",
    forms: { x86: "summary" },
  },
  cache: {
    why: "no leak: the configuration manager's cache, large and steady",
    drivers: ["nwindav", "citypw", "humong"],
    leak: CACHE,
    culprit: null,
    forms: { x64: "bitmap-kernel" },
  },
  sections: {
    why: "no leak: section prototypes of mapped files, freed about as often as allocated",
    drivers: ["nwindav", "consol", "humong"],
    leak: SECTIONS,
    culprit: null,
    forms: { x86: "full" },
  },
  irp: {
    why: "IRPs are allocated and never freed; another driver leaks nothing but calls much",
    drivers: ["consol", "schoolf", "blueyon", "vanars"],
    leak: IRP,
    culprit: "blueyon",
    stacks: [blueyon],
    forms: { x64: "bitmap-kernel" },
  },
  mdl: {
    why: "MDLs are allocated and never freed",
    drivers: ["consol", "blueyon", "schoolf"],
    leak: MDL,
    culprit: "schoolf",
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  async: {
    why: "a busy driver frees its IRPs in the completion routine, and is seen on stacks; another frees none",
    drivers: ["alpine", "blueyon"],
    leak: IRP,
    culprit: "blueyon",
    stacks: [alpine, alpine],
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  "untagged-free": {
    why: "two drivers allocate with one tag, and one of them frees without naming it",
    drivers: ["woodgr", "advworks"],
    leak: ADVW,
    culprit: "advworks",
    forms: { x64: "bitmap-kernel", x86: "summary" },
  },
  library: {
    why: "the tag is a library's own; of its two callers one gives nothing back to it",
    drivers: ["bestfor", "relecl"],
    leak: WWID,
    culprit: "relecl",
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  "mdl-of-irp": {
    why: "one driver's MDLs go with the IRPs that they belong to; another keeps its own",
    drivers: ["liberty", "schoolf"],
    leak: MDL,
    culprit: "schoolf",
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  blocks: {
    why: "by its code one keeps what it allocates, and the other frees it: but all blocks are the other's",
    drivers: ["woodgr", "advworks"],
    leak: ADVW,
    culprit: "woodgr",
    blocks: { image: "woodgr.sys", function: "WgbDone", strangers: 3 },
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  "blocks-decide": {
    why: "by their code two drivers keep what they ask for, and the blocks are one's",
    drivers: ["ctstor", "lamna"],
    leak: SE,
    culprit: "lamna",
    blocks: { image: "lamna.sys", function: "BenchWork", strangers: 5 },
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  "blocks-through-objects": {
    why: "by their code two drivers keep what they ask for; each block points at an object of one",
    drivers: ["ctstor", "lamna"],
    leak: SE,
    culprit: "lamna",
    blocks: { image: "lamna.sys", function: "BenchWork", strangers: 5, through: true },
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  zombies: {
    why: "one process keeps a handle to each of those that it started; a driver that loses references stands by",
    drivers: ["humong", "margies", "nwindav"],
    leak: DEAD,
    culprit: null,
    process: "watch.exe",
    held: { type: "Process", bytes: 0, live: 2_600, holders: { "watch.exe": 2_590 } },
    forms: { x64: "bitmap-kernel", x86: "bitmap-kernel" },
    on: ["8.1-x64", "11-x64"],
  },
  "zombies-without-handles": {
    why: "ended processes to which no handle leads: a driver has not given its references back",
    drivers: ["humong", "margies", "nwindav"],
    leak: DEAD,
    culprit: "margies",
    held: { type: "Process", bytes: 0, live: 2_600 },
    forms: { x64: "bitmap-kernel", x86: "bitmap-kernel" },
    on: ["7-x64", "11-x64"],
  },
  "events-of-a-process": {
    why: "one process never closes its events, and others have a few",
    drivers: ["ctstor", "nwindav"],
    leak: EVENTS,
    culprit: null,
    process: "sqlservr.exe",
    held: { type: "Event", bytes: 0x20, live: 16_000, holders: { "sqlservr.exe": 16_000 } },
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  "one-event": {
    why: "a process opens one event again and again: its handles are many, and events are not what grows",
    drivers: ["ctstor", "nwindav"],
    leak: EVENTS,
    culprit: null,
    held: { type: "Event", bytes: 0x20, live: 16_000, holders: { "sqlservr.exe": 16_000 }, same: true },
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  "tokens-of-an-image": {
    why: "every process of one image keeps tokens, and no one of them most",
    drivers: ["ctstor", "humong"],
    leak: TOKENS,
    culprit: null,
    process: "svchost.exe",
    held: { type: "Token", bytes: 0x400, live: 4_000, holders: { "svchost.exe": 1_320 } },
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
  "handles-to-one-event": {
    why: "a process opens one event again and again: not events grow, but the tables of handles",
    drivers: ["ctstor", "nwindav"],
    leak: TABLES,
    culprit: null,
    process: "deskflow.exe",
    held: { type: "Event", bytes: 0x20, live: 1, holders: { "deskflow.exe": 100_000 }, same: true },
    on: ["7-x64", "10-x64"],
  },
  keys: {
    why: "a process opens one key again and again, and never closes what it gets; another has many files",
    drivers: ["ctstor", "humong"],
    leak: KEYS,
    culprit: null,
    process: "find.exe",
    held: {
      type: "Key",
      bytes: 0x58,
      live: 24_000,
      holders: { "find.exe": 23_900 },
      innocent: { "explorer.exe": ["File", 0xd8, 3000] },
    },
    on: ["7-x86", "8.1-x64", "11-x64"],
  },
  "threads-of-the-dead": {
    why: "handles to threads keep processes that have ended",
    drivers: ["humong", "margies"],
    leak: THREADS,
    culprit: null,
    process: "agent.exe",
    held: { type: "Thread", bytes: 0, live: 2_600, holders: { "agent.exe": 2_580 } },
    on: ["7-x64", "10-x64"],
  },
  pipes: {
    why: "a service leaves three pipes open for each command; a process with many events stands by",
    drivers: ["ctstor", "litwflt"],
    leak: FILES,
    besides: [PIPES],
    culprit: null,
    process: "remcom.exe",
    held: {
      type: "File",
      bytes: 0xd8,
      live: 9_000,
      holders: { "remcom.exe": 8_991 },
      innocent: { "sqlservr.exe": ["Event", 0x20, 6000] },
    },
    on: ["7-x86", "8.1-x64", "10-x64"],
  },
  "in-step-with-mdl": {
    why: "a driver's own tag and `Mdl ` grow by the same numbers: the one that it owns leads",
    drivers: ["advworks", "citypw", "nwindav"],
    leak: OWN_OF_TWO,
    besides: [MDL_OF_TWO],
    culprit: "advworks",
    on: ["7-x64", "11-x64"],
  },
  "file-names-without-filter": {
    why: "the filter manager keeps file names where no minifilter of anybody else is loaded",
    drivers: ["ctstor", "citypw"],
    leak: NAMES,
    culprit: null,
    kind: "windows",
    on: ["10-x64", "11-x64"],
  },
  "file-names-with-filter": {
    why: "the same beside a minifilter that has nothing to do with it: nobody can tell",
    drivers: ["ctstor", "litwflt"],
    leak: NAMES,
    culprit: null,
    on: ["10-x64"],
  },
  "no-third-party": {
    why: "nothing is loaded but Windows, whose tokens no process holds",
    drivers: [],
    alone: true,
    leak: TOKENS,
    culprit: null,
    kind: "windows",
    held: { type: "Token", bytes: 0x400, live: 4_000 },
    on: ["8.1-x64", "11-x64"],
  },
  "tokens-nobody-holds": {
    why: "no process holds the tokens, and the driver that took them is gone",
    drivers: ["nwindav", "fabusb"],
    leak: TOKENS,
    culprit: null,
    kind: "none-visible",
    unloaded: ["tokenfil"],
    held: { type: "Token", bytes: 0x400, live: 4_000 },
    on: ["7-x64", "10-x64"],
  },
  "two-processes": {
    why: "two processes keep events, one of them twice as many",
    drivers: ["ctstor", "humong"],
    leak: MANY_EVENTS,
    culprit: null,
    process: "AppB.exe",
    held: { type: "Event", bytes: 0x20, live: 54_800, holders: { "AppA.exe": 18_539, "AppB.exe": 36_252 } },
    on: ["7-x86", "10-x64"],
  },
  "forty-of-one-image": {
    why: "forty processes of one image keep keys, none of them many",
    drivers: ["ctstor", "nwindav"],
    leak: KEYS,
    culprit: null,
    process: "w3wp.exe",
    processes: Array.from({ length: 40 }, () => "w3wp.exe"),
    held: { type: "Key", bytes: 0x58, live: 24_000, holders: { "w3wp.exe": 595, "lsass.exe": 100 } },
    on: ["7-x64", "11-x64"],
  },
  "code-not-there": {
    why: "no page of the leaker is in the dump: it is named as what could not be looked at",
    drivers: ["citypw", "nwindav"],
    leak: ADVW,
    culprit: null,
    kind: "none-visible",
    absent: [{ base: 0xfffff80482000000n, size: 0x9000, name: "advworks.sys" }],
    on: ["7-x64", "10-x64"],
  },
  "stacks-decide": {
    why: "by their code two drivers keep what they ask for; threads stand behind the calls of one",
    drivers: ["lamna", "ctstor", "nwindav"],
    leak: SE,
    culprit: "ctstor",
    stacks: [ctstor, ctstor, ctstor],
    forms: { x64: "bitmap-kernel", x86: "full" },
  },
};

/** @type {readonly Scenario[]} */
export const SCENARIOS = Object.entries(CASES).flatMap(([name, of], i) => [
  .../** @type {[Arch, import("../writer/dump.mjs").DumpKind][]} */ (Object.entries(of.forms ?? {})).map(
    ([arch, form], k) => scenario(`${name}-${arch}`, of, { arch, form, seed: 100 + i * 7 + k }),
  ),
  ...(of.on ?? []).map((system, k) =>
    scenario(`${name}-${system}`, of, { ...SYSTEMS[system], form: "bitmap-kernel", seed: 103 + i * 7 + k }),
  ),
]);

/**
 * @param {string} name @param {Case} of
 * @param {Pick<import("./machine.mjs").Plan, "arch" | "form" | "seed" | "build">} machine
 * @returns {Scenario}
 */
function scenario(
  name,
  { why, leak, besides = [], culprit, process, kind, forms: _, on: __, ...plan },
  machine,
) {
  return {
    name,
    why,
    arch: machine.arch,
    form: machine.form,
    tag: leak.tag,
    kind: kind ?? (process !== undefined ? "process" : culprit !== null ? "driver" : null),
    culprit: process ?? (culprit === null ? null : `${culprit}.sys`),
    build: () => buildDump({ ...plan, ...machine, counts: [leak, ...besides] }),
  };
}
