import type { Va } from "../core/address.ts";
import { upperBound } from "../core/search.ts";
import type { TriageBlock } from "../dump/triage-blocks.ts";
import type { ByteSource } from "../source/source.ts";
import type { Extent, Hole, Mapping } from "./mapping.ts";

/** A triage dump's blocks as virtual memory. Where blocks overlap, the one that starts first serves. */
export class BlockMapping implements Mapping {
  readonly pointerSize: 4 | 8;
  readonly #source: ByteSource;
  readonly #blocks: readonly TriageBlock[];

  /** @param blocks in any order; what of them lies past the end of the file is left out */
  constructor(source: ByteSource, blocks: readonly TriageBlock[], pointerSize: 4 | 8) {
    this.pointerSize = pointerSize;
    this.#source = source;
    this.#blocks = disjoint(blocks, source.size, 1n << BigInt(pointerSize * 8));
  }

  locate(at: Va, want: number): Extent | Hole {
    const found = upperBound<bigint>(this.#blocks.length, at, (i) => this.#blocks[i]?.start ?? 0n) - 1;
    const block = this.#blocks[found];
    if (block === undefined || at >= block.start + BigInt(block.length)) {
      const next = this.#blocks[found + 1];
      const length = next === undefined ? want : Math.min(want, Number(next.start - at));
      return { fault: { kind: "not-mapped", va: at, level: "block" }, length };
    }
    const skip = Number(at - block.start);
    let length = block.length - skip;
    for (let i = found + 1; length < want; i++) {
      const before = this.#blocks[i - 1];
      const next = this.#blocks[i];
      if (before === undefined || next === undefined || !follows(before, next)) break;
      length += next.length;
    }
    const offset = block.fileOffset + skip;
    return { source: this.#source, offset, length: Math.min(want, length), origin: "dump" };
  }
}

/** Whether `next` goes on where `block` ends, in memory and in the file. */
function follows(block: TriageBlock, next: TriageBlock): boolean {
  return (
    block.start + BigInt(block.length) === next.start && block.fileOffset + block.length === next.fileOffset
  );
}

/** The blocks in order of address, cut so that none reaches into the next, the file's end or the address space's. */
function disjoint(blocks: readonly TriageBlock[], fileSize: number, end: bigint): readonly TriageBlock[] {
  const sorted = [...blocks].sort((a, b) =>
    a.start < b.start ? -1 : a.start > b.start ? 1 : b.length - a.length,
  );
  const kept: TriageBlock[] = [];
  let covered = 0n;
  for (const block of sorted) {
    const skip = block.start < covered ? Number(covered - block.start) : 0;
    const inFile = Math.min(block.length, fileSize - block.fileOffset);
    const inSpace = block.start < end ? Number(end - block.start) : 0;
    const length = Math.min(inFile, inSpace) - skip;
    if (length <= 0) continue;
    const start = (block.start + BigInt(skip)) as Va;
    kept.push({ start, length, fileOffset: block.fileOffset + skip });
    covered = start + BigInt(length);
  }
  return kept;
}
