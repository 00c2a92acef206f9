import { PAGE_SIZE } from "../core/address.ts";
import { upperBound } from "../core/search.ts";
import { NOT_IN_DUMP, type PageMap, type PageRun, TRUNCATED } from "./page-map.ts";

/** Words between two counted ranks: 512 bits, so that a rank counts 16 words at most. */
const RANK_SHIFT = 4;
const RANK_WORDS = 1 << RANK_SHIFT;

/** A page map over one bit a page: the page of the n-th set bit is the file's n-th. */
export class BitmapMap implements PageMap {
  readonly present: number;
  readonly missing: number;
  readonly highestPfn: number;
  readonly #words: Int32Array;
  /** Set bits before each `RANK_WORDS` words. */
  readonly #ranks: Uint32Array;
  readonly #firstPage: number;
  /** From this page on, none stands in the file: it ends before them. */
  readonly #cut: number;

  /**
   * @param words the bits, of page 0 lowest in the first; those past `bits` are cleared. At most
   * `MAX_BITMAP_BYTES`, so that a page's number has 31 bits
   * @param firstPage the file offset of the first page
   */
  constructor(words: Int32Array, bits: number, firstPage: number, fileSize: number) {
    clearFrom(words, bits);
    this.#words = words;
    this.#firstPage = firstPage;
    const room = Math.max(0, Math.floor((fileSize - firstPage) / PAGE_SIZE));
    this.#ranks = new Uint32Array(Math.ceil(words.length / RANK_WORDS));
    let count = 0;
    let last = words.length - 1;
    for (let i = 0, block = 0; i < words.length; block++) {
      this.#ranks[block] = count;
      const end = Math.min(words.length, i + RANK_WORDS);
      for (; i < end; i++) count += bitCount(words[i] as number);
    }
    while (last >= 0 && words[last] === 0) last--;
    this.present = Math.min(count, room);
    this.missing = count - this.present;
    this.highestPfn = last < 0 ? -1 : last * 32 + 31 - Math.clz32(words[last] as number);
    this.#cut = upperBound(this.highestPfn + 1, room - 1, (pfn) => this.#rank(pfn));
  }

  locate(pfn: number): number {
    if (!(pfn >= 0 && pfn <= this.highestPfn)) return NOT_IN_DUMP;
    if ((((this.#words[pfn >>> 5] as number) >>> (pfn & 31)) & 1) === 0) return NOT_IN_DUMP;
    return pfn < this.#cut ? this.#firstPage + this.#rank(pfn) * PAGE_SIZE : TRUNCATED;
  }

  runLength(pfn: number, max: number): number {
    if (!(pfn >= 0 && pfn < this.#cut)) return 0;
    return this.#clearFrom(pfn, Math.min(pfn + max, this.#cut)) - pfn;
  }

  *runs(): Generator<PageRun> {
    let rank = 0;
    for (let pfn = this.#setFrom(0); pfn <= this.highestPfn; ) {
      const end = this.#clearFrom(pfn, this.highestPfn + 1);
      yield { pfn, count: end - pfn, fileOffset: this.#firstPage + rank * PAGE_SIZE };
      rank += end - pfn;
      pfn = end > this.highestPfn ? end : this.#setFrom(end);
    }
  }

  /** Set bits before a page's. */
  #rank(pfn: number): number {
    const word = pfn >>> 5;
    const block = word >>> RANK_SHIFT;
    let rank = this.#ranks[block] as number;
    for (let i = block << RANK_SHIFT; i < word; i++) rank += bitCount(this.#words[i] as number);
    return rank + bitCount((this.#words[word] as number) & ((1 << (pfn & 31)) - 1));
  }

  /** The first clear bit from `pfn` on, looking up to `end`. */
  #clearFrom(pfn: number, end: number): number {
    let at = pfn;
    while (at < end) {
      const ones = lowestSet(~((this.#words[at >>> 5] as number) >>> (at % 32)));
      const step = Math.min(ones, 32 - (at % 32));
      at += step;
      if (step === 0 || at % 32 !== 0) break;
    }
    return Math.min(at, end);
  }

  /** The first set bit from `pfn` on, or a number past `highestPfn`. */
  #setFrom(pfn: number): number {
    const first = pfn >>> 5;
    for (let i = first; i < this.#words.length; i++) {
      const word =
        i === first ? ((this.#words[i] as number) >>> (pfn % 32)) << (pfn % 32) : (this.#words[i] as number);
      if (word !== 0) return i * 32 + lowestSet(word);
    }
    return this.highestPfn + 1;
  }
}

/** Set bits of a 32-bit word. */
function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The number of the lowest set bit; 32 when there is none. */
function lowestSet(word: number): number {
  return word === 0 ? 32 : 31 - Math.clz32(word & -word);
}

function clearFrom(words: Int32Array, bits: number): void {
  const word = Math.floor(bits / 32);
  if (word >= words.length) return;
  words[word] = (words[word] as number) & ((1 << (bits % 32)) - 1);
  words.fill(0, word + 1);
}
