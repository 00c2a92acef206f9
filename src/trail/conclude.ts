import type { Clue, Keeps } from "./clue.ts";
import type { TagSigns, WeighedClue } from "./evidence/kind.ts";
import { holderOf, type ObjectAccount, type ObjectHolder } from "./object-holders.ts";
import type { Surroundings, Unseen } from "./surroundings.ts";
import type { Suspect } from "./suspects.ts";
import { type Confidence, HIGH, LOW, MEDIUM } from "./weights.ts";

/** Whom it comes down to. */
export type Culprit =
  | { readonly kind: "driver"; readonly module: string }
  /** Processes of one image, whose handles keep the objects. */
  | { readonly kind: "process"; readonly holder: ObjectHolder }
  /** All that leads to the tag is Microsoft's, and nothing else hangs in between; null where no module is told apart. */
  | { readonly kind: "windows"; readonly module: string | null }
  /** Nothing that was seen leads to anybody, and what was not seen could. */
  | { readonly kind: "none-visible"; readonly unseen: readonly Unseen[] };

/** What it all comes to. */
export interface Conclusion {
  /** Null where none can be told from the others. */
  readonly culprit: Culprit | null;
  /** The module named; null where none is. */
  readonly module: string | null;
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
  /** It is the tag of a kind of object. */
  readonly isObject?: boolean;
  /** Absent for a tag that is no object's, and where handles cannot be told. */
  readonly objects?: ObjectAccount | undefined;
  /** Windows itself allocates with the tag, by its code or by what is public. */
  readonly ofWindows?: boolean;
  /** Absent where there is no dump. */
  readonly surroundings?: Surroundings | undefined;
}

const MOST_REASONS = 4;

/** What the evidence comes to, no further than it goes. */
export function conclude(suspects: readonly Suspect[], grounds: Grounds): Conclusion {
  const none = {
    culprit: null,
    module: null,
    confidence: "none",
    tied: [],
    leaks: grounds.leaks ?? null,
    because: [],
  } as const;
  const held = holderOf(grounds.objects);
  if (held !== undefined) {
    const culprit = { kind: "process", holder: held.holder } as const;
    return { ...none, culprit, confidence: capped(held.confidence, grounds), outcome: "named" };
  }
  const [first, second] = suspects;
  if (first === undefined || first.score < LOW.score)
    return { ...none, ...withoutDriver(suspects, grounds), outcome: outcomeWithout(grounds) };
  const confidence = capped(confidenceOf(first, second, grounds), grounds);
  if (confidence === "none") {
    const tied = suspects.filter(({ score }) => score * LOW.ahead >= first.score).map(({ module }) => module);
    return { ...none, ...withoutDriver(suspects, grounds), outcome: "tied", tied };
  }
  const { module } = first;
  return {
    culprit: { kind: isWindowsAlone(suspects, grounds) ? "windows" : "driver", module },
    module,
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

/** What can be said of a tag that leaks where the evidence tells no driver: the others can be ruled out, or not seen. */
function withoutDriver(
  suspects: readonly Suspect[],
  grounds: Grounds,
): Partial<Pick<Conclusion, "culprit" | "confidence">> {
  if (grounds.leaks !== true) return {};
  if (isWindowsAlone(suspects, grounds)) {
    // with no other module loaded there is nobody else it could be
    const confidence = grounds.surroundings?.others.length === 0 ? "medium" : "low";
    return { culprit: { kind: "windows", module: null }, confidence };
  }
  const unseen = unseenIn(grounds);
  const open = suspects.some(({ score, thirdParty }) => score >= LOW.score && thirdParty !== false);
  return unseen.length === 0 || open ? {} : { culprit: { kind: "none-visible", unseen } };
}

/** Handles that lead to no more than this part of the objects leave the rest to references. */
const FEW = 0.2;

/** Whether all that leads to the tag is Microsoft's, all others were looked at, and none of them hangs in between. */
function isWindowsAlone(suspects: readonly Suspect[], grounds: Grounds): boolean {
  const { surroundings, objects, ofWindows = false, undecoded, leaks } = grounds;
  if (surroundings === undefined || !ofWindows || undecoded || leaks !== true) return false;
  if (surroundings.filters.length > 0 || unseenIn(grounds).length > 0) return false;
  if (objects !== undefined && objects.objects > objects.outstanding * FEW) return false;
  return suspects.every(({ thirdParty }) => thirdParty === false);
}

function unseenIn({ surroundings, isObject = false, objects }: Grounds): readonly Unseen[] {
  if (surroundings === undefined) return [];
  const tables = isObject && objects?.complete !== true;
  return [...surroundings.unseen, ...(tables ? [{ what: "handles" } as const] : [])];
}

function outcomeWithout({ references, inCode, undecoded }: Grounds): Conclusion["outcome"] {
  if (references === 0) return undecoded ? "not-looked-at" : "no-reference";
  return inCode === 0 && !undecoded ? "only-data" : "nobody";
}

function confidenceOf(first: Suspect, second: Suspect | undefined, { leaks }: Grounds): Confidence {
  const ahead = (second?.score ?? 0) === 0 ? Number.POSITIVE_INFINITY : first.score / (second?.score ?? 1);
  if (first.proven && first.score >= HIGH.score && ahead >= HIGH.ahead) return "high";
  const cleared = first.excused || (leaks !== true && mayGiveBack(first));
  if (!cleared && first.score >= MEDIUM.score && ahead >= MEDIUM.ahead) return "medium";
  return ahead >= LOW.ahead ? "low" : "none";
}

/** It keeps what it gets and gives something of that kind back: that these are two is nowhere seen, and its code is all there is. */
function mayGiveBack({ proven, clues }: Suspect): boolean {
  const keeps = clues.some(({ clue }) => clue.kind === "kept" && MAY_BE_IT.has(clue.released));
  return !proven && keeps && clues.every(({ clue, points }) => points <= 0 || OF_CODE.has(clue.kind));
}

const MAY_BE_IT: ReadonlySet<Keeps["released"]> = new Set(["perhaps", "any-free"]);
const OF_CODE: ReadonlySet<Clue["kind"]> = new Set(["calls", "kept", "forgotten"]);

/** Of a tag that does not leak nobody is guilty, whatever their code does. */
function capped(confidence: Confidence, { leaks }: TagSigns): Confidence {
  return leaks === false && confidence !== "none" ? "low" : confidence;
}
