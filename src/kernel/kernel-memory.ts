import { advance, hex, type Va } from "../core/address.ts";
import { Bytes } from "../core/bytes.ts";
import type { DumpHeader } from "../dump/header.ts";
import type { Dump } from "../dump/open.ts";
import { AddressSpace } from "../memory/address-space.ts";
import { type KernelSpace, openKernelSpace } from "../memory/kernel-space.ts";
import { PageTableMapping } from "../memory/page-table-mapping.ts";
import type { WordSource } from "../memory/physical-memory.ts";
import { BlockMapping } from "../memory/triage-mapping.ts";
import { CachedSource } from "../source/page-cache.ts";
import type { ByteSource } from "../source/source.ts";
import { isKdbgHead, KDBG_HEAD } from "./kdbg.ts";

/** The kernel's virtual memory in a dump. */
export interface KernelMemory {
  readonly space: AddressSpace;
  /** `undefined`: the dump has no physical memory. */
  readonly translation: KernelSpace | undefined;
  readonly notes: readonly string[];
  /** Memory through another root of the same mode; `undefined` without physical memory. */
  spaceAt(directoryTableBase: bigint): AddressSpace | undefined;
  /** Whether the kernel can be read through a root. */
  isRoot(directoryTableBase: bigint): boolean;
}

/** Chooses how a dump's kernel memory is read. */
export function openKernelMemory({ source, header, body }: Dump): KernelMemory {
  if (!("pages" in body)) {
    const blocks = body.kind === "triage" ? body.triage.blocks : [];
    const space = new AddressSpace(new BlockMapping(source, blocks, header.bits === 32 ? 4 : 8));
    return { space, translation: undefined, notes: [], spaceAt: () => undefined, isRoot: () => false };
  }
  const memory = { source: withWords(source), pages: body.pages };
  const translation = openKernelSpace(memory, header, (space) => holdsKernel(space, header));
  const { space, mapping } = translation;
  const spaceAt = (root: bigint): AddressSpace =>
    new AddressSpace(new PageTableMapping(memory, mapping.format, root));
  const isRoot = (root: bigint): boolean => root !== 0n && holdsKernel(spaceAt(root), header);
  return { space, translation, notes: notesOn(translation, header), spaceAt, isRoot };
}

function withWords(source: ByteSource): WordSource {
  return source instanceof CachedSource ? source : new CachedSource(source);
}

/** Whether one of the lists that the header names is a list, or KDBG stands where it says. */
function holdsKernel(space: AddressSpace, header: DumpHeader): boolean {
  const { psLoadedModuleList, psActiveProcessHead, kdDebuggerDataBlock } = header;
  if (
    [psLoadedModuleList, psActiveProcessHead].some((head) => head !== undefined && isListHead(space, head))
  ) {
    return true;
  }
  const block = kdDebuggerDataBlock === undefined ? undefined : space.tryRead(kdDebuggerDataBlock, KDBG_HEAD);
  return block !== undefined && isKdbgHead(new Bytes(block, "KDBG"));
}

/** Whether the first entry leads back to the head, or the last one forward to it. */
function isListHead(space: AddressSpace, head: Va): boolean {
  const { pointerSize } = space;
  const first = space.tryReadPointer(head);
  const last = space.tryReadPointer(advance(head, pointerSize));
  if (first === undefined || last === undefined) return false;
  return space.tryReadPointer(advance(first, pointerSize)) === head || space.tryReadPointer(last) === head;
}

function notesOn({ rootFrom, verified, mapping }: KernelSpace, header: DumpHeader): readonly string[] {
  const { directoryTableBase } = header;
  const given =
    directoryTableBase === undefined ? "no root of page tables" : `the root ${hex(directoryTableBase)}`;
  if (!verified) return [`the header has ${given}, and through no root can the kernel's lists be read`];
  if (rootFrom === "header") return [];
  return [
    `the header has ${given}, which does not lead to the kernel; that at ${hex(mapping.root)} does, and is used`,
  ];
}
