import { random } from "./bytes.mjs";

/**
 * Hands out physical page numbers in a scattered but repeatable order: chunks stand anywhere in the
 * machine's memory, and the pages of a chunk are shuffled. Chunks keep the number of physical runs
 * small, since a dump header has room for 86 (32-bit) or 42 (64-bit).
 */
export class Frames {
  /** @param {{ physicalPages: number, chunkFrames: number, seed: number }} options */
  constructor({ physicalPages, chunkFrames, seed }) {
    this.physicalPages = physicalPages;
    this.chunkFrames = chunkFrames;
    this.next = random(seed);
    /** @type {[base: number, count: number][]} every range that was taken from physical memory */
    this.reserved = [];
    /** @type {[base: number, count: number][]} those whose unused pages a full dump may hold as zeros */
    this.chunks = [];
    /** Chunks that lie below a page, as what Windows loads first does. @type {{ chunks: number, below: number } | undefined} */
    this.low = undefined;
    /** @type {number[]} */
    this.free = [];
    /** @type {number[]} */
    this.freeAbsent = [];
  }

  /** A contiguous range. @param {number} count pages @param {number} align pages @param {number} [limit] first page number past the allowed */
  reserve(count, align = 1, limit = this.physicalPages) {
    const slots = Math.floor((Math.min(limit, this.physicalPages) - 0x100 - count) / align);
    for (let attempt = 0; attempt < 10000 && slots > 0; attempt++) {
      const base = Math.ceil((0x100 + this.next(slots) * align) / align) * align;
      // a gap of one page keeps two ranges from becoming one run
      const clash = this.reserved.some(([b, n]) => base <= b + n && b <= base + count);
      if (clash || base + count > this.physicalPages) continue;
      this.reserved.push([base, count]);
      return base;
    }
    throw new RangeError(`no ${count} free physical pages`);
  }

  /** A contiguous range that a full dump holds as one run. @param {number} count @param {number} [align] */
  reserveRun(count, align = 1) {
    const base = this.reserve(count, align);
    this.chunks.push([base, count]);
    return base;
  }

  #refill(/** @type {boolean} */ present) {
    // the first chunk lies below 4 GB: CR3 of a PAE machine has 32 bits
    const base = this.reserve(
      this.chunkFrames,
      1,
      this.low !== undefined && this.chunks.length < this.low.chunks
        ? this.low.below
        : present && this.chunks.length === 0
          ? 0x100000
          : undefined,
    );
    const numbers = Array.from({ length: this.chunkFrames }, (_, i) => base + i);
    for (let i = numbers.length - 1; i > 0; i--) {
      const j = this.next(i + 1);
      [numbers[i], numbers[j]] = [/** @type {number} */ (numbers[j]), /** @type {number} */ (numbers[i])];
    }
    if (present) this.chunks.push([base, this.chunkFrames]);
    (present ? this.free : this.freeAbsent).push(...numbers);
  }

  /** A page that the dump holds. */
  take() {
    if (this.free.length === 0) this.#refill(true);
    return /** @type {number} */ (this.free.pop());
  }

  /** A page that exists in the machine but not in the dump. */
  takeAbsent() {
    if (this.freeAbsent.length === 0) this.#refill(false);
    return /** @type {number} */ (this.freeAbsent.pop());
  }

  /** @param {number} pfn */
  release(pfn) {
    this.free.push(pfn);
  }
}
