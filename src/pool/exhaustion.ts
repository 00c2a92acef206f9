import type { Bugcheck } from "../dump/facts.ts";
import { plainCode, statusName } from "../kernel/stop.ts";
import type { MemoryFigure, MemoryLine } from "./memory-lines.ts";

/** What the machine had run out of when it stopped, and what says so. */
export type Exhaustion =
  /** As good as all that there can be is in use. In pages of 4 KB. */
  | {
      readonly basis: "limit";
      readonly of: "paged" | "nonPaged" | "commit";
      readonly used: number;
      readonly most: number;
    }
  /** The bugcheck is one of running out. */
  | { readonly basis: "bugcheck"; readonly of: "pool" | "memory" }
  /** An error that one of its parameters gives. */
  | { readonly basis: "status"; readonly of: "memory"; readonly status: string };

/** Bugchecks that stand for nothing else. @see Microsoft, "Bug Check Code Reference" */
const OUT_OF: ReadonlyMap<number, "pool" | "memory"> = new Map([
  [0x41, "pool"],
  [0x4d, "memory"],
]);
/** Which parameter of a bugcheck is an NTSTATUS, counted from 1. @see Microsoft, "Bug Check Code Reference" */
const STATUS_IN: ReadonlyMap<number, number> = new Map([
  [0x1e, 1],
  [0x3b, 1],
  [0x6b, 1],
  [0x77, 1],
  [0x7a, 2],
  [0x7e, 1],
  [0x8e, 1],
  [0xc000021a, 2],
]);
const OUT_OF_MEMORY: ReadonlySet<string> = new Set([
  "STATUS_NO_MEMORY",
  "STATUS_INSUFFICIENT_RESOURCES",
  "STATUS_COMMITMENT_LIMIT",
]);

/** From here on allocations fail: what is left is in pieces, or a pool has too little to grow by. */
const FULL = { paged: 0.95, nonPaged: 0.95, commit: 0.99 } as const;
const LINES: readonly (readonly [keyof typeof FULL, MemoryLine, MemoryLine])[] = [
  ["paged", "pagedUsage", "pagedMax"],
  ["nonPaged", "nonPagedUsage", "nonPagedMax"],
  ["commit", "committed", "commitLimit"],
];

/**
 * What the machine had run out of; `undefined` where nothing says that it had. A bugcheck alone does not tell, but for
 * the few that are for this: any code that finds no memory can crash in its own way.
 *
 * @param lines of the memory summary
 */
export function exhaustionOf(
  bugcheck: Bugcheck,
  lines: Readonly<Partial<Record<MemoryLine, MemoryFigure>>>,
): Exhaustion | undefined {
  for (const [of, usedLine, mostLine] of LINES) {
    const used = lines[usedLine]?.pages ?? 0;
    const most = lines[mostLine]?.pages ?? 0;
    // more than there can be is no figure of this machine
    if (most > 0 && used >= most * FULL[of] && used <= most * 1.05) return { basis: "limit", of, used, most };
  }
  const code = plainCode(bugcheck);
  const of = OUT_OF.get(code);
  if (of !== undefined) return { basis: "bugcheck", of };
  const parameter = STATUS_IN.get(code);
  const value = parameter === undefined ? undefined : bugcheck.parameters[parameter - 1];
  const status = value === undefined ? undefined : statusName(Number(BigInt.asUintN(32, value)));
  return status !== undefined && OUT_OF_MEMORY.has(status)
    ? { basis: "status", of: "memory", status }
    : undefined;
}
