import type { Va } from "../core/address.ts";
import type { Gap } from "./gap.ts";

/** A process. What is null is not known; `unknown` says why where it is known of none. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number | null;
  /** The first fifteen characters of its file's name. */
  readonly name: string | null;
  /** Its EPROCESS. */
  readonly address: Va;
  /** ISO 8601, UTC. */
  readonly created: string | null;
  /** ISO 8601, UTC; `none`: it has not ended. */
  readonly exited: string | null;
  /** `none`: it belongs to no session, as System does. */
  readonly session: number | "none" | null;
  readonly threads: number | null;
  /** Handles that it holds. */
  readonly handles: number | null;
  /** `exited`: it has ended, and stays because somebody still refers to it. */
  readonly state: "active" | "exited" | null;
  /** False: it is not in the list of processes, and was found elsewhere. */
  readonly listed: boolean;
  /** Handles to it, over all tables. */
  readonly handlesToIt: number | null;
  /** References to it; null also where they cannot be told, since handles take some in advance. */
  readonly references: number | null;
}

/** Processes that have ended and stay, of one image and one parent. */
export interface ExitedRow {
  readonly name: string | null;
  readonly parent: number | null;
  readonly parentName: string | null;
  readonly processes: number;
  /** Of them, those to which no handle is left: the kernel, or a driver, holds them. */
  readonly withoutHandles: number | null;
}

/** What is known of no process, and why. */
export interface UnknownRow {
  readonly field: string;
  readonly reason: string;
}

export interface ProcessesDocument {
  /** In the order of the list, which is that in which they were created; those that are not listed last. */
  readonly processes: readonly ProcessRow[];
  /** The most processes first. */
  readonly exited: readonly ExitedRow[];
  readonly unknown: readonly UnknownRow[];
  readonly stopped: Gap | null;
  readonly notes: readonly string[];
}

/** Handles to objects of one type. */
export interface HandleCountRow {
  /** `Event`; null where only the tag of its objects is known. */
  readonly type: string | null;
  readonly tag: string;
  readonly handles: number;
  /** How many objects they lead to. */
  readonly objects: number;
}

/** The handles of one process; System's are those of the kernel. */
export interface ProcessHandlesRow {
  readonly pid: number;
  readonly name: string | null;
  readonly address: Va;
  /** All of them; null where its table cannot be read. */
  readonly handles: number | null;
  /** The most handles first. */
  readonly byType: readonly HandleCountRow[];
  /** Handles that do not prove to lead to an object. */
  readonly unknown: number;
  /** Why there may be more: `unreadable`, `broken`, `cycle` or `limit`; null where all were seen. */
  readonly stopped: string | null;
}

/** Handles to objects of one type over all processes, beside what the kernel and the pool count. */
export interface HandleTotalRow extends HandleCountRow {
  /** Allocations of the tag that were not freed, of both pools; null where the tag tables do not say. */
  readonly outstanding: number | null;
  /** Objects and handles as the type itself counts them; null where it was not found. */
  readonly typeObjects: number | null;
  readonly typeHandles: number | null;
}

export interface HandlesDocument {
  /** What was asked for; null: all. */
  readonly process: string | null;
  readonly tag: string | null;
  /** The most handles first. */
  readonly processes: readonly ProcessHandlesRow[];
  /** Of all processes, whichever was asked for. */
  readonly totals: readonly HandleTotalRow[];
  /** Why nothing can be told; null where something can. */
  readonly missing: Gap | null;
  /** Handle tables that could be read, of those that processes should have. */
  readonly coverage: { readonly tables: number; readonly of: number } | null;
  readonly notes: readonly string[];
}
