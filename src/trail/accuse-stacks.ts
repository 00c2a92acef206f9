import { windbgHex } from "../core/address.ts";
import type { Case } from "./accuse.ts";
import type { CallSite } from "./call-sites.ts";
import { findOnStacks, type StackHit } from "./evidence/on-stack.ts";
import type { TrailModule } from "./target.ts";
import { EXCUSED_STACK_FACTOR, isExcused, MOST_STACKS, WEIGHTS } from "./weights.ts";

/**
 * Looks on the kernel stacks of all threads for calls that are under way, or have left their return
 * address behind.
 *
 * @returns what could not be looked at, one sentence each
 */
export function accuseOnStack({ target, charges }: Case, sites: readonly CallSite[]): readonly string[] {
  const threads = target.threads?.();
  if (threads === undefined || sites.length === 0) return [];
  const returns = new Map<bigint, CallSite>(sites.map((site) => [site.returnAddress, site]));
  const { hits, read, notes } = findOnStacks(target.space, threads.items, returns);
  const counted = new Map<TrailModule, { live: number; stale: number }>();
  for (const hit of hits) {
    const count = counted.get(hit.item.module) ?? { live: 0, stale: 0 };
    counted.set(hit.item.module, count);
    const fresh = hit.stale === false;
    const number = fresh ? ++count.live : ++count.stale;
    if (number > MOST_STACKS) continue;
    const charge = charges.of(hit.item.module);
    const seen = charge.clues.map(({ evidence, points }) => ({ kind: evidence.kind, points }));
    const factor = isExcused(seen) ? EXCUSED_STACK_FACTOR : 1;
    charge.add("unknown", weightOf(hit.stale) * factor, {
      kind: "on-stack",
      address: hit.at,
      detail: detailOf(hit, target.space.pointerSize),
    });
  }
  const whole =
    read.stacks === read.of ? [] : [`${read.stacks} of ${read.of} kernel stacks could be read whole`];
  return [...threads.notes, ...whole, ...notes];
}

function weightOf(stale: boolean | undefined): number {
  if (stale === undefined) return WEIGHTS.onStackOfRunning;
  return stale ? WEIGHTS.onStackStale : WEIGHTS.onStack;
}

function detailOf({ item, thread, process, stale }: StackHit<CallSite>, pointerSize: 4 | 8): string {
  const who =
    process === undefined ? "a thread" : `a thread of ${process.imageName ?? "a process without a name"}`;
  const what = `returns to ${windbgHex(item.returnAddress, pointerSize)}, just after its call of ${item.function.module}!${item.function.name}`;
  const state =
    stale === undefined
      ? "; whether the call is under way is not known"
      : stale
        ? ", in a part of the stack that is no longer in use"
        : "";
  return `${who} (${windbgHex(thread.address, pointerSize)}) ${what}${state}`;
}
