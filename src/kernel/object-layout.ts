import type { Va } from "../core/address.ts";
import { type EntryForm, entryForms, provenForm } from "./handle-entries.ts";
import type { Kernel } from "./kernel.ts";
import { ObjectHeaders } from "./object-headers.ts";
import { findObjectTable, type ObjectTableField } from "./object-table.ts";
import { WordPages } from "./word-pages.ts";

/** How objects and handle tables stand in the memory of one machine. What did not prove itself is `undefined`. */
export interface ObjectLayout {
  readonly pages: WordPages;
  /** Where processes have their handle tables. */
  readonly table: ObjectTableField | undefined;
  /** What stands in front of objects. */
  readonly headers: ObjectHeaders | undefined;
  /** How entries of handle tables lead to objects. */
  readonly form: EntryForm | undefined;
}

/**
 * Finds out how objects stand in memory, with those that are known: processes and threads.
 *
 * @param threads KTHREAD of some threads
 */
export function findObjectLayout(
  { space, machine, build, processes }: Pick<Kernel, "space" | "machine" | "build" | "processes">,
  threads: readonly Va[],
): ObjectLayout {
  const pages = new WordPages(space);
  const table = findObjectTable(pages, processes.items);
  const bodies = processes.items.map(({ address }) => address);
  const headers = ObjectHeaders.find(pages, build, { processes: bodies, threads });
  const form = table && headers && provenForm(entryForms(machine, build), headers, table, processes.items);
  return { pages, table, headers, form };
}
