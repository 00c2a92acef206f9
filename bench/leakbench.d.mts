import type { openDump } from "../src/index.ts";

/** What was said of one machine. */
export interface Row {
  readonly name: string;
  readonly form: string;
  /** Null where nobody in the dump can be blamed. */
  readonly culprit: string | null;
  readonly named: string | null;
  readonly confidence: string;
  readonly top: readonly string[];
  /** The drivers that the recipe alone names, in its order. */
  readonly baseline: readonly string[];
}

export interface Summary {
  readonly scenarios: number;
  readonly withCulprit: number;
  readonly top1: number;
  readonly top3: number;
  readonly withoutCulprit: number;
  readonly cannotTell: number;
  readonly wrongWithHighConfidence: number;
  readonly baselineTop1: number;
  readonly baselineTop3: number;
  readonly baselineCannotTell: number;
}

export function runLeakBench(open: typeof openDump): {
  readonly rows: readonly Row[];
  readonly summary: Summary;
};
