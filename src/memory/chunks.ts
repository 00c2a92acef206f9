import { advance, type Va } from "../core/address.ts";
import type { AddressSpace } from "./address-space.ts";

/** Bytes that stand together and can be read. */
export interface Chunk {
  readonly va: Va;
  /** Overwritten when the next chunk is asked for. */
  readonly bytes: Uint8Array;
}

const CHUNK = 0x4_0000;

/**
 * What can be read of a range, in order of address.
 *
 * @param buffer where the bytes are read to; a piece is at most that long
 */
export function* readableChunks(
  space: AddressSpace,
  start: Va,
  length: number,
  buffer: Uint8Array = new Uint8Array(Math.min(CHUNK, length)),
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
