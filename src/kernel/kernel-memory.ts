import { advance, hex, type Va } from "../core/address.ts";
import { Bytes } from "../core/bytes.ts";
import type { MachineFacts } from "../dump/facts.ts";
import type { OpenedDump } from "../dump/format.ts";
import { type Machine, machineByNumber } from "../dump/machine.ts";
import { AddressSpace } from "../memory/address-space.ts";
import { type KernelSpace, openKernelSpace } from "../memory/kernel-space.ts";
import type { PageFormatName } from "../memory/page-format.ts";
import { PageTableMapping } from "../memory/page-table-mapping.ts";
import type { PhysicalMemory, WordSource } from "../memory/physical-memory.ts";
import { BlockMapping } from "../memory/triage-mapping.ts";
import { CachedSource } from "../source/page-cache.ts";
import type { ByteSource } from "../source/source.ts";
import { findNt, type KernelSearch } from "./find-nt.ts";
import { foundFacts } from "./found-facts.ts";
import { isKdbgHead, KDBG_HEAD } from "./kdbg.ts";
import { firstModule } from "./modules.ts";

/** The kernel's virtual memory in a dump. */
export interface KernelMemory {
  readonly space: AddressSpace;
  /** As the dump says; else that of the page tables which led to the kernel. */
  readonly machine: Machine;
  /** What the dump says, and what was found in memory where it says nothing. */
  readonly facts: MachineFacts;
  /** `undefined`: the dump has no physical memory. */
  readonly translation: KernelSpace | undefined;
  readonly notes: readonly string[];
  /** Memory through another root of the same mode; `undefined` without physical memory. */
  spaceAt(directoryTableBase: bigint): AddressSpace | undefined;
  /** Whether the kernel can be read through a root. */
  isRoot(directoryTableBase: bigint): boolean;
}

/** Where IMAGE_DOS_HEADER says how far the PE headers are from it. */
const E_LFANEW = 0x3c;
/** PE, two zeros. */
const PE_SIGNATURE = 0x4550;

const MACHINES: Readonly<Record<PageFormatName, Machine>> = {
  x86: "x86",
  "x86-pae": "x86",
  x64: "x64",
  "x64-la57": "x64",
  arm64: "arm64",
};

/**
 * Chooses how a dump's kernel memory is read.
 *
 * @param search for a kernel whose place the dump does not name
 */
export function openKernelMemory(
  { memory: held, facts: given }: OpenedDump,
  search: KernelSearch,
): KernelMemory {
  if (!("pages" in held)) {
    const machine = given.machine?.value ?? "x64";
    const space = new AddressSpace(new BlockMapping(held.source, held.blocks, machine === "x86" ? 4 : 8));
    return {
      space,
      machine,
      facts: given,
      translation: undefined,
      notes: [],
      spaceAt: () => undefined,
      isRoot: () => false,
    };
  }
  const memory = { source: withWords(held.source), pages: held.pages };
  const hints = {
    machine: given.machine?.value,
    build: given.build?.value,
    roots: given.roots.map(({ value }) => value),
    paeEnabled: given.pae?.value,
    // what names roots that do not lead to the kernel is broken, and not a container that says nothing
    everywhere: given.roots.length === 0 && search.everywhere,
  };
  let found: Partial<MachineFacts> | undefined;
  const named = [given.moduleList, given.processList, given.kdbg].some((fact) => fact !== undefined);
  const translation = openKernelSpace(memory, hints, (space, format) => {
    const machine = MACHINES[format.name];
    if (named)
      return holdsKernel(space, given) && (given.machine !== undefined || isOfMachine(space, given, machine));
    const nt = findNt(space, machine, given.system ?? [], search);
    if (nt !== undefined) found = foundFacts(space, nt, given, search);
    return found?.moduleList !== undefined;
  });
  const facts = { ...given, ...found };
  const { space, mapping } =
    found?.build === undefined ? translation : withBuild(memory, translation, found.build.value);
  const spaceAt = (root: bigint): AddressSpace =>
    new AddressSpace(new PageTableMapping(memory, mapping.format, root));
  const isRoot = (root: bigint): boolean => root !== 0n && holdsKernel(spaceAt(root), facts);
  const machine = facts.machine?.value ?? MACHINES[mapping.format.name];
  return { space, machine, facts, translation, notes: notesOn(translation, facts), spaceAt, isRoot };
}

/** Entries that are not valid are laid out by the build, which may have been found only through the page tables. */
function withBuild(memory: PhysicalMemory, found: KernelSpace, build: number | undefined): KernelSpace {
  const { format, root } = found.mapping;
  const hints = { machine: MACHINES[format.name], build, roots: [BigInt(root)], paeEnabled: undefined };
  const { space, mapping } = openKernelSpace(memory, hints, (_, { name }) => name === format.name);
  return { ...found, space, mapping };
}

function withWords(source: ByteSource): WordSource {
  return source instanceof CachedSource ? source : new CachedSource(source);
}

/** Whether one of the lists that the dump names is a list, or KDBG stands where it says. */
function holdsKernel(space: AddressSpace, { moduleList, processList, kdbg }: MachineFacts): boolean {
  if ([moduleList, processList].some((head) => head !== undefined && isListHead(space, head.value))) {
    return true;
  }
  const block = kdbg && space.tryRead(kdbg.value, KDBG_HEAD);
  return block !== undefined && isKdbgHead(new Bytes(block, "KDBG"));
}

/** What the image of nt says of the machine, where it can be read: x64's tables also read as ARM64's, and the reverse. */
function isOfMachine(space: AddressSpace, { moduleList }: MachineFacts, machine: Machine): boolean {
  const base = moduleList && firstModule(space, moduleList.value)?.base;
  if (base === undefined) return true;
  const toHeaders = space.tryReadU32(advance(base, E_LFANEW)) ?? 0;
  const headers = space.tryRead(advance(base, toHeaders), 6);
  if (headers === undefined || toHeaders === 0) return true;
  const found = new Bytes(headers, "nt");
  if (found.u32(0, "Signature") !== PE_SIGNATURE) return true;
  return machineByNumber(found.u16(4, "Machine")) === machine;
}

/** Whether the first entry leads back to the head, or the last one forward to it. */
function isListHead(space: AddressSpace, head: Va): boolean {
  const { pointerSize } = space;
  const first = space.tryReadPointer(head);
  const last = space.tryReadPointer(advance(head, pointerSize));
  if (first === undefined || last === undefined) return false;
  return space.tryReadPointer(advance(first, pointerSize)) === head || space.tryReadPointer(last) === head;
}
/** Roots that a note names. */
const MOST_NAMED = 8;

function notesOn(
  { rootFrom, verified, mapping, untried }: KernelSpace,
  facts: MachineFacts,
): readonly string[] {
  if (verified && rootFrom === "given") return [];
  const [first] = facts.roots;
  const left = facts.roots.length - MOST_NAMED;
  if (verified && first === undefined)
    return [
      `the ${facts.source} says nothing of page tables: those at ${hex(mapping.root)} were found by themselves, and lead to the kernel`,
    ];
  const source = first?.source ?? facts.source;
  const given =
    first === undefined
      ? "no root of page tables"
      : `the root ${[...facts.roots.slice(0, MOST_NAMED).map(({ value }) => hex(value)), ...(left > 0 ? [`${left} more`] : [])].join(" and ")}`;
  if (!verified) {
    const further =
      untried > 0
        ? `; tables that map themselves and were not tried, since there are too many: ${untried}`
        : "";
    return [`the ${source} has ${given}, and through no root can the kernel's lists be read${further}`];
  }
  return [
    `the ${source} has ${given}, which does not lead to the kernel; that at ${hex(mapping.root)} does, and is used`,
  ];
}
