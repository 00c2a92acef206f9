// @ts-check
import { writeDump } from "../writer/dump.mjs";
import { innocentTags } from "../writer/innocent-tags.mjs";
import { fileTime } from "../writer/kernel.mjs";
import { System } from "../writer/system.mjs";

/**
 * @typedef {"x64" | "x86"} Arch
 * @typedef {{ tag: string, paged: boolean, block: Readonly<Record<Arch, number>>, live: number, frees?: number }} Counted block: bytes of one allocation with its header
 * @typedef {import("../writer/load-pe.mjs").LoadOptions} LoadOptions
 * @typedef {{
 *   arch: Arch, form: import("../writer/dump.mjs").DumpKind, drivers: readonly string[], counts: readonly Counted[], seed: number,
 *   images?: Readonly<Record<string, Partial<LoadOptions>>>, importOptimisation?: boolean, unloaded?: readonly string[],
 *   stacks?: readonly (readonly import("../writer/system.mjs").Call[])[], pointers?: readonly (readonly [image: string, variable: string, target: string])[],
 * }} Plan drivers: file names without .sys, beside those that every machine has. images: what is special about some.
 *   stacks: of system threads that are allocating, innermost call first. pointers: variables that hold a kernel function
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

/** @param {Plan} plan @returns {Uint8Array} the dump */
export function buildDump({
  arch,
  form,
  drivers,
  counts,
  seed,
  images = {},
  importOptimisation = arch === "x64",
  unloaded = [],
  stacks = [],
  pointers = [],
}) {
  const at = PLACE[arch];
  const system = new System({
    arch,
    processors: arch === "x64" ? 4 : 2,
    seed,
    ...(arch === "x64" ? { pteBase: 0xfffffa0000000000n } : {}),
  });
  const { machine } = system;
  const names = [...new Set([...ALWAYS, ...drivers])];
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
  ];
  const rows = counts.map(({ tag, paged, block, live, frees = live + 70_000 }) => {
    const counted = { allocs: live + frees, frees, bytes: live * block[arch] };
    return paged ? { tag, paged: counted } : { tag, nonPaged: counted };
  });
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
    processes: [
      { pid: 4, name: "System", threads },
      ...others.map((name, i) => ({ pid: 400 + i * 88, name })),
    ],
    unloaded: unloaded.map((name, i) => ({
      name: `${name}.sys`,
      start: at.first + BigInt(40 + i) * at.step,
      end: at.first + BigInt(40 + i) * at.step + 0x9000n,
      time: fileTime(1_700_000_000 + i),
    })),
    ...(arch === "x86" ? { pagedMaximum: 0x15800 } : {}),
  });
  return writeDump(machine, { type: form, header });
}
