import type { Absent } from "../core/absent.ts";
import type { Va } from "../core/address.ts";
import type { HashName, LayoutName } from "./tracker/layout.ts";

/** The counters of one pool, summed over the processors. */
export interface PoolCounts {
  /** Calls that allocated, and that freed, since the machine started. */
  readonly allocations: number;
  readonly frees: number;
  /** Allocations that are not freed. Negative where tables of other processors are missing. */
  readonly outstanding: number;
  /** In bytes, with the pool's own headers. */
  readonly bytes: number;
  /** Outstanding bytes by outstanding allocations; null where there are none. */
  readonly bytesPerAllocation: number | null;
}

/** What the kernel counts for one tag. */
export interface TagUsage {
  /** All four characters; see `tagText`. */
  readonly tag: string;
  /** The four bytes as a number, without the protected bit. */
  readonly key: number;
  readonly nonPaged: PoolCounts;
  readonly paged: PoolCounts;
  /**
   * Why the figures may be wrong: `partial`: a processor's share cannot be read; `negative`: more was
   * freed than allocated, so a share is missing; `implausible`: a counter is past 2^53; absent: no doubt.
   */
  readonly doubt?: "partial" | "negative" | "implausible";
}

/** Usage by tag, as the kernel's tag tables hold it. */
export interface TagTable {
  /** Every tag that ever allocated, in the order of its slot; those without usage now included. */
  readonly tags: readonly TagUsage[];
  /** What found no slot in a full table, under no tag of its own; absent where there is none. */
  readonly overflow?: TagUsage;
  readonly layout: LayoutName;
  readonly hash: HashName;
  /** Share of the keys that stand where the hash puts them, 0 to 1. */
  readonly score: number;
  /** Hashed slots: 2^n. */
  readonly slots: number;
  /** The master table, and ExPoolTagTables where it was found. */
  readonly at: Va;
  readonly array: Va | undefined;
  /** `of` is null where the dump does not say how many processors there are. */
  readonly processors: { readonly read: number; readonly of: number | null };
  /** Every table of every processor was read whole, and nothing contradicts the figures. */
  readonly complete: boolean;
  /** On what the answer stands, one sentence each. */
  readonly basis: readonly string[];
  /** What falls short of `complete`, one sentence each. */
  readonly notes: readonly string[];
}

/** Why there is no answer. */
export interface NoTagTable
  extends Absent<
    "tagging-off" | "triage" | "no-pointer" | "unreadable" | "empty" | "no-layout" | "ambiguous"
  > {
  readonly processors: { readonly read: 0; readonly of: number | null };
}

/** Whether a tag has anything outstanding: WinDbg leaves the others out. */
export function isInUse({ nonPaged, paged }: TagUsage): boolean {
  return nonPaged.outstanding !== 0 || nonPaged.bytes !== 0 || paged.outstanding !== 0 || paged.bytes !== 0;
}

/** The order of a list of tags, as in `!poolused`. */
export type TagOrder = "paged" | "nonpaged" | "bytes" | "count" | "tag";
export const TAG_ORDERS: readonly TagOrder[] = ["paged", "nonpaged", "bytes", "count", "tag"];

/** A sorted copy: by bytes or by outstanding count, the largest first; by the tag's bytes, as WinDbg does. */
export function sortTags(tags: readonly TagUsage[], order: TagOrder): readonly TagUsage[] {
  const byTag = (a: TagUsage, b: TagUsage): number => memoryOrder(a.key) - memoryOrder(b.key);
  const weight: Record<Exclude<TagOrder, "tag">, (usage: TagUsage) => number> = {
    paged: (usage) => usage.paged.bytes,
    nonpaged: (usage) => usage.nonPaged.bytes,
    bytes: (usage) => usage.paged.bytes + usage.nonPaged.bytes,
    count: (usage) => usage.paged.outstanding + usage.nonPaged.outstanding,
  };
  if (order === "tag") return [...tags].sort(byTag);
  const of = weight[order];
  return [...tags].sort((a, b) => of(b) - of(a) || byTag(a, b));
}

/** The key with its first character as the high byte. */
function memoryOrder(key: number): number {
  return (((key & 0xff) << 24) | ((key & 0xff00) << 8) | ((key >>> 8) & 0xff00) | (key >>> 24)) >>> 0;
}

/** Sums of one pool over many tags. */
export interface PoolTotals {
  readonly allocations: number;
  readonly frees: number;
  readonly outstanding: number;
  readonly bytes: number;
}

/** The TOTAL line: what the given tags add up to. */
export function totalsOf(tags: readonly TagUsage[]): {
  readonly nonPaged: PoolTotals;
  readonly paged: PoolTotals;
} {
  return {
    nonPaged: sumOf(tags.map((usage) => usage.nonPaged)),
    paged: sumOf(tags.map((usage) => usage.paged)),
  };
}

/** What is to be said where counters or their sums are past what a number holds exactly; the counters are damaged then. */
export function inexactNote(counts: readonly PoolTotals[]): readonly string[] {
  const exact = counts.every(({ allocations, frees, outstanding, bytes }) =>
    [allocations, frees, outstanding, bytes].every(Number.isSafeInteger),
  );
  return exact ? [] : ["counters past 2^53 are rounded: no machine counts so far, and they are damaged"];
}

function sumOf(counts: readonly PoolCounts[]): PoolTotals {
  const total = { allocations: 0, frees: 0, outstanding: 0, bytes: 0 };
  for (const count of counts) {
    total.allocations += count.allocations;
    total.frees += count.frees;
    total.outstanding += count.outstanding;
    total.bytes += count.bytes;
  }
  return total;
}
