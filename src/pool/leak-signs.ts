import { PAGE_SIZE } from "../core/address.ts";
import type { Growth } from "./growth.ts";
import { findLeaks, KEPT, type LeakHints, type LeakReport, MANY } from "./leaks.ts";
import type { Leader, LeaderReason, Lockstep } from "./lockstep.ts";
import type { NoTagTable, TagTable, TagUsage } from "./tag-table.ts";

/** What speaks for a leak of a tag, or against one. */
export type LeakReason =
  /** The tag tables cannot be read, or what they say of the tag is in doubt. */
  | { readonly kind: "no-table"; readonly missing: NoTagTable["missing"] }
  | { readonly kind: "not-in-table" }
  | { readonly kind: "doubt"; readonly doubt: NonNullable<TagUsage["doubt"]> }
  | { readonly kind: "none-outstanding" }
  /** Its part of all bytes of the pool that tags account for, 0 to 1, and its place by bytes among the tags. */
  | { readonly kind: "share"; readonly part: number; readonly rank: number }
  /** Its part of what the pool can hold. */
  | { readonly kind: "fills"; readonly part: number }
  | { readonly kind: "never-freed"; readonly allocations: number }
  /** Of its allocations that part is outstanding; `many`: more than plain use leaves. */
  | { readonly kind: "kept"; readonly part: number; readonly allocations: number; readonly many: boolean }
  | { readonly kind: "few"; readonly outstanding: number; readonly bytes: number }
  /** More are allocated than objects are alive. */
  | { readonly kind: "more-than-alive"; readonly outstanding: number; readonly alive: number }
  /** Its count goes with that of the other tags. `source`: the one that never frees, where one stands out: this one, or another. */
  | {
      readonly kind: "goes-with";
      readonly tags: readonly string[];
      readonly source: string | null;
      readonly isSource: boolean;
    }
  /** Its count goes with that of the other tags, and it is the cause; or `leader` is. */
  | {
      readonly kind: "leads";
      readonly tags: readonly string[];
      readonly reason: LeaderReason;
      readonly owners: readonly string[];
    }
  | {
      readonly kind: "follows";
      readonly leader: string;
      readonly reason: LeaderReason;
      readonly owners: readonly string[];
    }
  /** Since an older dump of the same start of the machine. */
  | {
      readonly kind: "grew" | "did-not-grow";
      readonly outstanding: number;
      readonly bytes: number;
      readonly seconds: number;
    };

/** Whether one tag leaks, as far as the kernel's counters tell. */
export interface LeakSigns {
  readonly tag: string;
  /** The one where it looks most like a leak, else the one that holds more of it. */
  readonly pool: "nonPaged" | "paged";
  readonly outstanding: number;
  readonly bytes: number;
  /** Of all bytes of its pool that tags account for, 0 to 1. */
  readonly share: number;
  /** Frees by allocations, 0 to 1; undefined where nothing was ever allocated. */
  readonly freeRatio: number | undefined;
  /** Of what the pool can hold, 0 to 1; undefined where its limit is not known. */
  readonly fills: number | undefined;
  /** Undefined: the tables cannot be read, or are in doubt. */
  readonly looksLikeLeak: boolean | undefined;
  readonly reasons: readonly LeakReason[];
}

/** A tag that was asked for looks like a leak by so many that nearly nobody frees, whatever the rest of the pool holds. */
const UNFREED = { outstanding: 10_000, kept: 0.9, bytes: 0x10_0000 } as const;
const FEW_BYTES = 0x4_0000;
/** Growth is more than what comes and goes: allocations, and their part of what was there. */
const GROWN = { outstanding: 100, part: 0.01 } as const;
/** Seconds after which a tag that did not grow leaks no more. */
const LONG = 300;

/**
 * Says for any tag whether it looks like a leak. High usage alone does not make one, and nothing here
 * proves that there is none: counters of one moment show what is held, and a second dump what grows.
 *
 * @param key the table's, without the protected bit
 * @param more `report`: what `findLeaks` says of the same table with the same hints, where it is known; `lockstep`: the
 *   tags that the tag's count goes with
 */
export function leakSigns(
  table: TagTable | NoTagTable,
  { key, text }: { readonly key: number; readonly text: string },
  more: {
    readonly hints?: LeakHints;
    readonly report?: LeakReport;
    readonly growth?: Growth;
    readonly lockstep?: Lockstep;
  } = {},
): LeakSigns {
  if ("missing" in table) return unknown(text, [{ kind: "no-table", missing: table.missing }]);
  const usage = table.tags.find((one) => one.key === key);
  if (usage === undefined) {
    if (!table.complete) return unknown(text, [{ kind: "not-in-table" }]);
    return { ...unknown(text, [{ kind: "none-outstanding" }]), looksLikeLeak: false };
  }
  const hints = more.hints ?? {};
  const report = more.report ?? findLeaks(table, hints);
  const candidate = report.candidates.find((one) => one.key === key);
  const pool = candidate?.pool ?? (usage.nonPaged.bytes > usage.paged.bytes ? "nonPaged" : "paged");
  const facts = factsOf(table, usage, pool, hints);
  const growth = growthOf(more.growth, key, pool, usage);
  const reasons = [
    ...(growth === undefined ? [] : [growth]),
    ...reasonsOf(usage, pool, facts, hints, report, more.lockstep),
  ];
  const { rank: _, ...counts } = facts;
  const signs = { tag: text, pool, ...counts };
  if (usage.doubt !== undefined) {
    return {
      ...signs,
      looksLikeLeak: undefined,
      reasons: [{ kind: "doubt", doubt: usage.doubt }, ...reasons],
    };
  }
  const { outstanding, bytes, freeRatio } = facts;
  const unfreed =
    outstanding >= UNFREED.outstanding && bytes >= UNFREED.bytes && 1 - (freeRatio ?? 1) >= UNFREED.kept;
  // what leads tags that leak leaks itself, however little memory it takes
  const leads =
    more.lockstep?.leader?.key === key &&
    report.candidates.some((one) => more.lockstep?.members.some((member) => member.key === one.key));
  const looksLikeLeak =
    growth === undefined ? candidate !== undefined || unfreed || leads : growth.kind === "grew";
  return { ...signs, looksLikeLeak: outstanding > 0 && looksLikeLeak, reasons };
}

type Facts = Omit<LeakSigns, "tag" | "pool" | "looksLikeLeak" | "reasons"> & { readonly rank: number };

function unknown(tag: string, reasons: readonly LeakReason[]): LeakSigns {
  return {
    tag,
    pool: "paged",
    outstanding: 0,
    bytes: 0,
    share: 0,
    freeRatio: undefined,
    fills: undefined,
    looksLikeLeak: undefined,
    reasons,
  };
}

function factsOf(table: TagTable, usage: TagUsage, pool: "nonPaged" | "paged", hints: LeakHints): Facts {
  const { outstanding, bytes, allocations, frees } = usage[pool];
  const total = table.tags.reduce((sum, one) => sum + Math.max(0, one[pool].bytes), 0);
  const limit = (pool === "paged" ? hints.pools?.pagedMax : hints.pools?.nonPagedMax)?.pages ?? 0;
  return {
    outstanding,
    bytes,
    share: total === 0 ? 0 : Math.max(0, bytes) / total,
    freeRatio: allocations === 0 ? undefined : frees / allocations,
    fills: limit === 0 ? undefined : Math.max(0, bytes) / (limit * PAGE_SIZE),
    rank: 1 + table.tags.filter((one) => one[pool].bytes > bytes).length,
  };
}

function reasonsOf(
  usage: TagUsage,
  pool: "nonPaged" | "paged",
  { outstanding, bytes, share, fills, rank }: Facts,
  hints: LeakHints,
  report: LeakReport,
  lockstep: Lockstep | undefined,
): readonly LeakReason[] {
  if (outstanding <= 0) return [{ kind: "none-outstanding" }];
  const { allocations, frees } = usage[pool];
  const kept = allocations === 0 ? 0 : outstanding / allocations;
  const alive = hints.liveObjects?.get(usage.tag);
  const group = report.groups.find(({ members }) =>
    members.some((member) => member.key === usage.key && member.pool === pool),
  );
  return [
    { kind: "share", part: share, rank },
    ...(fills === undefined ? [] : [{ kind: "fills", part: fills } as const]),
    ...(frees === 0
      ? [{ kind: "never-freed", allocations } as const]
      : [{ kind: "kept", part: kept, allocations, many: outstanding >= MANY && kept >= KEPT } as const]),
    ...(outstanding < MANY || bytes < FEW_BYTES ? [{ kind: "few", outstanding, bytes } as const] : []),
    ...(alive !== undefined && outstanding > alive * 2 + 100
      ? [{ kind: "more-than-alive", outstanding, alive } as const]
      : []),
    ...(lockstep?.leader !== undefined
      ? [ledBy(usage, lockstep.members, lockstep.leader)]
      : group === undefined
        ? []
        : [
            {
              kind: "goes-with",
              tags: group.members.map(({ tag }) => tag).filter((tag) => tag !== usage.tag),
              source: group.source?.tag ?? null,
              isSource: group.source?.key === usage.key,
            } as const,
          ]),
  ];
}

function ledBy(usage: TagUsage, members: Lockstep["members"], leader: Leader): LeakReason {
  const { reason, owners } = leader;
  if (leader.key !== usage.key) return { kind: "follows", leader: leader.tag, reason, owners };
  const tags = members.map(({ tag }) => tag).filter((tag) => tag !== usage.tag);
  return { kind: "leads", tags, reason, owners };
}

/** What an older dump adds; undefined where it is of another start, or too near to tell. */
function growthOf(
  growth: Growth | undefined,
  key: number,
  pool: "nonPaged" | "paged",
  usage: TagUsage,
): (LeakReason & { readonly kind: "grew" | "did-not-grow" }) | undefined {
  if (growth === undefined || !growth.sameStart || growth.seconds === null || growth.seconds <= 0) {
    return undefined;
  }
  const found = growth.tags.find((one) => one.key === key);
  if (found?.doubt === true) return undefined;
  const { outstanding, bytes } = found?.[pool] ?? { outstanding: 0, bytes: 0 };
  const change = { outstanding, bytes, seconds: growth.seconds };
  const before = usage[pool].outstanding - outstanding;
  if (bytes > 0 && outstanding >= Math.max(GROWN.outstanding, before * GROWN.part)) {
    return { kind: "grew", ...change };
  }
  return outstanding <= 0 && growth.seconds >= LONG ? { kind: "did-not-grow", ...change } : undefined;
}
