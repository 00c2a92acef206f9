/**
 * What each kind of evidence weighs. Only the order and the distances mean something; the leak benchmark
 * (`npm run leakbench`) is what they were set against, and what a change has to be held against.
 */
export const WEIGHTS = {
  /** The module's own code allocates with the tag, and the module is not the kernel. */
  allocates: 40,
  /** … and never frees with it, in code that could all be read. */
  neverFrees: 12,
  /** … and frees with it somewhere. */
  freesOwn: -16,
  /** … and allocates for whoever calls its exported functions, as the kernel does. */
  allocatesForOthers: -30,
  /** Its code calls a function that leads to the tag; less for each call in between. */
  calls: 24,
  /** Its code calls a function that acquires objects of the tag: many do, and rightly. */
  acquires: 8,
  /** Each further place that calls one, up to `MOST_SITES`. */
  furtherSite: 1,
  /** What the function gives must be given back, and no code of the module does. */
  unbalanced: 26,
  /** … as far as its code could be read. */
  maybeUnbalanced: 10,
  /** The code that calls it does not give it back; other code of the module may, as completion routines do. */
  releasedElsewhere: 2,
  /** … by freeing memory, which every driver does: whether of this is not known. */
  freesElsewhere: 8,
  /** A way to give it back is seen that is not followed. */
  mayRelease: 0,
  /** The code that calls it is exported, and leaves it to its callers, which are looked at themselves. */
  handsOn: -18,
  /** The code that calls it gives it back. */
  releases: -18,
  /** The function's name is looked up at run time. */
  looksUp: 18,
  /** The name stands in the image, and nothing was seen to use it. */
  holdsName: 5,
  /** The import table holds the function, and part of the code that may call it cannot be read. */
  importsUnread: 8,
  /** … and all code was read, and none calls it. */
  importsUnused: 1,
  /** The address stands in its data, in no import slot. */
  pointer: 6,
  /** It calls another driver's function that calls one. */
  indirect: 16,
  /** A kernel stack holds a return address behind such a call, in its live part. */
  onStack: 14,
  /** … of a thread that was running: whether the call is under way is not known. */
  onStackOfRunning: 10,
  /** … in a part of the stack that is no longer in use. */
  onStackStale: 3,
  /** The size of what it allocates, or asks for, is the size that leaks. */
  sizeMatch: 10,
  /** Blocks of the tag hold pointers into its image. */
  poolContent: 16,
} as const;

/** Kinds of evidence that a module is seen to give back, or to be able to: who is busy with it is no more than that. */
const EXCUSES: readonly string[] = ["releases", "hands-on", "may-release"];

/** Whether something seen excuses a module. @param evidence with what it weighs */
export function isExcused(evidence: readonly { readonly kind: string; readonly points: number }[]): boolean {
  return (
    !evidence.some(({ kind }) => kind === "unbalanced") &&
    evidence.some(
      ({ kind, points }) =>
        EXCUSES.includes(kind) || (kind === "not-released-there" && points <= WEIGHTS.releasedElsewhere),
    )
  );
}

export const MOST_SITES = 5;
/** What all callers of a function share tells the function from others, and not its callers. */
export const SHARED_FACTOR = 0;
/** Imports of one module beyond the first: that it imports much says little more. */
export const FURTHER_IMPORT_FACTOR = 0.1;
/** Stacks that count; a thread that waits in the call is one sign, and fifty are the same one. */
export const MOST_STACKS = 2;
/** A stack shows that a driver calls, not that it keeps: of one that is seen to give back it says little. */
export const EXCUSED_STACK_FACTOR = 0.25;
/** What a function looked up, or called through another driver, is to be balanced with is a guess more. */
export const SECOND_HAND_FACTOR = 0.7;
/** Of a chain of calls: each step makes it less likely that the outer function is what leaks. */
export const DEPTH_FACTOR = 0.85;
/** A reference's nearest export is a guess. */
export const NEAREST_FACTOR = 0.3;
/** Microsoft's own modules call everything, and their leaks are found early. */
export const MICROSOFT_FACTOR = 0.35;
/** … and call it rightly, or only import it. */
export const CLEARED_MICROSOFT_FACTOR = 0.08;
/** A module of which nobody knows whose it is. */
export const UNKNOWN_FACTOR = 0.85;
