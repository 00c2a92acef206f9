import type { Va } from "../../core/address.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import type { PoolCounts } from "../tag-table.ts";
import type { LayoutFit } from "./fit.ts";
import type { CounterPlaces } from "./layout.ts";
import { type MasterKeys, readTrackerTable } from "./rows.ts";

/** One slot's counters over all processors. */
export interface SlotCounts {
  readonly nonPaged: PoolCounts;
  readonly paged: PoolCounts;
  /** A count went past its 32 bits, and is given with what it lost. */
  readonly wrapped: boolean;
  /** A counter is past 2^53: it was never one. */
  readonly implausible: boolean;
}

/** The sums of all slots. */
export interface TrackerSums {
  /** The counters of a slot; slot `mask + 1` is the overflow entry. */
  at(slot: number): SlotCounts;
  /** By slot: tables in which it could not be read. */
  readonly unread: Uint16Array;
  /** Slots that could not be read, over all tables. */
  readonly missing: number;
  /** By slot: tables that hold another key there than the master. */
  readonly mismatched: number;
  /** By slot: the key, also where only another table than the master could be read. */
  readonly keys: Uint32Array;
}

const FIELDS = ["allocations", "frees", "bytes"] as const;

/**
 * Adds up the tables of all processors, each field modulo its own width: one processor's share may be
 * negative when another one frees what it allocated.
 */
export function sumTables(
  space: AddressSpace,
  tables: readonly Va[],
  { keys: masterKeys, unread: masterUnread }: MasterKeys,
  { layout, mask }: LayoutFit,
): TrackerSums {
  const slots = mask + 2;
  const places = [layout.nonPaged, layout.paged].flatMap((pool) =>
    FIELDS.map((field) => ({ at: pool[field], size: sizeOf(field) })),
  );
  function sizeOf(field: keyof CounterPlaces): 4 | 8 {
    return field === "bytes" ? layout.bytesSize : layout.countSize;
  }
  // halves of 32 bits: 2,048 of them add up exactly in a double
  const low = places.map(() => new Float64Array(slots));
  const high = places.map(() => new Float64Array(slots));
  const unread = new Uint16Array(slots);
  const keys = masterKeys.slice();
  let missing = 0;
  let mismatched = 0;
  for (const at of tables) {
    const table = readTrackerTable(space, at, layout, slots);
    missing += table.missing;
    for (let slot = 0; slot < slots; slot++) {
      if (!table.readable(slot)) {
        unread[slot] = (unread[slot] ?? 0) + 1;
        continue;
      }
      const entry = slot * layout.stride;
      if (slot <= mask) {
        const key = table.view.getUint32(entry, true);
        if (key === 0) continue;
        if (masterUnread[slot] === 1 && keys[slot] === 0) keys[slot] = key;
        if (key !== keys[slot]) {
          mismatched++;
          continue;
        }
      }
      for (let field = 0; field < places.length; field++) {
        const place = places[field];
        const lows = low[field];
        const highs = high[field];
        if (place === undefined || lows === undefined || highs === undefined) continue;
        lows[slot] = (lows[slot] ?? 0) + table.view.getUint32(entry + place.at, true);
        if (place.size === 8) {
          highs[slot] = (highs[slot] ?? 0) + table.view.getUint32(entry + place.at + 4, true);
        }
      }
    }
  }
  const sum = (field: number, slot: number): bigint =>
    (BigInt(high[field]?.[slot] ?? 0) << 32n) + BigInt(low[field]?.[slot] ?? 0);
  return {
    at: (slot) => countsOf((field) => sum(field, slot), layout.countSize, layout.bytesSize),
    unread,
    missing,
    mismatched,
    keys,
  };
}

function countsOf(sum: (field: number) => bigint, countSize: 4 | 8, bytesSize: 4 | 8): SlotCounts {
  let wrapped = false;
  let implausible = false;
  const exact = (value: bigint): number => {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) implausible = true;
    return number;
  };
  const pool = (first: number): PoolCounts => {
    const bits = countSize * 8;
    let allocated = BigInt.asUintN(bits, sum(first));
    let freed = BigInt.asUintN(bits, sum(first + 1));
    const alive = BigInt.asIntN(bits, allocated - freed);
    if (countSize === 4 && allocated - freed !== alive) {
      wrapped = true;
      if (allocated < freed) allocated += 0x1_0000_0000n;
      else freed += 0x1_0000_0000n;
    }
    const bytes = exact(BigInt.asIntN(bytesSize * 8, sum(first + 2)));
    const outstanding = exact(alive);
    return {
      allocations: exact(allocated),
      frees: exact(freed),
      outstanding,
      bytes,
      bytesPerAllocation: outstanding > 0 && bytes >= 0 ? Math.round(bytes / outstanding) : null,
    };
  };
  return { nonPaged: pool(0), paged: pool(3), wrapped, implausible };
}
