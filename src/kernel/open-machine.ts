import { PAGE_SIZE } from "../core/address.ts";
import { Bytes } from "../core/bytes.ts";
import { MAX_PFN } from "../core/limits.ts";
import { grouped } from "../core/text.ts";
import type { PhysicalRun } from "../dump/facts.ts";
import type { OpenedDump } from "../dump/format.ts";
import { mapOf, type RunMap } from "../dump/run-map.ts";
import { tablesInPlace } from "../memory/tables-in-place.ts";
import { kernelSearch } from "./find-nt.ts";
import { DEVICES, DEVICES_END, placeFlatFile } from "./flat-layout.ts";
import { type Kernel, readKernel } from "./kernel.ts";
import { readPhysicalRuns } from "./physical-runs.ts";

/** A dump with the kernel in it; of a flat file, with its pages where the kernel says that memory is. */
export interface OpenedMachine {
  readonly dump: OpenedDump;
  readonly kernel: Kernel;
}

/**
 * Finds the kernel in a dump. In a file of nothing but memory it also says where there is memory: holes that the file
 * leaves out are put back.
 *
 * @throws {FormatError} the file is taken for memory for want of anything else, and no Windows kernel is in it
 */
export function openMachine(dump: OpenedDump): OpenedMachine {
  if (dump.flat !== true) return { dump, kernel: readKernel(dump) };
  const { kernel, runs } = kernelIn(dump);
  if (runs === undefined) {
    const note =
      "where the machine has memory is not known: a page of zeros may be one that the file leaves out";
    return { dump: { ...dump, notes: [...dump.notes, note] }, kernel };
  }
  const { pages, note } = placeFlatFile(runs, dump.source.size, (placed) => inPlace(dump, kernel, placed));
  const settled = {
    ...dump,
    memory: { source: dump.source, pages },
    facts: { ...dump.facts, runs: { value: runs, source: "memory" } as const },
    notes: note === undefined ? dump.notes : [...dump.notes, note],
  };
  const again = readKernel(settled);
  return again.found ? { dump: settled, kernel: again } : { dump, kernel };
}

const MZ = 0x5a4d;

/**
 * How much of the machine is in its place, less what is not: page tables, and the starts of images. A page that stands
 * elsewhere shows other bytes.
 */
function inPlace(dump: OpenedDump, found: Kernel, pages: RunMap): number {
  const { mapping } = found;
  if (mapping === undefined) return 0;
  const facts = {
    ...found.facts,
    machine: { value: found.machine, source: "memory" },
    roots: [{ value: BigInt(mapping.root), source: "memory" }],
  } as const;
  const memory = { source: dump.source, pages };
  const kernel = readKernel({ ...dump, memory, facts }, kernelSearch(false));
  if (!kernel.found) return Number.NEGATIVE_INFINITY;
  const images = kernel.modules.items.reduce((sum, { base }) => {
    const word = kernel.space.tryReadU32(base);
    return word === undefined ? sum : sum + ((word & 0xffff) === MZ ? 1 : -1);
  }, 0);
  return images + tablesInPlace(memory, mapping.format, mapping.root);
}

/**
 * What a flat file may leave out, as pages that it has: nothing; the first page and those of the display and the firmware;
 * the latter alone; or what devices take below 4 GB. What else it leaves out is seen when the kernel has been found.
 */
const LAYOUTS: readonly (readonly PhysicalRun[])[] = [
  [{ pfn: 0, count: MAX_PFN }],
  [
    { pfn: 1, count: 0x9f },
    { pfn: 0x100, count: MAX_PFN },
  ],
  [
    { pfn: 0, count: 0xa0 },
    { pfn: 0x100, count: MAX_PFN },
  ],
  ...DEVICES.map((pfn) => [
    { pfn: 0, count: pfn },
    { pfn: DEVICES_END, count: MAX_PFN },
  ]),
];

/**
 * The kernel in a flat file, under the first layout that shows what is memory; else under the first that shows a kernel.
 *
 * @throws {FormatError} there is none
 */
function kernelIn(dump: OpenedDump): { readonly kernel: Kernel; readonly runs?: readonly PhysicalRun[] } {
  const { source } = dump;
  let first: Kernel | undefined;
  const search = kernelSearch(false);
  for (const layout of LAYOUTS) {
    let left = Math.floor(source.size / PAGE_SIZE);
    let offset = 0;
    const placed = layout.map(({ pfn, count: most }) => {
      const count = Math.min(most, left);
      const run = { pfn, count, offset };
      left -= count;
      offset += count * PAGE_SIZE;
      return run;
    });
    if (placed.at(-1)?.count === 0) continue;
    const kernel = readKernel({ ...dump, memory: { source, pages: mapOf(placed, source.size) } }, search);
    const runs = kernel.found ? readPhysicalRuns(kernel) : undefined;
    if (runs !== undefined) return { kernel, runs };
    if (kernel.found) first ??= kernel;
  }
  if (first !== undefined) return { kernel: first };
  const all = { ...search, everywhere: true };
  const kernel = readKernel(dump, all);
  if (!kernel.found) noKernel(dump, all.left <= 0 || all.words <= 0 || kernel.untriedRoots > 0);
  const runs = readPhysicalRuns(kernel);
  return { kernel, ...(runs === undefined ? {} : { runs }) };
}

function noKernel({ source }: OpenedDump, early: boolean): never {
  const head = new Uint8Array(Math.min(source.size, PAGE_SIZE));
  const bytes: Bytes = new Bytes(head.subarray(0, source.read(0, head)), source.name);
  const further = early ? "; there are more such tables than are tried" : "";
  bytes.fail(
    0,
    "the file",
    "a dump, or memory with a Windows kernel in it",
    `no Windows kernel: in ${grouped(Math.floor(source.size / PAGE_SIZE))} pages, neither a processor's start block nor a table that maps itself (of x64, ARM64, x86 or PAE) leads to an image of nt with a list of modules${further}`,
  );
}
