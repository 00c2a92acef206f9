import { advance, type Va } from "../../core/address.ts";
import { MAX_CONTENT_EXAMPLES } from "../../core/limits.ts";
import type { ContentModule, ContentPointer } from "./block-contents.ts";
import type { ImageRanges } from "./image-ranges.ts";

/** The pointers of blocks into one module. */
export interface DirectSum {
  readonly blocks: number;
  readonly examples: readonly ContentPointer[];
  readonly code: number;
  readonly data: number;
  readonly unknown: number;
}

interface Sum {
  blocks: number;
  code: number;
  data: number;
  unknown: number;
  /** The block that was counted last. */
  last: number;
  readonly examples: ContentPointer[];
}

/** Counts pointers into images, block by block. */
export class ContentTally<M extends ContentModule> {
  /** Blocks so far, and bytes of their contents that could be read. */
  blocks = 0;
  bytes = 0;
  readonly #images: ImageRanges<M>;
  readonly #pointerSize: 4 | 8;
  readonly #sums = new Map<M, Sum>();

  constructor(images: ImageRanges<M>, pointerSize: 4 | 8) {
    this.#images = images;
    this.#pointerSize = pointerSize;
  }

  get sums(): ReadonlyMap<M, DirectSum> {
    return this.#sums;
  }

  /**
   * @param at of the contents; a multiple of the pointer's size
   * @param readable bytes of `contents` that are not holes
   */
  add(contents: Uint8Array, at: Va, readable: number = contents.length): void {
    this.blocks++;
    this.bytes += readable;
    const view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength);
    const step = this.#pointerSize;
    for (let offset = 0; offset + step <= contents.length; offset += step) {
      const high = step === 8 ? view.getUint32(offset + 4, true) : 0;
      const low = view.getUint32(offset, true);
      const module = this.#images.at(low, high);
      if (module !== undefined) this.#count(module, advance(at, offset), low, high);
    }
  }

  #count(module: M, at: Va, low: number, high: number): void {
    let sum = this.#sums.get(module);
    if (sum === undefined) {
      sum = { blocks: 0, code: 0, data: 0, unknown: 0, last: 0, examples: [] };
      this.#sums.set(module, sum);
    }
    const target = ((BigInt(high) << 32n) | BigInt(low)) as Va;
    sum[kindOf(module, target)]++;
    if (sum.last !== this.blocks) sum.blocks++;
    sum.last = this.blocks;
    if (sum.examples.length < MAX_CONTENT_EXAMPLES) sum.examples.push({ at, target });
  }
}

function kindOf(module: ContentModule, target: Va): "code" | "data" | "unknown" {
  const rva = Number(target - module.base);
  const section = module.image?.sections.find(
    (one) => rva >= one.rva && rva < one.rva + Math.max(one.virtualSize, 1),
  );
  if (section === undefined) return "unknown";
  return section.executable ? "code" : "data";
}
