import type { Va } from "../core/address.ts";

/**
 * On what a function is known: its unwind data, a symbol, its place in the export table, or the
 * flow of the code that leads to it.
 */
export type Basis = "pdata" | "symbol" | "export" | "flow";

/** Where in a function an address stands. */
export interface FunctionPlace {
  readonly module: string;
  /** Null where nothing names it: a neighbour's name is never lent. */
  readonly name: string | null;
  /** The function's own start. */
  readonly entry: Va;
  /** The contiguous piece that holds the address; null where only the function's start is known. */
  readonly fragment: { readonly start: Va; readonly end: Va } | null;
  /** In bytes from the fragment's start, or from the entry where the fragment is not known. */
  readonly offset: number;
  readonly basis: Basis;
}
