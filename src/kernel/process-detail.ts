import { advance, type Va } from "../core/address.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { handlesIn } from "./handle-entries.ts";
import { handlePageBudget, type PageBudget, walkHandleTable } from "./handle-table.ts";
import type { Kernel } from "./kernel.ts";
import type { ObjectLayout } from "./object-layout.ts";
import { objectTableOf } from "./object-table.ts";
import type { ProcessField, ProcessFields } from "./process-fields.ts";
import type { ProcessEntry } from "./processes.ts";
import type { SessionReader } from "./sessions.ts";

/** All that is known of a process. What is `undefined` cannot be read, or `unknown` says why no process has it. */
export interface ProcessDetail extends ProcessEntry {
  /** It stands in the list of processes. Others were found elsewhere: taken off the list, or on their way out. */
  readonly listed: boolean;
  readonly parent: number | undefined;
  /** FILETIME. */
  readonly created: bigint | undefined;
  /** FILETIME; `none`: it has not ended. */
  readonly exited: bigint | "none" | undefined;
  /** `none`: it belongs to no session, as System does. */
  readonly session: number | "none" | undefined;
  readonly threads: number | undefined;
  /** `exited`: it has ended, and stays because somebody still refers to it. */
  readonly state: "active" | "exited" | undefined;
  /** Where its handle table stands; `none`: it has none. System's is the kernel's own. */
  readonly handleTable: Va | "none" | undefined;
  /** Handles that it holds; `undefined` also where its table can only be read in part. */
  readonly handles: number | undefined;
  /** Handles to the process itself, over all tables, by its header. */
  readonly handlesToIt: number | undefined;
  /**
   * References to it, by its header. `undefined` also where they cannot be told: from Windows 8 on thousands are
   * taken in advance while there are handles.
   */
  readonly references: number | undefined;
}

/** What processes are read from. */
export type ProcessSource = Pick<
  Kernel,
  | "space"
  | "machine"
  | "build"
  | "facts"
  | "kdbg"
  | "variable"
  | "processes"
  | "processLayout"
  | "spaceOf"
  | "triage"
>;

/** The first build that takes references in advance. */
const ADVANCE_REFERENCES = 9200;

/** Reads processes one by one. */
export class DetailReader {
  readonly #source: ProcessSource;
  readonly #space: AddressSpace;
  readonly #fields: ProcessFields;
  readonly #objects: ObjectLayout;
  readonly #sessions: SessionReader;
  readonly #budget: PageBudget = handlePageBudget();

  constructor(source: ProcessSource, fields: ProcessFields, objects: ObjectLayout, sessions: SessionReader) {
    this.#source = source;
    this.#space = source.space;
    this.#fields = fields;
    this.#objects = objects;
    this.#sessions = sessions;
  }

  read(process: ProcessEntry, listed: boolean): ProcessDetail {
    const parent = this.#word(process, "parent");
    const exited = this.#time(process, "exited");
    const threads = this.#u32(process, "threads");
    const handleTable = this.#handleTable(process);
    return {
      ...process,
      listed,
      parent: parent === undefined ? undefined : Number(parent),
      created: this.#time(process, "created"),
      exited: exited === 0n ? "none" : exited,
      session: this.#session(process),
      threads,
      state: stateOf(process, exited, threads, handleTable),
      handleTable,
      handles: this.#handles(handleTable),
      ...this.#held(process),
    };
  }

  #at(process: ProcessEntry, field: ProcessField): Va | undefined {
    const place = this.#fields[field];
    return place === undefined ? undefined : advance(process.address, place.offset);
  }

  #u32(process: ProcessEntry, field: ProcessField): number | undefined {
    const at = this.#at(process, field);
    return at === undefined ? undefined : this.#space.tryReadU32(at);
  }

  #word(process: ProcessEntry, field: ProcessField): Va | undefined {
    const at = this.#at(process, field);
    return at === undefined ? undefined : this.#space.tryReadPointer(at);
  }

  #time(process: ProcessEntry, field: ProcessField): bigint | undefined {
    const at = this.#at(process, field);
    const bytes = at === undefined ? undefined : this.#space.tryRead(at, 8);
    return bytes === undefined
      ? undefined
      : new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  }

  #session(process: ProcessEntry): number | "none" | undefined {
    const session = this.#word(process, "session");
    if (session === undefined) return undefined;
    return session === 0n ? "none" : this.#sessions.idOf(process, session);
  }

  #handleTable(process: ProcessEntry): Va | "none" | undefined {
    const { table, pages } = this.#objects;
    const place = table === undefined ? undefined : objectTableOf(pages, process, table);
    if (place === undefined) return undefined;
    return place === 0 ? "none" : pages.addressOf(place);
  }

  #handles(table: Va | "none" | undefined): number | undefined {
    const { table: field, pages, form } = this.#objects;
    if (table === "none") return 0;
    const place = table === undefined ? undefined : pages.placeOf(table);
    if (place === undefined || field === undefined || form === undefined) return undefined;
    let handles = 0;
    const { stopped } = walkHandleTable(pages, place, field.layout, this.#budget, (page) => {
      handles += handlesIn(page, form, pages.pointerSize);
    });
    return stopped === undefined ? handles : undefined;
  }

  #held(process: ProcessEntry): Pick<ProcessDetail, "handlesToIt" | "references"> {
    const { headers } = this.#objects;
    const header = headers?.of(process.address);
    if (header === undefined || header.kind !== headers?.processKind) {
      return { handlesToIt: undefined, references: undefined };
    }
    const told = header.handleCount === 0 || (this.#source.build ?? ADVANCE_REFERENCES) < ADVANCE_REFERENCES;
    return { handlesToIt: header.handleCount, references: told ? header.pointerCount : undefined };
  }
}

/** An exit time tells it; without one, having neither threads nor handles does. */
function stateOf(
  { pid }: ProcessEntry,
  exited: bigint | undefined,
  threads: number | undefined,
  handleTable: Va | "none" | undefined,
): ProcessDetail["state"] {
  if (exited !== undefined && exited !== 0n) return "exited";
  if (pid === 4 || exited === 0n) return "active";
  if (threads === undefined || handleTable === undefined) return undefined;
  return threads === 0 && handleTable === "none" ? "exited" : "active";
}
