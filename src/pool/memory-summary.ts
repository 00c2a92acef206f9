import type { MachineFacts } from "../dump/facts.ts";
import type { MemoryStorage } from "../dump/triage-memory.ts";
import { MEMORY_LINES, type MemoryFigure, type MemoryLine, memoryLabel } from "./memory-lines.ts";
import { readModernPools } from "./modern-pools.ts";
import { readPoolDescriptors } from "./pool-descriptors.ts";
import type { PoolKernel, PoolVariables } from "./pool-kernel.ts";
import {
  MOST_PAGES,
  type Reading,
  readBytesAsPages,
  readListTotal,
  readPagedPoolCommit,
  readPages,
  readPhysicalPages,
} from "./vm-variables.ts";

/** The memory summary of `!vm 1`. */
export interface MemorySummary {
  readonly lines: Readonly<Record<MemoryLine, MemoryFigure>>;
  /** `PagedPool N Usage`, by N; empty where they are not kept apart. */
  readonly pagedPools: readonly MemoryFigure[];
  readonly notes: readonly string[];
}

type Figures = Partial<Record<MemoryLine, MemoryFigure>>;

/**
 * Reads every line of `!vm 1` that the dump can give, each with its source. A KDBG field that this
 * Windows no longer fills makes its line unknown, never 0.
 */
export function readMemorySummary(
  kernel: PoolKernel,
  facts: Pick<MachineFacts, "memory" | "runs"> = {},
): MemorySummary {
  const figures: Figures = {};
  const notes: string[] = [];
  const put = (line: MemoryLine, reading: Reading): void => {
    if (figures[line]?.pages == null) figures[line] = labelled(memoryLabel(line), reading);
  };
  if (facts.memory !== undefined) fromTriage(kernel, facts.memory.value, put, notes);
  put("physical", readPhysicalPages(kernel, facts.runs));
  const limit = figures.physical?.pages ?? undefined;
  for (const [line, field] of PAGE_COUNTS) put(line, readPages(kernel, field, limit));
  put("nonPagedMax", readBytesAsPages(kernel, "mmMaximumNonPagedPoolInBytes"));
  put("modified", readListTotal(kernel, "mmModifiedPageListHead"));
  put("modifiedNoWrite", readListTotal(kernel, "mmModifiedNoWritePageListHead"));

  const modern = readModernPools(kernel);
  if (modern !== undefined) for (const [line, reading] of modern.lines) put(line, reading);
  const pools = readPoolDescriptors(kernel);
  put("nonPagedUsage", pools.nonPaged);
  put("pagedUsage", pools.paged);
  if (pools.note !== undefined) notes.push(pools.note);
  put("pagedMax", readBytesAsPages(kernel, "mmSizeOfPagedPoolInBytes"));
  put("pagedCommit", readPagedPoolCommit(kernel, limit));
  for (const line of BY_SYMBOL) {
    put(line, { pages: null, reason: "it stands in a variable of nt that only symbols lead to" });
  }
  return {
    lines: Object.fromEntries(MEMORY_LINES.map((line) => [line, figures[line]])) as MemorySummary["lines"],
    pagedPools: pools.pagedPools.map((reading, index) => labelled(`PagedPool ${index} Usage`, reading)),
    notes,
  };
}

/** Lines whose variable holds a number of pages. */
const PAGE_COUNTS: readonly (readonly [MemoryLine, keyof PoolVariables])[] = [
  ["available", "mmAvailablePages"],
  ["residentAvailable", "mmResidentAvailablePages"],
  ["sharedCommit", "mmSharedCommit"],
  ["driverCommit", "mmDriverCommit"],
  ["committed", "mmTotalCommittedPages"],
  ["commitLimit", "mmTotalCommitLimit"],
  ["commitLimitMaximum", "mmTotalCommitLimitMaximum"],
  ["committedPeak", "mmPeakCommitment"],
];

const BY_SYMBOL: readonly MemoryLine[] = [
  "pageFile",
  "lockedIo",
  "freeSystemPtes",
  "freeNonPagedPtes",
  "freeSpecialNonPaged",
  "modifiedPageFile",
  "sessionCommit",
  "specialPool",
  "sharedProcess",
  "pagesForMdls",
];

/** The first build whose triage dumps were seen to count all of it in pages. */
const TRIAGE_PAGES_BUILD = 10240;

function fromTriage(
  kernel: PoolKernel,
  memory: MemoryStorage,
  put: (line: MemoryLine, reading: Reading) => void,
  notes: string[],
): void {
  const { nonPagedPoolAllocated, pagedPoolAllocated, committedPages } = memory;
  if (nonPagedPoolAllocated === 0 && pagedPoolAllocated === 0 && committedPages === 0) {
    notes.push("the triage dump has a memory block, but the debugger that wrote it left it empty");
    return;
  }
  const from = "the triage dump's own memory block";
  const says = (line: MemoryLine, pages: number): void => {
    if (pages > MOST_PAGES) put(line, { pages: null, reason: `${from} holds what is no number of pages` });
    else if (pages > 0) put(line, { pages, from });
  };
  says("nonPagedUsage", nonPagedPoolAllocated);
  says("pagedUsage", pagedPoolAllocated);
  says("committed", committedPages);
  says("committedPeak", memory.committedPagesPeak);
  says("commitLimitMaximum", memory.commitLimitMaximum);
  if (kernel.build >= TRIAGE_PAGES_BUILD) {
    says("nonPagedMax", memory.nonPagedPoolMaximum);
    says("pagedMax", memory.pagedPoolMaximum);
    return;
  }
  const reason =
    "the triage dump's memory block has it, but whether in pages or bytes is not known before Windows 10";
  put("nonPagedMax", { pages: null, reason });
  put("pagedMax", { pages: null, reason });
}

function labelled(label: string, reading: Reading): MemoryFigure {
  return reading.pages === null
    ? { label, pages: null, from: null, reason: reading.reason }
    : { label, pages: reading.pages, from: reading.from };
}
