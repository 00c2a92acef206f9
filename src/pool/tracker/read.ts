import { advance, hex, type Va } from "../../core/address.ts";
import { addAll } from "../../core/search.ts";
import type { PoolKernel } from "../pool-kernel.ts";
import { tagText } from "../tag.ts";
import type { NoTagTable, TagTable, TagUsage } from "../tag-table.ts";
import { findMasterTable, type MasterTable } from "./find.ts";
import type { LayoutFit } from "./fit.ts";
import { type HashCode, readHashCode } from "./hash-code.ts";
import { findProcessorTables, type ProcessorTables } from "./processors.ts";
import { type MasterKeys, masterKeys, placedSlots, readTrackerTable } from "./rows.ts";
import { type SlotCounts, sumTables, type TrackerSums } from "./sum.ts";

/**
 * Reads usage by tag without symbols: the table that KDBG names, in the layout that its own keys prove,
 * and those of the other processors. What cannot be read is in the answer.
 */
export function readTagTable(kernel: PoolKernel): TagTable | NoTagTable {
  const code = readHashCode(kernel);
  const master = findMasterTable(kernel, code);
  if ("missing" in master) return { ...master, processors: { read: 0, of: kernel.processors ?? null } };
  const { fit } = master;
  const table = readTrackerTable(kernel.space, master.at, fit.layout, fit.mask + 2);
  const keys = masterKeys(table, fit);
  const found = findProcessorTables(kernel, table, keys, fit, code);
  const tables = found.tables.filter((at) => at !== undefined);
  const sums = sumTables(kernel.space, tables, keys, fit);
  return answer(kernel, master, found, keys, sums, code);
}

/** Whether the tables may have a tag that `wanted` takes: `false` is certain, and found without adding them up. */
export function mayHaveTag(kernel: PoolKernel, wanted: (tag: string) => boolean): boolean {
  const master = findMasterTable(kernel, readHashCode(kernel));
  if ("missing" in master) return false;
  const { fit } = master;
  const table = readTrackerTable(kernel.space, master.at, fit.layout, fit.mask + 2);
  const { keys, unread } = masterKeys(table, fit);
  // only where the first processor's table cannot be read do the others have keys of their own
  return unread.includes(1) || keys.some((key) => key !== 0 && wanted(tagText(key)));
}

function answer(
  kernel: PoolKernel,
  master: MasterTable,
  found: ProcessorTables,
  keys: MasterKeys,
  sums: TrackerSums,
  code: HashCode,
): TagTable {
  const { fit } = master;
  const notes = [...master.notes, ...found.notes];
  const shared = found.array === undefined && isOneTableForAll(kernel, master.at, code);
  const read = found.tables.filter((at) => at !== undefined).length;
  const of = kernel.processors ?? (found.array === undefined ? null : read);
  const processors = { read: shared && of !== null ? of : read, of };
  const { tags, counts } = usagesIn(keys, sums, fit);
  const overflow = overflowEntry(kernel, master.at, fit, sums);

  const entries = (fit.mask + 2) * read;
  const doubtful = isDoubtful(tags) && processors.read === processors.of;
  addAll(notes, [...sharesMissing(processors, found), ...countDoubts(counts, sums, entries)]);
  if (doubtful) {
    notes.push(
      `${tags.filter(disagrees).length} of ${tags.length} tags have bytes without allocations or allocations without bytes: the counters contradict each other`,
    );
  }
  if (overflow !== undefined)
    notes.push(
      "the table was full once: what found no slot is counted in one entry without a tag, or in an expansion table that only symbols lead to",
    );
  return {
    tags,
    ...(overflow === undefined ? {} : { overflow }),
    layout: fit.layout.name,
    hash: fit.hash,
    score: fit.score,
    slots: fit.mask + 1,
    at: master.at,
    array: found.array,
    processors,
    complete:
      master.proven &&
      processors.read === processors.of &&
      sums.missing === 0 &&
      counts.negative === 0 &&
      counts.implausible === 0 &&
      counts.misplaced === 0 &&
      sums.mismatched === 0 &&
      !doubtful,
    basis: [...master.basis, ...processorBasis(found, shared, kernel)],
    notes,
  };
}

/** What is odd in the slots of the table, counted. */
interface SlotDoubts {
  readonly partial: number;
  readonly negative: number;
  readonly implausible: number;
  /** Keys where the hash does not lead. */
  readonly misplaced: number;
  /** Counts that went past 32 bits. */
  readonly wrapped: number;
}

function usagesIn(
  keys: MasterKeys,
  sums: TrackerSums,
  fit: LayoutFit,
): { readonly tags: readonly TagUsage[]; readonly counts: SlotDoubts } {
  const tags: TagUsage[] = [];
  const placed = placedSlots({ keys: sums.keys, unread: keys.unread }, fit);
  const counts = { partial: 0, negative: 0, implausible: 0, misplaced: 0, wrapped: 0 };
  for (let slot = 0; slot <= fit.mask; slot++) {
    const key = sums.keys[slot] ?? 0;
    if (key === 0) continue;
    if (placed[slot] === 0) {
      counts.misplaced++;
      continue;
    }
    const slotCounts = sums.at(slot);
    const usage = usageOf(key, slotCounts, (sums.unread[slot] ?? 0) > 0);
    if (usage.doubt !== undefined) counts[usage.doubt]++;
    if (slotCounts.wrapped) counts.wrapped++;
    tags.push(usage);
  }
  return { tags, counts };
}

function sharesMissing(processors: TagTable["processors"], found: ProcessorTables): readonly string[] {
  const { read, of } = processors;
  if (of === null)
    return ["the dump does not say how many processors there are: only the table that was found is counted"];
  if (read >= of) return [];
  return [
    found.array === undefined
      ? `only processor 0's table of ${of} was found: what the others allocated and freed is missing, and counts may be negative`
      : `the tables of ${of - read} of ${of} processors cannot be read: their share is missing`,
  ];
}

function countDoubts(
  { partial, negative, implausible, misplaced, wrapped }: SlotDoubts,
  { missing, mismatched }: TrackerSums,
  entries: number,
): readonly string[] {
  const notes: string[] = [];
  if (missing > 0)
    notes.push(
      `${missing} of ${entries} entries cannot be read; ${partial} tags lack a processor's share, and tags may be missing altogether`,
    );
  if (negative > 0)
    notes.push(
      `${negative} tags have more frees than allocations: a share is missing, or the dump was taken while they changed`,
    );
  if (implausible > 0)
    notes.push(
      `${implausible} tags have counters past 2^53, which no machine reaches: they are not to be trusted`,
    );
  if (misplaced > 0)
    notes.push(`${misplaced} keys stand where the kernel's hash does not lead: they are left out`);
  if (mismatched > 0)
    notes.push(
      `${mismatched} entries of other processors hold another key than the first: they are left out`,
    );
  if (wrapped > 0)
    notes.push(
      `${wrapped} tags have counts that went past 32 bits: allocations and frees are too low by whole multiples of 4,294,967,296, outstanding counts are right`,
    );
  return notes;
}

/** Bytes without allocations, or allocations without bytes, in more tags than chance brings. */
function isDoubtful(tags: readonly TagUsage[]): boolean {
  const disagreeing = tags.filter(disagrees).length;
  return disagreeing > 8 && disagreeing > tags.length / 4;
}

/** Whether the kernel's code, or its age, says that all processors share one table. */
function isOneTableForAll(kernel: PoolKernel, table: Va, code: HashCode): boolean {
  if (kernel.build < 3790) return true;
  if (code.arrays.length > 0 || code.sites.length < 2 || kernel.space.pointerSize === 8) return false;
  return code.variables.some((variable) => kernel.space.tryReadPointer(variable) === table);
}

function processorBasis(found: ProcessorTables, shared: boolean, kernel: PoolKernel): readonly string[] {
  if (found.array !== undefined) {
    const how = [
      ...(found.basis.code ? ["the kernel's hashing code indexes it"] : []),
      ...(found.basis.data ? ["the keys of the tables it leads to are the first one's"] : []),
    ];
    return [`the array of tables by processor stands at ${hex(found.array)}: ${how.join(", and ")}`];
  }
  if (kernel.processors === 1) return ["the machine has one processor, so one table"];
  return shared ? ["this kernel keeps one table for all processors"] : [];
}

function usageOf(key: number, counts: SlotCounts, partial: boolean): TagUsage {
  const { nonPaged, paged } = counts;
  const negative = [nonPaged, paged].some((pool) => pool.outstanding < 0 || pool.bytes < 0);
  const doubt = counts.implausible ? "implausible" : partial ? "partial" : negative ? "negative" : undefined;
  return { tag: tagText(key), key, nonPaged, paged, ...(doubt === undefined ? {} : { doubt }) };
}

function disagrees({ nonPaged, paged, doubt }: TagUsage): boolean {
  return (
    doubt === undefined && [nonPaged, paged].some((pool) => (pool.outstanding === 0) !== (pool.bytes === 0))
  );
}

/** The entry behind the hashed ones, where it holds anything and its key is the kernel's own. */
function overflowEntry(kernel: PoolKernel, at: Va, fit: LayoutFit, sums: TrackerSums): TagUsage | undefined {
  const slot = fit.mask + 1;
  const bytes = kernel.space.tryRead(advance(at, slot * fit.layout.stride), 4);
  if (bytes === undefined) return undefined;
  const key = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (key !== 0 && tagText(key).toUpperCase() !== "OVFL") return undefined;
  const counts = sums.at(slot);
  const { nonPaged, paged } = counts;
  if (nonPaged.allocations + nonPaged.frees + paged.allocations + paged.frees === 0) return undefined;
  const usage = usageOf(key, counts, (sums.unread[slot] ?? 0) > 0);
  // without a key of its own only plausible counters tell it from what happens to stand behind the table
  return key === 0 && (usage.doubt !== undefined || disagrees(usage)) ? undefined : usage;
}
