import type { Absent } from "../core/absent.ts";
import { type HandleCount, HandleCounter, type HandleKind, type NumberedCounts } from "./handle-counter.ts";
import { handlePageBudget, type TableStop, type TableWalk, walkHandleTable } from "./handle-table.ts";
import type { Kernel } from "./kernel.ts";
import type { ObjectLayout } from "./object-layout.ts";
import { objectTableOf } from "./object-table.ts";
import { findObjectTypes, type ObjectTypes, type TypePlaces } from "./object-types.ts";
import type { ProcessEntry } from "./processes.ts";

/** The handles of one process. System's are those of the kernel. */
export interface ProcessHandles {
  readonly process: ProcessEntry;
  /** All that are in use, those among them of which the type is not known; `undefined`: the table cannot be read. */
  readonly handles: number | undefined;
  /** The most handles first. */
  readonly byType: readonly HandleCount[];
  /** Handles whose object cannot be read, or does not prove to be one. */
  readonly unknown: number;
  /** Pages of the table that hold entries; freed entries stay in them. */
  readonly pages: number;
  /** Why there may be more handles than were seen; `undefined`: all were. */
  readonly stopped: TableStop | undefined;
}

/** Handles of a machine. */
export interface Handles {
  /** The most handles first. */
  readonly processes: readonly ProcessHandles[];
  /** Over all processes: objects that several of them hold count once. The most handles first. */
  readonly totals: readonly HandleCount[];
  readonly types: ObjectTypes;
  /** Tables: how many were read, wholly or in part, of those that processes should have. */
  readonly tables: { readonly read: number; readonly of: number };
  /** What is not known, and why; one sentence each. */
  readonly notes: readonly string[];
}

/** Why handles cannot be told. */
export type NoHandles = Absent<"triage" | "processes" | "tables" | "headers" | "entries">;

/** What handles are read from. */
export type HandleSource = Pick<Kernel, "space" | "processes" | "triage">;

/**
 * Counts the handles of all processes, by type and by object. Nothing of it is taken on trust: a handle counts
 * for a type where the header it leads to says so and the block around it has that type's tag.
 *
 * @param data nt's sections that it writes, for the table of types
 */
export function readHandles(
  source: HandleSource,
  objects: ObjectLayout,
  data: readonly TypePlaces[],
): Handles | NoHandles {
  const { space, triage } = source;
  const processes = source.processes.items;
  const { table: field, headers, form } = objects;
  if (triage) return { missing: "triage", reason: "a triage dump (minidump) holds no handle tables" };
  if (processes.length === 0) {
    return {
      missing: "processes",
      reason: "the list of processes cannot be read, so neither can their handles",
    };
  }
  if (field === undefined) {
    const reason =
      "where processes have their handle tables is not known of this Windows, or none is in the dump";
    return { missing: "tables", reason };
  }
  if (headers === undefined) {
    const reason =
      "what stands in front of objects fits no known form, or is not in the dump: types of handles are not known";
    return { missing: "headers", reason };
  }
  if (form === undefined) {
    return {
      missing: "entries",
      reason: "entries of the handle tables lead to no objects in any known form",
    };
  }
  const budget = handlePageBudget();
  const counter = new HandleCounter(headers, form);
  const tables = processes.flatMap((process): readonly WalkedTable[] => {
    const table = objectTableOf(headers.pages, process, field);
    if (table === 0) return [];
    counter.start();
    const walk =
      table === undefined
        ? undefined
        : walkHandleTable(headers.pages, table, field.layout, budget, (page) => counter.add(page));
    return [{ process, walk, counts: counter.take() }];
  });
  const types = findObjectTypes(space, headers, new Set([headers.processKind, ...counter.kinds]), data);
  return handlesOf(source, tables, counter, types);
}

/** The table of a process, as far as it could be walked. */
interface WalkedTable {
  readonly process: ProcessEntry;
  /** `undefined`: it cannot be read. */
  readonly walk: TableWalk | undefined;
  readonly counts: NumberedCounts;
}

function handlesOf(
  { processes }: HandleSource,
  tables: readonly WalkedTable[],
  counter: HandleCounter,
  types: ObjectTypes,
): Handles {
  const proved = counter.proved(types);
  const ofTables = tables.map(({ process, walk, counts }): ProcessHandles => {
    const byType = provedCounts(counts, proved);
    const told = byType.reduce((sum, one) => sum + one.handles, 0);
    const none = walk === undefined || (walk.pages === 0 && walk.stopped !== undefined);
    const handles = none ? undefined : counts.handles;
    return {
      process,
      handles,
      byType,
      unknown: counts.handles - told,
      pages: walk?.pages ?? 0,
      stopped: walk?.stopped,
    };
  });
  const withTable = new Set(tables.map(({ process }) => process));
  const without = processes.items
    .filter((process) => !withTable.has(process))
    .map(
      (process): ProcessHandles => ({
        process,
        handles: 0,
        byType: [],
        unknown: 0,
        pages: 0,
        stopped: undefined,
      }),
    );
  const totals = provedCounts(counter.totals(tables.map(({ counts }) => counts)), proved);
  return {
    processes: [...ofTables, ...without].sort(
      (a, b) => (b.handles ?? -1) - (a.handles ?? -1) || a.process.pid - b.process.pid,
    ),
    totals,
    types,
    tables: { read: ofTables.filter(({ handles }) => handles !== undefined).length, of: tables.length },
    notes: notesOn(ofTables, { tooMany: counter.full, listCut: processes.stopped !== undefined }),
  };
}

/** The most handles first. */
function provedCounts(
  { byNumber }: NumberedCounts,
  proved: readonly (HandleKind | undefined)[],
): readonly HandleCount[] {
  return [...byNumber]
    .flatMap(([number, counts]) => {
      const kind = proved[number];
      return kind === undefined ? [] : [{ ...kind, ...counts }];
    })
    .sort((a, b) => b.handles - a.handles || a.tag - b.tag);
}

function notesOn(
  processes: readonly ProcessHandles[],
  { tooMany, listCut }: { readonly tooMany: boolean; readonly listCut: boolean },
): readonly string[] {
  const notes: string[] = [];
  const missing = processes.filter(({ handles }) => handles === undefined);
  if (missing.length > 0) notes.push(`the handle tables of ${namesOf(missing)} cannot be read`);
  for (const [why, words] of [
    ["unreadable", "parts of them are not in the dump"],
    ["broken", "pointers of theirs lead nowhere"],
    ["cycle", "their pages lead back to one another"],
    ["limit", "there are more pages than are looked at"],
  ] as const) {
    const cut = processes.filter(({ handles, stopped }) => handles !== undefined && stopped === why);
    if (cut.length > 0) notes.push(`handles of ${namesOf(cut)} may be missing: ${words}`);
  }
  const unknown = processes.reduce((sum, one) => sum + one.unknown, 0);
  if (unknown > 0) {
    notes.push(
      `of ${unknown} handles the type is not known: what they lead to cannot be read, or is no object`,
    );
  }
  if (tooMany) notes.push("there are more objects than are told apart: those beyond count as not known");
  if (listCut) notes.push("the list of processes ends early: handles of others are not known");
  return notes;
}

function namesOf(list: readonly ProcessHandles[]): string {
  const names = list
    .slice(0, 3)
    .map(({ process: { imageName, pid } }) =>
      imageName === undefined ? `process ${pid}` : `${imageName} (${pid})`,
    );
  return list.length > 3 ? `${names.join(", ")} and ${list.length - 3} more` : names.join(", ");
}
