import type { PageMap } from "../dump/page-map.ts";
import type { ByteSource } from "../source/source.ts";

/** A source that gives single 32-bit values without a copy, as page walks want them. */
export interface WordSource extends ByteSource {
  /** The 32 bits at `offset`, which is a multiple of 4; -1 where they reach past the end. */
  u32At(offset: number): number;
  /** Up to `count` words from `offset` on, for as long as nothing else is read: fewer at the end. */
  wordsAt(offset: number, count: number): Uint32Array;
}

/** A machine's physical memory, as far as a dump holds it. */
export interface PhysicalMemory {
  readonly source: WordSource;
  readonly pages: PageMap;
}
