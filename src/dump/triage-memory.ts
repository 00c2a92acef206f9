import { readStruct, toBigInt } from "../core/kaitai.ts";
import { TriageDump } from "../generated/triage_dump.js";
import type { Word } from "../generated/word.js";
import { type ByteSource, readAt } from "../source/source.ts";

/** DUMP_MM_STORAGE: figures of the memory manager, in pages where not said otherwise. */
export interface MemoryStorage {
  readonly specialPoolTag: number;
  readonly triageActionTaken: number;
  readonly nonPagedPoolMaximum: number;
  readonly nonPagedPoolAllocated: number;
  readonly pagedPoolMaximum: number;
  readonly pagedPoolAllocated: number;
  readonly committedPages: number;
  readonly committedPagesPeak: number;
  readonly commitLimitMaximum: number;
}

const SIZE = { 32: 0x34, 64: 0x50 } as const;

/** Reads the figures; `undefined` where the file ends in them. */
export function readMemoryStorage(
  source: ByteSource,
  offset: number,
  bits: 32 | 64,
): MemoryStorage | undefined {
  const view = readAt(source, offset, SIZE[bits]);
  if (view.length < SIZE[bits]) return undefined;
  const raw = readStruct(TriageDump.MmStorage, view, "DUMP_MM_STORAGE", bits);
  const pages = (value: Word) => Number(toBigInt(value));
  return {
    specialPoolTag: raw.specialPoolTag,
    triageActionTaken: raw.triageActionTaken,
    nonPagedPoolMaximum: pages(raw.maximumNonPagedPool),
    nonPagedPoolAllocated: pages(raw.allocatedNonPagedPool),
    pagedPoolMaximum: pages(raw.pagedPoolMaximum),
    pagedPoolAllocated: pages(raw.pagedPoolAllocated),
    committedPages: pages(raw.committedPages),
    committedPagesPeak: pages(raw.committedPagesPeak),
    commitLimitMaximum: pages(raw.commitLimitMaximum),
  };
}
