import type { Va } from "../core/address.ts";
import { type EntryForm, entryForms } from "./handle-entries.ts";
import { handlePageBudget, TABLE_LAYOUTS, type TableStop, walkHandleTable } from "./handle-table.ts";
import type { Kernel } from "./kernel.ts";
import { WordPages } from "./word-pages.ts";

/** The kernel's table of all processes and threads by their ids: PspCidTable. */
export interface IdTable {
  /** Processes in the order of their ids, those that are on no list among them. */
  readonly processes: readonly { readonly address: Va; readonly pid: number }[];
  readonly threads: number;
  /** Entries that lead to neither, or cannot be read. */
  readonly others: number;
  /** Why there may be more; `undefined`: all were seen. */
  readonly stopped: TableStop | undefined;
}

/** What the table is read from. */
export type IdTableSource = Pick<Kernel, "space" | "machine" | "build" | "variable" | "processLayout">;

const PROCESS_OBJECT = 3;
const THREAD_OBJECT = 6;
/** Bit 7 of an object's type is its lock. */
const TYPE_BITS = 0x7f;

/**
 * Reads the table of ids: an ordinary handle table, but that its entries lead to the objects themselves and not to
 * their headers. A process counts where it has the id at which it stands.
 *
 * @returns `undefined` where nobody knows where it is, or nothing in it is a process
 */
export function readIdTable(source: IdTableSource): IdTable | undefined {
  const { space, machine, build, processLayout } = source;
  const variable = source.variable("PspCidTable")?.address;
  if (variable === undefined || processLayout === undefined) return undefined;
  const pages = new WordPages(space);
  const at = pages.placeOf(variable);
  const table = at === undefined ? undefined : pages.pointer(at);
  if (table === undefined || table === 0) return undefined;
  for (const form of entryForms(machine, build)) {
    for (const layout of TABLE_LAYOUTS[space.pointerSize]) {
      const found = new IdReader(pages, form, processLayout.pid);
      const walk = walkHandleTable(pages, table, layout, handlePageBudget(), (page, first) =>
        found.add(page, first),
      );
      if (found.processes.length > 0) {
        const { processes, threads, others } = found;
        return { processes, threads, others, stopped: walk.stopped };
      }
    }
  }
  return undefined;
}

class IdReader {
  readonly processes: { readonly address: Va; readonly pid: number }[] = [];
  threads = 0;
  others = 0;
  readonly #pages: WordPages;
  readonly #form: EntryForm;
  readonly #pid: number;

  /** @param pid where EPROCESS has its id */
  constructor(pages: WordPages, form: EntryForm, pid: number) {
    this.#pages = pages;
    this.#form = form;
    this.#pid = pid;
  }

  /** @param first the index of the page's first entry */
  add(page: DataView, first: number): void {
    const { pointerSize } = this.#pages;
    const size = 2 * pointerSize;
    for (let at = size; at < page.byteLength; at += size) {
      const low = page.getUint32(at, true);
      const body = this.#form.decode(low, pointerSize === 4 ? 0 : page.getUint32(at + 4, true));
      if (body === 0) continue;
      const type = body < 0 ? undefined : this.#pages.u8(body);
      const id = (first + at / size) * 4;
      if (type !== undefined && (type & TYPE_BITS) === THREAD_OBJECT) this.threads++;
      else if (
        type !== undefined &&
        (type & TYPE_BITS) === PROCESS_OBJECT &&
        this.#pages.small(body + this.#pid) === id
      ) {
        this.processes.push({ address: this.#pages.addressOf(body), pid: id });
      } else this.others++;
    }
  }
}
