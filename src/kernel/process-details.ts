import type { Va } from "../core/address.ts";
import { MemoryError } from "../core/errors.ts";
import { MAX_PROCESSES } from "../core/limits.ts";
import type { Stop, Walk } from "../core/walk.ts";
import { readIdTable } from "./id-table.ts";
import type { ObjectLayout } from "./object-layout.ts";
import { DetailReader, type ProcessDetail, type ProcessSource } from "./process-detail.ts";
import { findProcessFields, type ProcessField, type ProcessFields } from "./process-fields.ts";
import { type ProcessEntry, readProcess } from "./processes.ts";
import { SessionReader } from "./sessions.ts";
import type { Threads } from "./threads.ts";

/** A part of what is known of processes that is known of none, and why. */
export interface UnknownField {
  readonly field: ProcessField | "handleTable" | "handles" | "references";
  readonly reason: string;
}

/** The processes of a machine. */
export interface ProcessDetails extends Walk<ProcessDetail> {
  readonly fields: ProcessFields;
  readonly unknown: readonly UnknownField[];
  /** One sentence each. */
  readonly notes: readonly string[];
}

/**
 * Reads what each process says of itself, where that can be proved.
 *
 * @param found process objects that were found elsewhere; those of the list among them do not count twice
 */
export function readProcessDetails(
  source: ProcessSource,
  threads: Threads,
  objects: ObjectLayout,
  found: readonly Va[] = [],
): ProcessDetails {
  const { space, processes, processLayout } = source;
  const counts = threadCounts(threads);
  const sessions = new SessionReader(source);
  const { taken, upTime } = source.facts;
  const fields: ProcessFields =
    processLayout === undefined
      ? {}
      : findProcessFields(space, processes.items, processLayout, {
          machine: source.machine,
          kdbg: source.kdbg,
          started: taken === undefined || upTime === undefined ? undefined : taken.value - upTime.value,
          stopped: taken?.value,
          threadsOf: (process) => counts.get(process.address),
          sessionOf: (process, session) => sessions.idOf(process, session),
        });
  const reader = new DetailReader(source, fields, objects, sessions);
  const listed = processes.items.map((process) => reader.read(process, true));
  const { unlisted, more } = unlistedOf(source, found);
  const items = [...listed, ...unlisted.map((process) => reader.read(process, false))];
  const unknown = unknownFields(source, fields, objects);
  const notes = more
    ? [...notesOn(source), "there are more processes outside the list than are looked at"]
    : notesOn(source);
  const details = { items, fields, unknown, notes };
  return processes.stopped === undefined ? details : { ...details, stopped: processes.stopped };
}

/** Processes that are not in the list: of the kernel's table of ids, and those that were found. */
function unlistedOf(
  source: ProcessSource,
  found: readonly Va[],
): { readonly unlisted: readonly ProcessEntry[]; readonly more: boolean } {
  const { space, processes, processLayout } = source;
  if (processLayout === undefined) return { unlisted: [], more: false };
  const places = new Set([...(readIdTable(source)?.processes.map(({ address }) => address) ?? []), ...found]);
  for (const { address } of processes.items) places.delete(address);
  const unlisted = [...places].slice(0, MAX_PROCESSES).flatMap((address) => {
    try {
      return readProcess(space, address, processLayout) ?? [];
    } catch (error) {
      if (error instanceof MemoryError) return [];
      throw error;
    }
  });
  return { unlisted, more: places.size > MAX_PROCESSES };
}

/** How many threads stand in the list of each process whose list was read. */
function threadCounts({ items }: Threads): ReadonlyMap<Va, number> {
  const counts = new Map<Va, number>();
  for (const { process } of items) {
    if (process !== undefined) counts.set(process.address, (counts.get(process.address) ?? 0) + 1);
  }
  return counts;
}

function unknownFields(
  { triage, processes, build }: ProcessSource,
  fields: ProcessFields,
  { table, headers, form }: ObjectLayout,
): readonly UnknownField[] {
  if (triage || processes.items.length === 0) return [];
  const windows = build === undefined ? "this Windows" : `build ${build}`;
  const names: readonly ProcessField[] = ["parent", "created", "exited", "session", "threads"];
  const unknown: UnknownField[] = names
    .filter((field) => fields[field] === undefined)
    .map((field) => ({ field, reason: `no place in EPROCESS of ${windows} proves to hold it` }));
  if (table === undefined) {
    unknown.push({
      field: "handleTable",
      reason: "no field of EPROCESS leads to a table that names its process",
    });
  } else if (form === undefined) {
    unknown.push({
      field: "handles",
      reason: "what entries of the handle tables lead to does not prove to be objects",
    });
  }
  if (headers === undefined) {
    unknown.push({
      field: "references",
      reason: "what stands in front of processes fits no known form of header",
    });
  }
  return unknown;
}

function notesOn({ triage, processes }: ProcessSource): readonly string[] {
  const { items, stopped } = processes;
  if (triage) return ["a triage dump (minidump) does not hold the list of processes"];
  if (items.length === 0) return [`the list of processes cannot be read: ${why(stopped)}`];
  if (stopped === undefined) return [];
  return [`the list of processes ends early, after ${items.length}: ${why(stopped)}`];
}

function why(stopped: Stop | undefined): string {
  if (stopped === "cycle") return "it leads back into itself";
  if (stopped === "limit") return "there are more than are read";
  return stopped === "broken" || stopped === undefined
    ? "a link of it leads to no process"
    : "a part of it is not in the dump";
}
