import type { Va } from "../../core/address.ts";

/** Where a module's image stands. */
export interface ImageRange {
  readonly name: string;
  readonly base: Va;
  readonly end: Va;
}

const HIGH = 2 ** 32;

/** Says which image a pointer leads into, from its two halves and without a bigint. */
export class ImageRanges<M extends ImageRange> {
  readonly #modules: readonly M[];
  /** From the lowest image's base; kernel images stand within 2^47 of each other. */
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  readonly #low: number;
  readonly #high: number;
  /** From the lowest base to the highest end. */
  readonly #length: number;

  constructor(modules: readonly M[]) {
    this.#modules = modules
      .filter(({ base, end }) => base < end)
      .sort((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : 0));
    const lowest = this.#modules[0]?.base ?? 0n;
    this.#low = Number(lowest & 0xffffffffn);
    this.#high = Number(lowest >> 32n);
    this.#starts = Float64Array.from(this.#modules, ({ base }) => Number(base - lowest));
    this.#ends = Float64Array.from(this.#modules, ({ end }) => Number(end - lowest));
    this.#length = this.#ends.reduce((most, end) => Math.max(most, end), 0);
  }

  of(address: Va): M | undefined {
    return this.at(Number(address & 0xffffffffn), Number(address >> 32n));
  }

  /** The module whose image holds the address; of images that overlap, the one that starts last. */
  at(low: number, high: number): M | undefined {
    const offset = (high - this.#high) * HIGH + low - this.#low;
    if (!(offset >= 0 && offset < this.#length)) return undefined;
    let from = 0;
    let to = this.#starts.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#starts[middle] as number) <= offset) from = middle + 1;
      else to = middle;
    }
    return offset < (this.#ends[from - 1] ?? 0) ? this.#modules[from - 1] : undefined;
  }
}
