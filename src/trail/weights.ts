/**
 * What each kind of clue weighs. Only the order and the distances mean something; the leak benchmark
 * (`npm run leakbench`) is what they were set against, and what a change has to be held against.
 */
export const WEIGHTS = {
  /** Its code calls a function that leads to the tag: many do, and rightly. */
  calls: 12,
  /** Each further place that calls it, up to `MOST_SITES`. */
  furtherSite: 1,
  /** It allocates for whoever calls its exported functions, as the kernel does. */
  allocatesForOthers: 4,
  /** The address stands in its data, in no import slot. */
  pointer: 4,
} as const;

/** On some way what the call gave is lost. */
export const FORGOTTEN = 34;
/** What the call gave is put away: whether it is given back later. */
export const KEPT = { none: 28, unread: 12, "any-free": 8, perhaps: 2, "same-place": -14 } as const;
/** It is given back on every way. */
export const RELEASES = -18;
/** It goes to the callers of an exported function, which are looked at themselves. */
export const HANDS_ON = -18;

/** The module's own code allocates with the tag, in a dump that shows the tag to leak, and in any other. */
export const OWNS = { leaking: 32, other: 12, /** … and only once, as it starts. */ once: 6 } as const;
export const ALLOCATES_RELEASED = {
  none: 20,
  unread: 4,
  "any-free": 0,
  perhaps: 0,
  "same-place": -10,
  "every-way": -24,
} as const;

/** The import table holds the function: part of the code that may call it cannot be read; all was read, and none calls it. */
export const IMPORTS = { unread: 8, unused: 0.5 } as const;
/** A name is looked up at run time; it stands there, and nothing was seen to use it. */
export const LOOKS_UP = { call: 16, name: 4 } as const;
/** A kernel stack holds a return address behind such a call. */
export const STACK = { live: 14, unknown: 10, stale: 3 } as const;
/** The size of what it asks for is the size that leaks. */
export const SIZE = { all: 10, most: 7, some: 4 } as const;
/** Blocks of the tag lead into the module. */
export const CONTENT = {
  proof: 60,
  some: 16,
  through: { "list-head": 1, direct: 1, "one-step": 0.6 },
  /** Of so many blocks looked at, so large a share is no chance. */
  fewest: 16,
  nearlyAll: 0.9,
} as const;

/** What code shows of a module is little where the blocks show that they are another's. */
export const OTHERS_BLOCKS_FACTOR = 0.2;
export const MOST_SITES = 5;
/** Stacks that count; a thread that waits in the call is one sign, and fifty are the same one. */
export const MOST_STACKS = 2;
/** A stack shows that a driver calls, not that it keeps: of one that is seen to give back it says little. */
export const STACK_FACTOR = { excused: 0.25, perhaps: 0.4, other: 1 } as const;
/** Only code that runs once as the driver starts: one object, and no more, where the tag is seen to leak many. */
export const ONCE = { leaking: 0.05, other: 0.3 } as const;
/** Something else has to go wrong first. */
export const FAILING = { leaking: 0.5, other: 0.15 } as const;
/** One more reference to an object that stays makes no other. */
export const EXISTING_FACTOR = 0.35;
/** A function that could not be followed on all its ways. */
export const PARTLY_FACTOR = 0.7;
/** What a function looked up is balanced with is a guess more. */
export const LOOKED_UP_FACTOR = 0.8;
/** Of a chain of calls: each step makes it less likely that the outer function is what leaks. */
export const DEPTH_FACTOR = 0.85;
/** … and each module in between. */
export const LIBRARY_FACTOR = 0.85;
/** What the function takes stays inside it: its callers have nothing to give back. */
export const INSIDE_FACTOR = 0.4;
/** A reference's nearest export is a guess. */
export const NEAREST_FACTOR = 0.3;
/** Microsoft's own modules call everything, and their leaks are found early. */
export const MICROSOFT_FACTOR = 0.35;
/** … and nothing was seen that a leak needs. */
export const CLEARED_MICROSOFT_FACTOR = 0.08;
/** A module of which nobody knows whose it is. */
export const UNKNOWN_FACTOR = 0.85;

/** Scores from which a module is named, and how far ahead of the next it has to be. */
export const HIGH = { score: 33, ahead: 1.5 } as const;
export const MEDIUM = { score: 22, ahead: 1.25 } as const;
export const LOW = { score: 7, ahead: 1.1 } as const;
