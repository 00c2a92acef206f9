import type { Va } from "../../core/address.ts";
import { upperBound } from "../../core/search.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { printableCount } from "../tag.ts";
import { type HashName, hashKey, TRACKER_LAYOUTS, type TrackerLayout } from "./layout.ts";

/** The kernel's smallest table has 64 hashed slots; 2^16 is beyond any that was set by hand. */
const MASK_BITS = { min: 6, max: 16 } as const;

/** Hashed slots of the largest table that is looked for, and its overflow entry. */
const MAX_SLOTS = 2 ** MASK_BITS.max + 1;

/** A layout, mask and hash that the table's own bytes were measured against. */
export interface LayoutFit {
  readonly layout: TrackerLayout;
  readonly hash: HashName;
  /** 2^n - 1; one more entry, for what found no slot, follows the 2^n hashed ones. */
  readonly mask: number;
  /** Share of the keys that stand where their hash and linear probing put them, 0 to 1. */
  readonly score: number;
  /** Keys that were measured. */
  readonly keys: number;
  /** How unlikely the fit is by chance, in bits. */
  readonly evidence: number;
}

/** Slots of the usual table, which is tried first: 4,096 and the overflow entry. */
const USUAL_SLOTS = 4097;

/** A key is where it belongs when every slot from its home to it is taken. */
const MIN_SCORE = 0.95;
/** Mean distance of the keys from home, as a share of the table: 0.08 in a full table, 0.5 by chance. */
const MAX_MEAN_DISTANCE = 0.15;
const MIN_PRINTABLE = 0.6;

/** Measures the usual size first, and more while the largest mask that could be measured fits. */
export function fitsAt(
  space: AddressSpace,
  at: Va,
  masks: readonly number[],
): { fits: readonly LayoutFit[]; readable: boolean; empty: boolean } {
  const strides = TRACKER_LAYOUTS.filter((layout) => layout.pointerSize === space.pointerSize);
  const widest = Math.max(...strides.map((layout) => layout.stride));
  for (let slots = USUAL_SLOTS; ; slots = Math.min(2 * slots - 1, MAX_SLOTS)) {
    const length = slots * widest;
    const { bytes, holes } = space.readSparse(at, length);
    const missing = new Uint8Array(Math.ceil(length / 4));
    let unreadable = 0;
    for (const hole of holes) {
      unreadable += hole.length;
      missing.fill(1, hole.offset >> 2, Math.ceil((hole.offset + hole.length) / 4));
    }
    const fits = fitLayouts(bytes, missing, space.pointerSize, masks);
    const larger = fits.some(({ layout, mask }) => 2 * mask + 2 >= Math.floor(length / layout.stride));
    if (slots === MAX_SLOTS || !larger) {
      return {
        fits,
        readable: unreadable < length,
        empty: fits.length === 0 && bytes.every((byte) => byte === 0),
      };
    }
  }
}

/**
 * Measures every layout of the pointer size against the bytes of a table. A layout fits when the keys
 * read with its stride stand where the hash puts them: no wrong one passes that by chance.
 *
 * @param bytes from the table's start, as far as a table can reach
 * @param missing of each four bytes: 1 where one of them could not be read
 * @param masks those that the kernel's code uses, where it was seen: they settle what a few keys cannot
 * @returns those that fit, the strongest evidence first; of each layout and hash one mask
 */
function fitLayouts(
  bytes: Uint8Array,
  missing: Uint8Array,
  pointerSize: 4 | 8,
  masks: readonly number[],
): readonly LayoutFit[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fits: LayoutFit[] = [];
  for (const candidate of TRACKER_LAYOUTS) {
    if (candidate.pointerSize !== pointerSize) continue;
    const keys = readKeys(view, candidate.stride, missing);
    for (const hash of ["product", "bytes"] as const) {
      if (hash === "bytes" && candidate.name !== "A32") continue;
      const fit = chooseMask(keys, hash, masks);
      if (fit !== undefined) fits.push({ layout: candidate, hash, ...fit });
    }
  }
  return fits.sort((a, b) => b.evidence - a.evidence);
}

/** The keys that a stride leads to. */
interface Keys {
  /** Slots that the bytes have room for. */
  readonly room: number;
  /** By slot: 1 where there is a key, or where that cannot be read. */
  readonly taken: Uint8Array;
  /** The slots that have one, ascending. */
  readonly slots: readonly number[];
  /** What stands in each of them. */
  readonly values: readonly number[];
  /** By number of such slots: how many of them can be printed. */
  readonly printable: readonly number[];
}

function readKeys(view: DataView, stride: number, missing: Uint8Array): Keys {
  const room = Math.min(Math.floor(view.byteLength / stride), MAX_SLOTS);
  const taken = new Uint8Array(room);
  const slots: number[] = [];
  const values: number[] = [];
  const printable = [0];
  let printed = 0;
  for (let slot = 0; slot < room; slot++) {
    const key = view.getUint32(slot * stride, true);
    const unread = missing[(slot * stride) >> 2] === 1;
    if (key === 0 && !unread) continue;
    taken[slot] = 1;
    if (key === 0 || unread) continue;
    slots.push(slot);
    values.push(key);
    if (key < 0x8000_0000 && printableCount(key) === 4) printed++;
    printable.push(printed);
  }
  return { room, taken, slots, values, printable };
}

/** With fewer keys than this, a mask twice as large fits by chance once in a few thousand tables. */
const FEW_KEYS = 12;

type MaskFit = Pick<LayoutFit, "mask" | "score" | "keys" | "evidence">;

/**
 * The largest mask that fits: a smaller one fits the lower part of a table just as well. A few keys
 * may fit too large a mask, so with them the code's is taken, or the smallest that holds them all.
 */
function chooseMask(keys: Keys, hash: HashName, masks: readonly number[]): MaskFit | undefined {
  let best: MaskFit | undefined;
  for (let bits = MASK_BITS.max; bits >= MASK_BITS.min; bits--) {
    const mask = 2 ** bits - 1;
    if (mask >= keys.room) continue;
    const fit = measure(keys, hash, mask);
    if (best !== undefined && fit?.keys !== best.keys) continue;
    best = fit;
    if (best !== undefined && (best.keys > FEW_KEYS || masks.includes(mask))) break;
  }
  return best;
}

function measure(keys: Keys, hash: HashName, mask: number): MaskFit | undefined {
  const { slots, values, printable } = keys;
  const size = mask + 1;
  const measured = upperBound(slots.length, mask, (i) => slots[i] ?? 0);
  if (measured === 0 || (printable[measured] ?? 0) / measured < MIN_PRINTABLE) return undefined;
  const run = runsOfTaken(keys.taken, size);
  let placed = 0;
  let distances = 0;
  let evidence = 0;
  for (let i = 0; i < measured; i++) {
    const slot = slots[i] ?? 0;
    const distance = (slot - hashKey(values[i] ?? 0, hash)) & mask;
    if (distance >= (run[slot] ?? 0)) continue;
    placed++;
    distances += distance;
    evidence += Math.log2(size / (distance + 1));
  }
  if (placed / measured < MIN_SCORE || distances / placed / size > MAX_MEAN_DISTANCE) return undefined;
  return { mask, score: placed / measured, keys: measured, evidence };
}

/** For each slot the length of the run of taken slots that ends there, counted around the table's end. */
function runsOfTaken(taken: Uint8Array, size: number): Uint32Array {
  const run = new Uint32Array(size);
  let length = 0;
  for (let i = 0; i < 2 * size; i++) {
    const slot = i < size ? i : i - size;
    length = taken[slot] === 0 ? 0 : Math.min(length + 1, size);
    run[slot] = length;
  }
  return run;
}
