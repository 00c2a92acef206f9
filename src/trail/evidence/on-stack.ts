import { advance, type Va } from "../../core/address.ts";
import { MAX_STACK_BYTES, MAX_STACK_HITS } from "../../core/limits.ts";
import type { ProcessEntry } from "../../kernel/processes.ts";
import type { ThreadEntry } from "../../kernel/threads.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { AddressFilter } from "../address-filter.ts";
import type { OnStack } from "../clue.ts";
import type { CallSeen } from "../import-calls.ts";
import type { TrailTarget } from "../target.ts";
import { standing } from "./acquisition.ts";
import type { EvidenceKind, Found } from "./kind.ts";

/** A return address on a kernel stack. */
export interface StackHit<T> {
  readonly item: T;
  /** Where on the stack it stands. */
  readonly at: Va;
  readonly thread: ThreadEntry;
  readonly process: ProcessEntry | undefined;
  /**
   * False: it stands in the part in use, so that the call is under way, or a later frame kept the value.
   * True: it stands below, and was left by a call that returned. `undefined`: the thread ran, and where
   * its stack pointer stood is not known.
   */
  readonly stale: boolean | undefined;
}

/** Which calls stand on the stacks of all threads. */
export interface StackSearch<T> {
  /** By thread, and by address. */
  readonly hits: readonly StackHit<T>[];
  readonly read: {
    /** Stacks whose part in use could be read whole. */
    readonly stacks: number;
    /** All stacks: a thread has more than one where it went on with another, and one where that is not known. */
    readonly of: number;
    /** Bytes looked at, below the parts in use too. */
    readonly bytes: number;
  };
  /** What was not looked at, one sentence each. */
  readonly notes: readonly string[];
}

/** A range of addresses that a thread calls its stack, and from where on it is in use. */
interface Claim {
  readonly thread: ThreadEntry;
  readonly stack: { readonly base: Va; readonly limit: Va; readonly live: Va | undefined };
}

/**
 * Looks for return addresses on the kernel stacks of threads, at every place where a pointer can
 * stand. A value on a stack is no proof of a call: it can be data, or left over in a frame that does
 * not use all of its room.
 *
 * @param returnAddresses the address behind each call instruction, and what it stands for
 * @internal
 */
export function findOnStacks<T>(
  space: AddressSpace,
  threads: readonly ThreadEntry[],
  returnAddresses: ReadonlyMap<bigint, T>,
): StackSearch<T> {
  const filter = new AddressFilter(returnAddresses, space.pointerSize);
  const { claims, overlapping } = disjoint(threads);
  const hits: StackHit<T>[] = [];
  const count = { whole: 0, out: 0, partly: 0, bytes: 0 };
  let left = 0;
  let buffer = new Uint8Array(0x8000);
  for (const { thread, stack } of claims) {
    const length = Number(stack.base - stack.limit);
    if (count.bytes + length > MAX_STACK_BYTES || hits.length >= MAX_STACK_HITS) {
      left++;
      continue;
    }
    if (length > buffer.length) buffer = new Uint8Array(length);
    const bytes = buffer.subarray(0, length);
    const used = Number((stack.live ?? stack.limit) - stack.limit);
    let missing = 0;
    let missingOfUsed = 0;
    space.readSparseInto(stack.limit, bytes, (offset, size) => {
      bytes.fill(0, offset, offset + size);
      missing += size;
      missingOfUsed += Math.max(0, offset + size - Math.max(offset, used));
    });
    count.bytes += length - missing;
    if (missingOfUsed === 0) count.whole++;
    else if (missingOfUsed >= length - used) count.out++;
    else count.partly++;
    if (missing === length) continue;
    let more = false;
    filter.search(bytes, (offset, item) => {
      if (hits.length >= MAX_STACK_HITS) {
        more = true;
        return;
      }
      const stale = stack.live === undefined ? undefined : offset < used;
      hits.push({ item, at: advance(stack.limit, offset), thread, process: thread.process, stale });
    });
    if (more) left++;
  }
  const unknown = threads.filter(({ stack }) => stack === undefined).length;
  const running = claims.filter(({ stack }) => stack.live === undefined).length;
  return {
    hits,
    read: { stacks: count.whole, of: claims.length + unknown + overlapping, bytes: count.bytes },
    notes: stackNotes({ ...count, unknown, overlapping, running, left }),
  };
}

/** How many stacks were not looked at whole, by the reason. */
function stackNotes(
  stacks: Readonly<Record<"out" | "partly" | "unknown" | "overlapping" | "running" | "left", number>>,
): readonly string[] {
  return [
    counted(
      stacks.out,
      "has its kernel stack",
      "have their kernel stacks",
      "outside the dump or in the page file",
    ),
    counted(stacks.partly, "has a kernel stack", "have kernel stacks", "of which parts are missing"),
    counted(stacks.unknown, "has no kernel stack", "have no kernel stacks", "that can be one"),
    counted(
      stacks.overlapping,
      "has its kernel stack",
      "have their kernel stacks",
      "in another's: it is read once",
    ),
    counted(
      stacks.running,
      "ran when the machine stopped: how far its",
      "ran when the machine stopped: how far their",
      "stack was in use is not known",
    ),
    counted(
      stacks.left,
      "has a kernel stack that was",
      "have kernel stacks that were",
      "not looked at to the end: there is more stack than a search takes",
    ),
  ].filter((note) => note !== undefined);
}

function counted(count: number, one: string, many: string, what: string): string | undefined {
  if (count === 0) return undefined;
  return count === 1 ? `one thread ${one} ${what}` : `${count} threads ${many} ${what}`;
}

/** The threads' stacks without those that reach into another's, so that no byte is read twice. */
function disjoint(threads: readonly ThreadEntry[]): { claims: readonly Claim[]; overlapping: number } {
  const all = threads.flatMap((thread): readonly Claim[] => {
    if (typeof thread.stack !== "object") return [];
    const outer = thread.stack.outer.map((stack) => ({
      thread,
      stack: { ...stack, live: stack.kernelStack },
    }));
    return [{ thread, stack: thread.stack }, ...outer];
  });
  const sorted = [...all].sort((a, b) =>
    a.stack.limit < b.stack.limit ? -1 : a.stack.limit > b.stack.limit ? 1 : 0,
  );
  const overlapping = new Set<Claim>();
  let end = 0n;
  for (const claim of sorted) {
    if (claim.stack.limit < end) overlapping.add(claim);
    else end = claim.stack.base;
  }
  return { claims: all.filter((claim) => !overlapping.has(claim)), overlapping: overlapping.size };
}

/** Stack places of one function in one module that are kept. */
const MOST_HITS = 64;

/** A kernel stack holds a return address behind such a call. */
const POINTS = { live: 14, unknown: 10, stale: 3 } as const;
/** Stacks that count; a thread that waits in the call is one sign, and fifty are the same one. */
const MOST_STACKS = 2;
/** A stack shows that a driver calls, not that it keeps: of one that is seen to give back it says little. */
const FACTOR = { excused: 0.25, perhaps: 0.4, other: 1 } as const;

/** Calls that are under way, or have left their return address behind. */
export const ON_STACK: EvidenceKind<OnStack> = {
  collect: ({ target }, { calls }) => findStacks(target, calls),
  weigh(own, of) {
    const factor = FACTOR[standing(of)];
    return own.map((clue) => {
      const points = clue.hits.map(({ state }) => POINTS[state]).sort((a, b) => b - a);
      const sum = points.slice(0, MOST_STACKS).reduce((total, one) => total + one, 0);
      return { clue, points: sum * factor, proves: false };
    });
  },
};

/** Looks on the kernel stacks of all threads for calls that are under way, or have left their return address behind. */
function findStacks(target: TrailTarget, sites: readonly CallSeen[]): Partial<Found> {
  const threads = sites.length === 0 ? undefined : target.threads?.();
  if (threads === undefined) return {};
  const returns = new Map<bigint, CallSeen>(sites.map((site) => [site.returnAddress, site]));
  const { hits, read, notes } = findOnStacks(target.space, threads.items, returns);
  const found = new Map<
    string,
    { module: string; function: OnStack["function"]; hits: OnStack["hits"][number][] }
  >();
  for (const hit of hits) {
    const { module, function: function_ } = hit.item;
    const key = `${module.name}:${function_.module}!${function_.name}`;
    const same = found.get(key) ?? { module: module.name, function: function_, hits: [] };
    found.set(key, same);
    same.hits.push(hitOf(hit));
  }
  const whole =
    read.stacks === read.of ? [] : [`${read.stacks} of ${read.of} kernel stacks could be read whole`];
  const many = [...found.values()].filter(({ hits }) => hits.length > MOST_HITS);
  return {
    clues: [...found.values()].map(({ module, function: { module: of, name, address }, hits: all }) => ({
      module,
      clue: {
        kind: "on-stack",
        function: { module: of, name, address },
        hits: all.sort((a, b) => ORDER[a.state] - ORDER[b.state]).slice(0, MOST_HITS),
      },
    })),
    notes: [
      ...threads.notes,
      ...whole,
      ...notes,
      ...many.map(
        ({ module, function: { name }, hits }) =>
          `of ${hits.length} return addresses into ${module} on stacks, behind calls of ${name}, the first ${MOST_HITS} are kept`,
      ),
    ],
  };
}

const ORDER = { live: 0, unknown: 1, stale: 2 } as const;

function hitOf({ item, at, thread, process, stale }: StackHit<CallSeen>): OnStack["hits"][number] {
  return {
    at,
    returnsTo: item.returnAddress,
    thread: thread.address,
    process: process?.imageName ?? null,
    state: stale === undefined ? "unknown" : stale ? "stale" : "live",
  };
}
