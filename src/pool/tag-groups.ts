import { upperBound } from "../core/search.ts";
import { CountChance, chanceOf } from "./count-chance.ts";
import { isHeld } from "./held-tags.ts";
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
const TOLERANCE = { plain: 0.02, besideNeverFreed: 0.025, multiple: 0.003 } as const;
const MAX_RATIO = 4;
/** Frees by allocations below which a tag is said never to free. */
const NEVER = 0.001;
/**
 * Chance at which counts are said to go together, of the largest count; of the second a quarter of it, of the third a
 * ninth and so on: the more counts are compared, the more meet by chance, and a leak is among the large ones.
 */
const CHANCE = 0.0015;
/** … and of tags that are known to be held by what others allocate: few are, so that it falls with the place only. */
const CHANCE_HELD = 0.008;
/** Chance at which a multiple of a count that goes with others is one of them. */
const CHANCE_MULTIPLE = 0.05;

/** So many counts within the tolerance are a crowd, and no group. */
const MOST_WITHIN = 256;

type Counted = Omit<GroupMember, "ratio">;

/**
 * Finds tags whose outstanding counts go together, as those of an object and of what it holds do: equal,
 * or one a whole-number multiple of the other, up to four. Only where chance does not make them so.
 */
export function groupByCount(tags: readonly TagUsage[]): readonly CountGroup[] {
  const all: Counted[] = tags.flatMap((usage) =>
    (["nonPaged", "paged"] as const).flatMap((pool) => {
      const { outstanding, frees } = usage[pool];
      if (outstanding <= 0 || usage.doubt === "implausible") return [];
      return [{ tag: usage.tag, key: usage.key, pool, outstanding, frees }];
    }),
  );
  const chance = new CountChance(all.map(({ outstanding }) => outstanding));
  const counted = all.filter(({ outstanding }) => outstanding >= MIN_COUNT);
  counted.sort((a, b) => a.outstanding - b.outstanding || a.key - b.key);
  const taken = new Set<Counted>();
  const groups: CountGroup[] = [];
  // those that never free first, and of those the largest
  const bases = [...counted].reverse().sort((a, b) => Number(neverFrees(b)) - Number(neverFrees(a)));
  for (const base of bases) {
    if (taken.has(base)) continue;
    const found = partnersOf(base, counted, chance, taken);
    if (found.length < 2) continue;
    for (const member of found) taken.add(member);
    groups.push(groupOf(found));
  }
  return groups;
}

function neverFrees({ frees, outstanding }: Counted): boolean {
  return frees / (frees + outstanding) < NEVER;
}

/** The tags whose counts go with that of `base`, and itself; only itself where chance may have made them. */
function partnersOf(
  base: Counted,
  counted: readonly Counted[],
  chance: CountChance,
  taken: ReadonlySet<Counted>,
): readonly Counted[] {
  const free = (one: Counted): boolean => one !== base && !taken.has(one);
  const tolerance = neverFrees(base) ? TOLERANCE.besideNeverFreed : TOLERANCE.plain;
  const equal = within(counted, base.outstanding, tolerance).filter(free);
  const explained = RATIOS.reduce(
    (sum, ratio) => sum + countWithin(counted, base.outstanding * ratio, TOLERANCE.multiple, free),
    equal.length,
  );
  const place = chance.rank(base.outstanding) - explained;
  const allowed = (held: boolean): number =>
    held ? CHANCE_HELD / Math.max(1, place) : CHANCE / Math.max(1, place) ** 2;
  const apart = (one: Counted): number => Math.abs(one.outstanding / base.outstanding - 1);
  const expectedEqual = chance.expectedNear(base.outstanding, explained + 1);
  const together = beyondChance(
    equal.sort((a, b) => apart(a) - apart(b)),
    (met) => expectedEqual(apart(met)),
    (met) => allowed(isHeld(base, met)),
  );
  if (together.length === 0 && !neverFrees(base)) return [base];
  const multiples = multiplesOf(base, counted).filter(({ member }) => free(member));
  const expectedOf = RATIOS.map((ratio) => chance.expectedNear(base.outstanding * ratio, 0));
  const expected = (of: number): number => expectedOf.reduce((sum, expectedAt) => sum + expectedAt(of), 0);
  // beside a group each multiple stands for itself; alone they are too common among tags that come and go
  const more =
    together.length > 0
      ? multiples.filter((one) => chanceOf(1, expected(one.apart)) < CHANCE_MULTIPLE)
      : beyondChance(
          multiples.sort((a, b) => a.apart - b.apart),
          (met) => expected(met.apart),
          (met) => allowed(isHeld(base, met.member)),
        );
  const members = [base, ...together, ...more.map(({ member }) => member)];
  return members.sort((a, b) => a.outstanding - b.outstanding || a.key - b.key);
}

const RATIOS: readonly number[] = Array.from({ length: MAX_RATIO - 1 }, (_, i) => i + 2).flatMap((ratio) => [
  ratio,
  1 / ratio,
]);

/** Tags whose counts are multiples of that of `base`, or it of theirs. */
function multiplesOf(
  base: Counted,
  counted: readonly Counted[],
): { readonly member: Counted; readonly apart: number }[] {
  return RATIOS.flatMap((ratio) => {
    const count = base.outstanding * ratio;
    return within(counted, count, TOLERANCE.multiple).map((member) => ({
      member,
      apart: Math.abs(member.outstanding / count - 1),
    }));
  });
}

/** Of tags, the nearest first, as many as chance does not bring together; none where it may bring all. */
function beyondChance<T>(
  near: readonly T[],
  expected: (met: T) => number,
  allowed: (met: T) => number,
): readonly T[] {
  const last = near.findLastIndex((met, i) => {
    const average = expected(met);
    // as many as are met on average are nothing special, and among crowds that is nearly all there is to ask
    return i + 1 > average && chanceOf(i + 1, average) < allowed(met);
  });
  return near.slice(0, last + 1);
}

/** Of the counts in ascending order, those within the tolerance. */
function within(counted: readonly Counted[], count: number, tolerance: number): readonly Counted[] {
  return counted.slice(...boundsOf(counted, count, tolerance));
}

function countWithin(
  counted: readonly Counted[],
  count: number,
  tolerance: number,
  counts: (one: Counted) => boolean,
): number {
  const [first, end] = boundsOf(counted, count, tolerance);
  let found = 0;
  for (let index = first; index < end; index++) {
    const one = counted[index];
    if (one !== undefined && counts(one)) found++;
  }
  return found;
}

function boundsOf(
  counted: readonly Counted[],
  count: number,
  tolerance: number,
): readonly [first: number, end: number] {
  const countAt = (index: number): number => counted[index]?.outstanding ?? 0;
  const first = upperBound(counted.length, Math.ceil(count * (1 - tolerance)) - 1, countAt);
  const last = Math.min(counted.length, first + MOST_WITHIN);
  let end = first;
  while (end < last && countAt(end) <= count * (1 + tolerance)) end++;
  return [first, end];
}

function groupOf(found: readonly Counted[]): CountGroup {
  const smallest = found[0]?.outstanding ?? 1;
  const members = found.map((member) => ({ ...member, ratio: Math.round(member.outstanding / smallest) }));
  const never = members.filter(neverFrees);
  return { members, source: never.length === 1 ? never[0] : undefined };
}
