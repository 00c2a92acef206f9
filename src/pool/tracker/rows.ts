import type { Va } from "../../core/address.ts";
import type { MemoryFault } from "../../core/errors.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import type { LayoutFit } from "./fit.ts";
import { hashKey, type TrackerLayout } from "./layout.ts";

/** One processor's table as it was read, in one piece. */
export interface TrackerTable {
  readonly at: Va;
  readonly view: DataView;
  /** Whether every byte of the slot's entry could be read. */
  readonly readable: (slot: number) => boolean;
  /** Slots whose entry could not be read whole. */
  readonly missing: number;
  /** Why the first of them could not. */
  readonly fault: MemoryFault | undefined;
}

/** Reads `slots` entries, and says which of them are whole. */
export function readTrackerTable(
  space: AddressSpace,
  at: Va,
  layout: TrackerLayout,
  slots: number,
): TrackerTable {
  const { bytes, holes } = space.readSparse(at, slots * layout.stride);
  const broken = new Uint8Array(slots);
  for (const { offset, length } of holes) {
    const last = Math.min(Math.ceil((offset + length) / layout.stride), slots);
    broken.fill(1, Math.floor(offset / layout.stride), last);
  }
  return {
    at,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    readable: (slot) => broken[slot] === 0,
    missing: broken.reduce((sum, one) => sum + one, 0),
    fault: holes[0]?.fault,
  };
}

/** The keys of all slots as the first processor's table holds them. */
export interface MasterKeys {
  /** By slot: the key, 0 where there is none or it cannot be read. */
  readonly keys: Uint32Array;
  /** By slot: 1 where the master table cannot be read. */
  readonly unread: Uint8Array;
}

/** The keys of the master table: every other table holds the same key in the same slot, or none. */
export function masterKeys(table: TrackerTable, { layout, mask }: LayoutFit): MasterKeys {
  const keys = new Uint32Array(mask + 1);
  const unread = new Uint8Array(mask + 1);
  for (let slot = 0; slot <= mask; slot++) {
    if (table.readable(slot)) keys[slot] = table.view.getUint32(slot * layout.stride, true);
    else unread[slot] = 1;
  }
  return { keys, unread };
}

/**
 * By slot: 1 where the key stands where its hash and the taken slots before it lead. A key that does
 * not was never put there by the kernel.
 */
export function placedSlots({ keys, unread }: MasterKeys, { hash, mask }: LayoutFit): Uint8Array {
  const placed = new Uint8Array(mask + 1);
  const taken = (slot: number): boolean => keys[slot] !== 0 || unread[slot] === 1;
  let run = 0;
  for (let i = 0; i <= 2 * mask + 1; i++) {
    const slot = i & mask;
    run = taken(slot) ? Math.min(run + 1, mask + 1) : 0;
    const key = keys[slot] ?? 0;
    if (i > mask && key !== 0 && ((slot - hashKey(key, hash)) & mask) < run) placed[slot] = 1;
  }
  return placed;
}
