import { advance, rva, type Va } from "../core/address.ts";
import type { Image } from "../pe/image.ts";
import type { ImportSlot, ImportTable } from "../pe/imports.ts";
import type { ImportRow, ImportsDocument } from "../report/documents.ts";
import { stopText } from "../report/words.ts";

/** A function by the export at or below its address. */
export interface NamedFunction {
  readonly module: string;
  /** Null where nothing is exported at or below it. */
  readonly name: string | null;
  /** In bytes from that name; 0: it is that function. */
  readonly offset: number;
}

/** Names the function at an address; `declared` chooses among several names for it. */
export type NameFunction = (address: Va, declared: string | null) => NamedFunction | null;

/**
 * Each import slot of one image: the function that it holds, by address, beside the name that the
 * image declares.
 */
export function importsDocument(
  name: string,
  image: Image,
  imports: ImportTable,
  nameFunction: NameFunction,
): ImportsDocument {
  const { slots, gaps } = imports;
  const notes = gaps.map((gap) => {
    const of = gap.dll === null ? "" : ` of ${gap.dll}`;
    return `${GAPS[gap.table]}${of}: ${stopText(gap.stopped)}`;
  });
  return { module: name, imports: slots.map((slot) => rowOf(image, slot, nameFunction)), notes };
}

const GAPS = {
  descriptors: "the import descriptors end early",
  "delay-descriptors": "the delay-import descriptors end early",
  lookup: "the names cannot be read",
  addresses: "the slots end early",
  names: "some names cannot be read",
  "address-directory": "the import address table ends early",
} as const;

function rowOf(image: Image, slot: ImportSlot, nameFunction: NameFunction): ImportRow {
  const resolved =
    slot.value === undefined || slot.pending ? null : nameFunction(slot.value, slot.declared?.name ?? null);
  const declared = slot.declared ?? null;
  return {
    slot: advance(image.base, slot.rva),
    rva: rva(slot.rva),
    kind: slot.kind,
    target: slot.value ?? null,
    resolved,
    declared:
      declared === null ? null : { dll: declared.dll, name: declared.name, ordinal: declared.ordinal },
    pending: slot.pending,
    disagree: disagrees(resolved, declared),
  };
}

/** Two names for one function are no disagreement: an address can be exported more than once. */
function disagrees(
  resolved: { readonly name: string | null; readonly offset: number } | null,
  declared: { readonly name: string | null } | null,
): boolean {
  return (
    resolved?.name != null &&
    declared?.name != null &&
    (resolved.offset !== 0 || resolved.name !== declared.name)
  );
}
