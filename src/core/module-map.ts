import type { Va } from "./address.ts";
import { upperBound } from "./search.ts";

/** Where a module's image stands; `end` is past it. */
export interface ModuleRange {
  readonly base: Va;
  readonly end: Va;
}

const HIGH = 2 ** 32;

/**
 * Says which module's image holds an address; of images that overlap, the one that starts last. Exact
 * where the images stand within 2^53 bytes of each other, as those of one kernel do.
 */
export class ModuleMap<M> {
  readonly #modules: readonly M[];
  /** From the lowest image's base. */
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  /** For each image, the furthest end of it and those before it. */
  readonly #reach: Float64Array;
  readonly #low: number;
  readonly #high: number;

  /** @param rangeOf an empty range holds nothing */
  constructor(modules: readonly M[], rangeOf: (module: M) => ModuleRange) {
    const placed = modules
      .map((module) => ({ module, ...rangeOf(module) }))
      .filter(({ base, end }) => base < end)
      .sort((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : 0));
    const lowest = placed[0]?.base ?? 0n;
    this.#modules = placed.map(({ module }) => module);
    this.#low = Number(lowest & 0xffffffffn);
    this.#high = Number(lowest >> 32n);
    this.#starts = Float64Array.from(placed, ({ base }) => Number(base - lowest));
    this.#ends = Float64Array.from(placed, ({ end }) => Number(end - lowest));
    let furthest = 0;
    this.#reach = this.#ends.map((end) => {
      furthest = Math.max(furthest, end);
      return furthest;
    });
  }

  at(address: Va): M | undefined {
    return this.atHalves(Number(address & 0xffffffffn), Number(address >> 32n));
  }

  /** The same for an address in its two halves of 32 bits, which costs no bigint. */
  atHalves(low: number, high: number): M | undefined {
    const offset = (high - this.#high) * HIGH + low - this.#low;
    const last = this.#reach.length - 1;
    if (!(offset >= 0 && offset < (this.#reach[last] ?? 0))) return undefined;
    let index = upperBound(this.#starts.length, offset, (i) => this.#starts[i] ?? 0) - 1;
    while (offset < (this.#reach[index] ?? 0)) {
      if (offset < (this.#ends[index] ?? 0)) return this.#modules[index];
      index--;
    }
    return undefined;
  }
}
