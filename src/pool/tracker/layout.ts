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
