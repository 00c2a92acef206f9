import type { Buffer } from "node:buffer";
import { advance, type Va } from "../core/address.ts";
import type { MemoryFault } from "../core/errors.ts";
import { MAX_HOLES_LISTED } from "../core/limits.ts";
import type { AddressSpace } from "./address-space.ts";
import { giveScratch, SEARCH_CHUNK, takeScratch } from "./scratch.ts";

/** Addresses that a search could not look at. */
export interface UnreadRange {
  readonly start: Va;
  /** In bytes. */
  readonly length: number;
  /** Why its first byte cannot be read. */
  readonly fault: MemoryFault;
}

/** How much of a range was searched. */
export interface SearchCoverage {
  /** Bytes that were looked at. */
  readonly readable: number;
  /** Bytes that could not be read: what stands there is unknown. */
  readonly unreadable: number;
  /** In order of address, at most `MAX_HOLES_LISTED`; `unreadable` counts the others too. */
  readonly holes: readonly UnreadRange[];
  /** `onHit` ended the search before the end of the range. */
  readonly stopped: boolean;
}

export interface SearchOptions {
  readonly signal?: AbortSignal;
  /** Bytes read at once. */
  readonly chunk?: number;
  /** Told the bytes done after each chunk. */
  readonly onProgress?: (done: number) => void;
}

/**
 * Finds byte patterns at every address of a range, aligned or not, across pages and chunks but never
 * across a hole. Hits come in order of address; `onHit` returns `false` to end the search.
 *
 * @param length in bytes; cut at the end of the address space
 * @throws {RangeError} a pattern shorter than two bytes
 */
export function findPatterns(
  space: AddressSpace,
  start: Va,
  length: number,
  needles: readonly Uint8Array[],
  onHit: (at: Va, needle: number) => unknown,
  options: SearchOptions = {},
): SearchCoverage {
  const groups = groupByPrefix(needles);
  const longest = Math.max(0, ...needles.map((needle) => needle.length));
  const end = 1n << BigInt(space.pointerSize * 8);
  const total = start >= end ? 0 : Math.min(length, Number(end - start));
  const chunk = Math.max(options.chunk ?? SEARCH_CHUNK, 1);
  const buffer = takeScratch(longest + Math.min(chunk, total));
  const holes: { start: Va; length: number; fault: MemoryFault }[] = [];
  let unreadable = 0;
  const addHole = (offset: number, size: number, fault: MemoryFault): void => {
    unreadable += size;
    const last = holes.at(-1);
    const at = advance(start, offset);
    if (last !== undefined && advance(last.start, last.length) === at) last.length += size;
    else if (holes.length < MAX_HOLES_LISTED) holes.push({ start: at, length: size, fault });
  };

  try {
    let carried = 0;
    for (let done = 0; done < total; ) {
      options.signal?.throwIfAborted();
      const at = advance(start, done);
      const head = space.mapping.locate(at, 1);
      if ("fault" in head) {
        const size = Math.min(space.mapping.locate(at, total - done).length, total - done);
        addHole(done, size, head.fault);
        done += size;
        carried = 0;
        continue;
      }
      const size = Math.min(chunk, total - done);
      const filled = carried + size;
      let from = 0;
      const search = (to: number): boolean =>
        findIn(buffer, from, to, from === 0 ? carried : 0, groups, (offset, needle) =>
          onHit(advance(start, done - carried + offset), needle),
        );
      let goOn = true;
      space.readSparseInto(at, buffer.subarray(carried, filled), (offset, gap, fault) => {
        if (goOn) goOn = search(carried + offset);
        addHole(done + offset, gap, fault);
        from = carried + offset + gap;
      });
      if (goOn) goOn = search(filled);
      done += size;
      options.onProgress?.(done);
      if (!goOn) return { readable: done - unreadable, unreadable, holes, stopped: true };
      const keep = Math.min(Math.max(longest - 1, 0), filled - from);
      buffer.copyWithin(0, filled - keep, filled);
      carried = keep;
    }
    return { readable: total - unreadable, unreadable, holes, stopped: false };
  } finally {
    giveScratch(buffer);
  }
}

/** Needles that differ in their last byte only are looked for with one pass. */
interface Group {
  /** What is searched for: begins at the rarest byte of what the needles share. */
  readonly rare: Uint8Array;
  /** Where `rare` stands in each needle. */
  readonly skip: number;
  readonly needles: readonly { readonly bytes: Uint8Array; readonly index: number }[];
}

function groupByPrefix(needles: readonly Uint8Array[]): readonly Group[] {
  const byPrefix = new Map<string, { bytes: Uint8Array; index: number }[]>();
  needles.forEach((bytes, index) => {
    if (bytes.length < 2) throw new RangeError(`a pattern has two bytes or more, not ${bytes.length}`);
    const shared = bytes.length < 3 ? bytes : bytes.subarray(0, -1);
    const key = `${bytes.length}:${shared.join()}`;
    const group = byPrefix.get(key);
    if (group === undefined) byPrefix.set(key, [{ bytes, index }]);
    else group.push({ bytes, index });
  });
  return [...byPrefix.values()].map((group) => {
    const first = group[0]?.bytes ?? new Uint8Array(2);
    const shared = group.length > 1 && first.length > 2 ? first.subarray(0, -1) : first;
    const skip = rarestByte(shared);
    return { rare: shared.subarray(skip), skip, needles: group };
  });
}

/** Where a pattern is best looked for from: two bytes of it stay behind. */
export function rarestByte(pattern: Uint8Array): number {
  let rarest = 0;
  for (let at = 1; at < pattern.length - 1; at++) {
    if (commonness(pattern[at] ?? 0) < commonness(pattern[rarest] ?? 0)) rarest = at;
  }
  return rarest;
}

/**
 * How often a byte stands in kernel images, roughly. `indexOf` looks for a short needle's first byte,
 * and is nine times slower where that byte is everywhere.
 */
function commonness(byte: number): number {
  if (byte === 0) return 9;
  if (byte === 0xff || byte === 0xcc) return 6;
  if (byte === 0x48 || byte === 0x8b || byte === 0x20) return 4;
  if (byte === 0x89 || byte === 0x24 || byte === 0x44 || byte === 0x0f) return 3;
  return byte < 0x10 ? 3 : 1;
}

/**
 * Searches `buffer` from `from` to `to`, where the first `known` bytes were searched before: only hits
 * that reach past them count.
 *
 * @returns whether to go on
 */
function findIn(
  buffer: Buffer,
  from: number,
  to: number,
  known: number,
  groups: readonly Group[],
  onHit: (offset: number, needle: number) => unknown,
): boolean {
  const bytes = buffer.subarray(from, to);
  const next = groups.map((group) => findGroup(bytes, group, 0));
  for (;;) {
    let best = -1;
    let at = Number.POSITIVE_INFINITY;
    for (let g = 0; g < next.length; g++) {
      const candidate = next[g] ?? -1;
      if (candidate >= 0 && candidate < at) {
        at = candidate;
        best = g;
      }
    }
    const group = groups[best];
    if (group === undefined) return true;
    for (const needle of group.needles) {
      if (at + needle.bytes.length <= known || !standsAt(bytes, at, needle.bytes)) continue;
      if (onHit(from + at, needle.index) === false) return false;
    }
    next[best] = findGroup(bytes, group, at + 1);
  }
}

function findGroup(bytes: Buffer, group: Group, from: number): number {
  for (
    let at = bytes.indexOf(group.rare, from + group.skip);
    at >= 0;
    at = bytes.indexOf(group.rare, at + 1)
  ) {
    if (group.needles.some((needle) => standsAt(bytes, at - group.skip, needle.bytes)))
      return at - group.skip;
  }
  return -1;
}

function standsAt(bytes: Buffer, at: number, needle: Uint8Array): boolean {
  if (at + needle.length > bytes.length) return false;
  for (let i = 0; i < needle.length; i++) if (bytes[at + i] !== needle[i]) return false;
  return true;
}
