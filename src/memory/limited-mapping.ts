import { advance, type Va } from "../core/address.ts";
import { upperBound } from "../core/search.ts";
import { AddressSpace } from "./address-space.ts";
import type { Extent, Hole, Mapping } from "./mapping.ts";

interface Range {
  readonly start: Va;
  /** Exclusive. */
  readonly end: Va;
}

/** Memory of which some ranges are passed over: they are holes, whatever stands there. */
class LimitedMapping implements Mapping {
  readonly pointerSize: 4 | 8;
  readonly mayFill: boolean;
  readonly #inner: Mapping;
  /** By address, apart from each other. */
  readonly #passedOver: readonly Range[];

  constructor(inner: Mapping, passedOver: readonly Range[]) {
    this.pointerSize = inner.pointerSize;
    this.mayFill = inner.mayFill === true;
    this.#inner = inner;
    this.#passedOver = passedOver;
  }

  locate(at: Va, want: number): Extent | Hole {
    const ranges = this.#passedOver;
    const range = ranges[upperBound<bigint>(ranges.length, at, (i) => ranges[i]?.end ?? 0n)];
    if (range === undefined) return this.#inner.locate(at, want);
    if (at < range.start) return this.#inner.locate(at, shorter(want, range.start - at));
    return { fault: { kind: "passed-over", va: at }, length: shorter(want, range.end - at) };
  }
}

/**
 * Memory in which modules lead to `most` bytes together, in their order: of a machine's images no page is another one's as
 * well, but page tables that are made up lead from a thousand images to the same few pages.
 *
 * @param most in bytes
 * @returns the space itself where nothing has to be passed over; `passedOver`: modules of which something is
 */
export function withinLimit(
  space: AddressSpace,
  modules: readonly { readonly base: Va; readonly size: number }[],
  most: number,
): { readonly space: AddressSpace; readonly passedOver: number } {
  const claimed = modules.reduce((sum, { size }) => sum + size, 0);
  if (claimed <= most) return { space, passedOver: 0 };
  const ranges: Range[] = [];
  let left = most;
  for (const { base, size } of modules) {
    const kept = readableUpTo(space, base, size, left);
    left -= kept.bytes;
    if (kept.length < size) ranges.push({ start: advance(base, kept.length), end: advance(base, size) });
  }
  return {
    space: new AddressSpace(new LimitedMapping(space.mapping, merged(ranges))),
    passedOver: ranges.length,
  };
}

/** How far `size` bytes can be read until `most` of them came from a file: zeros that no file holds cost nothing. */
function readableUpTo(
  space: AddressSpace,
  base: Va,
  size: number,
  most: number,
): { readonly bytes: number; readonly length: number } {
  let bytes = 0;
  let length = 0;
  while (length < size) {
    if (bytes >= most) break;
    const found = space.mapping.locate(advance(base, length), size - length);
    const held = !("fault" in found) && found.offset !== undefined;
    const step = Math.min(found.length, size - length, held ? most - bytes : size);
    if (held) bytes += step;
    length += step;
  }
  return { bytes, length };
}

/** By address; those that meet are one. */
function merged(ranges: readonly Range[]): readonly Range[] {
  const kept: Range[] = [];
  for (const range of [...ranges].sort((a, b) => (a.start < b.start ? -1 : 1))) {
    const last = kept.at(-1);
    if (last === undefined || range.start > last.end) kept.push(range);
    else if (range.end > last.end) kept[kept.length - 1] = { start: last.start, end: range.end };
  }
  return kept;
}

function shorter(length: number, other: bigint): number {
  return other < BigInt(length) ? Number(other) : length;
}
