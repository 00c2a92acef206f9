import type { Condition, Fails } from "./pair.ts";

/** A documented function that takes over what an argument holds, so that the caller has nothing to give back after it, or that only seems to. */
export interface Consumer {
  readonly name: string;
  /** How many arguments there are. */
  readonly arguments: number;
  readonly argument: number;
  /**
   * Who gives it back, and when.
   *
   * - `freed`: the function itself, or the system later
   * - `completion`: the IRP's completion: the I/O manager, or the caller's own completion routine
   * - `callback`: the routine that it is given along with gets it, and has to
   * - `kept`: it lives in what it was put into, whose end frees it or hands it to a cleanup routine
   * - `returned`: it comes back to a handler that the driver registered before
   * - `described`: whoever has what the function returns, which says where it is
   * - `lent`: whoever owned it before, though the function holds it for a while
   */
  readonly fate: "freed" | "completion" | "callback" | "kept" | "returned" | "described" | "lent";
  /** Which argument of the caller's own routine it comes back as, where one gets it. */
  readonly comesAs?: number;
  /** The argument is the address of the caller's variable that holds it. */
  readonly takes?: "address";
  /** It takes over only then. */
  readonly when?: readonly Condition[];
  /** How it says that it took nothing, which then stays the caller's; without it, it always takes. */
  readonly fails?: Exclude<Fails, { readonly status: number }>;
  /** Page of the Windows driver documentation. */
  readonly source: string;
}

export type ConsumerRow = readonly [
  name: string,
  arguments: number,
  argument: number,
  header: string,
  more?: Partial<Pick<Consumer, "comesAs" | "fails" | "source" | "takes" | "when">>,
];

export function taking(fate: Consumer["fate"], rows: readonly ConsumerRow[]): readonly Consumer[] {
  return rows.map(([name, count, argument, header, more = {}]) => ({
    name,
    arguments: count,
    argument,
    fate,
    source: `${name} (${header})`,
    ...more,
  }));
}
