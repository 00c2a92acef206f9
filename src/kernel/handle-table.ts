import { MAX_HANDLE_PAGES } from "../core/limits.ts";
import type { WordPages } from "./word-pages.ts";

/** Where HANDLE_TABLE has its fields, in bytes. */
export interface TableLayout {
  readonly tableCode: number;
  readonly quotaProcess: number;
  readonly pid: number;
  /** The number of handles in use; from Windows 8 on it is spread over lists, and entries are counted instead. */
  readonly handleCount: number | undefined;
}

/** HANDLE_TABLE of public symbols, that of newer Windows first. */
export const TABLE_LAYOUTS: Readonly<Record<4 | 8, readonly TableLayout[]>> = {
  4: [
    { tableCode: 8, quotaProcess: 0xc, pid: 0x18, handleCount: undefined },
    { tableCode: 0, quotaProcess: 4, pid: 8, handleCount: 0x30 },
    { tableCode: 0, quotaProcess: 4, pid: 8, handleCount: 0x3c },
  ],
  8: [
    { tableCode: 8, quotaProcess: 0x10, pid: 0x28, handleCount: undefined },
    { tableCode: 0, quotaProcess: 8, pid: 0x10, handleCount: 0x58 },
    { tableCode: 0, quotaProcess: 8, pid: 0x10, handleCount: 0x68 },
  ],
};

/**
 * Why entries of a table were not looked at. `cycle`: a page of it leads to one that was there before; `broken`: a
 * pointer leads to no page of kernel space; `limit`: there are more than are looked at; `unreadable`: a page is missing.
 */
export type TableStop = "cycle" | "broken" | "limit" | "unreadable";

/** What walking one table gave. */
export interface TableWalk {
  /** Pages of entries that were read. */
  readonly pages: number;
  /** Pages, of entries or of pointers to them, that could not be read or led nowhere. */
  readonly missing: number;
  /** The first reason why there may be handles that were not seen; `undefined`: all were. */
  readonly stopped: TableStop | undefined;
}

/** How many pages of entries all walks together may still read. */
export interface PageBudget {
  left: number;
}

/** A budget for all tables of a machine. */
export function handlePageBudget(): PageBudget {
  return { left: MAX_HANDLE_PAGES };
}

const PAGE = 0x1000;
/** Windows gives no process more handles. */
const MOST_ENTRIES = 2 ** 24;
/** TableCode's low bits: how many levels of pointers stand above the entries. */
const LEVEL_BITS = 3;

/**
 * Shows all pages of entries of a table, each once.
 *
 * @param table its place, as `WordPages` counts
 * @param onPage told each page and the index of its first entry; entry 0 of every page is no handle
 */
export function walkHandleTable(
  pages: WordPages,
  table: number,
  layout: TableLayout,
  budget: PageBudget,
  onPage: (page: DataView, first: number) => void,
): TableWalk {
  const walk = new Walk(pages, budget, onPage);
  const at = table + layout.tableCode;
  const low = pages.u32(at);
  const levels = (low ?? 0) & LEVEL_BITS;
  const root = pages.pointer(at);
  if (low === undefined) walk.stop("unreadable");
  else if (root === undefined || root === 0 || levels > 2) walk.stop("broken");
  else walk.visit(root - levels, levels, 0);
  return walk;
}

class Walk implements TableWalk {
  pages = 0;
  missing = 0;
  stopped: TableStop | undefined;
  readonly #memory: WordPages;
  readonly #budget: PageBudget;
  readonly #onPage: (page: DataView, first: number) => void;
  readonly #seen = new Set<number>();

  constructor(memory: WordPages, budget: PageBudget, onPage: (page: DataView, first: number) => void) {
    this.#memory = memory;
    this.#budget = budget;
    this.#onPage = onPage;
  }

  stop(why: TableStop): void {
    this.missing++;
    this.stopped ??= why;
  }

  /** @param levels of pointers in this page and below it; 0: it holds entries */
  visit(place: number, levels: number, first: number): void {
    const wrong = this.#wrongWith(place, levels);
    if (wrong !== undefined) {
      this.stop(wrong);
      return;
    }
    this.#seen.add(place);
    this.#budget.left--;
    const page = this.#memory.page(place);
    if (page === undefined) this.stop("unreadable");
    else if (levels === 0) {
      this.pages++;
      this.#onPage(page, first);
    } else this.#visitAll(page, place % PAGE, levels, first);
  }

  #wrongWith(place: number, levels: number): TableStop | undefined {
    // the top of three levels is no whole page, so it can stand anywhere
    if (place % (levels === 2 ? 8 : PAGE) !== 0) return "broken";
    if (this.#seen.has(place)) return "cycle";
    return this.#budget.left === 0 ? "limit" : undefined;
  }

  /** @param start of the pointers in their page */
  #visitAll(page: DataView, start: number, levels: number, first: number): void {
    const { pointerSize } = this.#memory;
    const covered = (PAGE / (2 * pointerSize)) * (levels === 2 ? PAGE / pointerSize : 1);
    const end = Math.min(PAGE, start + Math.ceil(MOST_ENTRIES / covered) * pointerSize);
    for (
      let at = start, from = first;
      at < end && this.stopped !== "limit";
      at += pointerSize, from += covered
    ) {
      const next = pointerIn(page, at, pointerSize);
      // pages of a table are used one after the other, and there is always a first one
      if (next === 0 && at > start) return;
      if (next === undefined || next === 0) this.stop("broken");
      else this.visit(next, levels - 1, from);
    }
  }
}

/** As `WordPages.pointer`, in a page that is already there: the next page may take its place in the store. */
function pointerIn(page: DataView, at: number, pointerSize: 4 | 8): number | undefined {
  const low = page.getUint32(at, true);
  if (pointerSize === 4) return low === 0 || low >= 0x8000_0000 ? low : undefined;
  const high = page.getUint32(at + 4, true);
  if (low === 0 && high === 0) return 0;
  return high >= 0xffff_8000 ? (high & 0xffff) * 2 ** 32 + low : undefined;
}
