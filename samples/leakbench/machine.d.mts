type Machine = import("../writer/machine.mjs").Machine;

/** What a plan can write into a machine: samples/writer/system.mjs has more. */
export interface PlannedSystem {
  readonly machine: Machine;
  nt(name: string): bigint;
  symbol(image: string, name: string): bigint;
  image(name: string): { readonly base: bigint; readonly size: number };
}

/** See the types of machine.mjs; only what tests use. */
export declare function buildDump(plan: {
  readonly arch: "x64" | "x86";
  readonly form: "full" | "summary" | "bitmap-full" | "bitmap-kernel" | "rdmp" | "rdmp-full";
  readonly drivers: readonly string[];
  readonly counts: readonly {
    readonly tag: string;
    readonly paged: boolean;
    readonly block: { readonly x64: number; readonly x86: number };
    readonly live: number;
    readonly frees?: number;
  }[];
  readonly seed: number;
  readonly unloaded?: readonly string[];
  readonly header?: (system: PlannedSystem) => {
    readonly bugcheck?: {
      readonly code: number;
      readonly parameters: readonly [bigint, bigint, bigint, bigint];
    };
    readonly attributes?: number;
    readonly systemTime?: bigint;
    readonly upTime?: bigint;
    readonly exception?: Uint8Array;
  };
  readonly pagedMaximum?: number;
  readonly absent?: readonly { readonly name: string; readonly base: bigint; readonly size: number }[];
  readonly also?: (system: PlannedSystem) => void;
}): Uint8Array;
