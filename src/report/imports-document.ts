import { advance, hex, rva, type Va } from "../core/address.ts";
import type { Image } from "../pe/image.ts";
import type { ImportSlot, ImportTable, ReplacedImport } from "../pe/imports.ts";
import type { ImportRow, ImportsDocument } from "./documents.ts";
import { layoutNotes } from "./image-notes.ts";
import { stopText } from "./words.ts";

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

/** Where the function stands that an import means, through forwarders; undefined where that is not known. */
export type LocateImport = (dll: string, symbol: string | number) => Va | undefined;

/**
 * Each import slot of one image: the function that it holds, by address, beside the name that the
 * image declares.
 */
export function importsDocument(
  name: string,
  image: Image,
  imports: ImportTable,
  nameFunction: NameFunction,
  locate: LocateImport,
): ImportsDocument {
  const { slots, gaps, replaced = [] } = imports;
  const unread = gaps.map((gap) => {
    const of = gap.dll === null ? "" : ` of ${gap.dll}`;
    return `${GAPS[gap.table]}${of}: ${stopText(gap.stopped)}`;
  });
  const notes = [...layoutNotes(image), ...unread, ...replacedNotes(image, replaced)];
  return { module: name, imports: slots.map((slot) => rowOf(image, slot, nameFunction, locate)), notes };
}

/** Slots that are told one by one. */
const REPLACED_SHOWN = 5;

/** What the table no longer shows of slots that several descriptors share. */
function replacedNotes(image: Image, replaced: readonly ReplacedImport[]): readonly string[] {
  if (replaced.length === 0) return [];
  const shown = replaced.slice(0, REPLACED_SHOWN).map(({ rva: at, declared }) => {
    const { dll, name, ordinal } = declared;
    const symbol = name ?? (ordinal === null ? "?" : `#${ordinal}`);
    return `${hex(advance(image.base, at))} as ${dll ?? "?"}!${symbol}`;
  });
  const more = replaced.length - shown.length;
  const rest = more === 0 ? "" : ` and ${more} more`;
  const what =
    replaced.length === 1 ? "1 slot was declared before" : `${replaced.length} slots were declared before`;
  return [`address tables overlap, and the loader fills them in order: ${what}, ${shown.join(", ")}${rest}`];
}

const GAPS = {
  descriptors: "the import descriptors end early",
  "delay-descriptors": "the delay-import descriptors end early",
  lookup: "the names cannot be read",
  addresses: "the slots end early",
  names: "some names cannot be read",
  "address-directory": "the import address table ends early",
} as const;

function rowOf(image: Image, slot: ImportSlot, nameFunction: NameFunction, locate: LocateImport): ImportRow {
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
    disagree: !slot.pending && disagrees(slot, resolved, locate),
  };
}

/**
 * Whether a slot holds another function than the image declares. Two names for one function are no
 * disagreement, and neither is a forwarder: `HAL!HalSetTimer` may be nt's.
 */
function disagrees(
  { value, declared }: ImportSlot,
  resolved: NamedFunction | null,
  locate: LocateImport,
): boolean {
  if (value === undefined || declared === undefined) return false;
  const { dll, name, ordinal } = declared;
  const symbol = name ?? ordinal;
  const meant = dll === null || symbol === null ? undefined : locate(dll, symbol);
  if (meant !== undefined) return meant !== value;
  return resolved?.name != null && name !== null && (resolved.offset !== 0 || resolved.name !== name);
}
