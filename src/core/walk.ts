import type { MemoryFault } from "./errors.ts";

/** Why a walk ended before the end of what it walks. `broken`: a link leads to what is no entry. */
export type Stop = MemoryFault | "cycle" | "limit" | "broken";

/** What a walk over memory found. What stands before the hole is kept. */
export interface Walk<T> {
  readonly items: readonly T[];
  /** Absent when the walk came to its proper end. */
  readonly stopped?: Stop;
}
