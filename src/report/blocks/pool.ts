import { hex } from "../../core/address.ts";
import { at, type Block, heading, notes, type PointerSize, table } from "../block.ts";
import type { PoolBlockRow, PoolDocument } from "../documents.ts";

const BASIS = {
  "big-pages": "by the table of allocations of a page and more",
  page: "by the blocks of its page, which follow one another",
  heap: "by how the heap divides its memory",
  header: "by its header alone",
} as const;

/** `pool`: as `!pool`, the blocks of the page that holds an address, the one of the address marked. */
export function poolBlocks(document: PoolDocument, size: PointerSize): readonly Block[] {
  const { address, block, offset, basis, meaning, page } = document;
  if (block === null || offset === null || basis === null) {
    return [heading(`No block of a pool is known at ${at(size, address)}.`), notes(document.notes)];
  }
  const rows = page.map((row) => [
    row.address === block.address ? "*" : "",
    at(size, row.address),
    hex(row.bytes),
    row.free ? "free" : "allocated",
    row.tag,
    row.pool === null ? "" : row.pool === "paged" ? "paged" : "nonpaged",
    marks(row),
  ]);
  const columns = ["", "block", "size", "state", "tag", "pool", ""].map((title) => ({ title }));
  const what = meaning === null ? "" : `, the tag of ${meaning}`;
  return [
    ...table(columns, rows),
    heading(
      `${at(size, address)} is ${hex(offset)} bytes into a block of \`${block.tag}\`${what} (${BASIS[basis]}).`,
    ),
    notes(document.notes),
  ];
}

function marks(row: PoolBlockRow): string {
  return [...(row.protected ? ["protected"] : []), ...(row.quota ? ["charged to a process"] : [])].join(", ");
}
