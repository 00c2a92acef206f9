export declare function casesMissing(): string | undefined;
export declare function copyCases(folder: string): void;
export declare function buildCase(what: {
  readonly cases: string;
  readonly name: string;
  readonly sources: readonly string[];
}): string;
export declare function makeCase(what: {
  readonly cases: string;
  readonly name: string;
  readonly script: string;
  readonly args?: readonly string[];
}): string;
