import type { Handles } from "../kernel/handles.ts";
import type { Confidence } from "./weights.ts";

/** Processes of one image, and what they hold of objects with a tag. */
export interface ObjectHolder {
  /** The first fifteen characters of the image's name; null where it cannot be read. */
  readonly name: string | null;
  readonly pids: readonly number[];
  readonly handles: number;
  /** How many objects these lead to. */
  readonly objects: number;
}

/** Who holds the objects that a tag's allocations are: what no handle leads to is held by the kernel or a driver. */
export interface ObjectAccount {
  /** Allocations with the tag that were not freed. */
  readonly outstanding: number;
  /** Handles of all processes to objects with the tag, the kernel's own among them. */
  readonly handles: number;
  /** How many objects these lead to. */
  readonly objects: number;
  /** By image, the most objects first; without System, whose handles are the kernel's and the drivers'. */
  readonly holders: readonly ObjectHolder[];
  /** All handle tables were read. */
  readonly complete: boolean;
}

const SYSTEM = 4;

/** Adds up what the handles of all processes lead to. */
export function accountFor(found: Handles, key: number, outstanding: number): ObjectAccount {
  const total = found.totals.find(({ tag }) => tag === key);
  const byImage = new Map<
    string,
    { name: string | null; pids: number[]; handles: number; objects: number }
  >();
  for (const { process, byType } of found.processes) {
    const count = byType.find(({ tag }) => tag === key);
    if (count === undefined || process.pid === SYSTEM) continue;
    const name = process.imageName ?? null;
    const image = name?.toLowerCase() ?? `${process.pid}`;
    const holder = byImage.get(image) ?? { name, pids: [], handles: 0, objects: 0 };
    holder.pids.push(process.pid);
    holder.handles += count.handles;
    holder.objects += count.objects;
    byImage.set(image, holder);
  }
  return {
    outstanding,
    handles: total?.handles ?? 0,
    objects: total?.objects ?? 0,
    holders: [...byImage.values()].sort((a, b) => b.objects - a.objects || b.handles - a.handles),
    complete: found.tables.read === found.tables.of,
  };
}

/** Fewer objects than this are no leak of handles, whoever holds them. */
const FEWEST = 1000;
/** Of what is outstanding, how much one image's handles have to explain for it to be named. */
const EXPLAINS = { high: 0.8, medium: 0.5 } as const;

/**
 * The image whose handles explain what a tag that leaks has outstanding. Handles, however many, to a few objects explain
 * nothing of it.
 */
export function holderOf(
  account: ObjectAccount | undefined,
): { readonly holder: ObjectHolder; readonly confidence: Confidence } | undefined {
  const [holder] = account?.holders ?? [];
  if (account === undefined || holder === undefined || holder.objects < FEWEST) return undefined;
  const part = holder.objects / account.outstanding;
  if (part < EXPLAINS.medium) return undefined;
  return { holder, confidence: part >= EXPLAINS.high ? "high" : "medium" };
}
