import { advance, type Va } from "../../core/address.ts";
import { MAX_CONTENT_EXAMPLES } from "../../core/limits.ts";
import type { ModuleMap } from "../../core/module-map.ts";
import type { ContentModule, ContentPointer, ModuleContent } from "./block-contents.ts";

/** The pointers of blocks into one module. */
export type DirectSum = Pick<ModuleContent<ContentModule>, "direct" | "places" | "code" | "data" | "unknown">;

const KINDS = ["code", "data", "unknown"] as const;
/** Different pointers at different places of which blocks are counted, and how many of the commonest are given. */
const MOST_PLACES = 4096;
const PLACES_GIVEN = 8;

class Sum {
  blocks = 0;
  readonly examples: ContentPointer[] = [];
  readonly byKind = { code: 0, data: 0, unknown: 0 };
  readonly places = new Map<string, { readonly offset: number; readonly target: Va; blocks: number }>();
  /** The blocks that were counted last. */
  #last = 0;
  readonly #lastOf = { code: 0, data: 0, unknown: 0 };

  /** @param block its number; they come in order */
  add(block: number, at: Va, offset: number, target: Va, kind: (typeof KINDS)[number]): void {
    if (this.#lastOf[kind] !== block) this.byKind[kind]++;
    this.#lastOf[kind] = block;
    const name = `${offset}:${target}`;
    const place = this.places.get(name);
    if (place !== undefined) place.blocks++;
    else if (this.places.size < MOST_PLACES) this.places.set(name, { offset, target, blocks: 1 });
    if (this.#last === block) return;
    this.#last = block;
    this.blocks++;
    if (this.examples.length < MAX_CONTENT_EXAMPLES) this.examples.push({ at, target });
  }

  get direct(): DirectSum {
    const places = [...this.places.values()].sort((a, b) => b.blocks - a.blocks || a.offset - b.offset);
    return {
      direct: { blocks: this.blocks, examples: this.examples },
      places: places.slice(0, PLACES_GIVEN),
      ...this.byKind,
    };
  }
}

/** Counts pointers into images, block by block. */
export class ContentTally<M extends ContentModule> {
  /** Blocks so far, and bytes of their contents that could be read. */
  blocks = 0;
  bytes = 0;
  readonly #images: ModuleMap<M>;
  readonly #pointerSize: 4 | 8;
  readonly #sums = new Map<M, Sum>();

  constructor(images: ModuleMap<M>, pointerSize: 4 | 8) {
    this.#images = images;
    this.#pointerSize = pointerSize;
  }

  get sums(): ReadonlyMap<M, DirectSum> {
    return new Map([...this.#sums].map(([module, sum]) => [module, sum.direct]));
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
      const module = this.#images.atHalves(low, high);
      if (module === undefined) continue;
      let sum = this.#sums.get(module);
      if (sum === undefined) {
        sum = new Sum();
        this.#sums.set(module, sum);
      }
      const target = ((BigInt(high) << 32n) | BigInt(low)) as Va;
      sum.add(this.blocks, advance(at, offset), offset, target, kindOf(module, target));
    }
  }
}

function kindOf(module: ContentModule, target: Va): (typeof KINDS)[number] {
  const rva = Number(target - module.base);
  const section = module.image?.sections.find(
    (one) => rva >= one.rva && rva < one.rva + Math.max(one.virtualSize, 1),
  );
  if (section === undefined) return "unknown";
  return section.executable ? "code" : "data";
}
