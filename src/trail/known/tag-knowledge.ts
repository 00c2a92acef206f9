import { objectTypesOf } from "../pairs/object-types.ts";
import type { Release } from "../pairs/pair.ts";
import { acquirersFor } from "../pairs/table.ts";
import { type KnownLeak, knownLeaksOf } from "./leaks.ts";
import { type BesidesPool, besidesPool, meaningOf, type TagMeaning } from "./tags.ts";

/** What is public of a tag, without the user's tag file. */
export interface TagKnowledge {
  readonly tag: string;
  readonly meaning: TagMeaning | undefined;
  /** Names of object types whose objects have the tag: `Process`. */
  readonly objectTypes: readonly string[];
  /** Documented functions that allocate with it for their caller. */
  readonly acquiredBy: readonly string[];
  /** Functions that give back what these gave, the one named most often first. */
  readonly releasedBy: readonly string[];
  readonly leaks: readonly KnownLeak[];
  /** What each of its objects keeps outside the pool, where that is known. */
  readonly besides: BesidesPool | undefined;
}

/** What is public of a tag; undefined where nothing is. @param present file names of the machine's modules */
export function knownOf(tag: string, present: readonly string[] = []): TagKnowledge | undefined {
  const rows = acquirersFor(tag).filter(({ name }) => !isServiceTwin(name));
  const meaning = meaningOf(tag);
  const objectTypes = objectTypesOf(tag);
  const leaks = knownLeaksOf(tag, new Set(present.map((name) => name.toLowerCase())));
  if (meaning === undefined && objectTypes.length === 0 && rows.length === 0 && leaks.length === 0)
    return undefined;
  return {
    tag,
    meaning,
    objectTypes,
    acquiredBy: rows.map(({ name }) => name),
    releasedBy: releasers(rows.map(({ releases }) => releases)),
    leaks,
    besides: besidesPool(tag),
  };
}

/** System services have two names each, and the documentation is under one. */
function isServiceTwin(name: string): boolean {
  return /^Nt[A-Z]/.test(name);
}

/** The first of each row's releases is the documented one. */
function releasers(rows: readonly (readonly Release[])[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const [first] of rows) {
    if (first !== undefined) counts.set(first.name, (counts.get(first.name) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name);
}
