import { PAGE_SIZE } from "../core/address.ts";
import { Bytes } from "../core/bytes.ts";
import { MAX_PFN } from "../core/limits.ts";
import { grouped } from "../core/text.ts";
import type { PhysicalRun } from "../dump/facts.ts";
import type { OpenedDump } from "../dump/format.ts";
import { mapOf, type RunMap } from "../dump/run-map.ts";
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
  const kernel = kernelIn(dump);
  const runs = readPhysicalRuns(kernel);
  if (runs === undefined) {
    const note =
      "where the machine has memory is not known: a page of zeros may be one that the file leaves out";
    return { dump: { ...dump, notes: [...dump.notes, note] }, kernel };
  }
  const { pages, note } = settle(runs, dump.source.size);
  const settled = {
    ...dump,
    memory: { source: dump.source, pages },
    facts: { ...dump.facts, runs: { value: runs, source: "memory" } as const },
    notes: note === undefined ? dump.notes : [...dump.notes, note],
  };
  const again = readKernel(settled);
  return again.found ? { dump: settled, kernel: again } : { dump, kernel };
}

/**
 * What a flat file may leave out at its start, as pages of memory: nothing; the first page and those of the display and
 * the firmware; the latter alone. What it leaves out further up is seen when the kernel has been found.
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
];

/** @throws {FormatError} there is none */
function kernelIn(dump: OpenedDump): Kernel {
  const { source } = dump;
  for (const layout of LAYOUTS) {
    let left = Math.floor(source.size / PAGE_SIZE);
    let offset = 0;
    const runs = layout.map(({ pfn, count: most }) => {
      const count = Math.min(most, left);
      const run = { pfn, count, offset };
      left -= count;
      offset += count * PAGE_SIZE;
      return run;
    });
    const kernel = readKernel({ ...dump, memory: { source, pages: mapOf(runs, source.size) } }, "low");
    if (kernel.found) return kernel;
  }
  const kernel = readKernel(dump, "all");
  return kernel.found ? kernel : noKernel(dump);
}

function noKernel({ source }: OpenedDump): never {
  const head = new Uint8Array(Math.min(source.size, PAGE_SIZE));
  const bytes: Bytes = new Bytes(head.subarray(0, source.read(0, head)), source.name);
  bytes.fail(
    0,
    "the file",
    "a dump, or memory with a Windows kernel in it",
    "no Windows kernel: no page tables of x64, ARM64, x86 or PAE in it lead to an image of nt with a list of modules",
  );
}

/** Where the pages of a flat file belong, by what the kernel says is memory. */
function settle(
  runs: readonly PhysicalRun[],
  fileSize: number,
): { readonly pages: RunMap; readonly note: string | undefined } {
  const filePages = Math.floor(fileSize / PAGE_SIZE);
  const end = runs.reduce((last, { pfn, count }) => Math.max(last, pfn + count), 0);
  const left = holesLeftOut(runs, end - filePages);
  let removed = 0;
  const placed = runs.map(({ pfn, count }) => {
    removed = left.filter((hole) => hole.pfn < pfn).reduce((sum, hole) => sum + hole.count, 0);
    return { pfn, count, offset: (pfn - removed) * PAGE_SIZE };
  });
  const pages = mapOf(placed, fileSize);
  const missing =
    pages.missing > 0 ? `${grouped(pages.missing)} of ${grouped(pages.present + pages.missing)} pages` : "";
  const note =
    missing !== ""
      ? `the file ends before the machine's memory does: ${missing} are missing; copy it again`
      : left.length > 0
        ? `the file leaves out ${left.length === 1 ? "a hole" : `${left.length} holes`} in the machine's memory (${grouped(removed)} pages), put back by what the kernel says`
        : undefined;
  return { pages, note };
}

/** The holes, the largest first, whose pages together are those that the file has too few; none where no such set is. */
function holesLeftOut(runs: readonly PhysicalRun[], few: number): readonly PhysicalRun[] {
  let end = 0;
  const holes: PhysicalRun[] = [];
  for (const { pfn, count } of [...runs].sort((a, b) => a.pfn - b.pfn)) {
    if (pfn > end) holes.push({ pfn: end, count: pfn - end });
    end = Math.max(end, pfn + count);
  }
  holes.sort((a, b) => b.count - a.count);
  let sum = 0;
  for (let taken = 0; taken < holes.length && sum < few; ) {
    sum += holes[taken++]?.count ?? 0;
    if (sum === few) return holes.slice(0, taken).sort((a, b) => a.pfn - b.pfn);
  }
  return [];
}
