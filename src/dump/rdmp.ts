import { PAGE_SIZE } from "../core/address.ts";
import { readStruct, toBigInt } from "../core/kaitai.ts";
import { MAX_PAGE_RANGES, MAX_PFN } from "../core/limits.ts";
import { Rdmp } from "../generated/rdmp.js";
import { type ByteSource, readAt } from "../source/source.ts";
import type { MappedPages } from "./full.ts";
import { RunMap } from "./run-map.ts";

const HEADER_SIZE = 0x30;
const RANGE_SIZE = 16;
/** MetadataSize counts from here on. */
const METADATA = 0x20;

/**
 * The page map of a dump that a newer debugger wrote (`.dump /k`, `/ka`, `/f`).
 *
 * @param start where the body stands in the file
 * @param complete whether the dump claims all of memory: then its head says how many pages there are
 * @throws {FormatError} the file ends in the table, or the first page stands inside it
 * @see kdmp-parser, "RDMP_HEADER64"
 */
export function mapRdmp(source: ByteSource, start: number, complete: boolean): MappedPages {
  const bytes = readAt(source, start, HEADER_SIZE);
  const raw = readStruct(Rdmp, bytes, "the RDMP header");
  const firstPage = Number(toBigInt(raw.firstPageOffset));
  const tableSize = firstPage - start - HEADER_SIZE;
  if (tableSize < 0) bytes.fail(0x18, "the first page", "behind the table of pages", `${firstPage} bytes`);
  if (firstPage > source.size) {
    bytes.fail(0x18, "the table of pages", `${tableSize} bytes`, `the end of the file: copy the dump again`);
  }
  const notes: string[] = [];
  if (Number(toBigInt(raw.metadataSize)) !== tableSize + HEADER_SIZE - METADATA) {
    notes.push("the sizes in the RDMP header disagree: the pages may be misplaced");
  }
  const room = Math.floor(tableSize / RANGE_SIZE);
  if (room > MAX_PAGE_RANGES) notes.push(`only the first ${MAX_PAGE_RANGES} ranges of pages are read`);
  const table = new Uint32Array(Math.min(room, MAX_PAGE_RANGES) * (RANGE_SIZE / 4));
  source.read(start + HEADER_SIZE, new Uint8Array(table.buffer));

  const ranges = table.length / 4;
  const pfns = new Float64Array(ranges);
  const counts = new Float64Array(ranges);
  const fileOffsets = new Float64Array(ranges);
  const total = complete ? Number(toBigInt(raw.pageCount)) : Number.POSITIVE_INFINITY;
  let length = 0;
  let pages = 0;
  for (; length < ranges && pages < total; length++) {
    const pfn = wide(table, length * 4);
    const count = wide(table, length * 4 + 2);
    if (count === 0 || (pfn === 0 && !complete)) break;
    if (pfn + count > MAX_PFN) {
      notes.push(
        `range ${length + 1} of pages is outside every physical address: it and what follows it are left out`,
      );
      break;
    }
    pfns[length] = pfn;
    counts[length] = count;
    fileOffsets[length] = firstPage + pages * PAGE_SIZE;
    pages += count;
  }
  if (complete && pages !== total) notes.push(`the dump says ${total} pages, and its ranges have ${pages}`);
  const map = new RunMap(
    {
      pfns: pfns.subarray(0, length),
      counts: counts.subarray(0, length),
      fileOffsets: fileOffsets.subarray(0, length),
    },
    source.size,
  );
  if (map.overlaps > 0) {
    notes.push(`ranges of pages that overlap another: ${map.overlaps}; the lower one is read`);
  }
  return { pages: map, notes };
}

function wide(table: Uint32Array, at: number): number {
  return (table[at] as number) + (table[at + 1] as number) * 2 ** 32;
}
