import { PAGE_SIZE } from "../core/address.ts";
import { Bytes } from "../core/bytes.ts";
import { readStruct, toBigInt } from "../core/kaitai.ts";
import { MAX_PFN } from "../core/limits.ts";
import { HibernationTable } from "../generated/hibernation_table.js";
import { type ByteSource, readAt } from "../source/source.ts";
import { unpackXpress } from "../source/xpress.ts";
import { type ChainEnd, PIECE_PAGES, type PieceIndex } from "./piece-index.ts";

/** What stands before the packed bytes of a block. */
const BLOCK_HEAD = 0x20;
/** `81 81 xpress`, as two numbers. */
const BLOCK_SIGNATURE = [0x70788181, 0x73736572] as const;

/** Where the entries of a table stand, and how long each is. */
const ENTRIES = { 32: { at: 8, size: 8 }, 64: { at: 0x10, size: 0x10 } } as const;

/** A table of ranges of pages. */
interface Table {
  /** In bytes from the start of the file; 0: it is the last one. */
  readonly next: number;
  /** Each starts with the first page, and ends before the last number. */
  readonly ranges: readonly (readonly [from: number, end: number])[];
}

/** A packed block. */
interface BlockHead {
  readonly pages: number;
  readonly packedSize: number;
  /** Bytes from here to the next block. */
  readonly size: number;
  readonly stored: boolean;
}

/**
 * Goes through the tables of a hibernation file of Windows 7, and the blocks behind each.
 *
 * @param start where the first table stands in the file
 * @see libhibr, "Hibernation file format"; Hibr2Bin, "MemoryBlocks.cpp"
 */
export function indexTables(source: ByteSource, start: number, bits: 32 | 64, index: PieceIndex): ChainEnd {
  let pages = 0;
  for (let at = start; ; ) {
    const table = readTable(source, at, bits);
    if (typeof table === "string") return { why: table, at, pages };
    const blocks = indexBlocks(source, at + PAGE_SIZE, table, index);
    pages += blocks.pages;
    if (blocks.why !== "complete") return { ...blocks, pages };
    if (table.next === 0) return { why: "complete", at, pages };
    // tables are written one after the other: one that leads back would go round for ever
    if (table.next < blocks.at) return { why: "no-set", at, pages };
    at = table.next;
  }
}

function readTable(source: ByteSource, at: number, bits: 32 | 64): Table | "cut-off" | "no-set" {
  const bytes = readAt(source, at, PAGE_SIZE);
  if (bytes.length < PAGE_SIZE) return "cut-off";
  const raw = readStruct(HibernationTable, bytes, "a table of pages", bits);
  const { at: first, size } = ENTRIES[bits];
  const room = Math.floor((PAGE_SIZE - first) / size);
  if (raw.entryCount === 0 || raw.entryCount > room) return "no-set";
  const entries = new Bytes(raw.entries, bytes.file, at + first);
  const number = (entryAt: number): number =>
    bits === 32 ? entries.u32(entryAt, "a range of pages") : Number(entries.u64(entryAt, "a range of pages"));
  const ranges = Array.from({ length: raw.entryCount }, (_, i) => {
    return [number(i * size), number(i * size + size / 2)] as const;
  });
  const next = raw.entryCount === room ? Math.min(Number(toBigInt(raw.nextTable)), MAX_PFN) * PAGE_SIZE : 0;
  return { next, ranges };
}

/** The blocks hold the pages of the ranges in order; one can have the end of a range and the start of the next. */
function indexBlocks(source: ByteSource, start: number, { ranges }: Table, index: PieceIndex): ChainEnd {
  let at = start;
  let pages = 0;
  let left = 0;
  for (const [from, end] of ranges) {
    for (let pfn = from; pfn < end; ) {
      if (left === 0) {
        if (index.full) return { why: "limit", at, pages };
        const bytes = readAt(source, at, BLOCK_HEAD);
        const head = parseBlockHead(bytes);
        if (head === undefined) return { why: bytes.length < BLOCK_HEAD ? "cut-off" : "no-set", at, pages };
        if (at + BLOCK_HEAD + head.packedSize > source.size) return { why: "cut-off", at, pages };
        index.addPiece(at);
        left = head.pages;
        pages += head.pages;
        at += head.size;
      }
      const count = Math.min(left, end - pfn);
      index.addPages(pfn, count);
      left -= count;
      pfn += count;
    }
  }
  return { why: "complete", at, pages };
}

/**
 * The signature, the pages less one in 8 bits, 2 bits of another use, and the packed size less one in 22.
 *
 * @returns `undefined`: it is none
 */
function parseBlockHead(bytes: Bytes): BlockHead | undefined {
  if (bytes.length < BLOCK_HEAD) return undefined;
  const [first, second] = BLOCK_SIGNATURE;
  if (bytes.u32(0, "a block") !== first || bytes.u32(4, "a block") !== second) return undefined;
  const word = bytes.u32(8, "the size of a block");
  const pages = (word & 0xff) + 1;
  const packedSize = (word >>> 10) + 1;
  if (pages > PIECE_PAGES || packedSize > pages * PAGE_SIZE) return undefined;
  const size = BLOCK_HEAD + Math.ceil(packedSize / 8) * 8;
  return { pages, packedSize, size, stored: packedSize === pages * PAGE_SIZE };
}

/**
 * Unpacks a block.
 *
 * @param at where it stands in the file
 * @throws {FormatError} it is broken
 */
export function unpackBlock(source: ByteSource, at: number, into: Uint8Array): void {
  const bytes: Bytes = readAt(source, at, BLOCK_HEAD);
  const head = parseBlockHead(bytes);
  if (head === undefined)
    bytes.fail(0, "a block of pages", "81 81 xpress", "another head: it changed while open");
  const packed = readAt(source, at + BLOCK_HEAD, head.packedSize);
  const pages = into.subarray(0, head.pages * PAGE_SIZE);
  if (head.stored) pages.set(packed.array);
  else unpackXpress(packed, pages);
}
