import { Area } from "../writer/bytes.mjs";
import { writeDump } from "../writer/dump.mjs";
import { innocentTags } from "../writer/innocent-tags.mjs";
import { fileTime } from "../writer/kernel.mjs";
import { writePoolPage } from "../writer/poolpages.mjs";
import { System } from "../writer/system.mjs";
import { withHolders, writeHeld } from "./held-objects.mjs";

/**
 * @typedef {"x64" | "x86"} Arch
 * @typedef {{ tag: string, paged: boolean, block: Readonly<Record<Arch, number>>, live: number, frees?: number }} Counted block: bytes of one allocation with its header
 * @typedef {{ image: string, function: string, strangers: number, through?: boolean }} BlockOwner whose code the blocks point at, but for `strangers`
 *   of them. through: they point at an object each, which points at the code
 * @typedef {import("../writer/load-pe.mjs").LoadOptions} LoadOptions
 * @typedef {{
 *   arch: Arch, build?: number, form: import("../writer/dump.mjs").DumpKind, drivers: readonly string[], counts: readonly Counted[], seed: number,
 *   physicalPages?: number, hole?: readonly [base: number, count: number], alone?: boolean, processes?: readonly string[],
 *   images?: Readonly<Record<string, Partial<LoadOptions>>>, importOptimisation?: boolean, unloaded?: readonly string[],
 *   stacks?: readonly (readonly import("../writer/system.mjs").Call[])[], pointers?: readonly (readonly [image: string, variable: string, target: string])[],
 *   blocks?: BlockOwner, held?: import("./held-objects.mjs").Held, header?: (system: System) => Partial<import("../writer/dump.mjs").HeaderFields>,
 *   pagedMaximum?: number, absent?: readonly import("../writer/kernel.mjs").ModuleEntry[], also?: (system: System) => void,
 * }} Plan build: of Windows; 19041 and 3790 by themselves. physicalPages, hole: of its memory, as `System` takes them. drivers: file names without .sys, beside those that every machine has.
 *   alone: only Microsoft's of those. processes: by their images' names, beside those that every machine has. images: what is special about some.
 *   stacks: of system threads that are allocating, innermost call first. pointers: variables that hold a kernel function.
 *   blocks: what the blocks of the first tag hold; without it no block is in the dump.
 *   header: fields of the dump's header that are other than a key combination leaves them. pagedMaximum: pages that the
 *   paged pool can have. absent: modules of which no page is in the dump. also: what else is written into the machine
 *   held: objects that processes or a driver hold; without it no process has handles
 */

const PLACE = {
  x64: {
    nt: 0xfffff8047bbf0000n,
    hal: 0xfffff8047b140000n,
    first: 0xfffff80480a00000n,
    step: 0x60000n,
    stack: 0xfffff30c4a000000n,
    word: 8,
  },
  x86: { nt: 0x807f0000n, hal: 0x80a80000n, first: 0xb8f00000n, step: 0x20000n, stack: 0xba100000n, word: 4 },
};
/** On every machine: the kernel's own, and drivers that have nothing to do with any leak. */
const ALWAYS = ["fltmgr", "msdisk", "wwilib", "adatum", "prosew"];
/** Those of them that are Microsoft's. */
const OF_WINDOWS = ["fltmgr", "msdisk"];

/** @param {Plan} plan @returns {Uint8Array} the dump */
export function buildDump(plan) {
  const { system, header } = buildMachine(plan);
  return writeDump(system.machine, { type: plan.form, header });
}

/** @param {Omit<Plan, "form">} plan @returns {{ system: System, header: import("../writer/dump.mjs").HeaderFields }} for whatever writes its memory */
export function buildMachine({
  arch,
  build,
  alone = false,
  processes: more = [],
  physicalPages,
  hole,
  drivers,
  counts,
  seed,
  images = {},
  importOptimisation = arch === "x64",
  unloaded = [],
  stacks = [],
  pointers = [],
  blocks,
  header: otherFields = () => ({}),
  pagedMaximum,
  absent = [],
  also,
  held,
}) {
  const at = PLACE[arch];
  const system = new System({
    arch,
    processors: arch === "x64" ? 4 : 2,
    seed,
    ...(build === undefined ? {} : { build }),
    ...(physicalPages === undefined ? {} : { physicalPages }),
    ...(hole === undefined ? {} : { hole }),
    ...(arch === "x64" ? { pteBase: 0xfffffa0000000000n } : {}),
  });
  const { machine } = system;
  const names = [...new Set([...(alone ? OF_WINDOWS : ALWAYS), ...drivers])];
  const option = (/** @type {string} */ name, /** @type {bigint} */ base) => ({
    name,
    base,
    importOptimisation,
    ...images[name],
  });
  system.load([
    { name: "ntoskrnl.exe", base: at.nt, largePages: [".text"] },
    option("hal.dll", at.hal),
    ...names.map((name, i) => option(`${name}.sys`, at.first + BigInt(i) * at.step)),
  ]);
  for (const [image, variable, target] of pointers)
    machine.pointer(system.symbol(image, variable), system.nt(target));
  if (blocks !== undefined && counts[0] !== undefined) writeBlocks(system, counts[0], blocks);
  const thread = (
    /** @type {string} */ innermost,
    /** @type {readonly import("../writer/system.mjs").Call[]} */ calls,
    /** @type {number} */ i,
  ) => ({
    stackBase: at.stack + BigInt(i) * 0x10000n,
    stackSize: arch === "x64" ? 0x6000 : 0x3000,
    words: [...system.stack(innermost, calls), 0n, 0n],
  });
  const idle = [
    { in: "ntoskrnl.exe!KeDelayExecutionThread", calls: "KiSwapThread" },
    { in: "ntoskrnl.exe!PspSystemThreadStartup", calls: "*" },
  ];
  const threads = [
    ...Array.from({ length: 4 }, (_, i) => thread("ntoskrnl.exe!KiSwapThread", idle, i)),
    ...stacks.map((calls, i) => thread("ntoskrnl.exe!ExpAllocateBlock", calls, i + 4)),
  ];
  const others = [
    "smss.exe",
    "csrss.exe",
    "winlogon.exe",
    "services.exe",
    "lsass.exe",
    "svchost.exe",
    "svchost.exe",
    "svchost.exe",
    "explorer.exe",
    "sqlservr.exe",
    ...more,
  ];
  const rows = counts.map(({ tag, paged, block, live, frees = live + 70_000 }) => {
    const counted = { allocs: live + frees, frees, bytes: live * block[arch] };
    return paged ? { tag, paged: counted } : { tag, nonPaged: counted };
  });
  also?.(system);
  const alive = [
    { pid: 4, name: "System", threads },
    ...others.map((name, i) => ({ pid: 400 + i * 88, name })),
  ];
  const processes = held === undefined ? alive : withHolders(alive, held);
  const header = system.finish({
    rows: [
      ...rows,
      ...innocentTags({
        seed,
        word: at.word,
        without: counts.map((c) => c.tag),
        busy: arch === "x64" ? 1 : 0.3,
      }),
    ],
    hashed: 1024,
    processes,
    ...(held === undefined ? {} : { objects: (writer, made) => writeHeld(writer, made, processes, held) }),
    unloaded: unloaded.map((name, i) => ({
      name: `${name}.sys`,
      start: at.first + BigInt(40 + i) * at.step,
      end: at.first + BigInt(40 + i) * at.step + 0x9000n,
      time: fileTime(1_700_000_000 + i),
    })),
    absent,
    ...(pagedMaximum === undefined ? (arch === "x86" ? { pagedMaximum: 0x15800 } : {}) : { pagedMaximum }),
  });
  return { system, header: { ...header, ...otherFields(system) } };
}

/** How many pages of blocks a machine has: enough for some hundreds. */
const BLOCK_PAGES = 24;

/**
 * Pages of pool full of the leaked blocks, each of which points at its owner's code.
 * @param {System} system @param {Counted} counted @param {BlockOwner} owner
 */
function writeBlocks(system, { tag, paged, block }, { image, function: name, strangers, through = false }) {
  const { machine, is64, arch } = system;
  const header = is64 ? 16 : 8;
  const code = system.symbol(image, name);
  const word = (/** @type {Area} */ area, /** @type {number} */ at, /** @type {bigint} */ value) =>
    is64 ? area.u64(at, value) : area.u32(at, Number(value));
  let written = 0;
  for (let page = 0; page < BLOCK_PAGES; page++) {
    const va = machine.allocate(0x1000, { align: 0x1000, paged });
    const fitting = Array.from({ length: Math.floor(0x1000 / block[arch]) }, () => {
      const content = new Area(block[arch] - header).u32(0, 0x10001);
      if (written++ >= strangers) word(content, 0x20, through ? objectOf(system, code) : code);
      return { tag, bytes: block[arch], content: content.bytes };
    });
    writePoolPage(machine, va, fitting, { paged });
  }
}

/** An object that points at code, as a timer or a work item does. @param {System} system @param {bigint} code @returns {bigint} */
function objectOf({ machine, is64 }, code) {
  const size = is64 ? 0x50 : 0x28;
  const va = machine.allocate(size);
  const content = new Area(size).u32(0, 8);
  if (is64) content.u64(0x18, code);
  else content.u32(0x0c, Number(code));
  machine.write(va, content.bytes);
  return va;
}
