import { advance, PAGE_SIZE, type Va } from "../core/address.ts";
import { FormatError, MemoryError } from "../core/errors.ts";
import { MAX_KERNEL_PAGES, MAX_KERNEL_WORDS } from "../core/limits.ts";
import type { Fact, SystemRegisters } from "../dump/facts.ts";
import type { Machine } from "../dump/machine.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { Image } from "../pe/image.ts";

/** How far the kernel is looked for, where nothing says its place: one for all that is tried of a file. */
export interface KernelSearch {
  /** Also for page tables above the memory in which those of the System process stand as a rule. */
  readonly everywhere: boolean;
  /** Pages that may still be looked at, and stretches without any. */
  left: number;
  /** Words of nt's data that may still be taken for a list of modules. */
  words: number;
}

/** A search that was not begun. */
export function kernelSearch(everywhere: boolean): KernelSearch {
  return { everywhere, left: MAX_KERNEL_PAGES, words: MAX_KERNEL_WORDS };
}

/** Where nt is looked for by walking: 32 GB from where 64-bit kernels are mapped on, all 32-bit kernels stand below 0x90000000. */
const RANGES: Readonly<Record<4 | 8, { readonly from: bigint; readonly to: bigint }>> = {
  4: { from: 0x8000_0000n, to: 0x9000_0000n },
  8: { from: 0xffff_f800_0000_0000n, to: 0xffff_f808_0000_0000n },
};
/** nt's image is no longer: a pointer into it is that far from its start at most. */
const REACH = 0x200_0000;
/** What the pages in front of one pointer count for: of most it is seen at once that they are not there. */
const AROUND = 0x800;
/** What an image counts for whose headers are read. */
const IMAGE = 32;
const MZ = 0x5a4d;
const E_LFANEW = 0x3c;
/** Sections that no driver has, two of which are proof. */
const SECTIONS: ReadonlySet<string> = new Set(["POOLCODE", "PAGELK", "PAGEVRFY", "ALMOSTRO"]);
const FILE_NAME = /^(?:ntoskrnl|ntkrnlmp|ntkrnlpa|ntkrpamp|ntkrla57)\.exe$/i;

/**
 * The kernel's image, where nothing says its place: from pointers into it downwards, by the interrupt gates and the
 * entry of system calls; else by a walk through what is mapped where kernels stand.
 *
 * @param machine of the page tables; images of another are none
 * @param search counts down; where nothing is left of it, nothing is found
 * @returns `undefined` where none is found; a table that maps no kernel is told quickly
 */
export function findNt(
  space: AddressSpace,
  machine: Machine,
  system: readonly Fact<SystemRegisters>[],
  search: KernelSearch,
): Image | undefined {
  const tried = new Set<bigint>();
  for (const { value } of system) {
    if (--search.left <= 0) break;
    for (const pointer of [value.syscall, gateTarget(space, value.idt, machine)]) {
      // all processors have the same handlers
      if (pointer === undefined || tried.has(pointer)) continue;
      tried.add(pointer);
      search.left -= AROUND;
      const found = imageAround(space, pointer, machine);
      if (found !== undefined) return found;
    }
  }
  return byWalking(space, machine, search);
}

/** The handler of interrupt 0. */
function gateTarget(space: AddressSpace, idt: bigint, machine: Machine): bigint | undefined {
  if (idt === 0n || machine === "arm64") return undefined;
  const bytes = space.tryRead(space.narrow(idt), machine === "x64" ? 12 : 8);
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const low = BigInt(view.getUint16(0, true)) | (BigInt(view.getUint16(6, true)) << 16n);
  return machine === "x64" ? low | (BigInt(view.getUint32(8, true)) << 32n) : low;
}

/** The image that a pointer leads into, from its page downwards. */
function imageAround(space: AddressSpace, pointer: bigint, machine: Machine): Image | undefined {
  const { from } = RANGES[space.pointerSize];
  if (pointer < from) return undefined;
  const page = pointer & -BigInt(PAGE_SIZE);
  for (let below = 0; below <= REACH; below += PAGE_SIZE) {
    const base = (page - BigInt(below)) as Va;
    if (base < from) return undefined;
    const image = startsImage(space, base) ? ntAt(space, base, machine) : undefined;
    if (image !== undefined && pointer < base + BigInt(image.size)) return image;
  }
  return undefined;
}

function byWalking(space: AddressSpace, machine: Machine, search: KernelSearch): Image | undefined {
  const { from, to } = RANGES[space.pointerSize];
  for (let at = from; at < to && search.left > 0; ) {
    const found = space.mapping.locate(at as Va, Math.min(Number(to - at), SPAN));
    search.left--;
    if (!("fault" in found)) {
      for (let offset = 0; offset < found.length && search.left > 0; offset += PAGE_SIZE) {
        search.left--;
        const base = advance(at as Va, offset);
        if (!startsImage(space, base)) continue;
        search.left -= IMAGE;
        const image = ntAt(space, base, machine);
        if (image !== undefined) return image;
      }
    }
    at += BigInt(found.length);
  }
  return undefined;
}

const SPAN = 0x4000_0000;

/** nt's image at an address; `undefined` where what stands there is something else. */
function ntAt(space: AddressSpace, base: Va, machine: Machine): Image | undefined {
  try {
    const image = Image.at(space, base, { label: "nt" });
    if (image.machine !== machine) return undefined;
    const proof = image.sections.filter(({ name }) => SECTIONS.has(name)).length;
    const named = proof >= 2 || FILE_NAME.test(image.dllName ?? "");
    return named ? image : undefined;
  } catch (error) {
    if (error instanceof MemoryError || error instanceof FormatError) return undefined;
    throw error;
  }
}

function startsImage(space: AddressSpace, base: Va): boolean {
  const first = space.tryReadU32(base);
  if (first === undefined || (first & 0xffff) !== MZ) return false;
  const toHeaders = space.tryReadU32(advance(base, E_LFANEW));
  return toHeaders !== undefined && toHeaders < PAGE_SIZE;
}
