import { MEMORY_LINES, type MemoryLine } from "../pool/memory-lines.ts";
import type { MemorySummary } from "../pool/memory-summary.ts";
import type { MemoryDocument } from "./documents.ts";

/** The memory summary as plain data. */
export function memoryDocument(summary: MemorySummary, notes: readonly string[]): MemoryDocument {
  const pages: Partial<Record<MemoryLine, number | null>> = {};
  const sources: Partial<Record<MemoryLine, string>> = {};
  const reasons: Partial<Record<MemoryLine, string>> = {};
  for (const line of MEMORY_LINES) {
    const { pages: count, from, reason } = summary.lines[line];
    pages[line] = count;
    if (from !== null) sources[line] = from;
    if (reason !== undefined) reasons[line] = reason;
  }
  return {
    pages: pages as Record<MemoryLine, number | null>,
    pagedPools: summary.pagedPools.map((pool) => pool.pages),
    pagedPoolSources: summary.pagedPools.map((pool) => pool.from ?? pool.reason ?? ""),
    sources,
    reasons,
    notes: [...summary.notes, ...notes],
  };
}
