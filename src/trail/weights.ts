import type { Forgets } from "./clue.ts";

/**
 * What clues of different kinds have in common. Of all weights, those beside each kind of evidence too, only the order
 * and the distances mean something; the leak benchmark (`npm run leakbench`) is what they were set against, and what a
 * change has to be held against.
 */

/** On some way what the call gave is lost. */
export const FORGOTTEN = 34;
/** Only code that runs once as the driver starts: one object, and no more, where the tag is seen to leak many. */
export const ONCE = { leaking: 0.05, other: 0.3 } as const;
/** Something else has to go wrong first. */
const FAILING = { leaking: 0.5, other: 0.15 } as const;

/** On ways that end with an error it is lost only as often as that error comes up. */
export function failing(ways: Forgets["ways"], leaks: boolean | undefined): number {
  if (!ways.every((way) => way.failing)) return 1;
  return leaks === true ? FAILING.leaking : FAILING.other;
}

/** What code shows of a module is little where the blocks show that they are another's. */
export const OTHERS_BLOCKS_FACTOR = 0.2;
/** Microsoft's own modules call everything, and their leaks are found early. */
export const MICROSOFT_FACTOR = 0.35;
/** … and nothing was seen that a leak needs. */
export const CLEARED_MICROSOFT_FACTOR = 0.08;
/** A tool was loaded to look into the machine, and nothing was seen that a leak needs. */
export const TOOL_FACTOR = 0.08;
/** A module of which nobody knows whose it is. */
export const UNKNOWN_FACTOR = 0.85;

/** Scores from which a module is named, and how far ahead of the next it has to be. */
export const HIGH = { score: 33, ahead: 1.5 } as const;
export const MEDIUM = { score: 22, ahead: 1.25 } as const;
export const LOW = { score: 7, ahead: 1.1 } as const;

/** How much speaks for whom the evidence names. `none`: nothing that could be read names anybody. */
export type Confidence = "high" | "medium" | "low" | "none";
