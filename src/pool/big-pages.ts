import type { Absent } from "../core/absent.ts";
import { advance, PAGE_SIZE, type Va } from "../core/address.ts";
import { MAX_BIG_PAGES, MAX_TABLE_ATTEMPTS, MAX_TABLE_CANDIDATES } from "../core/limits.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { isKernelAddress, type PoolKernel } from "./pool-kernel.ts";
import { printableCount, tableKey, tagText } from "./tag.ts";

/** An allocation of a page and more, which has no header of its own. */
export interface BigAllocation {
  readonly at: Va;
  readonly tag: string;
  /** Without the protected bit. */
  readonly key: number;
  /** As asked for; in whole pages before Vista, which keeps no more. */
  readonly bytes: number;
  /** Undefined before Vista, where the table does not say. */
  readonly pool: "nonPaged" | "paged" | undefined;
}

/** The allocations of a page and more. */
export interface BigPages {
  /** In the order of the table. */
  readonly allocations: readonly BigAllocation[];
  /** Entries of freed allocations; they are left out. */
  readonly free: number;
  /** Where the table stands, and its entries. */
  readonly at: Va;
  readonly entries: number;
  /** Entries that could not be read. */
  readonly unread: number;
  readonly notes: readonly string[];
}

/** Why there is no answer. */
export type NoBigPages = Absent<"triage" | "no-kernel" | "not-found">;

/** One form of POOL_TRACKER_BIG_PAGES. */
interface EntryLayout {
  /** The first build that has it. */
  readonly build: number;
  readonly size: number;
  readonly key: number;
  /** A count of pages, before Vista. */
  readonly pages?: number;
  /** Bytes as asked for, and where the pool's type stands with how far it is shifted. */
  readonly bytes?: number;
  readonly type?: { readonly at: number; readonly shift: number };
}

/**
 * @see _POOL_TRACKER_BIG_PAGES in the public symbols of the builds named, as volatility's vtypes
 * (plugins/overlays/windows), MemProcFS (vmm/vmmwinpool.c) and the ntdiff headers list it
 */
const LAYOUTS: Readonly<Record<4 | 8, readonly EntryLayout[]>> = {
  4: [
    { build: 2600, size: 0xc, key: 4, pages: 8 },
    { build: 3790, size: 0x10, key: 4, pages: 8 },
    { build: 6000, size: 0x10, key: 4, bytes: 0xc, type: { at: 8, shift: 0 } },
    { build: 10240, size: 0x10, key: 4, bytes: 0xc, type: { at: 8, shift: 8 } },
  ],
  8: [
    { build: 3790, size: 0x18, key: 8, pages: 0xc },
    { build: 6000, size: 0x18, key: 8, bytes: 0x10, type: { at: 0xc, shift: 0 } },
    { build: 10240, size: 0x18, key: 8, bytes: 0x10, type: { at: 0xc, shift: 8 } },
    { build: 20348, size: 0x20, key: 8, bytes: 0x10, type: { at: 0xc, shift: 8 } },
  ],
};

const PAGE = BigInt(PAGE_SIZE);
/** Entries that the first look takes, and how many of them must be plain entries. */
const SAMPLE = 256;
const MIN_PLAIN = 0.98;
/** No single allocation is larger: 1 TB. */
const MOST_BYTES = 2 ** 40;

/**
 * Finds PoolBigPageTable, among the pointers in nt's data where no name tells, and reads it. Its size, a power of two, stands
 * in a variable near it; every entry must be empty, freed, or an address of a page with a tag and a size.
 */
export function readBigPages(kernel: PoolKernel): BigPages | NoBigPages {
  const { space, build, nt } = kernel;
  const layout = LAYOUTS[space.pointerSize].findLast((row) => row.build <= build);
  if (kernel.triage) {
    return { missing: "triage", reason: "a triage dump (minidump) does not hold the table of big pages" };
  }
  if (nt === undefined || layout === undefined) {
    return {
      missing: "no-kernel",
      reason: "no kernel image was found, whose data leads to the table of big pages",
    };
  }
  const likely: { readonly at: Va; readonly entries: number }[] = [];
  let tried = 0;
  let cut = false;
  for (const { at, sizes } of candidates(kernel)) {
    cut = ++tried > MAX_TABLE_CANDIDATES || likely.length >= MAX_TABLE_ATTEMPTS;
    if (cut) break;
    for (const entries of sizes) if (isBigPageTable(space, at, entries, layout)) likely.push({ at, entries });
  }
  const { best, passed } = fullest(space, likely, layout);
  const table = best === undefined ? undefined : readTable(space, best.at, best.entries, layout);
  const more = "there are more places that could be it than were looked at";
  if (table === undefined || table.allocations.length === 0) {
    const none = `nothing that nt's data points to is a table of big pages with up to ${MAX_BIG_PAGES} entries`;
    return { missing: "not-found", reason: cut ? `${none}; ${more}` : none };
  }
  return cut || passed ? { ...table, notes: [...table.notes, more] } : table;
}

/**
 * Of places that look like the table the one with most allocations; of two sizes that hold the same ones the smaller.
 * `passed`: some were passed over, as their entries together are too many.
 */
function fullest<T extends { readonly at: Va; readonly entries: number }>(
  space: AddressSpace,
  likely: readonly T[],
  layout: EntryLayout,
): { readonly best: T | undefined; readonly passed: boolean } {
  if (likely.length < 2) return { best: likely[0], passed: false };
  let best: { readonly one: T; readonly count: number } | undefined;
  let left = 2 * MAX_BIG_PAGES;
  let passed = false;
  for (const one of likely) {
    if (one.entries > left) {
      passed = true;
      continue;
    }
    left -= one.entries;
    let count = 0;
    eachEntry(space, one, layout, (parsed) => {
      if (typeof parsed === "object") count++;
    });
    if (count > (best?.count ?? 0)) best = { one, count };
  }
  return { best: best?.one, passed };
}

/** Tells of each entry that can be read; `undefined` is none. @returns how many cannot */
function eachEntry(
  space: AddressSpace,
  { at, entries }: { readonly at: Va; readonly entries: number },
  layout: EntryLayout,
  tell: (parsed: ReturnType<typeof parseEntry>) => void,
): number {
  const { bytes, holes } = space.readSparse(at, entries * layout.size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const unread = new Uint8Array(entries);
  for (const { offset, length } of holes) {
    unread.fill(1, Math.floor(offset / layout.size), Math.ceil((offset + length) / layout.size));
  }
  for (let entry = 0; entry < entries; entry++) {
    if (unread[entry] === 0) tell(parseEntry(view, entry * layout.size, space.pointerSize, layout));
  }
  return unread.reduce((sum, one) => sum + one, 0);
}

/** Page-aligned tables that nt's data points to, with the powers of two that stand near the pointer. */
function* candidates({ space, nt, variables }: PoolKernel): Generator<{ at: Va; sizes: readonly number[] }> {
  const named = variables?.poolBigPageTable;
  const seen = new Set<bigint>();
  const word = space.pointerSize;
  for (const { start, length } of nt?.writable ?? []) {
    const { bytes } = space.readSparse(start, length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const pointerAt = (offset: number): bigint =>
      word === 4 ? BigInt(view.getUint32(offset, true)) : view.getBigUint64(offset, true);
    for (let offset = 0; offset + word <= length; offset += word) {
      if (named !== undefined && advance(start, offset) !== named) continue;
      if ((view.getUint16(offset, true) & 0xfff) !== 0) continue;
      const value = pointerAt(offset);
      if (!isKernelAddress(value, word) || seen.has(value)) continue;
      const sizes = new Set<number>();
      const last = Math.min(offset + NEAR, length - word);
      for (let at = Math.max(0, offset - NEAR); at <= last; at += word) {
        const size = Number(pointerAt(at));
        if (size >= MIN_ENTRIES && size <= MAX_BIG_PAGES && (size & (size - 1)) === 0) sizes.add(size);
      }
      if (sizes.size === 0) continue;
      seen.add(value);
      yield { at: value as Va, sizes: [...sizes].sort((a, b) => a - b) };
    }
  }
}

/** How far from the pointer its size may stand, in bytes. */
const NEAR = 0x400;
const MIN_ENTRIES = 64;

/** Whether samples from the whole table are plain entries, and some of them in use. */
function isBigPageTable(space: AddressSpace, at: Va, entries: number, layout: EntryLayout): boolean {
  const block = Math.min(entries, 16);
  const step = block * Math.max(1, Math.floor(entries / SAMPLE));
  let [looked, unread, plain, used] = [0, 0, 0, 0];
  for (let first = 0; first + block <= entries; first += step) {
    const bytes = space.tryRead(advance(at, first * layout.size), block * layout.size);
    if (bytes === undefined) {
      unread += block;
      continue;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let entry = 0; entry < block; entry++) {
      looked++;
      const parsed = parseEntry(view, entry * layout.size, space.pointerSize, layout);
      if (parsed !== undefined) plain++;
      if (typeof parsed === "object") used++;
    }
    if (looked >= 64 && plain / looked < MIN_PLAIN) return false;
  }
  return looked >= unread && plain / looked >= MIN_PLAIN && (used > 0 || entries > SAMPLE);
}

function readTable(space: AddressSpace, at: Va, entries: number, layout: EntryLayout): BigPages {
  const allocations: BigAllocation[] = [];
  let free = 0;
  let odd = 0;
  const missing = eachEntry(space, { at, entries }, layout, (parsed) => {
    if (parsed === undefined) odd++;
    else if (parsed === "free") free++;
    else if (parsed !== "empty") allocations.push(parsed);
  });
  return {
    allocations,
    free,
    at,
    entries,
    unread: missing,
    notes: [
      ...(missing > 0 ? [`${missing} of ${entries} entries cannot be read: allocations may be missing`] : []),
      ...(odd > 0 ? [`${odd} of ${entries} entries are no allocations: they are left out`] : []),
    ],
  };
}

/** One entry; `undefined` where it can be none. */
function parseEntry(
  view: DataView,
  at: number,
  pointerSize: 4 | 8,
  { key: keyAt, pages, bytes: bytesAt, type }: EntryLayout,
): BigAllocation | "free" | "empty" | undefined {
  const word = (offset: number): bigint =>
    pointerSize === 4 ? BigInt(view.getUint32(offset, true)) : view.getBigUint64(offset, true);
  const address = word(at);
  if (address <= 1n) return "empty";
  const start = address & ~1n;
  if (start % PAGE !== 0n || !isKernelAddress(start, pointerSize)) return undefined;
  if ((address & 1n) !== 0n) return "free";
  const key = tableKey(view.getUint32(at + keyAt, true));
  if (printableCount(key) < 3) return undefined;
  const size =
    pages === undefined ? Number(word(at + (bytesAt ?? 0))) : view.getUint32(at + pages, true) * PAGE_SIZE;
  if (size === 0 || size > MOST_BYTES) return undefined;
  const pool =
    type === undefined
      ? undefined
      : (view.getUint32(at + type.at, true) >>> type.shift) & 1
        ? "paged"
        : "nonPaged";
  return { at: start as Va, tag: tagText(key), key, bytes: size, pool };
}

/** Big allocations of one tag. */
export interface BigUsage {
  readonly tag: string;
  readonly key: number;
  readonly count: number;
  readonly bytes: number;
}

/** By tag, the most bytes first. */
export function bigUsageByTag({ allocations }: BigPages): readonly BigUsage[] {
  const sums = new Map<number, { tag: string; key: number; count: number; bytes: number }>();
  for (const { tag, key, bytes } of allocations) {
    const sum = sums.get(key) ?? { tag, key, count: 0, bytes: 0 };
    sum.count++;
    sum.bytes += bytes;
    sums.set(key, sum);
  }
  return [...sums.values()].sort((a, b) => b.bytes - a.bytes || a.key - b.key);
}
