import { PAGE_SIZE } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import { MAX_PFN } from "../core/limits.ts";
import type { PhysicalRun } from "./facts.ts";
import type { DumpHeader } from "./header.ts";
import type { PageMap } from "./page-map.ts";
import { RunMap } from "./run-map.ts";

/** A page map, and what was odd about the tables that it came from. */
export interface MappedPages {
  readonly pages: PageMap;
  readonly notes: readonly string[];
}

/** Where the fields of PHYSICAL_MEMORY_DESCRIPTOR and PHYSICAL_MEMORY_RUN stand, in bytes. */
const LAYOUT = {
  32: { pages: 4, runs: 8, stride: 8, count: 4, room: 86 },
  64: { pages: 8, runs: 16, stride: 16, count: 8, room: 42 },
} as const;

/**
 * The page map of a full dump: its pages follow the header, run after run, without gaps.
 *
 * @returns `undefined` when the header holds no runs
 */
export function mapFullDump(header: DumpHeader, fileSize: number): MappedPages | undefined {
  const block = header.memoryBlock;
  if (block === undefined) return undefined;
  const layout = LAYOUT[header.bits];
  const claimed = block.u32(0, "NumberOfRuns");
  if (claimed === 0) return undefined;
  const notes: string[] = [];
  if (claimed > layout.room) {
    notes.push(
      `the header says ${claimed} runs of pages and has room for ${layout.room}: the others are not known`,
    );
  }
  const pfns: number[] = [];
  const counts: number[] = [];
  const fileOffsets: number[] = [];
  let offset = header.headerSize;
  for (let i = 0; i < Math.min(claimed, layout.room); i++) {
    const at = layout.runs + i * layout.stride;
    const pfn = word(block, at, header.bits);
    const count = word(block, at + layout.count, header.bits);
    if (pfn + count > MAX_PFN) {
      notes.push(
        `run ${i + 1} of pages is outside every physical address: it and what follows it are left out`,
      );
      break;
    }
    pfns.push(pfn);
    counts.push(count);
    fileOffsets.push(offset);
    offset += count * PAGE_SIZE;
  }
  const table = {
    pfns: Float64Array.from(pfns),
    counts: Float64Array.from(counts),
    fileOffsets: Float64Array.from(fileOffsets),
  };
  const pages = new RunMap(table, fileSize);
  const total = (offset - header.headerSize) / PAGE_SIZE;
  const stated = word(block, layout.pages, header.bits);
  if (stated !== total) notes.push(`the header says ${stated} pages, and its runs have ${total}`);
  if (pages.overlaps > 0) {
    notes.push(`runs of pages that overlap another: ${pages.overlaps}; the lower one is read`);
  }
  return { pages, notes };
}

/**
 * The machine's physical memory, by the block in the header. Kernels fill it in bitmap and triage dumps too, though no
 * page stands where the runs say.
 *
 * @returns `undefined`: it is not filled, or its runs do not add up to what it says
 */
export function statedRuns(header: DumpHeader): readonly PhysicalRun[] | undefined {
  const block = header.memoryBlock;
  if (block === undefined) return undefined;
  const layout = LAYOUT[header.bits];
  const claimed = block.u32(0, "NumberOfRuns");
  if (claimed === 0 || claimed > layout.room) return undefined;
  const runs: PhysicalRun[] = [];
  let total = 0;
  for (let i = 0; i < claimed; i++) {
    const at = layout.runs + i * layout.stride;
    const pfn = word(block, at, header.bits);
    const count = word(block, at + layout.count, header.bits);
    if (pfn + count > MAX_PFN) return undefined;
    runs.push({ pfn, count });
    total += count;
  }
  return total === word(block, layout.pages, header.bits) ? runs : undefined;
}

/** A page number or count; one past 2^53 loses its last bits, and is refused for its size anyway. */
function word(block: Bytes, at: number, bits: 32 | 64): number {
  return bits === 32 ? block.u32(at, "a run of pages") : Number(block.u64(at, "a run of pages"));
}
