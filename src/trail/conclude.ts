import type { TagSigns, WeighedClue } from "./evidence/kind.ts";
import { holderOf, type ObjectAccount, type ObjectHolder } from "./object-holders.ts";
import type { Suspect } from "./suspects.ts";
import { type Confidence, HIGH, LOW, MEDIUM } from "./weights.ts";

/** What it all comes to. */
export interface Conclusion {
  /** The module named; null where none can be told from the others, and where processes are to blame. */
  readonly module: string | null;
  /** The processes whose handles keep the objects; null where handles do not explain what is there. */
  readonly holder: ObjectHolder | null;
  readonly confidence: Confidence;
  /**
   * Why nobody is named: no tag was asked for, and none leaks; the tag stands nowhere that could be read, or in text and data
   * only; nothing speaks against anybody; several cannot be told apart. `named`: somebody is.
   */
  readonly outcome: "named" | "no-tag" | "no-reference" | "not-looked-at" | "only-data" | "nobody" | "tied";
  /** Those that cannot be told apart. */
  readonly tied: readonly string[];
  /** Whether the tag looks like a leak at all; null where the dump does not tell. */
  readonly leaks: boolean | null;
  /** The clues that it stands on, the weightiest first, those for the module last. */
  readonly because: readonly WeighedClue[];
}

/** What a conclusion is drawn from, besides the suspects. */
export interface Grounds extends TagSigns {
  readonly references: number;
  /** References that are more than text or data. */
  readonly inCode: number;
  /** Code of modules was there that is not decoded. */
  readonly undecoded: boolean;
  /** Absent for a tag that is no object's, and where handles cannot be told. */
  readonly objects?: ObjectAccount | undefined;
}

const MOST_REASONS = 4;

/** What the evidence comes to, no further than it goes. */
export function conclude(suspects: readonly Suspect[], grounds: Grounds): Conclusion {
  const none = {
    module: null,
    holder: null,
    confidence: "none",
    tied: [],
    leaks: grounds.leaks ?? null,
    because: [],
  } as const;
  const held = holderOf(grounds.objects);
  if (held !== undefined)
    return { ...none, holder: held.holder, confidence: capped(held.confidence, grounds), outcome: "named" };
  const [first, second] = suspects;
  if (first === undefined || first.score < LOW.score) return { ...none, outcome: outcomeWithout(grounds) };
  const confidence = capped(confidenceOf(first, second), grounds);
  if (confidence === "none") {
    const tied = suspects.filter(({ score }) => score * LOW.ahead >= first.score).map(({ module }) => module);
    return { ...none, outcome: "tied", tied };
  }
  return {
    module: first.module,
    holder: null,
    confidence,
    outcome: "named",
    tied: [],
    leaks: grounds.leaks ?? null,
    because: [
      ...first.clues.filter(({ points }) => points > 0).slice(0, MOST_REASONS),
      ...first.clues.filter(({ points }) => points < 0).slice(0, MOST_REASONS),
    ],
  };
}

function outcomeWithout({ references, inCode, undecoded }: Grounds): Conclusion["outcome"] {
  if (references === 0) return undecoded ? "not-looked-at" : "no-reference";
  return inCode === 0 && !undecoded ? "only-data" : "nobody";
}

function confidenceOf(first: Suspect, second: Suspect | undefined): Confidence {
  const ahead = (second?.score ?? 0) === 0 ? Number.POSITIVE_INFINITY : first.score / (second?.score ?? 1);
  if (first.proven && first.score >= HIGH.score && ahead >= HIGH.ahead) return "high";
  if (!first.excused && first.score >= MEDIUM.score && ahead >= MEDIUM.ahead) return "medium";
  return ahead >= LOW.ahead ? "low" : "none";
}

/** Of a tag that does not leak nobody is guilty, whatever their code does. */
function capped(confidence: Confidence, { leaks }: TagSigns): Confidence {
  return leaks === false && confidence !== "none" ? "low" : confidence;
}
