import { advance, type Va } from "../../core/address.ts";
import { MAX_BLOCK_TARGETS, MAX_CONTENT_EXAMPLES } from "../../core/limits.ts";
import type { ModuleMap } from "../../core/module-map.ts";
import { isKernelAddress, type PoolKernel } from "../../pool/pool-kernel.ts";
import type { ContentModule, Found, ListEntry, StepPointer } from "./block-contents.ts";
import { findListHeads, type ListedBlock } from "./list-heads.ts";
import { PoolObjects } from "./pool-objects.ts";

/** What following the pointers of blocks led to. */
export interface Steps<M> {
  /** Blocks whose pointers were followed. */
  readonly followed: number;
  readonly oneStep: ReadonlyMap<M, Found<StepPointer>>;
  readonly listHead: ReadonlyMap<M, Found<ListEntry>>;
  /** What there was more of than is looked at. */
  readonly cut: readonly ("pointers" | "objects" | "lists")[];
}

/** Bytes of one block whose pointers are followed: of a large one, its start. */
const FOLLOWED_BYTES = 0x1000;

/**
 * Follows the pointers of blocks to objects that lead into images themselves, and the lists that the
 * blocks are linked into to their heads.
 *
 * @param blocks where their contents stand, and how long they are
 */
export function followBlocks<M extends ContentModule>(
  kernel: PoolKernel,
  blocks: readonly { readonly at: Va; readonly length: number }[],
  images: ModuleMap<M>,
  key: number,
): Steps<M> {
  const { space } = kernel;
  const objects = new PoolObjects(kernel, images, key);
  const oneStep = new FoundBlocks<M, StepPointer>();
  const listHead = new FoundBlocks<M, ListEntry>();
  const read = blocks.flatMap(({ at, length }): readonly ListedBlock[] => {
    const contents = space.tryRead(at, Math.min(length, FOLLOWED_BYTES));
    return contents === undefined ? [] : [{ at, contents }];
  });
  let more = false;
  for (const block of read) {
    const targets = targetsOf(block, images, space.pointerSize);
    more ||= targets.more;
    for (const { at, object } of targets.items) {
      for (const { module, ...found } of objects.at(object)) {
        oneStep.add(module, block.at, { at, object, ...found });
      }
    }
  }
  const lists = findListHeads(space, read, images, key);
  for (const { at, offset, end } of lists.members) {
    const block = advance(at, -offset);
    if (end.kind === "image") {
      listHead.add(end.module, block, { at, offset, target: end.head });
      continue;
    }
    for (const { module, through, target } of objects.around(end.head)) {
      oneStep.add(module, block, { at: end.from, object: end.head, through, target, by: "list" });
    }
  }
  return {
    followed: read.length,
    oneStep: oneStep.all,
    listHead: listHead.all,
    cut: [
      ...(more ? (["pointers"] as const) : []),
      ...(objects.cut ? (["objects"] as const) : []),
      ...(lists.cut ? (["lists"] as const) : []),
    ],
  };
}

/** The pointers of a block that lead to neither an image nor the block itself; `more`: there are more than are followed. */
function targetsOf<M extends ContentModule>(
  { at, contents }: ListedBlock,
  images: ModuleMap<M>,
  pointerSize: 4 | 8,
): { readonly items: readonly { readonly at: Va; readonly object: Va }[]; readonly more: boolean } {
  const view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength);
  const end = advance(at, contents.length);
  const targets = new Map<bigint, Va>();
  let more = false;
  for (let offset = 0; offset + pointerSize <= contents.length; offset += pointerSize) {
    const high = pointerSize === 4 ? 0xffff_ffff : view.getUint32(offset + 4, true);
    const low = view.getUint32(offset, true);
    // most words are no pointers: a bigint is made of those only that can be one
    if (high < 0xffff_8000 || low % pointerSize !== 0) continue;
    const value = pointerSize === 4 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
    if (!isKernelAddress(value, pointerSize) || (value >= at && value < end)) continue;
    if (targets.has(value) || images.at(value as Va) !== undefined) continue;
    more = targets.size === MAX_BLOCK_TARGETS;
    if (more) break;
    targets.set(value, advance(at, offset));
  }
  return { items: [...targets].map(([object, place]) => ({ at: place, object: object as Va })), more };
}

/** Counts blocks by module, each once. */
class FoundBlocks<M, E> {
  readonly #sums = new Map<M, { blocks: number; examples: E[]; readonly seen: Set<bigint> }>();

  add(module: M, block: Va, example: E): void {
    let sum = this.#sums.get(module);
    if (sum === undefined) {
      sum = { blocks: 0, examples: [], seen: new Set() };
      this.#sums.set(module, sum);
    }
    if (!sum.seen.has(block)) sum.blocks++;
    sum.seen.add(block);
    if (sum.examples.length < MAX_CONTENT_EXAMPLES) sum.examples.push(example);
  }

  get all(): ReadonlyMap<M, Found<E>> {
    return new Map([...this.#sums].map(([module, { blocks, examples }]) => [module, { blocks, examples }]));
  }
}
