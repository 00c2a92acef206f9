import type { Bytes } from "../core/bytes.ts";
import { copyMatch } from "./xpress.ts";

/**
 * Bytes that one table of code lengths serves for.
 *
 * @internal
 */
export const MAX_XPRESS_BLOCK = 0x1_0000;
/** Bytes and matches: 256 of each. */
const SYMBOLS = 512;
const TABLE_BYTES = SYMBOLS / 2;
const MAX_CODE_BITS = 15;
/** Codes of up to so many bits are looked up at once; longer ones are rare. */
const FAST_BITS = 10;

/**
 * Unpacks one block of XPRESS with Huffman codes: what Windows 8 and later hibernate with, and WIM files hold.
 *
 * @param into filled to its end, at most `MAX_XPRESS_BLOCK`; how long that is stands outside the packed bytes
 * @throws {FormatError} the packed bytes end too early, the code lengths make no code, or a match lies outside what
 * was unpacked
 * @see Microsoft MS-XCA, "LZ77+Huffman Decompression Algorithm Details"
 */
export function unpackXpressHuffman(packed: Bytes, into: Uint8Array): void {
  if (into.length > MAX_XPRESS_BLOCK) throw new RangeError(`a block has at most ${MAX_XPRESS_BLOCK} bytes`);
  const table = readTable(packed);
  const input = new BitInput(packed, TABLE_BYTES);
  let to = 0;
  while (to < into.length) {
    const symbol = input.symbol(table);
    if (symbol < 256) {
      into[to++] = symbol;
      continue;
    }
    const short = symbol & 15;
    const length = (short < 15 ? short : input.longLength()) + 3;
    to = copyMatch(packed, into, { at: input.at, to, distance: input.distance((symbol >>> 4) & 15), length });
  }
  input.checkEnd();
}

/** A canonical code. */
interface CodeTable {
  /** By the next `FAST_BITS`: the symbol, times 16, and the bits of its code; 0 where the code is longer. */
  readonly fast: Uint16Array;
  /** Symbols by code. */
  readonly symbols: Uint16Array;
  /** By bits of the code: the first code past those of so many bits, at the top of 15 bits. */
  readonly ends: Uint16Array;
  /** By bits of the code: what is added to a code to have its place in `symbols`. */
  readonly places: Int32Array;
}

function readTable(packed: Bytes): CodeTable {
  const lengths = packed.slice(0, TABLE_BYTES, "the table of code lengths").array;
  const lengthOf = (symbol: number): number =>
    ((lengths[symbol >>> 1] as number) >>> ((symbol & 1) * 4)) & 15;
  const counts = new Uint16Array(MAX_CODE_BITS + 1);
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const length = lengthOf(symbol);
    counts[length] = (counts[length] as number) + 1;
  }
  const next = new Uint16Array(MAX_CODE_BITS + 1);
  const ends = new Uint16Array(MAX_CODE_BITS + 1);
  const places = new Int32Array(MAX_CODE_BITS + 1);
  let code = 0;
  let place = 0;
  for (let bits = 1; bits <= MAX_CODE_BITS; bits++) {
    const count = counts[bits] as number;
    next[bits] = place;
    places[bits] = place - (code >>> (MAX_CODE_BITS - bits));
    code += count << (MAX_CODE_BITS - bits);
    place += count;
    ends[bits] = code;
  }
  const room = 1 << MAX_CODE_BITS;
  if (code !== room) {
    packed.fail(0, "the table of code lengths", `codes that fill ${room} places`, `${code} places taken`);
  }
  const symbols = new Uint16Array(place);
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const bits = lengthOf(symbol);
    if (bits === 0) continue;
    const at = next[bits] as number;
    symbols[at] = symbol;
    next[bits] = at + 1;
  }
  return { fast: fastTable(symbols, counts), symbols, ends, places };
}

function fastTable(symbols: Uint16Array, counts: Uint16Array): Uint16Array {
  const fast = new Uint16Array(1 << FAST_BITS);
  let at = 0;
  let place = 0;
  for (let bits = 1; bits <= FAST_BITS; bits++) {
    const width = 1 << (FAST_BITS - bits);
    for (let i = 0; i < (counts[bits] as number); i++, at += width) {
      fast.fill((symbols[place++] as number) * 16 + bits, at, at + width);
    }
  }
  return fast;
}

/** Bits out of words of 16, between which whole bytes stand. */
class BitInput {
  /** Where the next word or byte is taken from. */
  at: number;
  readonly #packed: Bytes;
  readonly #from: Uint8Array;
  /** The next bit is the highest. */
  #bits: number;
  /** Bits that are there, without the 16 that always are. */
  #extra = 16;

  constructor(packed: Bytes, at: number) {
    this.at = at;
    this.#packed = packed;
    this.#from = packed.array;
    this.#bits = 0;
    const first = this.#word();
    this.#bits = (first << 16) | this.#word();
  }

  symbol({ fast, symbols, ends, places }: CodeTable): number {
    const entry = fast[this.#bits >>> (32 - FAST_BITS)] as number;
    if (entry !== 0) {
      this.#skip(entry & 15);
      return entry >>> 4;
    }
    const code = this.#bits >>> (32 - MAX_CODE_BITS);
    let bits = FAST_BITS + 1;
    while (code >= (ends[bits] as number)) bits++;
    this.#skip(bits);
    return symbols[(code >>> (MAX_CODE_BITS - bits)) + (places[bits] as number)] as number;
  }

  /** @param bits 0 to 15 */
  distance(bits: number): number {
    if (bits === 0) return 1;
    const rest = this.#bits >>> (32 - bits);
    this.#skip(bits);
    return (1 << bits) + rest;
  }

  /** Of a match that is longer than its symbol can say. */
  longLength(): number {
    const byte = this.#packed.u8(this.at++, "the length of a match");
    if (byte < 255) return byte + 15;
    const start = this.at;
    let length = this.#packed.u16(this.at, "the length of a match");
    this.at += 2;
    if (length === 0) {
      length = this.#packed.u32(this.at, "the length of a match");
      this.at += 4;
    }
    if (length < 15) this.#packed.fail(start, "the long length of a match", "15 or more", `${length}`);
    return length;
  }

  /** @throws {FormatError} bits were used that stand past the end */
  checkEnd(): void {
    const past = Math.max(0, this.at - this.#from.length) * 8;
    if (past > this.#extra + 16) this.#ended();
  }

  #skip(bits: number): void {
    this.#bits <<= bits;
    this.#extra -= bits;
    if (this.#extra >= 0) return;
    this.#bits |= this.#word() << -this.#extra;
    this.#extra += 16;
  }

  /** Two words are read ahead, so that they may stand past the end: zeros, and `checkEnd` sees whether they were used. */
  #word(): number {
    const { at } = this;
    this.at = at + 2;
    if (at + 1 < this.#from.length) return (this.#from[at] as number) | ((this.#from[at + 1] as number) << 8);
    if (at > this.#from.length + 2) this.#ended();
    return this.#from[at] ?? 0;
  }

  #ended(): never {
    const { length } = this.#from;
    this.#packed.fail(length, "the packed bytes", "longer", `the end after ${length} bytes`);
  }
}
