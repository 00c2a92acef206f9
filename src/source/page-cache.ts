import { type ByteSource, checkOffset } from "./source.ts";

/**
 * A block of the cache, in bytes: a page of the dump, since page tables lie scattered.
 *
 * @internal
 */
export const BLOCK_SIZE = 0x1000;
const BLOCK_WORDS = BLOCK_SIZE / 4;
/** Places that a block may take; the hand of each set goes round them. */
const WAYS = 8;
/** Holds the page tables of 200 modules ten times over; a larger slab makes the engine collect garbage early. */
const CACHE_BYTES = 4 * 0x100000;
const HINTS = 0x4000;

/**
 * A source that keeps the blocks which small reads touched, in a slab of fixed size. Reads of a
 * block or more go straight through and leave the cache as it is, so that a scan does not drive
 * out the page tables it needs.
 */
export class CachedSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #inner: ByteSource;
  readonly #slab: Uint8Array;
  readonly #words: Uint32Array;
  /** The block that each slot holds, or -1. A set is `WAYS` neighbouring slots. */
  readonly #blocks: Float64Array;
  /** 1 where a slot was used since the hand last passed. */
  readonly #used: Uint8Array;
  readonly #hands: Uint8Array;
  /** Where a block was last found, by its low bits: a guess that `#blocks` confirms. */
  readonly #hints: Uint16Array;
  readonly #setMask: number;

  /** @param bytes the size of the slab, rounded up to a power of two of at least one set */
  constructor(inner: ByteSource, bytes: number = CACHE_BYTES) {
    const sets = 2 ** Math.max(0, Math.ceil(Math.log2(bytes / (BLOCK_SIZE * WAYS))));
    const slots = sets * WAYS;
    this.name = inner.name;
    this.size = inner.size;
    this.#inner = inner;
    this.#slab = new Uint8Array(slots * BLOCK_SIZE);
    this.#words = new Uint32Array(this.#slab.buffer);
    this.#blocks = new Float64Array(slots).fill(-1);
    this.#used = new Uint8Array(slots);
    this.#hands = new Uint8Array(sets);
    this.#hints = new Uint16Array(HINTS);
    this.#setMask = sets - 1;
  }

  read(offset: number, into: Uint8Array): number {
    checkOffset(offset);
    if (into.length >= BLOCK_SIZE) return this.#inner.read(offset, into);
    const want = Math.max(0, Math.min(into.length, this.size - offset));
    for (let done = 0; done < want; ) {
      const block = Math.floor((offset + done) / BLOCK_SIZE);
      const start = offset + done - block * BLOCK_SIZE;
      const length = Math.min(want - done, BLOCK_SIZE - start);
      const from = this.#slotOf(block) * BLOCK_SIZE + start;
      if (length <= 16) for (let i = 0; i < length; i++) into[done + i] = this.#slab[from + i] as number;
      else into.set(this.#slab.subarray(from, from + length), done);
      done += length;
    }
    return want;
  }

  /** The 32 bits at `offset`; -1 where they reach past the end. Meant for multiples of 4; others are slow. */
  u32At(offset: number): number {
    if (offset + 4 > this.size) return -1;
    if ((offset & 3) !== 0) return this.#unalignedU32(offset);
    const block = Math.floor(offset / BLOCK_SIZE);
    const hint = this.#hints[block % HINTS] as number;
    const slot = this.#blocks[hint] === block ? hint : this.#slotOf(block);
    return this.#words[slot * BLOCK_WORDS + ((offset - block * BLOCK_SIZE) >>> 2)] as number;
  }

  /** Up to `count` words from `offset` on: where they stand in one block, as it is kept, and so only until the next read. */
  wordsAt(offset: number, count: number): Uint32Array {
    const block = Math.floor(offset / BLOCK_SIZE);
    const start = (offset - block * BLOCK_SIZE) / 4;
    if (start + count <= BLOCK_WORDS && Number.isInteger(start) && offset + count * 4 <= this.size) {
      const first = this.#slotOf(block) * BLOCK_WORDS + start;
      return this.#words.subarray(first, first + count);
    }
    const words = new Uint32Array(count);
    return words.subarray(0, this.read(offset, new Uint8Array(words.buffer)) >>> 2);
  }

  [Symbol.dispose](): void {
    this.#inner[Symbol.dispose]();
  }

  #unalignedU32(offset: number): number {
    const bytes = new Uint8Array(4);
    this.read(offset, bytes);
    return new DataView(bytes.buffer).getUint32(0, true);
  }

  #slotOf(block: number): number {
    const set = (Math.imul(block, 0x9e3779b1) >>> 12) & this.#setMask;
    const first = set * WAYS;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.#blocks[slot] === block) {
        this.#used[slot] = 1;
        this.#hints[block % HINTS] = slot;
        return slot;
      }
    }
    return this.#load(block, set);
  }

  #load(block: number, set: number): number {
    let hand = this.#hands[set] as number;
    while (this.#used[set * WAYS + hand] === 1) {
      this.#used[set * WAYS + hand] = 0;
      hand = (hand + 1) % WAYS;
    }
    this.#hands[set] = (hand + 1) % WAYS;
    const slot = set * WAYS + hand;
    const at = slot * BLOCK_SIZE;
    this.#blocks[slot] = -1;
    const length = this.#inner.read(block * BLOCK_SIZE, this.#slab.subarray(at, at + BLOCK_SIZE));
    this.#slab.fill(0, at + length, at + BLOCK_SIZE);
    this.#blocks[slot] = block;
    this.#used[slot] = 1;
    this.#hints[block % HINTS] = slot;
    return slot;
  }
}
