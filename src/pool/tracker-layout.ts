import { printableCount } from "./tag.ts";

/** The five forms of POOL_TRACKER_TABLE: the letter is its generation, the number the pointer's bits. */
export type LayoutName = "A32" | "A64" | "B32" | "B64" | "C64";

/** Where the counters of one pool stand in an entry. */
export interface CounterPlaces {
  readonly allocations: number;
  readonly frees: number;
  readonly bytes: number;
}

/** One form of an entry; the key stands first in all of them. */
export interface TrackerLayout {
  readonly name: LayoutName;
  readonly pointerSize: 4 | 8;
  /** Bytes from one entry to the next. */
  readonly stride: number;
  /** Bytes of each count, and of each byte total. */
  readonly countSize: 4 | 8;
  readonly bytesSize: 4 | 8;
  readonly nonPaged: CounterPlaces;
  readonly paged: CounterPlaces;
}

const A32 = { nonPaged: [0x04, 0x08, 0x0c], paged: [0x10, 0x14, 0x18] } as const;
const A64 = { nonPaged: [0x04, 0x08, 0x10], paged: [0x18, 0x1c, 0x20] } as const;
const B32 = { nonPaged: [0x08, 0x10, 0x04], paged: [0x20, 0x28, 0x18] } as const;
const B64 = { nonPaged: [0x10, 0x18, 0x08], paged: [0x28, 0x30, 0x20] } as const;

export const TRACKER_LAYOUTS: readonly TrackerLayout[] = [
  layout("A32", 4, 0x1c, 4, 4, A32),
  layout("A64", 8, 0x28, 4, 8, A64),
  layout("B32", 4, 0x30, 8, 4, B32),
  layout("B64", 8, 0x38, 8, 8, B64),
  layout("C64", 8, 0x50, 8, 8, B64),
];

function layout(
  name: LayoutName,
  pointerSize: 4 | 8,
  stride: number,
  countSize: 4 | 8,
  bytesSize: 4 | 8,
  at: Record<"nonPaged" | "paged", readonly [allocations: number, frees: number, bytes: number]>,
): TrackerLayout {
  const places = ([allocations, frees, bytes]: readonly [number, number, number]): CounterPlaces => ({
    allocations,
    frees,
    bytes,
  });
  return {
    name,
    pointerSize,
    stride,
    countSize,
    bytesSize,
    nonPaged: places(at.nonPaged),
    paged: places(at.paged),
  };
}

/** The layout that a build is known to have; the data has the last word. */
export function layoutOfBuild(build: number, pointerSize: 4 | 8): LayoutName {
  if (build <= 15063) return pointerSize === 4 ? "A32" : "A64";
  if (pointerSize === 4) return "B32";
  return build < 20348 ? "B64" : "C64";
}

/** How a key finds its slot: `product` from 2003 on, `bytes` in XP. */
export type HashName = "product" | "bytes";

/** The kernel's multiplier, an immediate wherever it hashes a tag. */
export const HASH_FACTOR = 40543;

/** The slot of a key before masking, unsigned. */
export function hashKey(key: number, hash: HashName): number {
  if (hash === "product") {
    const low = Math.imul(HASH_FACTOR, key) >>> 0;
    // exact: 40543 times 32 bits stays below 2^48
    const high = (HASH_FACTOR * (key >>> 0) - low) / 0x1_0000_0000;
    return (low ^ high) >>> 0;
  }
  const mixed =
    (key >>> 24) ^ ((((key >>> 16) & 0xff) ^ ((((key >>> 8) & 0xff) ^ ((key & 0xff) << 2)) << 2)) << 2);
  return (Math.imul(HASH_FACTOR, mixed) >> 2) >>> 0;
}

/** The kernel's smallest table has 64 hashed slots; 2^16 is beyond any that was set by hand. */
const MASK_BITS = { min: 6, max: 16 } as const;

/** Hashed slots of the largest table that is looked for, and its overflow entry. */
export const MAX_SLOTS: number = 2 ** MASK_BITS.max + 1;

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

/** A key is where it belongs when every slot from its home to it is taken. */
const MIN_SCORE = 0.95;
/** Mean distance of the keys from home, as a share of the table: 0.08 in a full table, 0.5 by chance. */
const MAX_MEAN_DISTANCE = 0.15;
const MIN_PRINTABLE = 0.6;

/**
 * Measures every layout of the pointer size against the bytes of a table. A layout fits when the keys
 * read with its stride stand where the hash puts them: no wrong one passes that by chance.
 *
 * @param bytes from the table's start, as far as a table can reach
 * @param readable whether the byte at that offset could be read
 * @param masks those that the kernel's code uses, where it was seen: they settle what a few keys cannot
 * @returns those that fit, the strongest evidence first; of each layout and hash one mask
 */
export function fitLayouts(
  bytes: Uint8Array,
  readable: (offset: number) => boolean,
  pointerSize: 4 | 8,
  masks: readonly number[] = [],
): readonly LayoutFit[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fits: LayoutFit[] = [];
  for (const candidate of TRACKER_LAYOUTS) {
    if (candidate.pointerSize !== pointerSize) continue;
    const keys = readKeys(view, candidate.stride, readable);
    for (const hash of ["product", "bytes"] as const) {
      if (hash === "bytes" && candidate.name !== "A32") continue;
      const homes = Float64Array.from(keys, (key) => (key > 0 ? hashKey(key, hash) : -1));
      const fit = chooseMask(keys, homes, masks);
      if (fit !== undefined) fits.push({ layout: candidate, hash, ...fit });
    }
  }
  return fits.sort((a, b) => b.evidence - a.evidence);
}

/** What stands for a key that cannot be read; 0 is an empty slot. */
const UNKNOWN = -1;

function readKeys(view: DataView, stride: number, readable: (offset: number) => boolean): Float64Array {
  const count = Math.min(Math.floor(view.byteLength / stride), MAX_SLOTS);
  return Float64Array.from({ length: count }, (_, slot) => {
    const at = slot * stride;
    return readable(at) && readable(at + 3) ? view.getUint32(at, true) : UNKNOWN;
  });
}

/** With fewer keys than this, a mask twice as large fits by chance once in a few thousand tables. */
const FEW_KEYS = 12;

type MaskFit = Pick<LayoutFit, "mask" | "score" | "keys" | "evidence">;

/**
 * The largest mask that fits: a smaller one fits the lower part of a table just as well. A few keys
 * may fit too large a mask, so with them the code's is taken, or the smallest that holds them all.
 */
function chooseMask(keys: Float64Array, homes: Float64Array, masks: readonly number[]): MaskFit | undefined {
  let best: MaskFit | undefined;
  for (let bits = MASK_BITS.max; bits >= MASK_BITS.min; bits--) {
    const mask = 2 ** bits - 1;
    if (mask >= keys.length) continue;
    const fit = measure(keys, homes, mask);
    if (best !== undefined && fit?.keys !== best.keys) continue;
    best = fit;
    if (best !== undefined && (best.keys > FEW_KEYS || masks.includes(mask))) break;
  }
  return best;
}

function measure(keys: Float64Array, homes: Float64Array, mask: number): MaskFit | undefined {
  const size = mask + 1;
  const run = runsOfTaken(keys, size);
  let measured = 0;
  let placed = 0;
  let printable = 0;
  let distances = 0;
  let evidence = 0;
  for (let slot = 0; slot < size; slot++) {
    const key = keys[slot] ?? 0;
    if (key <= 0) continue;
    measured++;
    if (printableCount(key) === 4 && key < 0x8000_0000) printable++;
    const distance = (slot - ((homes[slot] ?? 0) & mask)) & mask;
    if (distance >= (run[slot] ?? 0)) continue;
    placed++;
    distances += distance;
    evidence += Math.log2(size / (distance + 1));
  }
  if (measured === 0 || placed / measured < MIN_SCORE || printable / measured < MIN_PRINTABLE)
    return undefined;
  if (distances / placed / size > MAX_MEAN_DISTANCE) return undefined;
  return { mask, score: placed / measured, keys: measured, evidence };
}

/** For each slot the length of the run of taken slots that ends there; one that cannot be read may be taken. */
function runsOfTaken(keys: Float64Array, size: number): Uint32Array {
  const run = new Uint32Array(size);
  let length = 0;
  for (let i = 0; i < 2 * size; i++) {
    const slot = i < size ? i : i - size;
    length = keys[slot] === 0 ? 0 : Math.min(length + 1, size);
    run[slot] = length;
  }
  return run;
}
