export interface CaseAnswer {
  readonly case: string;
  readonly sources: readonly string[];
  readonly tag: string;
  readonly culprit?: string | null;
  readonly first?: string;
  readonly lowest?: "low" | "medium" | "high";
  readonly innocent?: readonly string[];
  readonly apis?: readonly string[];
  readonly noApis?: readonly string[];
  readonly use?: readonly (readonly [module: string, use: readonly string[], count: number])[];
}
export declare const CASE_ANSWERS: readonly CaseAnswer[];
