import { MAX_ROOTS } from "../core/limits.ts";
import type { Machine } from "../dump/machine.ts";
import { AddressSpace } from "./address-space.ts";
import { arm64 } from "./arm64.ts";
import { lowStubRoots } from "./low-stub.ts";
import type { PageFormat } from "./page-format.ts";
import { PageTableMapping } from "./page-table-mapping.ts";
import type { PhysicalMemory } from "./physical-memory.ts";
import { findRoots, HIGH_PAGES, LOW_PAGES, type RootCandidate } from "./root-search.ts";
import { x64 } from "./x64.ts";
import { x86 } from "./x86.ts";
import { x86Pae } from "./x86-pae.ts";

/** What is said of the page tables. */
export interface KernelSpaceHints {
  /** `undefined`: it is not said, the modes of all machines are tried. */
  readonly machine: Machine | undefined;
  /** Of Windows; decides the layout of entries that are not valid. */
  readonly build: number | undefined;
  /** The likeliest to show the kernel first. */
  readonly roots: readonly bigint[];
  /** `undefined`: it is not said, both are tried. */
  readonly paeEnabled: boolean | undefined;
  /** A root is looked for not only where it stands as a rule, but also in all the rest of memory. */
  readonly everywhere?: boolean;
}

/** Kernel memory, and how it was found. */
export interface KernelSpace {
  readonly space: AddressSpace;
  readonly mapping: PageTableMapping;
  /** Where the root table comes from: it was one of those given, or is a table that maps itself. */
  readonly rootFrom: "given" | "search";
  /** Kernel structures were read through it. False: no way of translating led to any, and this is the first one tried. */
  readonly verified: boolean;
  /** Tables that map themselves and were not tried, since there are too many. */
  readonly untried: number;
}

/**
 * Chooses how a dump's addresses are translated: by what is said of it where `check` agrees, else by the other modes of
 * the machine, else through a root table found in low memory, where that of the System process stands, and in the rest
 * where that is asked for. The root of a processor that stopped in user mode is of no use: it can be a table that leaves
 * the kernel out.
 *
 * @param check whether kernel structures read well through a space. The tables of one machine can be taken for those of
 * another: where the machine is not known, it has to tell by more than that they can be read
 */
export function openKernelSpace(
  memory: PhysicalMemory,
  hints: KernelSpaceHints,
  check: (space: AddressSpace, format: PageFormat) => boolean,
): KernelSpace {
  const formats = formatsOf(hints);
  for (const root of hints.roots) {
    for (const format of formats) {
      const found = open(memory, format, root, "given", true);
      if (check(found.space, format)) return found;
    }
  }
  const tried = (candidates: Iterable<RootCandidate>): KernelSpace | undefined => {
    for (const { format, root } of candidates) {
      const found = open(memory, format, root, "search", true);
      if (check(found.space, format)) return found;
    }
    return undefined;
  };
  const wide = formats.filter(({ pointerSize }) => pointerSize === 8);
  const stubs = hints.roots.length > 0 || wide.length === 0 ? [] : lowStubRoots(memory);
  const low = stubs.flatMap((root) => wide.map((format) => ({ format, root })));
  let untried = 0;
  for (const candidate of findRoots(memory, formats, LOW_PAGES)) {
    if (low.length < MAX_ROOTS) low.push(candidate);
    else untried++;
  }
  low.sort((a, b) => formats.indexOf(a.format) - formats.indexOf(b.format));
  const found =
    tried(low) ?? (hints.everywhere === true ? tried(findRoots(memory, formats, HIGH_PAGES)) : undefined);
  if (found !== undefined) return found;
  return { ...open(memory, formats[0], hints.roots[0] ?? 0n, "given", false), untried };
}

function open(
  memory: PhysicalMemory,
  format: PageFormat,
  root: bigint,
  rootFrom: "given" | "search",
  verified: boolean,
): KernelSpace {
  const mapping = new PageTableMapping(memory, format, root);
  return { space: new AddressSpace(mapping), mapping, rootFrom, verified, untried: 0 };
}

/** The modes that the machine can be in, the likeliest first. */
function formatsOf({
  machine,
  build = 0,
  paeEnabled,
}: KernelSpaceHints): readonly [PageFormat, ...PageFormat[]] {
  const wide = [x64(4, build), x64(5, build)] as const;
  if (machine === "arm64") return [arm64(build)];
  if (machine === "x64") return wide;
  const narrow = paeEnabled === false ? ([x86, x86Pae(build)] as const) : ([x86Pae(build), x86] as const);
  return machine === "x86" ? narrow : [...wide, arm64(build), ...narrow];
}
