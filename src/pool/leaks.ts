import { PAGE_SIZE } from "../core/address.ts";
import { grouped } from "../core/text.ts";
import type { MemoryFigure } from "./memory-lines.ts";
import { type CountGroup, groupByCount } from "./tag-groups.ts";
import type { PoolCounts, TagTable, TagUsage } from "./tag-table.ts";

/** What else of the dump tells a leak from plain use. */
export interface LeakHints {
  /** The pools' sizes and limits, as the memory summary has them. */
  readonly pools?: {
    readonly nonPagedMax?: MemoryFigure;
    readonly pagedMax?: MemoryFigure;
    readonly nonPagedUsage?: MemoryFigure;
    readonly pagedUsage?: MemoryFigure;
  };
  /** Objects that are alive, by the tag that allocates them, where they could be counted: `Proc`, `Thre`. */
  readonly liveObjects?: ReadonlyMap<string, number>;
}

/** A tag that looks like a leak. */
export interface LeakCandidate {
  readonly tag: string;
  readonly key: number;
  readonly pool: "nonPaged" | "paged";
  /** The higher, the more it looks like a leak; only the order means something. From 0 to 100. */
  readonly score: number;
  /** What was seen, one sentence each, the weightiest first. */
  readonly reasons: readonly string[];
  /** Tags that grow together with it; absent where it stands alone. */
  readonly group?: {
    readonly tags: readonly string[];
    /** The one that never frees: the likely source, the others are held by it. Null where none stands out. */
    readonly source: string | null;
  };
}

/** What looks like a leak, and what stands behind that. */
export interface LeakReport {
  /** By score, the highest first. */
  readonly candidates: readonly LeakCandidate[];
  readonly groups: readonly CountGroup[];
  readonly notes: readonly string[];
}

/** Below this a candidate is not worth a person's time. */
const MIN_SCORE = 25;
/** Outstanding allocations from which on it tells something how many of all are still there. */
export const MANY = 1000;
/** The share of all allocations that plain use does not leave there. */
export const KEPT = 0.1;
/** What is left of the score of a tag that another one may only hold. */
const VICTIM = 0.5;
/** Bytes from which on a share of the pool counts in full. */
const WEIGHTY = 0x40_0000;

/**
 * Names the tags that look like leaks: by their share of the pool and of its limit, by how little they
 * free, and by outstanding counts that more objects would explain than there are. In a group of tags
 * with equal or proportional counts the one that never frees is the likely source.
 */
export function findLeaks(table: TagTable, hints: LeakHints = {}): LeakReport {
  const groups = groupByCount(table.tags);
  const groupOf = new Map<string, CountGroup>();
  for (const group of groups) {
    for (const { key, pool } of group.members) groupOf.set(memberKey(key, pool), group);
  }
  const candidates: LeakCandidate[] = [];
  for (const pool of ["nonPaged", "paged"] as const) {
    const total = table.tags.reduce((sum, usage) => sum + Math.max(0, usage[pool].bytes), 0);
    for (const usage of table.tags) {
      const found = judge(usage, pool, total, groupOf, hints);
      if (found !== undefined) candidates.push(found);
    }
  }
  candidates.sort((a, b) => b.score - a.score || b.reasons.length - a.reasons.length || a.key - b.key);
  const notes = [
    "high usage alone is no leak: a second dump of the same machine shows what grows",
    ...(table.complete
      ? []
      : ["the tag table is not complete: tags may be missing here, and figures too low"]),
  ];
  return { candidates, groups, notes };
}

function memberKey(key: number, pool: "nonPaged" | "paged"): string {
  return `${key}:${pool}`;
}

function judge(
  usage: TagUsage,
  pool: "nonPaged" | "paged",
  total: number,
  groups: ReadonlyMap<string, CountGroup>,
  hints: LeakHints,
): LeakCandidate | undefined {
  const counts = usage[pool];
  if (counts.outstanding <= 0 || counts.bytes <= 0 || usage.doubt === "implausible") return undefined;
  const weighed: { points: number; reason: string }[] = [];
  const add = (points: number, reason: string | undefined): void => {
    if (points > 0 && reason !== undefined) weighed.push({ points, reason });
  };
  const name = pool === "paged" ? "paged" : "nonpaged";
  const share = total === 0 ? 0 : counts.bytes / total;
  // a large share of next to nothing is no leak, nor is what a driver keeps from its start
  const weight = Math.min(1, counts.bytes / WEIGHTY);
  if (share >= 0.1) {
    add(
      weight * Math.min(35, share * 45),
      `it holds ${percent(share)} of all ${name} pool that tags account for`,
    );
  }
  const limit = pool === "paged" ? hints.pools?.pagedMax : hints.pools?.nonPagedMax;
  const ofLimit = limit?.pages ? counts.bytes / (limit.pages * PAGE_SIZE) : 0;
  if (ofLimit >= 0.05) {
    add(Math.min(25, ofLimit * 50), `it fills ${percent(ofLimit)} of what the ${name} pool can hold`);
  }
  const freed = freedReason(counts);
  add(weight * (freed?.points ?? 0), freed?.reason);
  const live = hints.liveObjects?.get(usage.tag);
  if (live !== undefined && counts.outstanding > live * 2 + 100) {
    add(40, `${grouped(counts.outstanding)} are allocated, and only ${grouped(live)} such objects are alive`);
  }
  const group = groups.get(memberKey(usage.key, pool));
  const source = group?.source;
  if (group !== undefined && source?.key === usage.key) {
    add(
      25,
      `${group.members.length - 1} tags have the same or a whole-number multiple of its count, and it alone never frees`,
    );
  }
  // a leak is many: what is one large allocation, or a handful, is a table of someone's
  const many = Math.min(1, Math.log10(counts.outstanding + 1) / 3);
  const victim = group !== undefined && source !== undefined && source.key !== usage.key;
  const points = many * weighed.reduce((sum, one) => sum + one.points, 0);
  if (points < MIN_SCORE) return undefined;
  if (victim) {
    const reason = `its count goes with that of ${source.tag}, which never frees: it may only be held by that`;
    weighed.push({ points: 0, reason });
  }
  weighed.sort((a, b) => b.points - a.points);
  return {
    tag: usage.tag,
    key: usage.key,
    pool,
    score: Math.round(Math.min(100, points * (victim ? VICTIM : 1))),
    reasons: weighed.map((one) => one.reason),
    ...(group === undefined
      ? {}
      : { group: { tags: group.members.map((member) => member.tag), source: source?.tag ?? null } }),
  };
}

/** How little was freed of what was allocated. */
function freedReason({
  allocations,
  frees,
  outstanding,
}: PoolCounts): { points: number; reason: string } | undefined {
  if (outstanding < MANY) return undefined;
  if (frees === 0) {
    return { points: 30, reason: `none of its ${grouped(allocations)} allocations was ever freed` };
  }
  const kept = outstanding / allocations;
  if (kept < KEPT) return undefined;
  return {
    points: Math.min(25, kept * 30),
    reason: `${percent(kept)} of its ${grouped(allocations)} allocations are still there`,
  };
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
