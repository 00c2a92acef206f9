import { advance, hex, type Va } from "../core/address.ts";
import { Bytes } from "../core/bytes.ts";
import { MAX_KDBG_PLACES } from "../core/limits.ts";
import { addAll } from "../core/search.ts";
import type { FactSource, MachineFacts } from "../dump/facts.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { findPatterns } from "../memory/search.ts";
import { decodeKdbg, type KnownFields } from "./encoded-kdbg.ts";
import {
  isKdbgHead,
  KDBG_HEAD,
  KDBG_KNOWN_SIZE,
  KDBG_OWNER_TAG,
  KDBG_TAG,
  type KdbgFields,
  parseKdbg,
} from "./kdbg.ts";

/**
 * How KDBG was found: where a part of the dump says, such as its header; there, but encoded, as in dumps made of
 * running machines; in a copy that the dump has, such as a triage dump; through the processor control region; by its
 * tag in nt's image.
 */
export type KdbgBasis = FactSource | `${FactSource}-${"decoded" | "copy"}` | "kpcr" | "scan";

/** The debugger's table of kernel variables. */
export type Kdbg = KdbgFields & {
  /** Where the block stands; `undefined` where only a copy of it is known. */
  readonly address: Va | undefined;
  /** In bytes, as the block says. */
  readonly size: number;
  readonly foundBy: KdbgBasis;
};

/** What is known before KDBG is. */
export interface KdbgHints {
  readonly facts: Pick<MachineFacts, "source" | "kdbg" | "kdbgCopy" | "moduleList" | "processList">;
  /** nt's place by the module list. */
  readonly nt: { readonly base: Va; readonly size: number } | undefined;
}

/** KDBG, or why it is missing. */
export interface KdbgSearch {
  readonly kdbg: Kdbg | undefined;
  /** One sentence each: which ways led nowhere. */
  readonly notes: readonly string[];
}

/** KPCR of processor 0 in 32-bit kernels up to 2003; later ones can have moved it. */
const KPCR_32 = 0xffdff000n as Va;
const KPCR_VERSION_BLOCK = 0x34;
const VERSION_DEBUGGER_DATA_LIST = 0x20;

/** Finds the block by the ways that there are, the surest first. */
export function findKdbg(space: AddressSpace, hints: KdbgHints): KdbgSearch {
  const notes: string[] = [];
  if (hints.facts.kdbg === undefined)
    notes.push(`the ${hints.facts.source} does not say where the debugger data block (KDBG) is`);
  const kdbg =
    fromCopy(space, hints) ??
    fromPlace(space, hints, notes) ??
    fromKpcr(space) ??
    fromScan(space, hints, notes);
  if (kdbg === undefined)
    notes.push("no debugger data block (KDBG) was found: pool tags and memory counters are not known");
  else addAll(notes, foundNotes(kdbg));
  return { kdbg, notes };
}

/** None for a block that stands where the dump says, or that it has a copy of. */
function foundNotes({ address, foundBy }: Kdbg): readonly string[] {
  const at = address === undefined ? "" : ` at ${hex(address)}`;
  if (foundBy === "kpcr") {
    return [`the debugger data block (KDBG) was found${at} through the processor control region`];
  }
  if (foundBy === "scan") return [`the debugger data block (KDBG) was found${at} by its tag in nt's image`];
  return foundBy.endsWith("-decoded")
    ? [
        `the debugger data block (KDBG)${at} is encoded, as on a running machine, and was decoded by what it must hold`,
      ]
    : [];
}

function fromCopy({ pointerSize }: AddressSpace, { facts }: KdbgHints): Kdbg | undefined {
  if (facts.kdbgCopy === undefined) return undefined;
  const { value: copy, source } = facts.kdbgCopy;
  if (copy.length < KDBG_HEAD || !isKdbgHead(copy)) return undefined;
  const fields = parseKdbg(copy, pointerSize);
  return { ...fields, address: facts.kdbg?.value, size: sizeOf(copy), foundBy: `${source}-copy` };
}

function fromPlace(space: AddressSpace, hints: KdbgHints, notes: string[]): Kdbg | undefined {
  if (hints.facts.kdbg === undefined) return undefined;
  const { value: at, source } = hints.facts.kdbg;
  const plain = blockAt(space, at, source);
  if (plain !== undefined) return plain;
  if (space.tryRead(at, KDBG_HEAD) === undefined) {
    notes.push(`the debugger data block (KDBG) at ${hex(at)} cannot be read`);
    return undefined;
  }
  const decoded = decodeAt(space, at, hints, `${source}-decoded`);
  if (decoded === undefined) {
    notes.push(
      `what stands at ${hex(at)} is no debugger data block (KDBG), nor an encoded one that could be decoded`,
    );
  }
  return decoded;
}

/** Only 64-bit kernels, from Windows 8 on, encode their block. */
function decodeAt(space: AddressSpace, at: Va, hints: KdbgHints, foundBy: KdbgBasis): Kdbg | undefined {
  const { nt, facts } = hints;
  if (space.pointerSize === 4 || nt === undefined || facts.moduleList === undefined) return undefined;
  const known: KnownFields = {
    kernBase: nt.base,
    psLoadedModuleList: facts.moduleList.value,
    psActiveProcessHead: facts.processList?.value,
  };
  const { bytes, holes } = space.readSparse(at, KDBG_KNOWN_SIZE);
  const decoded = decodeKdbg(bytes, known);
  if (decoded === undefined) return undefined;
  for (const { offset, length } of holes) decoded.fill(0, offset & ~7, offset + length);
  const block = new Bytes(decoded, "KDBG");
  return { ...parseKdbg(block, 8), address: at, size: sizeOf(block), foundBy };
}

function fromKpcr(space: AddressSpace): Kdbg | undefined {
  if (space.pointerSize === 8) return undefined;
  const through = (at: Va | undefined, offset: number): Va | undefined =>
    at === undefined ? undefined : space.tryReadPointer(advance(at, offset));
  const version = through(KPCR_32, KPCR_VERSION_BLOCK);
  const head = through(version, VERSION_DEBUGGER_DATA_LIST);
  const block = through(head, 0);
  // the block begins with its own links, which lead back to the head
  return block !== undefined && through(block, 0) === head ? blockAt(space, block, "kpcr") : undefined;
}

function fromScan(space: AddressSpace, { nt }: KdbgHints, notes: string[]): Kdbg | undefined {
  if (nt === undefined) {
    notes.push("nt's place is not known, so that KDBG cannot be looked for in it");
    return undefined;
  }
  let found: Kdbg | undefined;
  let tried = 0;
  const coverage = findPatterns(space, nt.base, nt.size, [KDBG_OWNER_TAG], (tag) => {
    if (++tried > MAX_KDBG_PLACES) return false;
    const block = blockAt(space, advance(tag, -KDBG_TAG), "scan");
    if (block?.kernBase === nt.base) found = block;
    return found === undefined;
  });
  if (tried > MAX_KDBG_PLACES)
    notes.push(
      `KDBG's tag stands at more places of nt's image than the ${MAX_KDBG_PLACES} that were looked at`,
    );
  if (found === undefined && coverage.unreadable > 0) {
    notes.push(`KDBG may stand in the ${coverage.unreadable} bytes of nt's image that cannot be read`);
  }
  return found;
}

function blockAt(space: AddressSpace, at: Va, foundBy: KdbgBasis): Kdbg | undefined {
  const head = space.tryRead(at, KDBG_HEAD);
  if (head === undefined || !isKdbgHead(new Bytes(head, "KDBG"))) return undefined;
  const size = sizeOf(new Bytes(head, "KDBG"));
  // a field that a hole swallows reads as 0, which is "absent"
  const { bytes } = space.readSparse(at, Math.min(size, KDBG_KNOWN_SIZE));
  return { ...parseKdbg(new Bytes(bytes, "KDBG"), space.pointerSize), address: at, size, foundBy };
}

function sizeOf(block: Bytes): number {
  return block.u32(KDBG_TAG + 4, "Size");
}
