import type { Occasion } from "../kernel/stop.ts";
import type { LeaderReason, Lockstep } from "../pool/lockstep.ts";
import { type Crash, isVictim, type UnfreedDriver } from "../trail/crash.ts";
import type { TagKnowledge } from "../trail/known/tag-knowledge.ts";
import { crashWords } from "./crash-words.ts";
import { knowledgeWords, meaningWords } from "./knowledge-words.ts";
import { lockstepWords } from "./lockstep-words.ts";

/** Tags whose counts go together. */
export interface TrailLockstep {
  /** By count, the smallest first; `ratio`: by the smallest, as a whole number. */
  readonly tags: readonly {
    readonly tag: string;
    readonly pool: "nonPaged" | "paged";
    readonly outstanding: number;
    readonly ratio: number;
  }[];
  /** The one that is the cause; null where nothing tells. */
  readonly leader: string | null;
  readonly reason: LeaderReason | null;
  /** Third-party modules whose code allocates with the leader. */
  readonly owners: readonly string[];
  readonly text: string;
}

/** How the machine ended. */
export interface TrailCrash {
  readonly occasion: Occasion;
  readonly code: number;
  readonly name: string | null;
  /** The module that crashed; null where none is known, and of the kernel. */
  readonly module: string | null;
  /** There was no memory left, so that whoever crashed was in that moment's way. */
  readonly victim: boolean;
  /** A driver that Driver Verifier stopped the machine for: it was unloaded and had not freed. */
  readonly unfreed: Pick<UnfreedDriver, "file" | "allocations" | "tags"> | null;
  /** What it says of leaks, a sentence each. */
  readonly text: readonly string[];
}

/** What is public of a tag. */
export interface TrailKnowledge {
  /** What it is the tag of. */
  readonly meaning: string | null;
  /** Of that, by title or number. */
  readonly source: string | null;
  /** Names of object types whose objects have it. */
  readonly objectTypes: readonly string[];
  /** Documented functions that take it for their caller, and those that give it back. */
  readonly acquiredBy: readonly string[];
  readonly releasedBy: readonly string[];
  /** Leaks of it that were solved in public. */
  readonly leaks: readonly {
    readonly culprit: "driver" | "process" | "windows";
    readonly what: string;
    readonly source: string;
  }[];
  readonly text: readonly string[];
}

export function knowledgeDocument(known: TagKnowledge): TrailKnowledge {
  return {
    meaning: meaningWords(known),
    source: known.meaning?.source ?? null,
    objectTypes: known.objectTypes,
    acquiredBy: known.acquiredBy,
    releasedBy: known.releasedBy,
    leaks: known.leaks.map(({ culprit, what, source }) => ({ culprit, what, source })),
    text: knowledgeWords(known),
  };
}

export function lockstepDocument(lockstep: Lockstep): TrailLockstep {
  const { members, leader } = lockstep;
  return {
    tags: members.map(({ tag, pool, outstanding, ratio }) => ({ tag, pool, outstanding, ratio })),
    leader: leader?.tag ?? null,
    reason: leader?.reason ?? null,
    owners: leader?.owners ?? [],
    text: lockstepWords(lockstep),
  };
}

export function crashDocument(crash: Crash): TrailCrash {
  const { occasion, bugcheck, module, unfreed } = crash;
  return {
    occasion,
    code: bugcheck.code,
    name: bugcheck.name,
    module,
    victim: isVictim(crash),
    unfreed:
      unfreed === null ? null : { file: unfreed.file, allocations: unfreed.allocations, tags: unfreed.tags },
    text: crashWords(crash),
  };
}
