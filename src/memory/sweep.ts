import { advance, type Va } from "../core/address.ts";
import type { AddressSpace } from "./address-space.ts";

/**
 * A chunk stays in a core's cache between reading and searching; past 256 KB both take three times as long.
 *
 * @internal
 */
export const SEARCH_CHUNK = 0x4_0000;
/** What is carried from one chunk to the next. */
const MARGIN = 64;

let spare: Uint8Array | undefined;

/**
 * A buffer of `size` bytes or more for one search: the last search's, since a new one's pages cost more to
 * touch than a driver's bytes to search. A search that runs inside another gets its own.
 */
function takeScratch(size: number): Uint8Array {
  const taken = spare;
  spare = undefined;
  if (taken !== undefined && taken.length >= size) return taken;
  return new Uint8Array(Math.max(size, SEARCH_CHUNK + MARGIN));
}

/** For the next search, when this one has ended. */
function giveScratch(buffer: Uint8Array): void {
  spare = buffer;
}

/** How much of a range was searched. */
export interface SearchCoverage {
  /** Bytes that were looked at. */
  readonly readable: number;
  /** Bytes that could not be read: what stands there is unknown. */
  readonly unreadable: number;
}

/** Readable bytes that stand together. */
export interface Part {
  readonly buffer: Uint8Array;
  readonly from: number;
  readonly to: number;
  /** The first bytes, which were seen before, at the end of the part before this one. */
  readonly known: number;
  /** Where the buffer's first byte stands in memory. */
  readonly origin: Va;
}

/**
 * Reads a range chunk by chunk, and tells of what stands together in it: never across a hole, and across
 * chunks with the last `reach` bytes of the one before.
 *
 * @param length in bytes; cut at the end of the address space
 * @param look returns whether to go on
 */
export function sweep(
  space: AddressSpace,
  start: Va,
  length: number,
  reach: number,
  look: (part: Part) => boolean,
): SearchCoverage {
  const end = 1n << BigInt(space.pointerSize * 8);
  const total = start >= end ? 0 : Math.min(length, Number(end - start));
  const buffer = takeScratch(reach + Math.min(SEARCH_CHUNK, total));
  let unreadable = 0;
  try {
    let carried = 0;
    for (let done = 0; done < total; ) {
      const at = advance(start, done);
      const rest = total - done;
      if ("fault" in space.mapping.locate(at, 1)) {
        const size = Math.min(space.mapping.locate(at, rest).length, rest);
        unreadable += size;
        done += size;
        carried = 0;
        continue;
      }
      const size = Math.min(SEARCH_CHUNK, rest);
      const filled = carried + size;
      const known = carried;
      const origin = advance(start, done - carried);
      let from = 0;
      let goOn = true;
      const lookTo = (to: number): void => {
        goOn &&= look({ buffer, from, to, known: from === 0 ? known : 0, origin });
      };
      space.readSparseInto(at, buffer.subarray(carried, filled), (offset, gap) => {
        lookTo(known + offset);
        from = known + offset + gap;
        unreadable += gap;
      });
      lookTo(filled);
      done += size;
      if (!goOn) return { readable: done - unreadable, unreadable };
      carried = Math.min(reach, filled - from);
      buffer.copyWithin(0, filled - carried, filled);
    }
    return { readable: total - unreadable, unreadable };
  } finally {
    giveScratch(buffer);
  }
}

/** Bytes that stand together and can be read. */
export interface Chunk {
  readonly va: Va;
  /** Overwritten when the next chunk is asked for. */
  readonly bytes: Uint8Array;
}

/**
 * What can be read of a range, in order of address.
 *
 * @param buffer where the bytes are read to; a piece is at most that long
 */
export function* readableChunks(
  space: AddressSpace,
  start: Va,
  length: number,
  buffer: Uint8Array = new Uint8Array(Math.min(SEARCH_CHUNK, length)),
): Generator<Chunk> {
  for (let done = 0; done < length; ) {
    const head = space.mapping.locate(advance(start, done), length - done);
    if ("fault" in head) {
      done += Math.min(head.length, length - done);
      continue;
    }
    const part = buffer.subarray(0, length - done);
    const holes: { offset: number; length: number }[] = [];
    space.readSparseInto(advance(start, done), part, (offset, size) => {
      holes.push({ offset, length: size });
    });
    let from = 0;
    for (const hole of [...holes, { offset: part.length, length: 0 }]) {
      if (hole.offset > from) {
        yield { va: advance(start, done + from), bytes: part.subarray(from, hole.offset) };
      }
      from = hole.offset + hole.length;
    }
    done += part.length;
  }
}
