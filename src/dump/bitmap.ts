import type { Bytes } from "../core/bytes.ts";
import { readStruct, toBigInt } from "../core/kaitai.ts";
import { MAX_BITMAP_BYTES } from "../core/limits.ts";
import { BitmapDump } from "../generated/bitmap_dump.js";
import { SummaryDump } from "../generated/summary_dump.js";
import { type ByteSource, readAt } from "../source/source.ts";
import { BitmapMap } from "./bitmap-map.ts";
import type { MappedPages } from "./full.ts";
import type { DumpHeader } from "./header.ts";

/** Windows 2000 to 7 write `summary`, Windows 8 and later `bitmap`; both start with SDMP. */
export type BitmapLayout = "summary" | "bitmap";

/** A page map over a bitmap, and which of the two layouts the bitmap's head has. */
export interface MappedBitmap extends MappedPages {
  readonly layout: BitmapLayout;
}

/** What the head says, if it has this layout. */
interface Claim {
  readonly layout: BitmapLayout;
  /** Where the bits stand in the file. */
  readonly bitsAt: number;
  /** How many there are. */
  readonly bits: number;
  readonly setBits: number;
  /** Where the first page stands in the file; not always a multiple of a page. */
  readonly firstPage: number;
}

const HEAD_SIZE = 0x38;
/** DumpType of the older layout; tools that convert dumps do not always set it. */
const SUMMARY = 2;

/**
 * The page map of a dump with a bitmap. The two layouts have the same signature, so the head is
 * read as both, and the one whose numbers agree with the bits and the file is right.
 *
 * @param full whether the signature was FDMP, which only the newer layout has
 * @throws {FormatError} the file ends in the bitmap, or the head is of neither layout
 */
export function mapBitmap(source: ByteSource, header: DumpHeader, full: boolean): MappedBitmap {
  const start = header.headerSize;
  const bytes = readAt(source, start, HEAD_SIZE);
  const newer = claimOfBitmap(bytes, start);
  const older = claimOfSummary(bytes, start, header.bits);
  const claims = full ? [newer] : header.dumpType === SUMMARY ? [older, newer] : [newer, older];
  const [likely, other] = claims.filter((claim) => isPlausible(claim, source.size));
  if (likely === undefined) return refuse(bytes, claims[0] ?? newer, source.size);
  const first = read(source, likely);
  if (first.notes.length === 0 || other === undefined) return first;
  const second = read(source, other);
  return second.notes.length === 0 ? second : first;
}

function claimOfBitmap(head: Bytes, start: number): Claim {
  const raw = readStruct(BitmapDump, head, "the head of the bitmap");
  return {
    layout: "bitmap",
    bitsAt: start + 0x38,
    bits: Number(toBigInt(raw.bitmapSize)),
    setBits: Number(toBigInt(raw.pages)),
    firstPage: Number(toBigInt(raw.headerSize)),
  };
}

function claimOfSummary(head: Bytes, start: number, bits: 32 | 64): Claim {
  const raw = readStruct(SummaryDump, head, "the head of the bitmap", bits);
  return {
    layout: "summary",
    bitsAt: start + (bits === 32 ? 0x20 : 0x28),
    bits: raw.bitmapSize,
    setBits: raw.pages,
    firstPage: raw.headerSize,
  };
}

function bytesOf(claim: Claim): number {
  return Math.ceil(claim.bits / 8);
}

function isPlausible(claim: Claim, fileSize: number): boolean {
  const end = claim.bitsAt + bytesOf(claim);
  const fits = end <= claim.firstPage && end <= fileSize && bytesOf(claim) <= MAX_BITMAP_BYTES;
  return fits && claim.bits > 0 && claim.setBits <= claim.bits && Number.isSafeInteger(claim.firstPage);
}

function read(source: ByteSource, claim: Claim): MappedBitmap {
  const words = new Int32Array(Math.ceil(claim.bits / 32));
  source.read(claim.bitsAt, new Uint8Array(words.buffer, 0, bytesOf(claim)));
  const pages = new BitmapMap(words, claim.bits, claim.firstPage, source.size);
  const set = pages.present + pages.missing;
  const note = `the dump says ${claim.setBits} pages, and its bitmap has ${set}: the bitmap is read`;
  return { pages, layout: claim.layout, notes: set === claim.setBits ? [] : [note] };
}

function refuse(head: Bytes, claim: Claim, fileSize: number): never {
  const size = bytesOf(claim);
  const end = claim.bitsAt + size;
  if (end > fileSize && end <= claim.firstPage) {
    const found = `the end of the file after ${fileSize} bytes: the copy was cut off, copy the dump again`;
    head.fail(claim.bitsAt - head.fileOffset, "the page bitmap", `${size} bytes`, found);
  }
  const found = `${size} bytes, with the first page at ${claim.firstPage}`;
  head.fail(0, "the page bitmap", "in front of the first page, and as long as memory has pages", found);
}
