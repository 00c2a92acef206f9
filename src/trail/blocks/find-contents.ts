import { advance, type Va } from "../../core/address.ts";
import { MAX_BIG_CONTENT, MAX_BILLED_BLOCKS, MAX_FOLLOWED_BLOCKS } from "../../core/limits.ts";
import { ModuleMap } from "../../core/module-map.ts";
import type { BigAllocation } from "../../pool/big-pages.ts";
import { SEGMENT_HEAP } from "../../pool/blocks.ts";
import type { PoolKernel } from "../../pool/pool-kernel.ts";
import { type PoolPlaces, poolPlaces } from "../../pool/pool-places.ts";
import { type Billing, billingOf, type Charge, chargeOf, type PoolProcess } from "../../pool/quota.ts";
import { tableKey } from "../../pool/tag.ts";
import type { BlockContents, BlockNote, ContentModule, ModuleContent } from "./block-contents.ts";
import { followBlocks, type Steps } from "./content-steps.ts";
import { ContentTally } from "./content-tally.ts";
import { EvenSample } from "./even-sample.ts";
import { findTagBlocks, type PoolSearch, type SearchBudget } from "./tag-blocks.ts";

export interface ContentOptions extends Omit<SearchBudget, "mostBlocks"> {
  /** The allocations of a page and more, of all tags. */
  readonly big?: readonly BigAllocation[];
  /** Active processes: who can be charged. */
  readonly processes?: readonly PoolProcess[];
  /** What the tag tables say is outstanding in both pools; absent where they cannot be read. */
  readonly outstanding?: number;
}

/** Of one large allocation: what leads to its owner stands at its start. */
const BIG_PART = 0x1_0000;
/** Finding fewer blocks than this share of what is outstanding means to have looked in the wrong place. */
const FEW = 1 / 8;

/**
 * Reads what the blocks of a tag hold of modules' addresses: directly, one step further, and by the lists
 * that they are linked into. It says who uses a block, which need not be who allocated it.
 *
 * @param key the tag's four bytes, with or without the protected bit
 */
export function findBlockContents<M extends ContentModule>(
  kernel: PoolKernel,
  key: number,
  modules: readonly M[],
  options: ContentOptions = {},
): BlockContents<M> {
  const images = new ModuleMap(modules, (module) => module);
  const big = (options.big ?? []).filter((allocation) => allocation.key === tableKey(key));
  const places = poolPlaces(kernel, options.big ?? [], modules);
  const collector = searchBest(kernel, key, places, images, big.length, options);
  const unread = collector.addBig(big);
  const steps = followBlocks(kernel, collector.followed.items, images, key);
  const billing = billingOf(kernel, collector.charges.items, options.processes ?? []);
  const { search, tally } = collector;
  return {
    basis: search?.basis,
    searched: search?.searched ?? 0,
    readable: search?.readable ?? 0,
    blocks: tally.blocks,
    bytes: tally.bytes,
    followed: steps.followed,
    sizes: histogram(collector.sizes),
    bigSizes: histogram(countSizes(big)),
    byModule: moduleContents(tally, steps),
    billed: billing.billed,
    notes: [
      ...(search === undefined ? [notSearched(kernel)] : searchNotes(kernel, search, collector.small)),
      ...(unread > 0 ? [{ kind: "big-unread", blocks: unread, of: big.length } as const] : []),
      ...stepNotes(steps, tally.blocks),
      ...billingNotes(billing, collector),
    ],
  };
}

/** Looks in one place after the other until there are about as many blocks as there should be. */
function searchBest<M extends ContentModule>(
  kernel: PoolKernel,
  key: number,
  places: readonly PoolPlaces[],
  images: ModuleMap<M>,
  big: number,
  options: ContentOptions,
): Collector<M> {
  const small = options.outstanding === undefined ? undefined : Math.max(0, options.outstanding - big);
  const wanted = small === undefined ? 1 : small * FEW;
  const budget = small === undefined ? options : { ...options, mostBlocks: small };
  let best = new Collector(kernel, images);
  for (const place of places) {
    const collector = new Collector(kernel, images);
    collector.search = findTagBlocks(kernel, key, place, (block) => collector.add(block), budget);
    if (best.search === undefined || collector.estimate > best.estimate) best = collector;
    if (best.estimate >= wanted) break;
  }
  return best;
}

/** What is kept of the blocks that one search finds. */
class Collector<M extends ContentModule> {
  search: PoolSearch | undefined;
  small = 0;
  /** Small blocks that are charged to a process. */
  charged = 0;
  readonly tally: ContentTally<M>;
  readonly sizes = new Map<number, number>();
  readonly followed = new EvenSample<{ readonly at: Va; readonly length: number }>(MAX_FOLLOWED_BLOCKS);
  readonly charges = new EvenSample<Charge>(MAX_BILLED_BLOCKS);
  readonly #kernel: PoolKernel;

  constructor(kernel: PoolKernel, images: ModuleMap<M>) {
    this.#kernel = kernel;
    this.tally = new ContentTally(images, kernel.space.pointerSize);
  }

  /** How many small blocks there are in all memory that was searched evenly. */
  get estimate(): number {
    const { search, small } = this;
    return search === undefined || search.searched === 0 ? 0 : (small * search.readable) / search.searched;
  }

  add({ header, start, bytes }: Parameters<Parameters<typeof findTagBlocks>[3]>[0]): void {
    const { pointerSize } = this.#kernel.space;
    const skip = 2 * pointerSize;
    const contents = bytes.subarray(skip);
    const at = advance(start, skip);
    this.small++;
    this.tally.add(contents, at);
    this.sizes.set(header.bytes, (this.sizes.get(header.bytes) ?? 0) + 1);
    this.followed.offer(() => ({ at, length: contents.length }));
    if (!header.quota) return;
    this.charged++;
    this.charges.offer(() => chargeOf(bytes, start, pointerSize));
  }

  /** @returns allocations that could not be looked at */
  addBig(big: readonly BigAllocation[]): number {
    let room = MAX_BIG_CONTENT;
    let unread = 0;
    // of more than there is room for, parts of all are read
    const most = Math.max(0x1000, Math.min(BIG_PART, Math.floor(room / Math.max(1, big.length))));
    for (const { at, bytes } of big) {
      if (room <= 0) {
        unread++;
        continue;
      }
      const part = this.#kernel.space.readSparse(at, Math.min(bytes, most, room));
      const read = part.bytes.length - part.holes.reduce((sum, hole) => sum + hole.length, 0);
      room -= part.bytes.length;
      if (read === 0) {
        unread++;
        continue;
      }
      this.tally.add(part.bytes, at, read);
      this.followed.offer(() => ({ at, length: part.bytes.length }));
    }
    return unread;
  }
}

const NONE = { blocks: 0, examples: [] };
const NO_POINTERS = { direct: NONE, places: [], code: 0, data: 0, unknown: 0 };

function moduleContents<M extends ContentModule>(
  tally: ContentTally<M>,
  steps: Steps<M>,
): readonly ModuleContent<M>[] {
  const { sums } = tally;
  const modules = new Set([...sums.keys(), ...steps.oneStep.keys(), ...steps.listHead.keys()]);
  const found = [...modules].map(
    (module): ModuleContent<M> => ({
      module,
      ...(sums.get(module) ?? NO_POINTERS),
      oneStep: steps.oneStep.get(module) ?? NONE,
      listHead: steps.listHead.get(module) ?? NONE,
    }),
  );
  const share = ({ direct, oneStep, listHead }: ModuleContent<M>): number =>
    Math.max(
      direct.blocks / Math.max(1, tally.blocks),
      Math.max(oneStep.blocks, listHead.blocks) / Math.max(1, steps.followed),
    );
  return found.sort((a, b) => share(b) - share(a) || (a.module.base < b.module.base ? -1 : 1));
}

function countSizes(big: readonly BigAllocation[]): ReadonlyMap<number, number> {
  const sizes = new Map<number, number>();
  for (const { bytes } of big) sizes.set(bytes, (sizes.get(bytes) ?? 0) + 1);
  return sizes;
}

function histogram(sizes: ReadonlyMap<number, number>): BlockContents<ContentModule>["sizes"] {
  return [...sizes].map(([bytes, blocks]) => ({ bytes, blocks })).sort((a, b) => a.bytes - b.bytes);
}

function notSearched({ triage }: PoolKernel): BlockNote {
  return { kind: "not-searched", why: triage ? "triage" : "no-places" };
}

function searchNotes({ build }: PoolKernel, search: PoolSearch, small: number): readonly BlockNote[] {
  const { searched, readable, all, whole, basis, doubtful } = search;
  const one = searched === 0 ? 1 : Math.round(readable / searched);
  return [
    ...(basis === "kernel-space" ? [{ kind: "whole-kernel-space" } as const] : []),
    ...(all ? [] : [{ kind: "sampled", one: Math.max(1, one) } as const]),
    ...(whole ? [] : [{ kind: "not-all-places" } as const]),
    ...(build >= SEGMENT_HEAP && small > 0 ? [{ kind: "freed-too" } as const] : []),
    ...(doubtful > 0 ? [{ kind: "doubtful", blocks: doubtful } as const] : []),
  ];
}

function stepNotes({ followed, cut }: Steps<unknown>, blocks: number): readonly BlockNote[] {
  return [
    ...(followed < blocks ? [{ kind: "followed", followed, of: blocks } as const] : []),
    ...cut.map((what) => ({ kind: "cut", what }) as const),
  ];
}

function billingNotes(
  { why, others }: Billing,
  { charged, charges }: Pick<Collector<ContentModule>, "charged" | "charges">,
): readonly BlockNote[] {
  if (charged === 0) return [];
  if (why !== undefined) return [{ kind: "not-billed", blocks: charged, why }];
  const billed = charges.items.length;
  return [
    ...(others === 0 ? [] : [{ kind: "not-billed", blocks: others, why: "not-a-process" } as const]),
    ...(billed < charged ? [{ kind: "billed", billed, of: charged } as const] : []),
  ];
}
