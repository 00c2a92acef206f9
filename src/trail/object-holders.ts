import type { Handles, ProcessHandles } from "../kernel/handles.ts";
import type { Tag } from "../pool/tag.ts";
import { OBJECT_TAGS } from "./pairs/object-types.ts";
import type { Confidence } from "./weights.ts";

/** Processes of one image, and what they hold of objects with a tag. */
export interface ObjectHolder {
  /** The first fifteen characters of the image's name; null where it cannot be read. */
  readonly name: string | null;
  readonly pids: readonly number[];
  readonly handles: number;
  /** How many objects these lead to, or pages they take. */
  readonly objects: number;
}

/** Who holds the objects that a tag's allocations are: what no handle leads to is held by the kernel or a driver. */
export interface ObjectAccount {
  /** What is counted as `objects`: objects with the tag, or, for the tag of handle tables, pages of these. */
  readonly what: "objects" | "table-pages";
  /** Allocations with the tag that were not freed. */
  readonly outstanding: number;
  /** Handles of all processes to objects with the tag, the kernel's own among them; all handles where tables are counted. */
  readonly handles: number;
  /** How many objects these lead to, or pages they take. */
  readonly objects: number;
  /** By image, the most objects first; without System, whose handles are the kernel's and the drivers'. */
  readonly holders: readonly ObjectHolder[];
  /** All handle tables were read. */
  readonly complete: boolean;
}

const SYSTEM = 4;
/** The tag of handle tables, which grow with the handles of a process whatever these lead to. */
const TABLES = "Obtb";

/** Whether handles can explain what a tag has outstanding. */
export function isHeldByHandles(tag: string): boolean {
  return OBJECT_TAGS.has(tag) || tag === TABLES;
}

/** Adds up what the handles of all processes lead to, or, for the tag of their tables, what these take. */
export function accountFor(
  found: Handles,
  { key, text }: Pick<Tag, "key" | "text">,
  outstanding: number,
): ObjectAccount {
  const tables = text === TABLES;
  const total = found.totals.find(({ tag }) => tag === key);
  const byImage = new Map<
    string,
    { name: string | null; pids: number[]; handles: number; objects: number }
  >();
  for (const { process, byType, handles = 0, pages } of found.processes) {
    const count = tables ? { handles, objects: pages } : byType.find(({ tag }) => tag === key);
    if (count === undefined || count.objects === 0 || process.pid === SYSTEM) continue;
    const name = process.imageName ?? null;
    const image = name?.toLowerCase() ?? `${process.pid}`;
    const holder = byImage.get(image) ?? { name, pids: [], handles: 0, objects: 0 };
    holder.pids.push(process.pid);
    holder.handles += count.handles;
    holder.objects += count.objects;
    byImage.set(image, holder);
  }
  const sum = (of: (one: ProcessHandles) => number): number =>
    found.processes.reduce((all, one) => all + of(one), 0);
  return {
    what: tables ? "table-pages" : "objects",
    outstanding,
    handles: tables ? sum(({ handles = 0 }) => handles) : (total?.handles ?? 0),
    objects: tables ? sum(({ pages }) => pages) : (total?.objects ?? 0),
    holders: [...byImage.values()].sort((a, b) => b.objects - a.objects || b.handles - a.handles),
    complete: found.tables.read === found.tables.of,
  };
}

/** Fewer objects than this are no leak of handles, whoever holds them; of tables the handles count. */
const FEWEST = { objects: 1000, handles: 10_000 } as const;
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
  if (account === undefined || holder === undefined) return undefined;
  const many =
    account.what === "objects" ? holder.objects >= FEWEST.objects : holder.handles >= FEWEST.handles;
  if (!many) return undefined;
  const part = holder.objects / account.outstanding;
  if (part < EXPLAINS.medium) return undefined;
  return { holder, confidence: part >= EXPLAINS.high ? "high" : "medium" };
}
