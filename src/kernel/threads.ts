import { advance, hex, type Va } from "../core/address.ts";
import { MAX_OUTER_STACKS, MAX_THREADS } from "../core/limits.ts";
import type { Stop, Walk } from "../core/walk.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { Kernel } from "./kernel.ts";
import { walkList } from "./linked-list.ts";
import { readOuterStacks } from "./outer-stacks.ts";
import type { ProcessEntry } from "./processes.ts";
import { type Running, runningThreads } from "./running-threads.ts";
import {
  findStackFields,
  findThreadLayout,
  isThread,
  readStackBounds,
  type StackBounds,
  type StackFields,
} from "./thread-layout.ts";

/** A thread's kernel stack. */
export interface KernelStack extends StackBounds {
  /**
   * The lowest address in use: KernelStack, or the stack pointer of the processor that the thread runs
   * on. `undefined`: it runs, and where its stack pointer stands is not known.
   */
  readonly live: Va | undefined;
  /** Whether the part in use can be read. False: it was written to the page file. `undefined`: it is missing for another reason. */
  readonly resident: boolean | undefined;
  /** Stacks that the thread left to go on with this one, the last left first; all above KernelStack is in use. */
  readonly outer: readonly StackBounds[];
}

/** A thread. */
export interface ThreadEntry {
  /** Its KTHREAD. */
  readonly address: Va;
  /** The process in whose list it stands; `undefined` for one that is only known because a processor runs it. */
  readonly process: ProcessEntry | undefined;
  /** KTHREAD.State; `undefined` where this Windows does not tell where it stands, or it cannot be. */
  readonly state: ThreadState | undefined;
  /** The number of the processor that ran it when the machine stopped; `undefined` where none did. */
  readonly processor: number | undefined;
  /** `none`: it has ended, and has no stack any more. `undefined`: what KTHREAD says cannot be one. */
  readonly stack: KernelStack | "none" | undefined;
}

/** KTHREAD_STATE, by value. */
export type ThreadState = (typeof STATES)[number];

const STATES = [
  "initialized",
  "ready",
  "running",
  "standby",
  "terminated",
  "waiting",
  "transition",
  "deferred-ready",
  "gate-wait",
  "waiting-for-process-in-swap",
] as const;

/** All threads of all processes. `stopped` is the reason why the first list that broke off did. */
export interface Threads extends Walk<ThreadEntry> {
  /** Processes whose list was read to its end, of those that are known. */
  readonly processes: { readonly read: number; readonly of: number };
  /** What is not in `items`, and why; one sentence each. */
  readonly notes: readonly string[];
}

/** What the threads are read from. */
export type ThreadSource = Pick<
  Kernel,
  "space" | "machine" | "build" | "facts" | "kdbg" | "processes" | "processors" | "contexts" | "triage"
>;

/**
 * Reads the threads of all processes, and of all processors that run one of no process: the idle
 * threads, or the one thread of a triage dump.
 */
export function readThreads(source: ThreadSource): Threads {
  const { space, machine, build, kdbg, processes } = source;
  const hints = { machine, build, kdbg };
  const running = runningThreads(source);
  const items = new Map<Va, ThreadEntry>();
  const notes: string[] = [];
  const reader = (fields: StackFields) => (address: Va, process: ProcessEntry | undefined) => {
    const entry = readThread(space, address, { process, fields, kdbg, running: running.get(address) });
    items.set(address, entry);
    return entry;
  };

  const layout = findThreadLayout(
    space,
    processes.items.map((process) => process.address),
    hints,
  );
  const cut: { process: ProcessEntry; stopped: Stop }[] = [];
  if (layout !== undefined) {
    const read = reader(layout);
    for (const process of processes.items) {
      const room = MAX_THREADS - items.size;
      const head = advance(process.address, layout.listHead);
      const { stopped } = walkList(space, head, room, (link) => {
        const address = advance(link, -layout.links);
        return isThread(space, address) && !items.has(address) ? read(address, process) : undefined;
      });
      if (stopped !== undefined) cut.push({ process, stopped });
    }
    if (layout.basis === "search") {
      notes.push(
        `where threads have their links is not known of this Windows; ${hex(layout.links)} was found by the threads`,
      );
    }
  } else if (processes.items.length > 0) {
    notes.push("the lists of the processes' threads cannot be read: no known layout of KTHREAD fits them");
  }
  for (const address of running.keys()) {
    if (items.has(address)) continue;
    const fields = layout ?? findStackFields(space, address, hints);
    if (fields !== undefined && isThread(space, address)) reader(fields)(address, undefined);
  }

  if (source.triage) {
    notes.push("a triage dump (minidump) holds no threads but those that the processors ran");
  } else if (processes.items.length === 0) {
    notes.push("the list of processes cannot be read, so their threads are not known");
  }
  if (processes.items.length > 0 && processes.stopped !== undefined) {
    notes.push("the list of processes ends early: threads of others are not known");
  }
  if (cut.length > 0) {
    const names = cut.slice(0, 3).map(({ process }) => process.imageName ?? `process ${process.pid}`);
    const more = cut.length > names.length ? ` and ${cut.length - names.length} more` : "";
    notes.push(
      `threads may be missing: the lists of ${names.join(", ")}${more} cannot be followed to their end`,
    );
  }
  const found = [...items.values()];
  if (found.some(({ stack }) => typeof stack === "object" && stack.outer.length === MAX_OUTER_STACKS)) {
    notes.push(`stacks may be missing: only ${MAX_OUTER_STACKS} that a thread left for others are looked at`);
  }
  const stopped = cut[0]?.stopped ?? (layout === undefined ? "broken" : processes.stopped);
  const of = processes.items.length;
  const read = layout === undefined ? 0 : of - cut.length;
  return stopped === undefined
    ? { items: found, processes: { read, of }, notes }
    : { items: found, processes: { read, of }, notes, stopped };
}

function readThread(
  space: AddressSpace,
  address: Va,
  from: {
    readonly process: ProcessEntry | undefined;
    readonly fields: StackFields;
    readonly kdbg: ThreadSource["kdbg"];
    readonly running: Running | undefined;
  },
): ThreadEntry {
  const { process, running } = from;
  const stateAt = from.kdbg?.offsetKThreadState;
  const value = stateAt === undefined ? undefined : space.tryRead(advance(address, stateAt), 1)?.[0];
  const state = value === undefined ? undefined : STATES[value];
  const bounds = readStackBounds(space, address, from.fields);
  const stack =
    typeof bounds === "object" ? locateStack(space, bounds, running, state === "running") : bounds;
  return { address, process, state, processor: running?.processor, stack };
}

function locateStack(
  space: AddressSpace,
  bounds: StackBounds,
  running: Running | undefined,
  saysRunning: boolean,
): KernelStack {
  const within = running?.stackPointers.filter((at) => at >= bounds.limit && at < bounds.base) ?? [];
  const lowest = within.reduce<Va | undefined>(
    (low, at) => (low === undefined || at < low ? at : low),
    undefined,
  );
  const live = running !== undefined || saysRunning ? lowest : bounds.kernelStack;
  const resident = isResident(space, live ?? bounds.kernelStack, bounds.base);
  return { ...bounds, live, resident, outer: readOuterStacks(space, bounds) };
}

function isResident(space: AddressSpace, from: Va, to: Va): boolean | undefined {
  for (let at = from; at < to; ) {
    const found = space.mapping.locate(at, Number(to - at));
    if ("fault" in found) {
      return found.fault.kind === "paged-out" || found.fault.kind === "demand-zero" ? false : undefined;
    }
    at = advance(at, found.length);
  }
  return true;
}
