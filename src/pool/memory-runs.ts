import { advance, PAGE_SIZE, type Va } from "../core/address.ts";
import type { MemoryFault } from "../core/errors.ts";
import { MAX_POOL_TABLES } from "../core/limits.ts";
import { upperBound } from "../core/search.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { AddressRange } from "./pool-kernel.ts";

/** What one table of pages covers. */
const TABLE = 2 ** 21;
/** What one question about a hole covers. */
const REACH = 2 ** 40;
/** Bytes that an entry of each higher level covers, in tables of four levels; other machines' are smaller. */
const COVERS: Readonly<Record<string, number>> = {
  PML5E: 2 ** 48,
  PML4E: 2 ** 39,
  L0: 2 ** 39,
  PDPTE: 2 ** 30,
  L1: 2 ** 30,
  PDE: TABLE,
  L2: TABLE,
};

/** Pages, as runs of neighbours. Takes no more memory for more pages than it has runs. */
export class MemoryRuns {
  /** Page numbers: 52 bits, so that a number holds each exactly. */
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];
  /** Pages before each run. */
  readonly #before: number[] = [];
  pages = 0;
  /** False: there is more than was looked at. */
  whole = true;

  /** @param start of a page */
  add(start: Va, pages: number): void {
    const first = Number(start >> 12n);
    const last = this.#starts.length - 1;
    const length = this.#lengths[last];
    if (length !== undefined && (this.#starts[last] ?? 0) + length === first) {
      this.#lengths[last] = length + pages;
    } else {
      this.#starts.push(first);
      this.#lengths.push(pages);
      this.#before.push(this.pages);
    }
    this.pages += pages;
  }

  /** The page of that number, counted over all runs, and how many follow it in its run, itself included. */
  at(index: number): { readonly start: Va; readonly pages: number } | undefined {
    if (!(index >= 0 && index < this.pages)) return undefined;
    const run = upperBound(this.#before.length, index, (i) => this.#before[i] ?? 0) - 1;
    const within = index - (this.#before[run] ?? 0);
    const start = (BigInt((this.#starts[run] ?? 0) + within) << 12n) as Va;
    return { start, pages: (this.#lengths[run] ?? 0) - within };
  }
}

/**
 * The pages of the ranges for which there are page tables: those that can be read are among them. Looking
 * at each page's entry would take longer than reading a sample of the pages.
 *
 * @param ranges of whole pages
 */
export function mappedRuns(space: AddressSpace, ranges: readonly AddressRange[]): MemoryRuns {
  const runs = new MemoryRuns();
  let tables = 0;
  for (const { start, length } of ranges) {
    for (let done = 0; done < length; ) {
      if (++tables > MAX_POOL_TABLES) {
        runs.whole = false;
        return runs;
      }
      const at = advance(start, done);
      const toBoundary = Math.min(length - done, TABLE - Number(at & BigInt(TABLE - 1)));
      const found = space.mapping.locate(at, PAGE_SIZE);
      const covers = "fault" in found ? coveredBy(found.fault) : 0;
      if (covers > 0) {
        // one more question for how far the hole reaches; what it looks at are entries of that level
        const hole = space.mapping.locate(at, Math.min(length - done, covers < TABLE ? toBoundary : REACH));
        const size = Math.min(length - done, "fault" in hole ? hole.length : PAGE_SIZE);
        done += Math.max(size, PAGE_SIZE);
        tables += size / Math.max(covers, TABLE) / 512;
        continue;
      }
      runs.add(at, toBoundary / PAGE_SIZE);
      done += toBoundary;
    }
  }
  return runs;
}

/** What is missing with one entry, where it is more than a page: what it would lead to is not there. */
function coveredBy(fault: MemoryFault): number {
  const level = "level" in fault ? fault.level : undefined;
  if (level === undefined) return 0;
  // a table that is not in the dump, and is named by the level of its own entries
  const noTable = "pa" in fault;
  return COVERS[level] ?? (noTable ? PAGE_SIZE : 0);
}
