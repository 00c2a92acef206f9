import { advance, hex, type Va } from "../../core/address.ts";
import { describeFault, MemoryError } from "../../core/errors.ts";
import { MAX_TABLE_ATTEMPTS, MAX_TABLE_CANDIDATES } from "../../core/limits.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { isKernelAddress, type PoolKernel } from "../pool-kernel.ts";
import { printableCount } from "../tag.ts";
import type { NoTagTable } from "../tag-table.ts";
import { fitsAt, type LayoutFit } from "./fit.ts";
import type { HashCode } from "./hash-code.ts";
import { layoutOfBuild, TRACKER_LAYOUTS } from "./layout.ts";

/** The first processor's table, whose keys are everyone's. */
export interface MasterTable {
  readonly at: Va;
  readonly fit: LayoutFit;
  /** The table's own keys prove the layout, and no other. */
  readonly proven: boolean;
  readonly basis: readonly string[];
  readonly notes: readonly string[];
}

/** What no search for another table can change. */
const SETTLED: ReadonlySet<NoTagTable["missing"]> = new Set(["tagging-off", "triage", "ambiguous"]);

type Missing = Pick<NoTagTable, "missing" | "reason">;

/** Evidence that proves a layout on its own, in bits, and that which suffices for the build's layout. */
const PROOF = 24;
const SUPPORT = 6;

/**
 * Finds the master tag table through KDBG's PoolTrackTable; without it, through the kernel's hashing
 * code; and last among the pointers in nt's data, where only a table that proves itself is taken.
 */
export function findMasterTable(kernel: PoolKernel, code: HashCode): MasterTable | Missing {
  const { space, variables } = kernel;
  const variable = variables?.poolTrackTable;
  const named = variable === undefined ? noPointer(kernel) : throughKdbg(kernel, variable, code);
  if (!("missing" in named) || SETTLED.has(named.missing)) return named;
  let attempts = 0;
  let cut = false;
  for (const [how, places] of [
    ["the kernel's hashing code", [...code.arrays, ...code.variables]],
    ["a search of the kernel's data", pointersIn(kernel)],
  ] as const) {
    const tried = new Set<bigint>();
    for (const place of places) {
      const at = space.tryReadPointer(place);
      if (at === undefined || tried.has(at) || !isKernelAddress(at, space.pointerSize)) continue;
      if (tried.size >= MAX_TABLE_CANDIDATES) {
        cut = true;
        break;
      }
      tried.add(at);
      if (!mayBeTable(space, at)) continue;
      if (++attempts > MAX_TABLE_ATTEMPTS) {
        cut = true;
        break;
      }
      const found = tableAt(kernel, at, code, PROOF);
      if (!("missing" in found)) {
        return { ...found, basis: [`the table at ${hex(at)} was found by ${how}`, ...found.basis] };
      }
    }
  }
  if (!cut) return named;
  return { ...named, reason: `${named.reason}; there are more pages that could be one than were looked at` };
}

function throughKdbg(kernel: PoolKernel, variable: Va, code: HashCode): MasterTable | Missing {
  const { space, build } = kernel;
  const at = space.tryReadPointer(variable);
  if (at === undefined) {
    if (kernel.triage) return inTriage();
    return missing("unreadable", `PoolTrackTable at ${hex(variable)} cannot be read`);
  }
  if (at === 0n) {
    return build < 3790
      ? missing(
          "tagging-off",
          "pool tagging is switched off: Windows 2000 and XP count tags only after `gflags /r +ptg`",
        )
      : missing("tagging-off", "PoolTrackTable is 0: this kernel counted no tags when the dump was taken");
  }
  if (!isKernelAddress(at, space.pointerSize)) {
    return missing("no-pointer", `PoolTrackTable holds ${hex(at)}, which is no address of the kernel`);
  }
  const found = tableAt(kernel, at, code, SUPPORT);
  if (kernel.triage && "missing" in found && found.missing === "unreadable") return inTriage();
  if ("missing" in found) return found;
  return { ...found, basis: [`KDBG names the table at ${hex(at)}`, ...found.basis] };
}

function tableAt(kernel: PoolKernel, at: Va, code: HashCode, needed: number): MasterTable | Missing {
  const { space, build } = kernel;
  const { fits, readable, empty } = fitsAt(space, at, code.masks);
  const expected = layoutOfBuild(build, space.pointerSize);
  const proven = fits.filter((fit) => fit.evidence >= PROOF);
  const strong =
    proven.length > 0 ? proven : fits.filter((fit) => fit.layout.name === expected && fit.evidence >= needed);
  const best = strong[0];
  if (best === undefined) return noFit(space, at, readable, empty);
  const rivals = strong.filter((fit) => fit.layout !== best.layout);
  const chosen = rivals.length === 0 ? best : strong.find((fit) => fit.layout.name === expected);
  if (chosen === undefined) {
    const names = [best, ...rivals].map((fit) => fit.layout.name).join(" and ");
    return missing(
      "ambiguous",
      `the table at ${hex(at)} fits the layouts ${names}, and build ${build} has neither`,
    );
  }
  const { layout, mask, score, keys, hash } = chosen;
  const notes: string[] = [];
  if (code.more) {
    notes.push(
      `the hash's multiplier stands at more places of the kernel than the ${code.sites.length} that were looked at`,
    );
  }
  if (rivals.length > 0) {
    notes.push(
      `the table fits ${rivals.map((fit) => fit.layout.name).join(" and ")} too: ${layout.name} is taken because of the build alone, and the figures are not proven`,
    );
  }
  if (layout.name !== expected) {
    notes.push(
      `build ${build} should have layout ${expected}, but the table's own keys prove ${layout.name}`,
    );
  }
  if (chosen.evidence < PROOF) {
    notes.push(`${keys} keys are too few to prove the layout: ${layout.name} is taken because of the build`);
  }
  const basis = [
    `layout ${layout.name} (stride 0x${layout.stride.toString(16)}, ${mask + 1} slots${hash === "bytes" ? ", XP's hash" : ""}): ${Math.round(score * keys)} of ${keys} keys stand where the hash puts them`,
  ];
  if (code.strides.includes(layout.stride)) {
    basis.push(`the kernel's hashing code, seen at ${code.sites.length} places, has the same stride`);
  } else if (code.strides.length > 0) {
    const seen = code.strides.map((stride) => `0x${stride.toString(16)}`).join(", ");
    notes.push(`the kernel's hashing code multiplies with ${seen}, not with the table's stride`);
  }
  return { at, fit: chosen, proven: rivals.length === 0 && chosen.evidence >= PROOF, basis, notes };
}

function noFit(space: AddressSpace, at: Va, readable: boolean, empty: boolean): Missing {
  if (!readable) {
    const fault = faultAt(space, at);
    return missing(
      "unreadable",
      `the table at ${hex(at)} cannot be read${fault === undefined ? "" : `: ${fault}`}`,
    );
  }
  if (empty) return missing("empty", `the table at ${hex(at)} holds no tag, as far as it can be read`);
  return missing(
    "no-layout",
    `what stands at ${hex(at)} is no tag table: in none of the known layouts do its keys stand where the kernel's hash puts them`,
  );
}

function faultAt(space: AddressSpace, at: Va): string | undefined {
  try {
    space.read(at, 4);
    return undefined;
  } catch (error) {
    if (error instanceof MemoryError) return describeFault(error.fault);
    throw error;
  }
}

function noPointer(kernel: PoolKernel): Missing {
  if (kernel.triage) return inTriage();
  return missing(
    "no-pointer",
    kernel.variables === undefined
      ? "no KDBG block was found to name it, and nothing in the kernel's data proves to be one"
      : "KDBG does not name it, and nothing in the kernel's data proves to be one",
  );
}

function inTriage(): Missing {
  return missing(
    "triage",
    "a triage dump (minidump) does not hold it; a kernel dump (MEMORY.DMP) of the same machine does",
  );
}

function missing(kind: NoTagTable["missing"], because: string): Missing {
  return { missing: kind, reason: `no tag table found, because ${because}` };
}

/** Whether the first page could be the start of a table: some slots taken, and those with a tag's characters. */
function mayBeTable(space: AddressSpace, at: Va): boolean {
  const { bytes, holes } = space.readSparse(at, 0x1000);
  if (holes.length > 0) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return TRACKER_LAYOUTS.some(({ stride, pointerSize }) => {
    if (pointerSize !== space.pointerSize) return false;
    let keys = 0;
    let text = 0;
    for (let offset = 0; offset + 4 <= bytes.length; offset += stride) {
      const key = view.getUint32(offset, true);
      if (key === 0) continue;
      keys++;
      if (key < 0x8000_0000 && printableCount(key) === 4) text++;
    }
    return keys > 0 && text / keys >= 0.6;
  });
}

/** The places in nt's writable data that hold the address of a page in kernel space. */
function* pointersIn(kernel: PoolKernel): Generator<Va> {
  const { space, nt } = kernel;
  const chunk = 0x10_0000;
  for (const range of nt?.writable ?? []) {
    for (let done = 0; done < range.length; done += chunk) {
      const start = advance(range.start, done);
      const { bytes } = space.readSparse(start, Math.min(chunk, range.length - done));
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let offset = 0; offset + space.pointerSize <= bytes.length; offset += space.pointerSize) {
        // page-aligned: a table of 64 entries and more is larger than half a page
        if ((view.getUint16(offset, true) & 0xfff) !== 0) continue;
        const value =
          space.pointerSize === 4 ? BigInt(view.getUint32(offset, true)) : view.getBigUint64(offset, true);
        if (isKernelAddress(value, space.pointerSize)) yield advance(start, offset);
      }
    }
  }
}
