export declare const SCENARIOS: readonly {
  readonly name: string;
  readonly tag: string;
  readonly culprit: string | null;
  readonly build: () => Uint8Array;
}[];
