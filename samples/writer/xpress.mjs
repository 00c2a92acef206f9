/**
 * XPRESS as Microsoft's MS-XCA has it, of the simplest kind: the last place of the same three bytes is the only match
 * that is tried.
 */

/** @typedef {{ length: number, distance: number } | { literal: number }} Token */

/** @param {Uint8Array} bytes @param {number} reach the longest distance @returns {Token[]} */
function tokensOf(bytes, reach) {
  /** @type {Token[]} */
  const tokens = [];
  /** @type {Map<number, number>} */
  const seen = new Map();
  const key = (/** @type {number} */ at) =>
    at + 2 < bytes.length
      ? (Number(bytes[at]) << 16) | (Number(bytes[at + 1]) << 8) | Number(bytes[at + 2])
      : -1;
  for (let at = 0; at < bytes.length; ) {
    const from = seen.get(key(at)) ?? -1;
    let length = 0;
    if (from >= 0 && at - from <= reach && key(at) >= 0)
      while (at + length < bytes.length && bytes[from + length] === bytes[at + length]) length++;
    if (length >= 3) tokens.push({ length, distance: at - from });
    else tokens.push({ literal: Number(bytes[at]) });
    for (const end = at + Math.max(1, length); at < end; at++) if (key(at) >= 0) seen.set(key(at), at);
  }
  return tokens;
}

/** Plain LZ77. @param {Uint8Array} bytes */
export function packPlain(bytes) {
  /** @type {number[]} */
  const out = [];
  const u16 = (/** @type {number} */ value) => void out.push(value & 0xff, value >>> 8);
  let flags = 0;
  let count = 0;
  let flagsAt = 0;
  let nibbleAt = -1;
  const nibble = (/** @type {number} */ value) => {
    if (nibbleAt < 0) {
      nibbleAt = out.length;
      out.push(value);
    } else {
      out[nibbleAt] = Number(out[nibbleAt]) | (value << 4);
      nibbleAt = -1;
    }
  };
  const flush = () => {
    const word = count === 0 ? 0 : (flags << (32 - count)) >>> 0;
    for (let i = 0; i < 4; i++) out[flagsAt + i] = (word >>> (8 * i)) & 0xff;
  };
  for (const token of tokensOf(bytes, 0x2000)) {
    if (count % 32 === 0) {
      if (count > 0) flush();
      flagsAt = out.length;
      out.push(0, 0, 0, 0);
      flags = 0;
      count = 0;
    }
    count++;
    flags = (flags << 1) | ("literal" in token ? 0 : 1);
    if ("literal" in token) {
      out.push(token.literal);
      continue;
    }
    const rest = token.length - 3;
    u16(((token.distance - 1) << 3) | Math.min(rest, 7));
    if (rest < 7) continue;
    nibble(Math.min(rest - 7, 15));
    if (rest < 22) continue;
    out.push(Math.min(rest - 22, 255));
    if (rest - 22 >= 255) u16(rest);
  }
  flush();
  return Uint8Array.from(out);
}

/** Code lengths of at most 15 bits that fill the code. @param {readonly number[]} counts by symbol @returns {number[]} */
function codeLengths(counts) {
  for (let divisor = 1; ; divisor *= 2) {
    /** @type {{ weight: number, symbols: number[] }[]} */
    const trees = counts.flatMap((count, symbol) =>
      count === 0 ? [] : [{ weight: Math.ceil(count / divisor), symbols: [symbol] }],
    );
    /** @type {number[]} */
    const lengths = counts.map(() => 0);
    while (trees.length > 1) {
      trees.sort((a, b) => b.weight - a.weight);
      const [one, other] = /** @type {[typeof trees[0], typeof trees[0]]} */ (trees.splice(-2));
      const symbols = [...one.symbols, ...other.symbols];
      for (const symbol of symbols) lengths[symbol] = Number(lengths[symbol]) + 1;
      trees.push({ weight: one.weight + other.weight, symbols });
    }
    if (Math.max(...lengths) <= 15) return lengths;
  }
}

/** LZ77 with Huffman codes, one block. @param {Uint8Array} bytes at most 64 KB */
export function packHuffman(bytes) {
  const tokens = tokensOf(bytes, 0xffff).map((token) => {
    if ("literal" in token) return { symbol: token.literal, rest: 0, bits: 0, extra: 0 };
    const bits = 31 - Math.clz32(token.distance);
    const rest = token.length - 3;
    return { symbol: 256 + bits * 16 + Math.min(rest, 15), rest, bits, extra: token.distance - (1 << bits) };
  });
  const counts = Array.from({ length: 512 }, () => 0);
  for (const { symbol } of [...tokens, { symbol: 256 }]) counts[symbol] = Number(counts[symbol]) + 1;
  if (counts.filter((count) => count > 0).length === 1) counts[0] = 1;
  const lengths = codeLengths(counts);
  const codes = canonical(lengths);

  /** @type {number[]} */
  const out = Array.from(
    { length: 256 },
    (_, i) => Number(lengths[i * 2]) | (Number(lengths[i * 2 + 1]) << 4),
  );
  // words are put where the reader takes them from: two ahead of the bits
  let [first, second] = [256, 258];
  out.push(0, 0, 0, 0);
  let word = 0;
  let free = 16;
  const put = (/** @type {number} */ at, /** @type {number} */ value) => {
    out[at] = value & 0xff;
    out[at + 1] = (value >>> 8) & 0xff;
  };
  const write = (/** @type {number} */ value, /** @type {number} */ bits) => {
    if (bits <= free) {
      word = (word << bits) | value;
      free -= bits;
      return;
    }
    put(first, (word << free) | (value >>> (bits - free)));
    [first, second] = [second, out.length];
    out.push(0, 0);
    word = value & ((1 << (bits - free)) - 1);
    free += 16 - bits;
  };
  for (const { symbol, rest, bits, extra } of [...tokens, { symbol: 256, rest: 0, bits: 0, extra: 0 }]) {
    write(Number(codes[symbol]), Number(lengths[symbol]));
    if (rest >= 15) {
      out.push(Math.min(rest - 15, 255));
      if (rest - 15 >= 255) out.push(rest & 0xff, rest >>> 8);
    }
    write(extra, bits);
  }
  put(first, word << free);
  return Uint8Array.from(out);
}

/** Shorter codes first, then by symbol. @param {readonly number[]} lengths */
function canonical(lengths) {
  const codes = lengths.map(() => 0);
  let code = 0;
  for (let length = 1; length <= 15; length++) {
    for (const [symbol, bits] of lengths.entries()) if (bits === length) codes[symbol] = code++;
    code *= 2;
  }
  return codes;
}
