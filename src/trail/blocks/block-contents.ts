import type { Va } from "../../core/address.ts";
import type { ModuleRange } from "../../core/module-map.ts";
import type { BilledProcess } from "../../pool/quota.ts";

/** A module whose image pointers are looked for. */
export interface ContentModule extends ModuleRange {
  readonly name: string;
  /** Absent where its headers cannot be read: then code is not told from data. */
  readonly image?:
    | {
        readonly sections: readonly {
          readonly rva: number;
          readonly virtualSize: number;
          readonly executable: boolean;
        }[];
      }
    | undefined;
}

/** A pointer into an image, in a block of the tag. */
export interface ContentPointer {
  /** Where it stands. */
  readonly at: Va;
  /** Where it leads. */
  readonly target: Va;
}

/** A pointer that many blocks hold in the same place. */
export interface ContentPlace {
  /** From the start of the contents, behind the header. */
  readonly offset: number;
  readonly target: Va;
  readonly blocks: number;
}

/** A pointer from a block to an object that leads into an image itself. */
export interface StepPointer {
  /** Where it stands in the block. */
  readonly at: Va;
  /** The object, or the place in it, that the block points to. */
  readonly object: Va;
  /** Where the object, or the driver object that a device object names, holds the pointer into the image. */
  readonly through: Va;
  readonly target: Va;
  /** `list`: the object holds the head of a list of blocks, and `at` is the entry that points to it. */
  readonly by: "pointer" | "device" | "driver" | "list";
}

/** A block on a list whose head stands in a module's image. */
export interface ListEntry {
  /** The block's LIST_ENTRY, and where it stands in the block's contents. */
  readonly at: Va;
  readonly offset: number;
  /** The head. */
  readonly target: Va;
}

/** Blocks that lead to a module in one way. */
export interface Found<E> {
  readonly blocks: number;
  /** The first ones. */
  readonly examples: readonly E[];
}

/** What a tag's blocks hold of one module's addresses. */
export interface ModuleContent<M extends ContentModule> {
  readonly module: M;
  /** Of all blocks that were looked at; one example of each block. */
  readonly direct: Found<ContentPointer>;
  /** The commonest of the same pointer at the same place of a block: what code stores there, and no leftover. */
  readonly places: readonly ContentPlace[];
  /** Of the blocks whose pointers were followed. */
  readonly oneStep: Found<StepPointer>;
  /** Of the blocks whose pointers were followed. */
  readonly listHead: Found<ListEntry>;
  /** Blocks with a pointer to code of the module, to what is not code, and to where that is not known. */
  readonly code: number;
  readonly data: number;
  readonly unknown: number;
}

/** What falls short of all blocks looked at whole. */
export type BlockNote =
  /** `triage`: the dump holds no pool; `no-places`: nothing says where the pools stand. */
  | { readonly kind: "not-searched"; readonly why: "triage" | "no-places" }
  /** One in `one` pieces of the pool was looked at. */
  | { readonly kind: "sampled"; readonly one: number }
  /** The pools are in more pieces than are looked at. */
  | { readonly kind: "not-all-places" }
  /** Nothing says where the pools stand: all of kernel space was taken for one. */
  | { readonly kind: "whole-kernel-space" }
  /** A segment heap: blocks that were freed may be among those counted. */
  | { readonly kind: "freed-too" }
  /** Headers with the tag that nothing confirms. */
  | { readonly kind: "doubtful"; readonly blocks: number }
  /** Allocations of a page and more that could not be read, or for which there was no room. */
  | { readonly kind: "big-unread"; readonly blocks: number; readonly of: number }
  /** Pointers of `followed` blocks of `of` were followed. */
  | { readonly kind: "followed"; readonly followed: number; readonly of: number }
  /** More pointers of one block, objects or list entries than are looked at. */
  | { readonly kind: "cut"; readonly what: "pointers" | "objects" | "lists" }
  /** Blocks are charged to processes, and to which cannot be told: why. */
  | {
      readonly kind: "not-billed";
      readonly blocks: number;
      readonly why: "no-processes" | "many-processes" | "cookie" | "not-a-process";
    }
  /** The processes of `billed` blocks of `of` were looked for. */
  | { readonly kind: "billed"; readonly billed: number; readonly of: number };

/** What the blocks of a tag hold: facts, of which the trail makes evidence. */
export interface BlockContents<M extends ContentModule> {
  /** Where small blocks were looked for; undefined where nowhere. */
  readonly basis: "kdbg" | "big-pages" | "kernel-space" | undefined;
  /** Bytes of pool that were looked at, and of pool that can be read; of a sample the second is an estimate. */
  readonly searched: number;
  readonly readable: number;
  /** Blocks of the tag whose contents were looked at, large ones included; and their bytes without headers. */
  readonly blocks: number;
  readonly bytes: number;
  /** Of those, blocks whose pointers were followed: what `oneStep` and `listHead` are counted in. */
  readonly followed: number;
  /** Small blocks by size: in bytes with the header, the smallest first. */
  readonly sizes: readonly { readonly bytes: number; readonly blocks: number }[];
  /** All allocations of a page and more, as the table of big pages has them, the smallest first. */
  readonly bigSizes: readonly { readonly bytes: number; readonly blocks: number }[];
  /** The most blocks first, however they lead there. nt and hal are among them. */
  readonly byModule: readonly ModuleContent<M>[];
  /** Blocks charged to processes, the most first; undefined where that cannot be told. Of very many they are a sample. */
  readonly billed: readonly BilledProcess[] | undefined;
  readonly notes: readonly BlockNote[];
}
