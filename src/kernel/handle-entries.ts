import type { Machine } from "../dump/machine.ts";
import { walkHandleTable } from "./handle-table.ts";
import type { ObjectHeaders } from "./object-headers.ts";
import { type ObjectTableField, objectTableOf } from "./object-table.ts";
import type { ProcessEntry } from "./processes.ts";
import type { WordPages } from "./word-pages.ts";

/**
 * How an entry of a handle table holds the header of its object. All of an entry is two words; the second
 * one is the access that was granted.
 */
export interface EntryForm {
  /** As notes name it. */
  readonly name: string;
  /** The first build that has it. */
  readonly build: number;
  /** The place of the header, as `WordPages` counts; 0 for an entry that is free, -1 for one that cannot be. */
  decode(low: number, high: number): number;
}

/** Handles are aligned to 8 bytes on every machine: the low bits are flags. */
const plain32 = (low: number): number => {
  const place = (low & ~7) >>> 0;
  return place === 0 ? 0 : place >= 0x8000_0000 ? place : -1;
};
const plain64 = (low: number, high: number): number => {
  if (low >>> 3 === 0 && high === 0) return 0;
  return high >= 0xffff_8000 ? (high & 0xffff) * 2 ** 32 + ((low & ~7) >>> 0) : -1;
};
/** 19 bits of flags and references below, 45 of the address; Windows 8 has 43 bits of kernel space. */
const windows8 = (low: number, high: number): number => {
  if (high === 0 && low < 2 ** 23) return 0;
  const below = (high >>> 19) * 2 ** 32 + (((high << 13) | (low >>> 19)) >>> 0);
  return 0xf800_0000_0000 + ((below - (below % 16)) % 2 ** 43);
};
/** 20 bits of flags and references below, 44 of the address without its low four. */
const windows81 = (low: number, high: number): number => {
  if (high === 0 && low < 2 ** 20) return 0;
  if (high >>> 31 === 0) return -1;
  return high * 2 ** 16 + ((low >>> 20) << 4);
};

const PLAIN_32: EntryForm = { name: "32-bit", build: 0, decode: plain32 };
const PLAIN_64: EntryForm = { name: "64-bit, of Windows 7 and before", build: 0, decode: plain64 };
const WINDOWS_8: EntryForm = { name: "64-bit, of Windows 8", build: 9200, decode: windows8 };
const WINDOWS_81: EntryForm = { name: "64-bit, of Windows 8.1 and later", build: 9600, decode: windows81 };

/** Tables with which a form is proved, and entries of each. */
const PROBED_TABLES = 32;
const PROBED_ENTRIES = 16;

/** The forms that entries can have, that of the build first. */
export function entryForms(machine: Machine, build: number | undefined): readonly EntryForm[] {
  if (machine === "x86") return [PLAIN_32];
  const known = build ?? Number.POSITIVE_INFINITY;
  const all = [WINDOWS_81, WINDOWS_8, PLAIN_64];
  const own = all.find((form) => form.build <= known) ?? PLAIN_64;
  return [own, ...all.filter((form) => form !== own)];
}

/** How many entries of a page are handles. */
export function handlesIn(page: DataView, form: EntryForm, pointerSize: 4 | 8): number {
  let handles = 0;
  for (let at = 2 * pointerSize; at < page.byteLength; at += 2 * pointerSize) {
    const high = pointerSize === 4 ? 0 : page.getUint32(at + 4, true);
    if (form.decode(page.getUint32(at, true), high) !== 0) handles++;
  }
  return handles;
}

/** The form in which the entries of most tables lead to objects; of every table some entries are tried. */
export function provenForm(
  forms: readonly EntryForm[],
  headers: ObjectHeaders,
  field: ObjectTableField,
  processes: readonly ProcessEntry[],
): EntryForm | undefined {
  const tables: (readonly (readonly [low: number, high: number])[])[] = [];
  for (const process of processes) {
    const entries = firstEntries(headers.pages, objectTableOf(headers.pages, process, field), field);
    if (entries.length > 0) tables.push(entries);
    if (tables.length >= PROBED_TABLES) break;
  }
  const leadsToObject = (form: EntryForm, low: number, high: number): boolean => {
    const place = form.decode(low, high);
    return place > 0 && headers.kindAt(place) !== undefined && headers.tagAt(place) !== undefined;
  };
  const proved = (form: EntryForm): number =>
    tables.filter((entries) => {
      const good = entries.filter(([low, high]) => leadsToObject(form, low, high)).length;
      return good * 2 >= entries.length;
    }).length;
  const [best] = forms.map((form) => ({ form, proved: proved(form) })).sort((a, b) => b.proved - a.proved);
  if (best === undefined || tables.length === 0) return forms[0];
  return best.proved * 2 >= tables.length ? best.form : undefined;
}

function firstEntries(
  pages: WordPages,
  table: number | undefined,
  { layout }: ObjectTableField,
): readonly (readonly [low: number, high: number])[] {
  const entries: (readonly [number, number])[] = [];
  if (table === undefined || table === 0) return entries;
  const size = 2 * pages.pointerSize;
  walkHandleTable(pages, table, layout, { left: 4 }, (page) => {
    for (let at = size; at < page.byteLength && entries.length < PROBED_ENTRIES; at += size) {
      const low = page.getUint32(at, true);
      const high = pages.pointerSize === 4 ? 0 : page.getUint32(at + 4, true);
      if (low !== 0 || high !== 0) entries.push([low, high]);
    }
  });
  return entries;
}
