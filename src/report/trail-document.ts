import type { Va } from "../core/address.ts";
import { VERSION } from "../core/version.ts";
import type { TrailApi } from "../trail/apis.ts";
import type { Clue } from "../trail/clue.ts";
import type { Conclusion as Drawn } from "../trail/conclude.ts";
import type { Coverage } from "../trail/module-search.ts";
import type { Step } from "../trail/next-steps.ts";
import type { ObjectAccount } from "../trail/object-holders.ts";
import type { Filter, Unseen } from "../trail/surroundings.ts";
import type { Suspect as FoundSuspect, ServiceStart } from "../trail/suspects.ts";
import type { Findings, TagUsageSummary } from "../trail/trace.ts";
import type { Verdict } from "../trail/weigh.ts";
import type { Confidence } from "../trail/weights.ts";
import { clueWords } from "./clue-words.ts";
import type { InfoDocument } from "./documents.ts";
import { blockNoteText, leakReasonText } from "./pool-words.ts";
import { type Reference, referenceDocument } from "./scan-document.ts";
import { stepWords } from "./step-words.ts";
import {
  crashDocument,
  knowledgeDocument,
  lockstepDocument,
  type TrailCrash,
  type TrailKnowledge,
  type TrailLockstep,
} from "./trail-parts.ts";
import { reasonWords, verdictWords } from "./verdict-words.ts";

/** One thing seen that speaks for or against a suspect. */
export interface Evidence {
  readonly kind: Clue["kind"];
  /** Where to look first; null for what has no one place. */
  readonly address: Va | null;
  /** Every place that it stands on, `address` among them. */
  readonly addresses: readonly Va[];
  /** What it weighs: below 0 it speaks for the suspect, 0 only explains. */
  readonly points: number;
  /** A clause of which the module is the subject. */
  readonly detail: string;
  /** The command that shows it, without the dump's name; null where none does. */
  readonly command: string | null;
}

/** A module with evidence, ranked. */
export interface Suspect {
  /** From 1; modules that cannot be told apart share a rank. */
  readonly rank: number;
  readonly module: string;
  readonly verdict: Verdict;
  /** What the rank stands on; only the order and the distance to the next mean something. */
  readonly score: number;
  readonly thirdParty: boolean | null;
  readonly publisher: string | null;
  readonly publisherBasis: string | null;
  /** How Windows starts it; null where no SYSTEM hive was given, or it has no service there. */
  readonly service: ServiceStart | null;
  /** The weightiest first. */
  readonly evidence: readonly Evidence[];
  readonly coverage: Coverage;
}

/**
 * Whom the evidence names: a driver; processes of one image whose handles keep the objects; Windows itself, with the
 * module that was told apart, where nothing of anybody else leads to the tag; or nobody, where what could not be looked
 * at could hold whoever leaks.
 */
export type Culprit =
  | { readonly kind: "driver"; readonly name: string }
  | { readonly kind: "process"; readonly name: string | null; readonly pids: readonly number[] }
  | { readonly kind: "windows"; readonly name: string | null }
  | { readonly kind: "none-visible"; readonly name: null; readonly unseen: readonly Unseen[] };

/** What it all comes to, in words that a person can act on. */
export interface Conclusion {
  /** Whom the evidence names; null where none can be told from the others. */
  readonly culprit: Culprit | null;
  /** The driver named; null where nobody is, or a process. */
  readonly module: string | null;
  /** How much speaks for it. `none`: nothing that could be read names anybody. */
  readonly confidence: Confidence;
  readonly outcome: Drawn["outcome"];
  /** Those that cannot be told apart. */
  readonly tied: readonly string[];
  /** Whether the tag looks like a leak at all; null where the dump does not tell. */
  readonly leaks: boolean | null;
  readonly text: string;
  /** The reasons, one sentence each, the strongest first. */
  readonly because: readonly string[];
}

/** What the kernel's counters say of whether the tag leaks. */
export interface TrailSigns {
  readonly looksLikeLeak: boolean | null;
  readonly reasons: readonly string[];
}

/** From a tag to the drivers that can make it grow. */
export interface Trail {
  /** The tag's four characters; null where no tag was asked for and none looks like a leak. */
  readonly tag: string | null;
  /** Null when the dump's tag table was not found; `notes` says why. */
  readonly usage: TagUsageSummary | null;
  /** Null where there is no dump. */
  readonly signs: TrailSigns | null;
  /** Null where nothing public is known of it. */
  readonly known: TrailKnowledge | null;
  /** Null where the tag's count goes with that of no other. */
  readonly lockstep: TrailLockstep | null;
  /** Who holds its objects by handles; null for a tag that is no object's, and where that cannot be told. */
  readonly objects: ObjectAccount | null;
  /** Null where the dump does not say how the machine ended. */
  readonly crash: TrailCrash | null;
  /**
   * Modules that are not Microsoft's, or of which it is not known, and that hang between Windows and its callers: filters,
   * callouts, callbacks. Empty: none does. Null where there is no dump.
   */
  readonly filters: readonly Filter[] | null;
  readonly references: readonly Reference[];
  readonly apis: readonly TrailApi[];
  readonly suspects: readonly Suspect[];
  readonly conclusion: Conclusion;
  /** What to do next, the cheapest first. */
  readonly next: readonly string[];
  readonly coverage: readonly Coverage[];
  readonly notes: readonly string[];
}

/** What was looked at, so that a trace that is passed on says of what it is. */
export interface TraceInput {
  /** The file's name. */
  readonly file: string;
  /** In bytes. */
  readonly size: number;
  readonly machine: string;
  readonly paging: string | null;
  readonly build: number | null;
  readonly dumpType: string;
  /** ISO 8601, UTC. */
  readonly taken: string | null;
  /** In seconds. */
  readonly upTime: number | null;
  readonly modules: number;
  /** What answered, with its version: `pooltrail 0.1.0`. */
  readonly tool: string;
}

/** The answer of the `trace` command: the trail of the first tag, with those of the others. */
export interface TraceDocument extends Trail {
  readonly more: readonly Trail[];
  /** Null for files that are no dump. */
  readonly input: TraceInput | null;
}

/** What a trace says of the dump that it was drawn from. */
export function inputOf(info: InfoDocument): TraceInput {
  const { file, machine, paging, build, dumpType, upTime, modules } = info;
  return {
    file,
    size: info.fileSize,
    machine,
    paging,
    build,
    dumpType,
    taken: info.systemTime,
    upTime,
    modules,
    tool: `pooltrail ${VERSION}`,
  };
}

/** A trail in words. */
export function trailDocument(findings: Findings, pointerSize: 4 | 8, more: readonly string[] = []): Trail {
  const { tag, usage, signs, references, apis, suspects, conclusion, next, coverage } = findings;
  return {
    tag,
    usage,
    signs:
      signs === null
        ? null
        : {
            looksLikeLeak: signs.looksLikeLeak ?? null,
            reasons: signs.reasons.map((reason) => leakReasonText(reason, signs.pool)),
          },
    known: findings.known === null ? null : knowledgeDocument(findings.known),
    lockstep: findings.lockstep === null ? null : lockstepDocument(findings.lockstep),
    objects: findings.objects,
    crash: findings.crash === null ? null : crashDocument(findings.crash),
    filters: findings.filters,
    references: references.map(referenceDocument),
    apis,
    suspects: suspects.map((suspect) => suspectDocument(suspect, pointerSize)),
    conclusion: {
      culprit: culpritOf(conclusion),
      module: conclusion.module,
      confidence: conclusion.confidence,
      outcome: conclusion.outcome,
      tied: conclusion.tied,
      leaks: conclusion.leaks,
      text: verdictWords(findings),
      because: reasonWords(conclusion, pointerSize),
    },
    next: next.map((step: Step) => stepWords(step, tag)),
    coverage,
    notes: [...findings.notes, ...findings.blockNotes.map(blockNoteText), ...more],
  };
}

function culpritOf({ culprit }: Drawn): Culprit | null {
  switch (culprit?.kind) {
    case "driver":
      return { kind: "driver", name: culprit.module };
    case "windows":
      return { kind: "windows", name: culprit.module };
    case "process":
      return { kind: "process", name: culprit.holder.name, pids: culprit.holder.pids };
    case "none-visible":
      return { kind: "none-visible", name: null, unseen: culprit.unseen };
    default:
      return null;
  }
}

function suspectDocument(suspect: FoundSuspect, pointerSize: 4 | 8): Suspect {
  const { rank, module, verdict, score, thirdParty, publisher, publisherBasis, service, coverage } = suspect;
  return {
    rank,
    module,
    verdict,
    score,
    thirdParty,
    publisher,
    publisherBasis,
    service,
    evidence: suspect.clues.map(({ clue, points }) => {
      const { detail, address, addresses, command } = clueWords(clue, pointerSize);
      return { kind: clue.kind, address, addresses, points, detail, command };
    }),
    coverage,
  };
}
