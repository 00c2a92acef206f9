import { advance, type Va } from "../../core/address.ts";
import { MAX_LIST_STEPS } from "../../core/limits.ts";
import type { ModuleMap } from "../../core/module-map.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { isKernelAddress } from "../../pool/pool-kernel.ts";
import { tableKey } from "../../pool/tag.ts";

/** Where a list of blocks leads. */
export type ListEnd<M> =
  /** Its head stands in an image. */
  | { readonly kind: "image"; readonly module: M; readonly head: Va }
  /** Its one member that is no block of the tag, and the entry that points to it. */
  | { readonly kind: "elsewhere"; readonly head: Va; readonly from: Va };

/** A block's entry in a list, and where that leads. */
export interface Membership<M> {
  /** The LIST_ENTRY, and how far it stands from the start of the block's contents. */
  readonly at: Va;
  readonly offset: number;
  readonly end: ListEnd<M>;
}

/** The contents of a block. */
export interface ListedBlock {
  readonly at: Va;
  readonly contents: Uint8Array;
}

/** Blocks that are looked at for where their entries stand, and places that are taken. */
const PROBES = 256;
const MOST_OFFSETS = 4;
/** Entries stand near a block's start. */
const MOST_OFFSET = 0x200;

/**
 * Follows the lists that blocks are linked into. An entry counts where its neighbours point back to it;
 * the head is the member that stands in an image, or else the only one that is no block of the tag.
 *
 * @param key the tag's, without the protected bit
 */
export function findListHeads<M extends { readonly name: string; readonly base: Va; readonly end: Va }>(
  space: AddressSpace,
  blocks: readonly ListedBlock[],
  images: ModuleMap<M>,
  key: number,
): { readonly members: readonly Membership<M>[]; readonly cut: boolean } {
  const walker = new ListWalker(space, images, key);
  const members: Membership<M>[] = [];
  for (const offset of entryOffsets(space, blocks)) {
    for (const { at, contents } of blocks) {
      if (offset + 2 * space.pointerSize > contents.length) continue;
      const entry = advance(at, offset);
      const end = walker.endOf(entry, offset);
      if (end !== undefined) members.push({ at: entry, offset, end });
    }
  }
  return { members, cut: walker.cut };
}

/** Offsets at which blocks have a linked LIST_ENTRY, the commonest first. */
function entryOffsets(space: AddressSpace, blocks: readonly ListedBlock[]): readonly number[] {
  const size = space.pointerSize;
  const votes = new Map<number, number>();
  const every = Math.max(1, Math.floor(blocks.length / PROBES));
  for (let i = 0; i < blocks.length; i += every) {
    const { at, contents } = blocks[i] as ListedBlock;
    const last = Math.min(contents.length - 2 * size, MOST_OFFSET);
    for (let offset = 0; offset <= last; offset += size) {
      if (isLinked(space, advance(at, offset))) votes.set(offset, (votes.get(offset) ?? 0) + 1);
    }
  }
  return [...votes]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, MOST_OFFSETS)
    .map(([offset]) => offset);
}

/** Whether both neighbours of an entry point back to it; an empty list, which is its own, is none. */
function isLinked(space: AddressSpace, entry: Va): boolean {
  const size = space.pointerSize;
  const next = space.tryReadPointer(entry);
  if (next === undefined || next === entry || !canBeEntry(next, size)) return false;
  const previous = space.tryReadPointer(advance(entry, size));
  if (previous === undefined || !canBeEntry(previous, size)) return false;
  return space.tryReadPointer(advance(next, size)) === entry && space.tryReadPointer(previous) === entry;
}

function canBeEntry(value: bigint, pointerSize: 4 | 8): boolean {
  return isKernelAddress(value, pointerSize) && value % BigInt(pointerSize) === 0n;
}

/** Walks lists, each entry once. */
class ListWalker<M extends { readonly name: string; readonly base: Va; readonly end: Va }> {
  cut = false;
  readonly #space: AddressSpace;
  readonly #images: ModuleMap<M>;
  readonly #key: number;
  /** Where the list of an entry leads, by the entry. */
  readonly #ends = new Map<bigint, { end: ListEnd<M> | undefined }>();
  #steps = 0;

  constructor(space: AddressSpace, images: ModuleMap<M>, key: number) {
    this.#space = space;
    this.#images = images;
    this.#key = tableKey(key);
  }

  /** Where the list leads that a block's entry is in; `undefined` where it is in none, or the head is not seen. */
  endOf(entry: Va, offset: number): ListEnd<M> | undefined {
    const known = this.#ends.get(entry);
    if (known !== undefined) return known.end;
    return isLinked(this.#space, entry) ? this.#walk(entry, offset) : undefined;
  }

  #walk(first: Va, offset: number): ListEnd<M> | undefined {
    const size = this.#space.pointerSize;
    const list: { end: ListEnd<M> | undefined } = { end: undefined };
    const outsiders: { head: Va; from: Va }[] = [];
    this.#ends.set(first, list);
    for (let at = first; ; ) {
      if (++this.#steps > MAX_LIST_STEPS) {
        this.cut = true;
        break;
      }
      const next = this.#space.tryReadPointer(at);
      if (next === undefined || !canBeEntry(next, size)) break;
      const module = this.#images.at(next);
      if (this.#space.tryReadPointer(advance(next, size)) !== at) break;
      if (module !== undefined) {
        list.end = { kind: "image", module, head: next };
        break;
      }
      const known = this.#ends.get(next);
      if (known !== undefined) {
        // its own start, or another list's that was broken off
        const [only, another] = outsiders;
        if (known !== list) list.end = known.end;
        else if (only !== undefined && another === undefined) list.end = { kind: "elsewhere", ...only };
        break;
      }
      if (outsiders.length < 2 && !this.#isBlock(next, offset)) outsiders.push({ head: next, from: at });
      this.#ends.set(next, list);
      at = next;
    }
    return list.end;
  }

  /** Whether the header of a block of the tag stands where an entry at that offset has it. */
  #isBlock(entry: Va, offset: number): boolean {
    const key = this.#space.tryReadU32(advance(entry, -offset - 2 * this.#space.pointerSize + 4));
    return key !== undefined && tableKey(key) === this.#key;
  }
}
