import { hex } from "../../core/address.ts";
import { at, type Block, dim, type Line, type PointerSize } from "../block.ts";
import type { NearDocument, NearRow } from "../documents.ts";

/** `near`: as `ln`, and below it the function that the address really stands in, where it is known. */
export function nearBlocks(document: NearDocument, size: PointerSize): readonly Block[] {
  return document.symbols.map((row) => ({ kind: "heading", lines: linesOf(row, size), notes: row.notes }));
}

function linesOf(row: NearRow, size: PointerSize): readonly Line[] {
  const lines: Line[] = [];
  if (row.module === null) {
    lines.push(`${at(size, row.address)} is in no loaded module`);
  } else {
    const own = `${row.module}+${hex(row.rva ?? 0)}`;
    const below =
      row.below === null
        ? `${own}, with no exported name at or below it`
        : `(${at(size, row.below.address)})   ${row.module}!${row.below.name}${plus(row.below.offset)}`;
    const above =
      row.above === null ? "" : `   |   (${at(size, row.above.address)})   ${row.module}!${row.above.name}`;
    lines.push(below + above);
    const { symbol } = row;
    if (symbol !== null && symbol.name !== row.below?.name)
      lines.push(
        `(${at(size, symbol.address)})   ${row.module}!${symbol.name}${plus(symbol.offset)}   by its file's symbols`,
      );
    lines.push(dim(`  ${row.below === null ? "" : `${own}, `}${describePlace(row, size)}`));
  }
  return lines;
}

/** The function that an address stands in, and on which basis that is known. */
function describePlace({ function: place, below, above }: NearRow, size: PointerSize): string {
  if (place === null) {
    const nearest = below === null && above === null ? "" : "; the names above are only the nearest exports";
    return `the function it stands in is not known${nearest}`;
  }
  const name =
    place.name === null ? `an unnamed function of ${place.module}` : `${place.module}!${place.name}`;
  const fragment =
    place.fragment === null
      ? ""
      : `, ${hex(place.offset)} into its piece ${at(size, place.fragment.start)} to ${at(size, place.fragment.end)}`;
  return `in ${name}, entry ${at(size, place.entry)}${fragment} (known by ${KNOWN_BY[place.basis]})`;
}

/** On which basis a function is known, in words. */
export const KNOWN_BY = {
  pdata: "unwind data",
  symbol: "a symbol",
  export: "the export table",
  flow: "the flow of the code",
} as const;

/** `+0x3d`, or nothing for 0. */
export function plus(offset: number): string {
  return offset === 0 ? "" : `+${hex(offset)}`;
}
