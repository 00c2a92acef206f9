import type { Va } from "../core/address.ts";
import { groupExited } from "../kernel/exited-processes.ts";
import type { HandleCount } from "../kernel/handle-counter.ts";
import { type Handles, type NoHandles, type ProcessHandles, readHandles } from "../kernel/handles.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { findObjectLayout, type ObjectLayout } from "../kernel/object-layout.ts";
import type { ProcessDetail } from "../kernel/process-detail.ts";
import { type ProcessDetails, readProcessDetails } from "../kernel/process-details.ts";
import { readThreads, type Threads } from "../kernel/threads.ts";
import type { PoolKernel } from "../pool/pool-kernel.ts";
import { tagText } from "../pool/tag.ts";
import type {
  HandleCountRow,
  HandlesDocument,
  HandleTotalRow,
  ProcessesDocument,
  ProcessHandlesRow,
  ProcessRow,
} from "../report/object-documents.ts";
import { gapOf, isoTime } from "../report/words.ts";

/** What else is asked of a dump to tell who holds objects. */
export interface ObjectSource {
  readonly kernel: Kernel;
  readonly pool: PoolKernel;
  /** Process objects that the pool holds; what is not in the list is shown beside it. */
  processBlocks(): readonly Va[];
  /** Allocations of a tag that were not freed; `undefined` where the tag tables do not say. */
  outstanding(key: number): number | undefined;
}

/** Which handles are asked for: those of processes, by id or by image name, or to objects with a tag. */
export interface HandleQuery {
  readonly process?: number | string | undefined;
  readonly tag?: { readonly key: number; readonly text: string } | undefined;
}

/** Processes, their handles, and the objects that these lead to. Each part is read when it is first asked for. */
export class HeldObjects {
  readonly #source: ObjectSource;
  #threads: Threads | undefined;
  #layout: ObjectLayout | undefined;
  #details: ProcessDetails | undefined;
  #handles: Handles | NoHandles | undefined;

  constructor(source: ObjectSource) {
    this.#source = source;
  }

  /** How objects stand in memory. */
  get layout(): ObjectLayout {
    this.#layout ??= findObjectLayout(
      this.#source.kernel,
      this.#readThreads.items.map(({ address }) => address),
    );
    return this.#layout;
  }

  get processes(): ProcessDetails {
    const { kernel } = this.#source;
    this.#details ??= readProcessDetails(
      kernel,
      this.#readThreads,
      this.layout,
      this.#source.processBlocks(),
    );
    return this.#details;
  }

  get handles(): Handles | NoHandles {
    const { kernel, pool } = this.#source;
    this.#handles ??= readHandles(kernel, this.layout, pool.nt?.writable ?? []);
    return this.#handles;
  }

  /** What the `processes` command answers. */
  processesDocument(notes: readonly string[]): ProcessesDocument {
    const { items, stopped, unknown, notes: own } = this.processes;
    const names = new Map(items.map(({ pid, imageName }) => [pid, imageName]));
    return {
      processes: items.map(processRow),
      exited: groupExited(items).map(({ imageName, parent, processes, withoutHandles }) => ({
        name: imageName ?? null,
        parent: parent ?? null,
        parentName: (parent === undefined ? undefined : names.get(parent)) ?? null,
        processes,
        withoutHandles: withoutHandles ?? null,
      })),
      unknown,
      stopped: gapOf(stopped),
      notes: [...own, ...notes],
    };
  }

  /** What the `handles` command answers. */
  handlesDocument({ process, tag }: HandleQuery, notes: readonly string[]): HandlesDocument {
    const asked = { process: process === undefined ? null : `${process}`, tag: tag?.text ?? null };
    const { handles } = this;
    if ("missing" in handles) {
      const missing = { kind: handles.missing, detail: handles.reason };
      return { ...asked, processes: [], totals: [], missing, coverage: null, notes };
    }
    const wanted = handles.processes
      .filter((one) => isAsked(one, process))
      .map((one) => handlesRow(one, tag?.key))
      .filter(({ byType }) => tag === undefined || byType.length > 0);
    return {
      ...asked,
      processes: tag === undefined ? wanted : wanted.sort((a, b) => handlesTold(b) - handlesTold(a)),
      totals: handles.totals
        .filter((one) => tag === undefined || one.tag === tag.key)
        .map((one) => this.#totalRow(one)),
      missing: null,
      coverage: { tables: handles.tables.read, of: handles.tables.of },
      notes: [...handles.notes, ...notes],
    };
  }

  #totalRow(count: HandleCount): HandleTotalRow {
    return {
      ...countRow(count),
      outstanding: this.#source.outstanding(count.tag) ?? null,
      typeObjects: count.type?.objects ?? null,
      typeHandles: count.type?.handles ?? null,
    };
  }

  get #readThreads(): Threads {
    this.#threads ??= readThreads(this.#source.kernel);
    return this.#threads;
  }
}

function processRow(process: ProcessDetail): ProcessRow {
  const { created, exited } = process;
  return {
    pid: process.pid,
    parent: process.parent ?? null,
    name: process.imageName ?? null,
    address: process.address,
    created: created === undefined || created === 0n ? null : isoTime(created),
    exited: exited === undefined ? null : exited === "none" ? exited : isoTime(exited),
    session: process.session ?? null,
    threads: process.threads ?? null,
    handles: process.handles ?? null,
    state: process.state ?? null,
    listed: process.listed,
    handlesToIt: process.handlesToIt ?? null,
    references: process.references ?? null,
  };
}

function isAsked(
  { process: { pid, imageName } }: ProcessHandles,
  wanted: number | string | undefined,
): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === "number" ? pid === wanted : imageName?.toLowerCase() === wanted.toLowerCase();
}

function handlesRow(
  { process, handles, byType, unknown, stopped }: ProcessHandles,
  key: number | undefined,
): ProcessHandlesRow {
  return {
    pid: process.pid,
    name: process.imageName ?? null,
    address: process.address,
    handles: handles ?? null,
    byType: byType.filter(({ tag }) => key === undefined || tag === key).map(countRow),
    unknown,
    stopped: stopped ?? null,
  };
}

function countRow({ tag, type, handles, objects }: HandleCount): HandleCountRow {
  return { type: type?.name ?? null, tag: tagText(tag), handles, objects };
}

function handlesTold({ byType }: ProcessHandlesRow): number {
  return byType.reduce((sum, { handles }) => sum + handles, 0);
}
