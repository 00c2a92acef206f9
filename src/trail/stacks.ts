import type { CallSite } from "./call-sites.ts";
import type { ModuleClue, OnStack } from "./clue.ts";
import { findOnStacks, type StackHit } from "./evidence/on-stack.ts";
import type { TrailTarget } from "./target.ts";

/** Stack places of one function in one module that are kept. */
const MOST_HITS = 64;

/** Looks on the kernel stacks of all threads for calls that are under way, or have left their return address behind. */
export function findStacks(
  target: TrailTarget,
  sites: readonly CallSite[],
): { readonly clues: readonly ModuleClue[]; readonly notes: readonly string[] } {
  const threads = sites.length === 0 ? undefined : target.threads?.();
  if (threads === undefined) return { clues: [], notes: [] };
  const returns = new Map<bigint, CallSite>(sites.map((site) => [site.returnAddress, site]));
  const { hits, read, notes } = findOnStacks(target.space, threads.items, returns);
  const found = new Map<
    string,
    { module: string; function: OnStack["function"]; hits: OnStack["hits"][number][] }
  >();
  for (const hit of hits) {
    const { module, function: function_ } = hit.item;
    const key = `${module.name}:${function_.address}`;
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

function hitOf({ item, at, thread, process, stale }: StackHit<CallSite>): OnStack["hits"][number] {
  return {
    at,
    returnsTo: item.returnAddress,
    thread: thread.address,
    process: process?.imageName ?? null,
    state: stale === undefined ? "unknown" : stale ? "stale" : "live",
  };
}
