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
  /** What it allocates was followed to its callers, who have to give it back; false: it stays inside, or was not followed. */
  readonly handsOut: boolean;
}

/** How Windows starts a driver. */
export interface ServiceStart {
  readonly name: string;
  readonly start: "boot" | "system" | "automatic" | "manual" | "disabled" | null;
  readonly group: string | null;
  readonly description: string | null;
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
