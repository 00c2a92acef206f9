import type { Occasion } from "../kernel/stop.ts";
import type { Exhaustion } from "../pool/exhaustion.ts";

/** What the end of the machine says of leaks. */
export interface Crash {
  readonly occasion: Occasion;
  readonly bugcheck: { readonly code: number; readonly name: string | null };
  /** The module whose instruction it was; null where none is known. */
  readonly module: string | null;
  /** What the machine had run out of; null where nothing says that it had. */
  readonly exhaustion: Exhaustion | null;
  /** A driver that Driver Verifier stopped the machine for: it was unloaded and left allocations. */
  readonly unfreed: UnfreedDriver | null;
}

export interface UnfreedDriver {
  /** Its file's name; null where the bugcheck's name of it cannot be read. */
  readonly file: string | null;
  /** As `lm` shows it; null where it is not in the list of modules any more. */
  readonly module: string | null;
  /** In both pools; null where the number cannot be one. */
  readonly allocations: number | null;
  /** What it left by tag, the most allocations first; empty where Driver Verifier's list of it cannot be read. */
  readonly tags: readonly { readonly tag: string; readonly allocations: number }[];
}

/**
 * Whether whoever crashed was a victim: the machine crashed since there was no memory left, and whichever code asked for
 * some first was in that moment's way. Not so where Driver Verifier stopped the machine, which names whom it means.
 */
export function isVictim({ occasion, exhaustion, unfreed }: Crash): boolean {
  return occasion === "crash" && exhaustion !== null && unfreed === null;
}
