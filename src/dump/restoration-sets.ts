import { PAGE_SIZE } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import { FormatError } from "../core/errors.ts";
import { type ByteSource, readAt } from "../source/source.ts";
import { unpackXpress } from "../source/xpress.ts";
import { unpackXpressHuffman } from "../source/xpress-huffman.ts";
import { type ChainEnd, PIECE_PAGES, type PieceIndex } from "./piece-index.ts";

/** Bytes of a set's head, without its descriptors. */
const HEAD = 4;
/** Bits 30 and 31 of the head. */
const METHOD = { plain: 0, either: 1 } as const;

/** A set's head. */
interface SetHead {
  readonly method: number;
  readonly packedSize: number;
  /** Bytes from the head to the packed ones. */
  readonly size: number;
  readonly pages: number;
}

/**
 * Goes through the sets of one chain, from head to head: the number of descriptors in 8 bits, the packed size in 20, the
 * method in the last 2; the descriptors, of 4 bits for the pages less one and the rest for the first one's number; the packed
 * pages.
 *
 * @param most pages that the chain has; `undefined` where it is not known: a head of zeros ends it
 * @param bits of the machine: descriptors have so many
 * @see Sylve, Marziale, Richard, "Modern Windows hibernation file analysis"; LeechCore, "device_hibr.c"
 */
export function indexSets(
  source: ByteSource,
  {
    start,
    most,
    bits,
  }: { readonly start: number; readonly most: number | undefined; readonly bits: 32 | 64 },
  index: PieceIndex,
): ChainEnd {
  let at = start;
  let pages = 0;
  while (pages < (most ?? Number.POSITIVE_INFINITY)) {
    if (index.full) return { why: "limit", at, pages };
    const bytes: Bytes = readAt(source, at, HEAD + PIECE_PAGES * (bits / 8));
    if (bytes.length < HEAD) return { why: "cut-off", at, pages };
    const count = bytes.u32(0, "a set") & 0xff;
    if (most === undefined && bytes.u32(0, "a set") === 0) break;
    if (count === 0 || count > PIECE_PAGES) return { why: "no-set", at, pages };
    if (bytes.length < HEAD + count * (bits / 8)) return { why: "cut-off", at, pages };
    const head = parseHead(bytes, bits);
    if (head === undefined) return { why: "no-set", at, pages };
    const end = at + head.size + head.packedSize;
    if (end > source.size) return { why: "cut-off", at, pages };
    index.addPiece(at);
    for (let i = 0; i < count; i++) {
      const { pfn, count: together } = descriptor(bytes, i, bits);
      index.addPages(pfn, together);
    }
    pages += head.pages;
    at = end;
  }
  return { why: "complete", at, pages };
}

/**
 * Unpacks a set.
 *
 * @param at where it stands in the file
 * @throws {FormatError} it is broken
 */
export function unpackSet(source: ByteSource, at: number, bits: 32 | 64, into: Uint8Array): void {
  const bytes: Bytes = readAt(source, at, HEAD + PIECE_PAGES * (bits / 8));
  const head = parseHead(bytes, bits);
  if (head === undefined)
    bytes.fail(0, "a set of pages", "1 to 16 pages", "another head: it changed while open");
  const packed = readAt(source, at + head.size, head.packedSize);
  const pages = into.subarray(0, head.pages * PAGE_SIZE);
  if (packed.length === pages.length) pages.set(packed.array);
  else if (head.method === METHOD.plain) unpackXpress(packed, pages);
  else if (head.method === METHOD.either) unpackEither(packed, pages);
  else unpackXpressHuffman(packed, pages);
}

/** Readers of this format do not agree on what method 1 is: plain, where that uses all that is packed. */
function unpackEither(packed: Bytes, into: Uint8Array): void {
  try {
    // a compressor may end with the flags of matches that never came
    if (unpackXpress(packed, into) + HEAD >= packed.length) return;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  unpackXpressHuffman(packed, into.fill(0));
}

/** @returns `undefined`: it is none */
function parseHead(bytes: Bytes, bits: 32 | 64): SetHead | undefined {
  const word = bytes.u32(0, "a set of pages");
  const count = word & 0xff;
  const size = HEAD + count * (bits / 8);
  if (count === 0 || count > PIECE_PAGES || size > bytes.length) return undefined;
  let pages = 0;
  for (let i = 0; i < count; i++) pages += descriptor(bytes, i, bits).count;
  // readers of this format take 20 or 22 bits; a size has 17 at most
  const packedSize = (word >>> 8) & 0xfffff;
  if (pages > PIECE_PAGES || packedSize === 0 || packedSize > pages * PAGE_SIZE) return undefined;
  return { method: word >>> 30, packedSize, size, pages };
}

/** Pages that stand together; a number past 2^53 loses its last bits, and is refused for its size anyway. */
function descriptor(
  bytes: Bytes,
  i: number,
  bits: 32 | 64,
): { readonly pfn: number; readonly count: number } {
  const low = bytes.u32(HEAD + i * (bits / 8), "pages of a set");
  const high = bits === 32 ? 0 : bytes.u32(HEAD + i * 8 + 4, "pages of a set");
  return { pfn: high * 2 ** 28 + (low >>> 4), count: (low & 15) + 1 };
}
