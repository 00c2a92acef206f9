import type { Rva, Va } from "../core/address.ts";
import type { Coverage } from "./coverage.ts";
import type { FunctionPlace } from "./place.ts";

/** What the code does with a tag where it stands. */
export type Use = "allocate" | "free" | "lookaside" | "compare" | "store" | "data" | "unknown";

/** A place in an image where the tag's four bytes stand. */
export interface Reference {
  readonly address: Va;
  readonly module: string;
  readonly rva: Rva;
  readonly section: string | null;
  /** Sixteen bytes from `address` on, two digits each, `??` where one cannot be read. */
  readonly bytes: string;
  /** The same bytes as text, `.` where one is not printable. */
  readonly text: string;
  readonly use: Use;
  /** What was seen that makes it this use; null where nothing more is to be said. */
  readonly detail: string | null;
  /** In bytes, where the allocation's size is a constant. */
  readonly allocationSize: number | null;
  /** POOL_TYPE, or the low 32 bits of POOL_FLAGS for ExAllocatePool2, where constant. */
  readonly poolType: number | null;
  /** The function it stands in, on the basis that it says; null where none is known. */
  readonly function: FunctionPlace | null;
  /** The exported function below it: a hint, and never the function's name. */
  readonly nearest: { readonly name: string; readonly address: Va; readonly offset: number } | null;
  /** `file` where the bytes come from a PE file given by the user. */
  readonly origin: "dump" | "file";
}

export interface Scan {
  /** The tag's four characters. */
  readonly tag: string;
  readonly references: readonly Reference[];
  readonly coverage: readonly Coverage[];
  /** Modules whose code is not decoded: that the tag is not found there is no proof that it stands nowhere. */
  readonly undecoded: readonly string[];
  readonly notes: readonly string[];
}

/** An exported function from which an allocation with the tag is reached. */
export interface TrailApi {
  /** A documented one, where it has several. */
  readonly name: string;
  /** All names that it is exported by, `name` first. */
  readonly names: readonly string[];
  readonly module: string;
  readonly address: Va;
  /** Direct calls between it and the function that allocates; 0 for that function itself. */
  readonly depth: number;
  /** Null where no list says. */
  readonly documented: boolean | null;
  /** The functions from the API to the one that allocates, both included. */
  readonly path: readonly string[];
  /** References that it leads to, by address. */
  readonly references: readonly Va[];
  /**
   * Where the functions start that allocate and that it leads to: APIs with the same ones all end at one place. Empty
   * where no function is known.
   */
  readonly leads: readonly Va[];
  readonly basis: FunctionPlace["basis"] | "nearest-export";
}

export type Verdict = "owns-tag" | "calls" | "looks-up-at-run-time" | "imports" | "indirect" | "unknown";

/** One thing seen that speaks for or against a suspect. */
export interface Evidence {
  readonly kind: string;
  /** Where to look; null for what has no one place. */
  readonly address: Va | null;
  readonly detail: string;
}

/** Evidence with what it weighs: below 0 it speaks for the suspect, 0 only explains. */
export interface WeighedEvidence extends Evidence {
  readonly points: number;
}

/** How Windows starts a driver. */
export interface ServiceStart {
  readonly name: string;
  readonly start: "boot" | "system" | "automatic" | "manual" | "disabled" | null;
  readonly group: string | null;
  readonly description: string | null;
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
  readonly evidence: readonly WeighedEvidence[];
  readonly coverage: Coverage;
}

/** What the pool tracker says of one tag. */
export interface TagUsageSummary {
  readonly nonPaged: PoolUse;
  readonly paged: PoolUse;
}

export interface PoolUse {
  readonly allocations: number;
  readonly frees: number;
  readonly outstanding: number;
  readonly bytes: number;
  /** Null where nothing is outstanding. */
  readonly bytesPerAllocation: number | null;
}

/** What it all comes to, in words that a person can act on. */
export interface Conclusion {
  /** The module named; null where none can be told from the others. */
  readonly module: string | null;
  /** How much speaks for it. `none`: nothing that could be read names a module. */
  readonly confidence: "high" | "medium" | "low" | "none";
  readonly text: string;
  /** The reasons, one a line, the strongest first. */
  readonly because: readonly string[];
}

/** From a tag to the drivers that can make it grow. */
export interface Trail {
  /** The tag's four characters; null where no tag was asked for and none looks like a leak. */
  readonly tag: string | null;
  /** Null when the dump's tag table was not found; `notes` says why. */
  readonly usage: TagUsageSummary | null;
  readonly references: readonly Reference[];
  readonly apis: readonly TrailApi[];
  readonly suspects: readonly Suspect[];
  readonly conclusion: Conclusion;
  /** What to do next, the cheapest first. */
  readonly next: readonly string[];
  readonly coverage: readonly Coverage[];
  readonly notes: readonly string[];
}
