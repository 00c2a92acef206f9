import { advance, type Va, windbgHex } from "../../core/address.ts";
import { MAX_BIG_CONTENT, MAX_CONTENT_EXAMPLES } from "../../core/limits.ts";
import type { BigAllocation } from "../../pool/big-pages.ts";
import type { PoolKernel } from "../../pool/pool-kernel.ts";
import type { Evidence } from "../trail.ts";
import { type ImageRange, ImageRanges } from "./image-ranges.ts";
import { findTagBlocks } from "./tag-blocks.ts";

/** A pointer into an image, in a block of the tag. */
export interface ContentPointer {
  /** Where it stands. */
  readonly at: Va;
  /** Where it leads. */
  readonly target: Va;
}

/** What a tag's blocks hold of one module's addresses. */
export interface ModuleContent<M extends ImageRange> {
  readonly module: M;
  /** Blocks with such a pointer. */
  readonly blocks: number;
  readonly pointers: number;
  /** The first ones, at most `MAX_CONTENT_EXAMPLES`. */
  readonly examples: readonly ContentPointer[];
  readonly evidence: Evidence;
}

/** Which images the contents of a tag's blocks lead into. */
export interface PoolContent<M extends ImageRange> {
  /** The most blocks first. */
  readonly modules: readonly ModuleContent<M>[];
  /** Blocks of the tag whose contents were looked at, and their bytes. */
  readonly blocks: number;
  readonly bytes: number;
  /** What was not looked at, one sentence each. */
  readonly notes: readonly string[];
}

export interface ContentOptions {
  /** The allocations of a page and more, of all tags. */
  readonly big?: readonly BigAllocation[];
  /** Bytes of pool that are searched for small blocks. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/** Of one large allocation: what leads to its owner stands at its start. */
const BIG_PART = 0x1_0000;

/**
 * Looks for pointers into modules in the blocks of a tag: a callback, a table of functions, a list's head
 * in the data of the driver that allocated the block. It says who uses the block, which need not be who
 * allocated it.
 *
 * @param key the tag's four bytes, without the protected bit
 */
export function findPoolContent<M extends ImageRange>(
  kernel: PoolKernel,
  key: number,
  modules: readonly M[],
  options: ContentOptions = {},
): PoolContent<M> {
  const { space } = kernel;
  const tally = new Tally(new ImageRanges(modules), space.pointerSize);
  const big = (options.big ?? []).filter((allocation) => allocation.key === key);
  const near = options.big ?? [];
  const search = findTagBlocks(kernel, key, near, (contents, at) => tally.add(contents, at), options);
  let room = MAX_BIG_CONTENT;
  let left = 0;
  for (const { at, bytes } of big) {
    if (room <= 0) {
      left++;
      continue;
    }
    options.signal?.throwIfAborted();
    const part = space.readSparse(at, Math.min(bytes, BIG_PART, room));
    const read = part.bytes.length - part.holes.reduce((sum, hole) => sum + hole.length, 0);
    room -= part.bytes.length;
    if (read > 0) tally.add(part.bytes, at, read);
    else left++;
  }
  const notes = [
    ...search.notes,
    ...(left > 0 ? [`${left} of ${big.length} allocations of a page and more could not be looked at`] : []),
  ];
  return { modules: tally.modules(), blocks: tally.blocks, bytes: tally.bytes, notes };
}

interface Sum {
  blocks: number;
  pointers: number;
  readonly examples: ContentPointer[];
}

class Tally<M extends ImageRange> {
  blocks = 0;
  bytes = 0;
  readonly #images: ImageRanges<M>;
  readonly #pointerSize: 4 | 8;
  readonly #sums = new Map<M, Sum>();

  constructor(images: ImageRanges<M>, pointerSize: 4 | 8) {
    this.#images = images;
    this.#pointerSize = pointerSize;
  }

  /** @param readable bytes of `contents` that are not holes */
  add(contents: Uint8Array, at: Va, readable: number = contents.length): void {
    this.blocks++;
    this.bytes += readable;
    const view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength);
    const step = this.#pointerSize;
    const inBlock = new Set<M>();
    for (let offset = 0; offset + step <= contents.length; offset += step) {
      const high = step === 8 ? view.getUint32(offset + 4, true) : 0;
      const low = view.getUint32(offset, true);
      const module = this.#images.at(low, high);
      if (module === undefined) continue;
      let sum = this.#sums.get(module);
      if (sum === undefined) {
        sum = { blocks: 0, pointers: 0, examples: [] };
        this.#sums.set(module, sum);
      }
      sum.pointers++;
      if (sum.examples.length < MAX_CONTENT_EXAMPLES) {
        const target = ((BigInt(high) << 32n) | BigInt(low)) as Va;
        sum.examples.push({ at: advance(at, offset), target });
      }
      if (!inBlock.has(module)) sum.blocks++;
      inBlock.add(module);
    }
  }

  modules(): readonly ModuleContent<M>[] {
    const found = [...this.#sums].map(([module, sum]) => ({
      module,
      ...sum,
      evidence: this.#evidence(module, sum),
    }));
    return found.sort((a, b) => b.blocks - a.blocks || (a.module.base < b.module.base ? -1 : 1));
  }

  #evidence({ name }: M, { blocks, examples }: Sum): Evidence {
    const first = examples[0];
    const such =
      first === undefined
        ? ""
        : `, such as ${windbgHex(first.target, this.#pointerSize)} at ${windbgHex(first.at, this.#pointerSize)}`;
    const detail = `${blocks} of ${this.blocks} blocks of the tag that were looked at hold a pointer into ${name}${such}`;
    return { kind: "pool-content", address: first?.at ?? null, detail };
  }
}
