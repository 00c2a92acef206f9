import { advance, windbgHex } from "../core/address.ts";
import { describeFault } from "../core/errors.ts";
import type { AddressSpace, SparseBytes } from "../memory/address-space.ts";
import type { ImportRow, ImportsDocument } from "./documents.ts";
import type { NameFunction } from "./imports-document.ts";
import { plural } from "./words.ts";

/**
 * A stretch of memory as pointers, each with what it points to: what `dps` makes of a stack, or of a part of an import table.
 *
 * @param read the stretch, for its holes; whole pointers
 * @param known import slots that may lie in it
 */
export function slotsDocument(
  space: AddressSpace,
  { start, bytes, holes }: SparseBytes,
  nameFunction: NameFunction,
  known: readonly ImportRow[],
): ImportsDocument {
  const { pointerSize } = space;
  const slots = new Map(known.map((row) => [row.slot, row]));
  const imports = Array.from({ length: bytes.length / pointerSize }, (_, i): ImportRow => {
    const slot = advance(start, i * pointerSize);
    const target = space.tryReadPointer(slot) ?? null;
    const resolved = target === null ? null : nameFunction(target, null);
    return (
      slots.get(slot) ?? {
        slot,
        rva: null,
        kind: null,
        target,
        resolved,
        declared: null,
        pending: false,
        disagree: false,
      }
    );
  });
  const notes = holes.map(({ offset, length, fault }) => {
    const at = windbgHex(advance(start, offset), pointerSize);
    return `${plural(length, "byte")} from ${at}: ${describeFault(fault)}`;
  });
  return { module: null, imports, notes };
}
