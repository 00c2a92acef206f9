/** A set of small numbers, one bit each. */
export class BitSet {
  readonly #bits: Uint8Array;
  /** One past the largest number that fits. */
  readonly size: number;

  constructor(size: number) {
    this.size = size;
    this.#bits = new Uint8Array((size + 7) >>> 3);
  }

  has(value: number): boolean {
    return ((this.#bits[value >>> 3] ?? 0) & (1 << (value & 7))) !== 0;
  }

  add(value: number): void {
    if (value < this.size) this.#bits[value >>> 3] = (this.#bits[value >>> 3] ?? 0) | (1 << (value & 7));
  }

  /** Adds a number that fits. Returns whether it was not there before. */
  addNew(value: number): boolean {
    const bits = this.#bits;
    const at = value >>> 3;
    const byte = bits[at] as number;
    const changed = byte | (1 << (value & 7));
    bits[at] = changed;
    return changed !== byte;
  }

  /** The first number from `from` on that is not in the set; `end` when all below it are. */
  nextMissing(from: number, end: number): number {
    let value = from;
    while (value < end) {
      if ((value & 7) === 0 && this.#bits[value >>> 3] === 0xff) value += 8;
      else if (this.has(value)) value++;
      else return value;
    }
    return end;
  }

  /** `end` is not among them. */
  addRange(start: number, end: number): void {
    this.#setRange(start, Math.min(end, this.size), 0xff);
  }

  /** `end` is not among them. */
  removeRange(start: number, end: number): void {
    this.#setRange(start, Math.min(end, this.size), 0);
  }

  #setRange(start: number, end: number, fill: 0 | 0xff): void {
    if (start >= end) return;
    const bits = this.#bits;
    const first = start >>> 3;
    const last = (end - 1) >>> 3;
    const firstMask = (0xff << (start & 7)) & 0xff;
    const lastMask = 0xff >>> (7 - ((end - 1) & 7));
    const put = (at: number, mask: number): void => {
      bits[at] = ((bits[at] ?? 0) & ~mask) | (fill & mask);
    };
    if (first === last) {
      put(first, firstMask & lastMask);
      return;
    }
    put(first, firstMask);
    put(last, lastMask);
    bits.fill(fill, first + 1, last);
  }
}
