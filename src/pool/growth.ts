import { inexactNote, type PoolTotals, type TagTable, type TagUsage } from "./tag-table.ts";

/** What tells whether two dumps are of one machine, and which came first. */
export interface DumpIdentity {
  readonly build: number;
  /** Logical processors; `undefined` where the dump does not say. */
  readonly processors: number | undefined;
  /** When the dump was taken, and how long the machine had been up; FILETIME units, 100 ns. */
  readonly systemTime: bigint | undefined;
  readonly upTime: bigint | undefined;
  /** Where nt stands: random at each start of newer Windows. */
  readonly kernelBase: bigint | undefined;
}

/** How one tag changed. */
export interface TagGrowth {
  readonly tag: string;
  readonly key: number;
  readonly nonPaged: PoolTotals;
  readonly paged: PoolTotals;
  /** `new`: the older dump had no such tag. */
  readonly kind: "grown" | "new";
  /** Either dump's figures are in doubt. */
  readonly doubt: boolean;
}

/** The newer table less the older one. */
export interface Growth {
  /** By bytes grown in both pools, the most first; unchanged tags are left out. */
  readonly tags: readonly TagGrowth[];
  /** In seconds; null where either dump does not say when it was taken. */
  readonly seconds: number | null;
  /** One start of one machine: only then are counts of calls comparable. */
  readonly sameStart: boolean;
  /** What two dumps of one machine do not differ in, and these do; `undefined`: nothing proves that there are two. */
  readonly otherMachine: string | undefined;
  readonly notes: readonly string[];
}

/** Boot times of one start may differ by this: clocks are set. */
const BOOT_SLACK = 10n * 60n * 10_000_000n;

/** Compares two tag tables. What speaks against one machine and one start is in `notes`. */
export function growthBetween(
  older: { readonly table: TagTable; readonly identity: DumpIdentity },
  newer: { readonly table: TagTable; readonly identity: DumpIdentity },
): Growth {
  const notes: string[] = [];
  const otherMachine = whatDiffers(older.identity, newer.identity);
  if (otherMachine !== undefined) notes.push(otherMachine);
  const sameStart = isSameStart(older.identity, newer.identity, notes);
  const seconds = secondsBetween(older.identity, newer.identity);
  if (seconds !== null && seconds < 0) notes.push("the dump given as the older one was taken later");
  if (!older.table.complete) notes.push("the older dump's tag table is not complete");
  if (!newer.table.complete) notes.push("the newer dump's tag table is not complete");
  const before = new Map(older.table.tags.map((usage) => [usage.key, usage]));
  const tags = newer.table.tags
    .map((usage) => difference(before.get(usage.key), usage))
    .filter(({ nonPaged, paged }) =>
      [nonPaged, paged].some((pool) => pool.bytes !== 0 || pool.outstanding !== 0),
    );
  const grown = ({ nonPaged, paged }: TagGrowth): number => nonPaged.bytes + paged.bytes;
  tags.sort((a, b) => grown(b) - grown(a) || a.key - b.key);
  const rounded = inexactNote(tags.flatMap(({ nonPaged, paged }) => [nonPaged, paged]));
  return { tags, seconds, sameStart, otherMachine, notes: [...notes, ...rounded] };
}

function difference(before: TagUsage | undefined, now: TagUsage): TagGrowth {
  const pool = (name: "nonPaged" | "paged"): PoolTotals => {
    const [then, next] = [before?.[name], now[name]];
    return {
      allocations: next.allocations - (then?.allocations ?? 0),
      frees: next.frees - (then?.frees ?? 0),
      outstanding: next.outstanding - (then?.outstanding ?? 0),
      bytes: next.bytes - (then?.bytes ?? 0),
    };
  };
  return {
    tag: now.tag,
    key: now.key,
    nonPaged: pool("nonPaged"),
    paged: pool("paged"),
    kind: before === undefined ? "new" : "grown",
    doubt: now.doubt !== undefined || before?.doubt !== undefined,
  };
}

function whatDiffers(older: DumpIdentity, newer: DumpIdentity): string | undefined {
  if (older.build !== newer.build) {
    return `the dumps are of different builds, ${older.build} and ${newer.build}: not the same machine, or updated since`;
  }
  if (older.processors === undefined || newer.processors === undefined) return undefined;
  return older.processors === newer.processors
    ? undefined
    : `the dumps have different numbers of processors, ${older.processors} and ${newer.processors}`;
}

function isSameStart(older: DumpIdentity, newer: DumpIdentity, notes: string[]): boolean {
  if (
    older.kernelBase !== undefined &&
    newer.kernelBase !== undefined &&
    older.kernelBase !== newer.kernelBase
  ) {
    notes.push(
      "the kernel stands at different addresses: the machine was restarted in between, or they are two machines",
    );
  }
  const boots = [bootTime(older), bootTime(newer)] as const;
  if (boots[0] === undefined || boots[1] === undefined) {
    notes.push("a dump does not say when its machine was started: whether it is one start is not known");
    return false;
  }
  const apart = boots[0] > boots[1] ? boots[0] - boots[1] : boots[1] - boots[0];
  if (apart > BOOT_SLACK) {
    notes.push(
      "the machine was started at different times: allocations and frees count from different starts, and growth is the difference of two sizes only",
    );
  }
  return notes.length === 0;
}

function bootTime({ systemTime, upTime }: DumpIdentity): bigint | undefined {
  return systemTime === undefined || upTime === undefined ? undefined : systemTime - upTime;
}

function secondsBetween(older: DumpIdentity, newer: DumpIdentity): number | null {
  if (older.systemTime === undefined || newer.systemTime === undefined) return null;
  return Number(newer.systemTime - older.systemTime) / 10_000_000;
}
