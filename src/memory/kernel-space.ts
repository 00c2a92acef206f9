import type { Machine } from "../dump/machine.ts";
import { AddressSpace } from "./address-space.ts";
import { arm64 } from "./arm64.ts";
import type { PageFormat } from "./page-format.ts";
import { PageTableMapping } from "./page-table-mapping.ts";
import type { PhysicalMemory } from "./physical-memory.ts";
import { findRoots } from "./root-search.ts";
import { x64 } from "./x64.ts";
import { x86 } from "./x86.ts";
import { x86Pae } from "./x86-pae.ts";

/** What the dump's header says about the page tables. */
export interface KernelSpaceHints {
  readonly machine: Machine;
  /** Of Windows; decides the layout of entries that are not valid. */
  readonly build: number | undefined;
  readonly directoryTableBase: bigint | undefined;
  /** `undefined`: the header does not say, both are tried. */
  readonly paeEnabled: boolean | undefined;
}

/** Kernel memory, and how it was found. */
export interface KernelSpace {
  readonly space: AddressSpace;
  readonly mapping: PageTableMapping;
  /** Where the root table comes from: the header's DirectoryTableBase, or a table that maps itself. */
  readonly rootFrom: "header" | "search";
  /** Kernel structures were read through it. False: no way of translating led to any, and this is the first one tried. */
  readonly verified: boolean;
}

/**
 * Chooses how a dump's addresses are translated: by the header where `check` agrees, else by the
 * other modes of the machine, else through a root table found in low memory, where that of the
 * System process stands. The header's root is of no use when the processor stopped in user mode on a
 * table that leaves the kernel out.
 *
 * @param check whether kernel structures read well through a space
 */
export function openKernelSpace(
  memory: PhysicalMemory,
  hints: KernelSpaceHints,
  check: (space: AddressSpace) => boolean,
): KernelSpace {
  const formats = formatsOf(hints);
  const { directoryTableBase } = hints;
  if (directoryTableBase !== undefined) {
    for (const format of formats) {
      const found = open(memory, format, directoryTableBase, "header", true);
      if (check(found.space)) return found;
    }
  }
  for (const format of formats) {
    for (const root of findRoots(memory, format)) {
      const found = open(memory, format, root, "search", true);
      if (check(found.space)) return found;
    }
  }
  return open(memory, formats[0], directoryTableBase ?? 0n, "header", false);
}

function open(
  memory: PhysicalMemory,
  format: PageFormat,
  root: bigint,
  rootFrom: "header" | "search",
  verified: boolean,
): KernelSpace {
  const mapping = new PageTableMapping(memory, format, root);
  return { space: new AddressSpace(mapping), mapping, rootFrom, verified };
}

/** The modes that the machine can be in, the likeliest first. */
function formatsOf({
  machine,
  build = 0,
  paeEnabled,
}: KernelSpaceHints): readonly [PageFormat, ...PageFormat[]] {
  if (machine === "arm64") return [arm64(build)];
  if (machine === "x64") return [x64(4, build), x64(5, build)];
  return paeEnabled === false ? [x86, x86Pae(build)] : [x86Pae(build), x86];
}
