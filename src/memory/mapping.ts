import type { Va } from "../core/address.ts";
import type { MemoryFault } from "../core/errors.ts";
import type { ByteSource } from "../source/source.ts";

/** Who gave a byte: the dump itself, or a PE file that fills in what the dump lacks. */
export type Origin = "dump" | "file";

/** Bytes that stand together in a source. */
export interface Extent {
  readonly source: ByteSource;
  /** Where they stand in the source. `undefined`: they are `length` zeros that no source holds. */
  readonly offset: number | undefined;
  /** At least 1; as far as the bytes are known to stand together. */
  readonly length: number;
  readonly origin: Origin;
}

/** Addresses that cannot be read. */
export interface Hole {
  readonly fault: MemoryFault;
  /** At least 1; as far as the same fault is known to reach. */
  readonly length: number;
}

/**
 * Where virtual addresses stand: page tables over a dump's pages, a triage dump's blocks, or a PE
 * file's sections. One question, so that one `AddressSpace` reads them all.
 */
export interface Mapping {
  readonly pointerSize: 4 | 8;
  /** True where PE files fill in what the dump lacks: `origin` can be `file`. */
  readonly mayFill?: boolean;
  /**
   * What stands at `at`, for at most `want` bytes.
   * Never throws for what the bytes say: a wrong page table is a `Hole`.
   */
  locate(at: Va, want: number): Extent | Hole;
}
