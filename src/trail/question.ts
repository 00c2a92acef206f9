import type { Ownership } from "../code/ownership.ts";
import { tableKey } from "../pool/tag.ts";
import type { TagUsage } from "../pool/tag-table.ts";
import type { FoundApi } from "./apis.ts";
import type { BlockContents } from "./blocks/block-contents.ts";
import type { Crash } from "./crash.ts";
import type { ModuleCodes } from "./module-codes.ts";
import type { SearchLimits } from "./module-search.ts";
import type { Acquirer, Release } from "./pairs/pair.ts";
import { FREE } from "./pairs/releases.ts";
import type { LearntReleases } from "./release-calls.ts";
import type { Reference } from "./scan.ts";
import type { TrailModule, TrailTarget } from "./target.ts";

/** What is asked, and what every kind of clue is collected with. */
export interface Question {
  readonly target: TrailTarget;
  readonly codes: ModuleCodes;
  readonly ownership: Ownership;
  /** The tag's four characters. */
  readonly tag: string;
  /** The tag's table key. */
  readonly key: number;
  readonly limits: SearchLimits;
  readonly references: readonly Reference[];
  /** The functions that lead to the references which allocate. */
  readonly apis: readonly FoundApi[];
  /** What the kernel counts; null where there is no dump, or its tag table does not have the tag. */
  readonly usage: TagUsage | null;
  /** How the machine ended; absent where there is no dump, or it does not say. */
  readonly crash: Crash | undefined;
  /** What the tag's blocks hold; absent where there is no dump. */
  readonly blocks: BlockContents<TrailModule> | undefined;
  /**
   * Exported functions of a module that free with the tag what they are given, learnt from its code; that give it back
   * otherwise, where the tag's memory is not allocated but acquired by `row`.
   */
  readonly learnt: (module: TrailModule, row?: Acquirer) => LearntReleases;
}

/** What gives back what a function acquires by its documentation; of one without any, plain frees do. */
export function releasesOf(row: Acquirer | undefined): readonly Release[] {
  return row === undefined ? FREE : row.releases;
}

/** Whether a free can be of the tag: one without a constant tag, or with 0, can be of any. */
export function canBeOfTag(tag: number | undefined, key: number): boolean {
  return tag === undefined || tag === 0 || tableKey(tag) === tableKey(key);
}

/** The kernel and the HAL are there for all others: what they hold, others asked for. */
export function isKernelModule({ name }: Pick<TrailModule, "name">): boolean {
  return name === "nt" || name === "hal";
}
