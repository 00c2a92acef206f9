import type { Clue, ModuleClue } from "../clue.ts";
import type { CallSeen } from "../import-calls.ts";
import type { Question } from "../question.ts";

/** What the weighing is told of the tag besides the clues. */
export interface TagSigns {
  /** Nearly all blocks of the tag lead into this one module. */
  readonly blocksOf?: string | undefined;
  /** Whether the tag looks like a leak; `undefined` where the dump does not tell. */
  readonly leaks: boolean | undefined;
}

/** What was found so far, for the kinds of evidence that build on it. */
export interface Found {
  readonly clues: readonly ModuleClue[];
  /** Calls of functions that lead to the tag. */
  readonly calls: readonly CallSeen[];
  readonly notes: readonly string[];
}

/** A clue with what it adds to its module's score: below 0 it speaks for the module, 0 only explains. */
export interface WeighedClue {
  readonly clue: Clue;
  readonly points: number;
}

/** A clue weighed among all of its module. */
export interface Weight extends WeighedClue {
  /** Its points are in those of another clue already: what is lost on one way and kept on another is one leak. */
  readonly counted?: boolean;
  /** It shows something that a leak needs. */
  readonly proves: boolean;
}

/** The clues of one module. */
export interface Case {
  readonly module: string;
  readonly all: readonly Clue[];
  readonly signs: TagSigns;
}

/** One kind of evidence: how it is found, and what it weighs. Its words are in report/. */
export interface EvidenceKind<C extends Clue = Clue> {
  /** @param before what the kinds found that stand before it in the table */
  collect(question: Question, before: Found): Partial<Found>;
  /** @param own its clues of one module, among all of them */
  weigh(own: readonly C[], of: Case): readonly Weight[];
}
