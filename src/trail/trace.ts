import { Ownership } from "../code/ownership.ts";
import type { LeakSigns } from "../pool/leak-signs.ts";
import type { Lockstep } from "../pool/lockstep.ts";
import type { Tag } from "../pool/tag.ts";
import type { PoolCounts, TagUsage } from "../pool/tag-table.ts";
import { findApis, type TrailApi } from "./apis.ts";
import type { BlockNote } from "./blocks/block-contents.ts";
import type { ModuleClue } from "./clue.ts";
import { type Conclusion, conclude } from "./conclude.ts";
import type { Crash } from "./crash.ts";
import { collectEvidence } from "./evidence/kinds.ts";
import { ownerOfBlocks } from "./evidence/pool-content.ts";
import { knowledgeOf } from "./knowledge.ts";
import { knownOf, type TagKnowledge } from "./known/tag-knowledge.ts";
import { LearntByModule } from "./learnt-releases.ts";
import { ModuleCodes } from "./module-codes.ts";
import type { Coverage, SearchLimits } from "./module-search.ts";
import { type Circumstances, nextSteps, type Shortfall, type Step } from "./next-steps.ts";
import { isHeldByHandles, type ObjectAccount } from "./object-holders.ts";
import { OBJECT_TAGS } from "./pairs/object-types.ts";
import type { Question } from "./question.ts";
import { type Reference, type Scan, scanTag } from "./scan.ts";
import { type Filter, type Surroundings, surroundingsOf } from "./surroundings.ts";
import { rankSuspects, type Suspect } from "./suspects.ts";
import { abiOf, type TrailTarget } from "./target.ts";

/** What the kernel's counters say of the tag that is traced; absent where there is no dump. */
export interface TagCounters {
  /** Null where its tag table does not have it. */
  readonly usage: TagUsage | null;
  readonly signs: LeakSigns;
  /** Tags whose counts go with its own. */
  readonly lockstep?: Lockstep | undefined;
  /** Who holds its objects by handles. */
  readonly objects?: ObjectAccount | undefined;
  readonly crash?: Crash | undefined;
  /** As `Circumstances.shortfall`. */
  readonly shortfall?: Circumstances["shortfall"];
}

/** What the pool tracker says of one tag. */
export interface TagUsageSummary {
  readonly nonPaged: PoolCounts;
  readonly paged: PoolCounts;
}

/** From a tag to the drivers that can make it grow, as data. */
export interface Findings {
  /** The tag's four characters; null where no tag was asked for and none looks like a leak. */
  readonly tag: string | null;
  /** Null when the dump's tag table was not found; `notes` says why. */
  readonly usage: TagUsageSummary | null;
  /** What the counters say of whether it leaks; null where there is no dump. */
  readonly signs: LeakSigns | null;
  /** What is public of the tag; null where nothing is. */
  readonly known: TagKnowledge | null;
  /** Tags whose counts go with its own; null where it stands alone. */
  readonly lockstep: Lockstep | null;
  /** Who holds its objects by handles; null for a tag that is no object's, and where that cannot be told. */
  readonly objects: ObjectAccount | null;
  /** How the machine ended; null where there is no dump, or it does not tell. */
  readonly crash: Crash | null;
  /** Modules of others that hang between Windows and its callers; null where there is no dump. */
  readonly filters: readonly Filter[] | null;
  readonly references: readonly Reference[];
  readonly apis: readonly TrailApi[];
  readonly suspects: readonly Suspect[];
  readonly conclusion: Conclusion;
  /** The dump holds too little, whatever it is asked; null where it is what it should be. */
  readonly shortfall: Shortfall | null;
  /** What to do next, the cheapest first. */
  readonly next: readonly Step[];
  readonly coverage: readonly Coverage[];
  /** What falls short in the look at the tag's blocks. */
  readonly blockNotes: readonly BlockNote[];
  readonly notes: readonly string[];
}

/**
 * Follows a tag: its references, the exported functions that lead to those which allocate, who holds and calls these
 * and what becomes of what they give; then weighs all of it together.
 */
export function traceTag(
  target: TrailTarget,
  tag: Tag,
  counters: TagCounters | undefined,
  limits: SearchLimits = {},
): Findings {
  const codes = new ModuleCodes(target);
  const ownership = new Ownership(knowledgeOf(codes, abiOf(target)));
  const scan = scanTag(target, tag, limits, codes);
  const { apis, notes } = findApis(target, codes, scan.references, ownership);
  const usage = counters?.usage ?? null;
  const outstanding = usage === null ? undefined : usage.nonPaged.outstanding + usage.paged.outstanding;
  const learnt = new LearntByModule(codes, ownership, tag.key, scan.references);
  const question: Question = {
    target,
    codes,
    ownership,
    tag: tag.text,
    key: tag.key,
    limits,
    references: scan.references,
    apis,
    usage,
    crash: counters?.crash,
    blocks: target.poolContent?.(tag.key, outstanding),
    learnt: (module, row) => learnt.of(module, row),
  };
  const evidence = collectEvidence(question);
  const { suspects, conclusion, known, surroundings } = draw(target, tag, counters, scan, evidence.clues);
  return {
    tag: tag.text,
    usage: usage === null ? null : { nonPaged: usage.nonPaged, paged: usage.paged },
    signs: counters?.signs ?? null,
    known,
    lockstep: counters?.lockstep ?? null,
    objects: counters?.objects ?? null,
    crash: counters?.crash ?? null,
    filters: surroundings?.filters ?? null,
    references: scan.references,
    apis: apis.map(({ api }) => api),
    suspects,
    conclusion,
    shortfall: counters?.shortfall ?? null,
    next: nextSteps(suspects, conclusion, {
      tag: tag.text,
      objects: OBJECT_TAGS.has(tag.text),
      hive: target.services !== undefined,
      unloaded: target.unloaded ?? [],
      references: scan.references.length,
      dump: counters !== undefined,
      live: counters?.crash?.occasion === "live",
      shortfall: counters?.shortfall,
    }),
    coverage: scan.coverage,
    blockNotes: question.blocks?.notes ?? [],
    notes: [...scan.notes, ...notes, ...evidence.notes, ...learnt.notes],
  };
}

/** What the clues come to, with what is public of the tag and who else is there. */
function draw(
  target: TrailTarget,
  tag: Tag,
  counters: TagCounters | undefined,
  { references, coverage, undecoded }: Scan,
  clues: readonly ModuleClue[],
): Pick<Findings, "suspects" | "conclusion" | "known"> & { readonly surroundings: Surroundings | undefined } {
  const signs = { leaks: counters?.signs.looksLikeLeak, blocksOf: ownerOfBlocks(clues) };
  const suspects = rankSuspects(target.modules, clues, signs, coverage, target.services);
  const known = knownOf(tag.text, fileNames(target)) ?? null;
  const surroundings = counters === undefined ? undefined : surroundingsOf(target);
  const inCode = references.filter(({ use, seen }) => use !== "data" || seen?.kind === "registration").length;
  const conclusion = conclude(suspects, {
    ...signs,
    references: references.length,
    inCode,
    undecoded: undecoded.length > 0,
    isObject: isHeldByHandles(tag.text),
    objects: counters?.objects,
    ofWindows: known !== null || inCode > 0,
    surroundings,
  });
  return { suspects, conclusion, known, surroundings };
}

function fileNames({ modules }: TrailTarget): readonly string[] {
  return modules.flatMap(({ imageName }) => imageName ?? []);
}

/** The trail of a dump in which no tag was asked for and none looks like a leak. */
export function emptyFindings(
  notes: readonly string[],
  coverage: Findings["coverage"],
  { shortfall, crash }: Pick<Findings, "shortfall" | "crash">,
): Findings {
  return {
    tag: null,
    usage: null,
    signs: null,
    known: null,
    lockstep: null,
    objects: null,
    crash,
    filters: null,
    references: [],
    apis: [],
    suspects: [],
    conclusion: {
      culprit: null,
      module: null,
      confidence: "none",
      outcome: "no-tag",
      tied: [],
      leaks: null,
      because: [],
    },
    next: [
      ...(shortfall === null ? [] : [{ do: "take-dump", because: shortfall } as const]),
      { do: "name-tag" },
    ],
    coverage,
    blockNotes: [],
    notes,
    shortfall,
  };
}
