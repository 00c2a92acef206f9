import { TABLE_LAYOUTS, type TableLayout } from "./handle-table.ts";
import type { ProcessEntry } from "./processes.ts";
import type { WordPages } from "./word-pages.ts";

/** Where processes have their handle tables. */
export interface ObjectTableField {
  /** EPROCESS.ObjectTable, in bytes. */
  readonly offset: number;
  /** `table`: public symbols of a Windows have it there; `search`: found by the tables themselves. */
  readonly basis: "table" | "search";
  readonly layout: TableLayout;
}

/** EPROCESS.ObjectTable of public symbols, oldest Windows first. */
const OFFSETS: Readonly<Record<4 | 8, readonly number[]>> = {
  4: [0xc4, 0xd4, 0xdc, 0xf4, 0x150, 0x154, 0x15c, 0x18c],
  8: [0x158, 0x160, 0x200, 0x408, 0x418, 0x528, 0x570, 0x300],
};
/** Bytes of EPROCESS in which the field is looked for. */
const SPAN = 0xa00;
/** Processes that are tried; System's table belongs to nobody, so it proves nothing. */
const SAMPLE = 32;

/**
 * Finds the field of EPROCESS that leads to the handle table: what it leads to names the process, by address and by id.
 *
 * @returns `undefined` where no process has such a field, or none can be read
 */
export function findObjectTable(
  pages: WordPages,
  processes: readonly ProcessEntry[],
): ObjectTableField | undefined {
  const others = processes.filter(({ pid }) => pid > 4);
  const every = Math.max(1, Math.floor(others.length / SAMPLE));
  const sample = others.filter((_, i) => i % every === 0);
  const known = OFFSETS[pages.pointerSize];
  const searched: number[] = [];
  for (let offset = 0x40; offset < SPAN; offset += pages.pointerSize) {
    if (!known.includes(offset)) searched.push(offset);
  }
  let best: (ObjectTableField & { readonly speaksFor: number }) | undefined;
  for (const [basis, offsets] of [
    ["table", known],
    ["search", searched],
  ] as const) {
    for (const layout of TABLE_LAYOUTS[pages.pointerSize]) {
      for (const offset of offsets) {
        const speaksFor = sample.filter((process) => leadsBack(pages, process, offset, layout)).length;
        if (speaksFor > (best?.speaksFor ?? 0)) best = { offset, basis, layout, speaksFor };
      }
    }
    if (best !== undefined) break;
  }
  return best === undefined ? undefined : withCount(pages, best, sample);
}

/**
 * The handle table of a process.
 *
 * @returns its place, as `WordPages` counts; 0: it has none, as after its end; `undefined`: it cannot be read, or is none
 */
export function objectTableOf(
  pages: WordPages,
  process: ProcessEntry,
  { offset, layout }: ObjectTableField,
): number | undefined {
  const place = pages.placeOf(process.address);
  const table = place === undefined ? undefined : pages.pointer(place + offset);
  if (table === undefined || table === 0) return table;
  return pages.small(table + layout.pid) === process.pid ? table : undefined;
}

function leadsBack(pages: WordPages, process: ProcessEntry, offset: number, layout: TableLayout): boolean {
  const place = pages.placeOf(process.address);
  const table = place === undefined ? undefined : pages.pointer(place + offset);
  if (place === undefined || table === undefined || table === 0) return false;
  return (
    pages.pointer(table + layout.quotaProcess) === place && pages.small(table + layout.pid) === process.pid
  );
}

/** Layouts that differ in the place of the count only are told apart by the count: none has more than its table has room. */
function withCount(
  pages: WordPages,
  { offset, basis, layout }: ObjectTableField,
  sample: readonly ProcessEntry[],
): ObjectTableField {
  const alike = TABLE_LAYOUTS[pages.pointerSize].filter(
    ({ tableCode, quotaProcess, pid }) =>
      tableCode === layout.tableCode && quotaProcess === layout.quotaProcess && pid === layout.pid,
  );
  const fits = (candidate: TableLayout): number =>
    sample.filter((process) => {
      const table = objectTableOf(pages, process, { offset, basis, layout: candidate });
      if (table === undefined || table === 0 || candidate.handleCount === undefined) return false;
      const count = pages.u32(table + candidate.handleCount);
      return count !== undefined && count > 0 && count <= 0x100_0000;
    }).length;
  const [best] = alike
    .map((candidate) => ({ candidate, fits: fits(candidate) }))
    .sort((a, b) => b.fits - a.fits);
  return { offset, basis, layout: best?.candidate ?? layout };
}
