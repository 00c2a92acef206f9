import type { Va } from "../core/address.ts";
import { addTo } from "../core/search.ts";
import { TagScanner } from "./tag-scanner.ts";

/** Bytes that can be read of an image, in order of address; what is between two chunks cannot. */
export interface ImageChunk {
  readonly va: Va;
  /** Only valid until the next chunk is asked for. */
  readonly bytes: Uint8Array;
}

/** One image to look into. */
export interface IndexedImage {
  readonly name: string;
  /** @param room where the bytes may be read to, from its start; others are copied */
  chunks(room: Uint8Array): Iterable<ImageChunk>;
}

/** By key without the protected bit: the images that hold it, as their places in the list, ascending. */
export type TagIndex = ReadonlyMap<number, readonly number[]>;

/**
 * Which images contain which tags: one pass over each image for all tags, at every alignment, in both
 * forms of the protected bit. A key that no image holds is not in the map.
 */
export function indexTags(
  images: Iterable<IndexedImage>,
  keys: Iterable<number>,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (images: number) => void } = {},
): TagIndex {
  const scanner = new TagScanner(keys);
  const index = new Map<number, number[]>();
  let number = 0;
  for (const image of images) {
    options.signal?.throwIfAborted();
    let end: bigint | undefined;
    for (const { va, bytes } of image.chunks(scanner.room)) {
      scanner.scan(bytes, va !== end);
      end = va + BigInt(bytes.length);
    }
    for (const key of scanner.take()) addTo(index, key, number);
    number++;
    options.onProgress?.(number);
  }
  return index;
}
