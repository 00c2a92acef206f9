import { upperBound } from "../core/search.ts";
import type { TagUsage } from "./tag-table.ts";

/** One tag in one pool, with its count. */
export interface GroupMember {
  readonly tag: string;
  readonly key: number;
  readonly pool: "nonPaged" | "paged";
  readonly outstanding: number;
  readonly frees: number;
  /** Its count by the group's smallest, as a whole number. */
  readonly ratio: number;
}

/** Tags whose outstanding counts are equal or small multiples of one number. */
export interface CountGroup {
  /** By count, the smallest first. */
  readonly members: readonly GroupMember[];
  /** The one that never frees; absent where none does, or several. */
  readonly source: GroupMember | undefined;
}

/** Fewer than this many outstanding allocations are equal by chance too often. */
const MIN_COUNT = 1000;
/**
 * How far counts may be apart that go together. Beside a tag that never frees they may be further apart:
 * the objects that it holds were there before it, too.
 */
const TOLERANCE = { plain: 0.003, besideNeverFreed: 0.025 } as const;
const MAX_RATIO = 4;
/** Frees by allocations below which a tag is said never to free. */
const NEVER = 0.001;

type Counted = Omit<GroupMember, "ratio">;

/**
 * Finds tags whose outstanding counts go together, as those of an object and of what it holds do: equal,
 * or one a whole-number multiple of the other, up to four.
 */
export function groupByCount(tags: readonly TagUsage[]): readonly CountGroup[] {
  const counted: Counted[] = tags.flatMap((usage) =>
    (["nonPaged", "paged"] as const).flatMap((pool) => {
      const { outstanding, frees } = usage[pool];
      if (outstanding < MIN_COUNT || usage.doubt === "implausible") return [];
      return [{ tag: usage.tag, key: usage.key, pool, outstanding, frees }];
    }),
  );
  counted.sort((a, b) => a.outstanding - b.outstanding || a.key - b.key);
  const taken = new Set<Counted>();
  const groups: CountGroup[] = [];
  const neverFirst = [...counted].sort((a, b) => Number(neverFrees(b)) - Number(neverFrees(a)));
  for (const base of neverFirst) {
    if (taken.has(base)) continue;
    const found = partnersOf(base, counted).filter((partner) => !taken.has(partner));
    if (found.length < 2) continue;
    for (const member of found) taken.add(member);
    groups.push(groupOf(found));
  }
  return groups;
}

function neverFrees({ frees, outstanding }: Counted): boolean {
  return frees / (frees + outstanding) < NEVER;
}

/** The tags whose counts go with that of `base`, and itself. */
function partnersOf(base: Counted, counted: readonly Counted[]): readonly Counted[] {
  const equal = neverFrees(base) ? TOLERANCE.besideNeverFreed : TOLERANCE.plain;
  const partners = new Set(within(counted, base.outstanding, equal));
  // multiples alone are too common among tags that come and go
  if (partners.size < 2 && !neverFrees(base)) return [];
  for (let ratio = 2; ratio <= MAX_RATIO; ratio++) {
    for (const count of [base.outstanding * ratio, base.outstanding / ratio]) {
      for (const partner of within(counted, count, TOLERANCE.plain)) partners.add(partner);
    }
  }
  return [...partners].sort((a, b) => a.outstanding - b.outstanding || a.key - b.key);
}

/** Of the counts in ascending order, those within the tolerance. */
function within(counted: readonly Counted[], count: number, tolerance: number): readonly Counted[] {
  const least = Math.ceil(count * (1 - tolerance));
  const first = upperBound(counted.length, least - 1, (i) => counted[i]?.outstanding ?? 0);
  const found: Counted[] = [];
  for (let index = first; index < counted.length; index++) {
    const one = counted[index];
    if (one === undefined || one.outstanding > count * (1 + tolerance)) break;
    found.push(one);
  }
  return found;
}

function groupOf(found: readonly Counted[]): CountGroup {
  const smallest = found[0]?.outstanding ?? 1;
  const members = found.map((member) => ({ ...member, ratio: Math.round(member.outstanding / smallest) }));
  const never = members.filter(neverFrees);
  return { members, source: never.length === 1 ? never[0] : undefined };
}
