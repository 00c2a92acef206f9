import type { Bytes } from "../core/bytes.ts";

/**
 * Unpacks XPRESS's plain form, LZ77 without a second code: what Windows 7 hibernates with.
 *
 * @param into filled to its end; how long that is stands outside the packed bytes
 * @returns how many of the packed bytes were used
 * @throws {FormatError} the packed bytes end too early, or a match lies outside what was unpacked
 * @see Microsoft MS-XCA, "Plain LZ77 Decompression Algorithm Details"
 */
export function unpackXpress(packed: Bytes, into: Uint8Array): number {
  const from = packed.array;
  const reader = new MatchReader(packed);
  let to = 0;
  let flags = 0;
  let left = 0;
  while (to < into.length) {
    if (left === 0) {
      flags = packed.u32(reader.at, "the flags of 32 matches");
      reader.at += 4;
      left = 32;
    }
    left--;
    if (((flags >>> left) & 1) === 0) {
      if (reader.at >= from.length) packed.u8(reader.at, "a literal byte");
      into[to++] = from[reader.at++] as number;
      continue;
    }
    const match = packed.u16(reader.at, "a match");
    reader.at += 2;
    const length = reader.length(match & 7);
    to = copyMatch(packed, into, { at: reader.at, to, distance: (match >>> 3) + 1, length });
  }
  return reader.at;
}

/** The length of a match is spread over the bytes behind it. */
class MatchReader {
  at = 0;
  readonly #packed: Bytes;
  /** A byte of which the upper half is the next long length's; -1 for none. */
  #half = -1;

  constructor(packed: Bytes) {
    this.#packed = packed;
  }

  /** @param short the three bits in the match itself */
  length(short: number): number {
    if (short < 7) return short + 3;
    const nibble = this.#nibble();
    return (nibble < 15 ? nibble + 7 : this.#long()) + 3;
  }

  #nibble(): number {
    const half = this.#half;
    if (half >= 0) {
      this.#half = -1;
      return half >>> 4;
    }
    this.#half = this.#packed.u8(this.at++, "the length of a match");
    return this.#half & 15;
  }

  #long(): number {
    const byte = this.#packed.u8(this.at++, "the length of a match");
    if (byte < 255) return byte + 15 + 7;
    const start = this.at;
    let length = this.#packed.u16(this.at, "the length of a match");
    this.at += 2;
    if (length === 0) {
      length = this.#packed.u32(this.at, "the length of a match");
      this.at += 4;
    }
    // shorter ones have shorter forms
    if (length < 15 + 7) this.#packed.fail(start, "the long length of a match", "22 or more", `${length}`);
    return length;
  }
}

/** A piece that was unpacked before, and comes again. */
export interface Match {
  /** Where the match ends in the packed bytes, for the error. */
  readonly at: number;
  /** Where it goes to. */
  readonly to: number;
  /** How far back it stands. */
  readonly distance: number;
  readonly length: number;
}

/** Up to here copying bytes is faster than the call that copies many. */
const SHORT_MATCH = 24;

/**
 * Copies a match, which may reach into what it makes itself.
 *
 * @returns where it ends
 * @throws {FormatError} it starts before the first byte, or ends behind the last
 */
export function copyMatch(packed: Bytes, into: Uint8Array, { at, to, distance, length }: Match): number {
  const end = to + length;
  if (distance > to) packed.fail(at, "a match", `at most ${to} bytes back`, `${distance} bytes back`);
  if (end > into.length)
    packed.fail(at, "a match", `at most ${into.length - to} bytes long`, `${length} bytes`);
  if (length <= SHORT_MATCH) {
    for (let i = to; i < end; i++) into[i] = into[i - distance] as number;
    return end;
  }
  // what is there already is a whole number of distances long, and grows with each copy
  for (let done = to; done < end; ) {
    const ready = Math.min(distance + (done - to), end - done);
    into.copyWithin(done, to - distance, to - distance + ready);
    done += ready;
  }
  return end;
}
