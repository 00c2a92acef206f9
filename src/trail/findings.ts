import type { LeakSigns } from "../pool/leak-signs.ts";
import type { Conclusion } from "./conclude.ts";
import type { Coverage } from "./coverage.ts";
import type { BlockNote } from "./evidence/block-contents.ts";
import type { Step } from "./next-steps.ts";
import type { Reference, ServiceStart, TagUsageSummary, TrailApi } from "./trail.ts";
import type { Verdict, WeighedClue } from "./weigh.ts";

/** A module with clues, ranked. */
export interface Suspect {
  /** From 1; modules that cannot be told apart share a rank. */
  readonly rank: number;
  readonly module: string;
  /** The file's name as it was loaded; null where nothing tells. */
  readonly imageName: string | null;
  readonly verdict: Verdict;
  /** What the rank stands on; only the order and the distance to the next mean something. */
  readonly score: number;
  readonly thirdParty: boolean | null;
  readonly publisher: string | null;
  readonly publisherBasis: string | null;
  /** How Windows starts it; null where no SYSTEM hive was given, or it has no service there. */
  readonly service: ServiceStart | null;
  /** It registers with the filter manager, so that it can be unloaded by itself. */
  readonly minifilter: boolean;
  /** Its own code allocates with the tag. */
  readonly ownsTag: boolean;
  /** Something was seen that a leak needs. */
  readonly proven: boolean;
  /** It was seen to give back everything, or to hand it on. */
  readonly excused: boolean;
  /** The weightiest first. */
  readonly clues: readonly WeighedClue[];
  readonly coverage: Coverage;
}

/** From a tag to the drivers that can make it grow, as data. */
export interface Findings {
  /** The tag's four characters; null where no tag was asked for and none looks like a leak. */
  readonly tag: string | null;
  /** Null when the dump's tag table was not found; `notes` says why. */
  readonly usage: TagUsageSummary | null;
  /** What the counters say of whether it leaks; null where there is no dump. */
  readonly signs: LeakSigns | null;
  readonly references: readonly Reference[];
  readonly apis: readonly TrailApi[];
  readonly suspects: readonly Suspect[];
  readonly conclusion: Conclusion;
  /** The dump holds too little, whatever it is asked; null where it is what it should be. */
  readonly shortfall: "triage" | "cut-off" | null;
  /** What to do next, the cheapest first. */
  readonly next: readonly Step[];
  readonly coverage: readonly Coverage[];
  /** What falls short in the look at the tag's blocks. */
  readonly blockNotes: readonly BlockNote[];
  readonly notes: readonly string[];
}
