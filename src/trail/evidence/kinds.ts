import type { Clue } from "../clue.ts";
import type { Question } from "../question.ts";
import { ACQUISITION } from "./acquisition.ts";
import { ALLOCATION } from "./allocation.ts";
import { CONTEXT_REGISTRATION } from "./context-registration.ts";
import type { Case, EvidenceKind, Found, Weight } from "./kind.ts";
import { LEFT_UNFREED } from "./left-unfreed.ts";
import { ON_STACK } from "./on-stack.ts";
import { POOL_CONTENT } from "./pool-content.ts";
import { SIZE_MATCH } from "./size-match.ts";
import { TRACKED } from "./tracked.ts";

/** Which kind of evidence finds and weighs a clue; each kind can build on what those above it found. */
const KIND_OF: Readonly<Record<Clue["kind"], EvidenceKind>> = {
  calls: ACQUISITION,
  forgotten: ACQUISITION,
  kept: ACQUISITION,
  releases: ACQUISITION,
  "hands-on": ACQUISITION,
  "may-release": ACQUISITION,
  imports: ACQUISITION,
  pointer: ACQUISITION,
  "looks-up-at-run-time": ACQUISITION,
  allocates: ALLOCATION,
  "registers-contexts": CONTEXT_REGISTRATION,
  "size-match": SIZE_MATCH,
  "pool-content": POOL_CONTENT,
  "on-stack": ON_STACK,
  "left-unfreed": LEFT_UNFREED,
  tracked: TRACKED,
};

const KINDS: ReadonlySet<EvidenceKind> = new Set(Object.values(KIND_OF));

/** Collects all evidence. */
export function collectEvidence(question: Question): Found {
  let found: Found = { clues: [], calls: [], notes: [] };
  for (const kind of KINDS) {
    const { clues = [], calls = [], notes = [] } = kind.collect(question, found);
    found = {
      clues: [...found.clues, ...clues],
      calls: [...found.calls, ...calls],
      notes: [...found.notes, ...notes],
    };
  }
  return found;
}

/** Weighs each clue of a module. */
export function weighClues(of: Case): readonly Weight[] {
  return [...KINDS].flatMap((kind) => {
    const own = of.all.filter((clue) => KIND_OF[clue.kind] === kind);
    return own.length === 0 ? [] : kind.weigh(own, of);
  });
}
