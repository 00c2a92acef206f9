import { hex, toVa, type Va } from "../core/address.ts";
import { FormatError, MemoryError } from "../core/errors.ts";
import { asciiZ, printable } from "../core/text.ts";
import type { Walk } from "../core/walk.ts";
import type { MachineFacts } from "../dump/facts.ts";
import type { OpenedDump } from "../dump/format.ts";
import type { Machine } from "../dump/machine.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { PageFormatName } from "../memory/page-format.ts";
import type { PageTableMapping } from "../memory/page-table-mapping.ts";
import { Image } from "../pe/image.ts";
import { placeNamed } from "../symbols/image-names.ts";
import type { NameBasis } from "../symbols/names.ts";
import { prcbContext, type RegisterSet, sameStack } from "./contexts.ts";
import { findKdbg, type Kdbg, type KdbgSearch } from "./find-kdbg.ts";
import { type KernelSearch, kernelSearch } from "./find-nt.ts";
import { type KernelMemory, openKernelMemory } from "./kernel-memory.ts";
import type { ListWalk } from "./linked-list.ts";
import { firstModule, type ModuleEntry, type ModuleWalk, readModules, triageModules } from "./modules.ts";
import { findProcessLayout, type ProcessEntry, type ProcessLayout, readProcesses } from "./processes.ts";
import { type Processor, readProcessors } from "./processors.ts";
import { readUnloaded, triageUnloaded, type UnloadedModule } from "./unloaded.ts";

/** Where a variable of the kernel stands, and what says so. */
export interface KernelVariable {
  readonly address: Va;
  readonly basis: "kdbg" | NameBasis;
}

/** Bytes of NtBuildLab that are read. */
const MAX_BUILD_LAB = 128;

/** What the kernel in a dump says about itself. Each part is read when it is first asked for. */
export class Kernel {
  /** What the dump itself says; of one that says nothing, what its memory does (`memory`). */
  readonly facts: MachineFacts;
  /** True for a triage dump: it holds chosen blocks of memory only. */
  readonly triage: boolean;
  /** The kernel's memory, or a triage dump's blocks of it. */
  readonly space: AddressSpace;
  readonly #memory: KernelMemory;
  #search: KdbgSearch | undefined;
  #modules: ModuleWalk | undefined;
  #unloaded: Walk<UnloadedModule> | undefined;
  #processors: Walk<Processor> | undefined;
  #processes: ListWalk<ProcessEntry> | undefined;
  #processLayout: ProcessLayout | undefined;
  #contexts: readonly RegisterSet[] | undefined;
  /** nt's image; null where its headers cannot be read. */
  #image: Image | null | undefined;

  constructor(dump: OpenedDump, search: KernelSearch) {
    this.#memory = openKernelMemory(dump, search);
    this.facts = this.#memory.facts;
    this.triage = dump.kind === "triage";
    this.space = this.#memory.space;
  }

  get machine(): Machine {
    return this.#memory.machine;
  }

  /** The kernel was found: its lists can be read through the page tables. */
  get found(): boolean {
    return this.#memory.translation?.verified ?? true;
  }

  /** Tables that map themselves and were not tried for it, since there are too many; 0 where it was found. */
  get untriedRoots(): number {
    return this.#memory.translation?.untried ?? 0;
  }

  /** Of Windows; `undefined` where the dump does not say. */
  get build(): number | undefined {
    return this.facts.build?.value;
  }

  /** How addresses are translated; `undefined` for a dump without physical memory. */
  get paging(): PageFormatName | undefined {
    return this.#memory.translation?.mapping.format.name;
  }

  /** How the kernel's addresses are translated; `undefined` as `paging`. */
  get mapping(): PageTableMapping | undefined {
    return this.#memory.translation?.mapping;
  }

  /** The debugger's table of kernel variables; `undefined` where it was not found, and `notes` say why. */
  get kdbg(): Kdbg | undefined {
    return this.#kdbgSearch().kdbg;
  }

  /**
   * Where a variable of the kernel stands: KDBG says so, else an export or a symbol of nt. Whoever needs one that none of
   * them has may search for it.
   *
   * @param name as Windows has it: `PoolTrackTable`
   */
  variable(name: string): KernelVariable | undefined {
    const field = name.slice(0, 1).toLowerCase() + name.slice(1);
    const told: unknown = Object.entries(this.kdbg ?? {}).find(([known]) => known === field)?.[1];
    if (typeof told === "bigint") return { address: toVa(told), basis: "kdbg" };
    const image = this.#ntImage();
    const named = image === undefined ? undefined : placeNamed(image, name);
    return image === undefined || named === undefined
      ? undefined
      : { address: image.addressOf(named.rva), basis: named.basis };
  }

  /** Where nt stands. */
  get base(): Va | undefined {
    return this.kdbg?.kernBase ?? this.#nt()?.base;
  }

  /** The loaded modules, in load order. */
  get modules(): ModuleWalk {
    this.#modules ??= this.#readModules();
    return this.#modules;
  }

  /** The modules that were unloaded, the last one last. */
  get unloaded(): Walk<UnloadedModule> {
    this.#unloaded ??= this.#readUnloaded();
    return this.#unloaded;
  }

  get processors(): Walk<Processor> {
    this.#processors ??= this.#readProcessors();
    return this.#processors;
  }

  /** The active processes; none in a triage dump, which holds no other process than the one that ran. */
  get processes(): ListWalk<ProcessEntry> {
    this.#processes ??= this.#readProcesses();
    return this.#processes;
  }

  /** Where EPROCESS has what the list needs; `undefined` where the list cannot be read. */
  get processLayout(): ProcessLayout | undefined {
    return this.processes.items.length === 0 ? undefined : this.#processLayout;
  }

  /** Memory as a process sees it, the modules of its session included; `undefined` without physical memory. */
  spaceOf({ directoryTableBase }: ProcessEntry): AddressSpace | undefined {
    return this.#memory.spaceAt(directoryTableBase);
  }

  /** `19041.1.amd64fre.vb_release.191206-1406`; `undefined` where it cannot be read. */
  get buildLab(): string | undefined {
    const at = this.kdbg?.ntBuildLab;
    if (at === undefined) return undefined;
    const { bytes, holes } = this.space.readSparse(at, MAX_BUILD_LAB);
    const text = asciiZ(bytes.subarray(0, holes[0]?.offset ?? bytes.length));
    return text === "" ? undefined : printable(text);
  }

  /** The registers that the dump itself has, and those of the processor that stopped. */
  get contexts(): readonly RegisterSet[] {
    this.#contexts ??= this.#readContexts();
    return this.#contexts;
  }

  /** What was not found, or not where it should be; one sentence each. */
  get notes(): readonly string[] {
    const notes = [...this.#memory.notes, ...this.#kdbgSearch().notes];
    const list = this.#nt()?.base;
    const block = this.kdbg?.kernBase;
    if (list !== undefined && block !== undefined && list !== block) {
      notes.push(`KDBG has nt at ${hex(block)}, and the module list begins at ${hex(list)}`);
    }
    const { items, recovered } = this.modules;
    if (recovered > 0) {
      notes.push(
        `the module list is broken: ${recovered} of ${items.length} entries were found from its end backwards`,
      );
    }
    const nameless = items.filter((module) => module.imageName === undefined).length;
    if (nameless > 0) notes.push(`the names of ${nameless} of ${items.length} modules cannot be read`);
    return notes;
  }

  #ntImage(): Image | undefined {
    if (this.#image === undefined) this.#image = imageAt(this.space, this.base) ?? null;
    return this.#image ?? undefined;
  }

  #kdbgSearch(): KdbgSearch {
    this.#search ??= findKdbg(this.space, { facts: this.facts, nt: this.#nt() });
    return this.#search;
  }

  /** nt by the module list alone: its first entry. */
  #nt(): Pick<ModuleEntry, "base" | "size"> | undefined {
    const { drivers, moduleList } = this.facts;
    const driver = drivers?.value.items[0];
    if (driver !== undefined) return driver;
    return moduleList && firstModule(this.space, moduleList.value);
  }

  #readModules(): ModuleWalk {
    const { drivers, moduleList } = this.facts;
    if (drivers !== undefined)
      return triageModules(drivers.value, { pointerSize: this.space.pointerSize, kernelBase: this.base });
    const head = moduleList?.value ?? this.kdbg?.psLoadedModuleList;
    if (head === undefined) return { items: [], recovered: 0, stopped: "broken" };
    return readModules(this.space, head, { build: this.build, kernelBase: this.base });
  }

  #readUnloaded(): Walk<UnloadedModule> {
    const saved = this.facts.unloaded;
    if (saved !== undefined) return triageUnloaded(saved.value);
    const drivers = this.kdbg?.mmUnloadedDrivers;
    if (drivers === undefined) return { items: [], stopped: "broken" };
    return readUnloaded(this.space, { drivers, last: this.kdbg?.mmLastUnloadedDriver });
  }

  #readProcessors(): Walk<Processor> {
    const array = this.kdbg?.kiProcessorBlock;
    if (array === undefined) return { items: [], stopped: "broken" };
    return readProcessors(this.space, array, {
      count: this.facts.processors?.value,
      build: this.build,
      numberOffset: this.kdbg?.offsetPrcbNumber,
    });
  }

  #readProcesses(): ListWalk<ProcessEntry> {
    const head = this.facts.processList?.value ?? this.kdbg?.psActiveProcessHead;
    if (head === undefined) return { items: [], recovered: 0, stopped: "broken" };
    const layout = findProcessLayout(this.space, head, (root) => this.#memory.isRoot(root));
    if (layout === undefined) return { items: [], recovered: 0, stopped: "broken" };
    this.#processLayout = layout;
    return readProcesses(this.space, head, layout);
  }

  #readContexts(): readonly RegisterSet[] {
    const given = this.facts.contexts.map(({ value, source }) => ({ which: source, registers: value }));
    const stopped = this.#stoppedContext(given[0]);
    return stopped === undefined ? given : [...given, stopped];
  }

  /** Of the processor that the dump names; else of the one on whose stack the first registers are. */
  #stoppedContext(first: RegisterSet | undefined): RegisterSet | undefined {
    const offset = this.kdbg?.offsetPrcbContext;
    if (offset === undefined) return undefined;
    const { machine } = this;
    const named = this.facts.stopped?.value.prcb;
    const read = (prcb: Va): RegisterSet | undefined => prcbContext(this.space, prcb, offset, machine);
    if (named !== undefined) return read(named);
    const { items } = this.processors;
    if (items.length === 1) return items[0] && read(items[0].prcb);
    for (const { prcb } of items) {
      const found = read(prcb);
      if (first !== undefined && found !== undefined && sameStack(first, found, machine)) return found;
    }
    return undefined;
  }
}

function imageAt(space: AddressSpace, base: Va | undefined): Image | undefined {
  if (base === undefined) return undefined;
  try {
    return Image.at(space, base, { label: "nt" });
  } catch (error) {
    if (error instanceof MemoryError || error instanceof FormatError) return undefined;
    throw error;
  }
}

/**
 * Reads what the kernel in a dump says about itself.
 *
 * @param search for a kernel whose place the dump does not name
 */
export function readKernel(dump: OpenedDump, search: KernelSearch = kernelSearch(true)): Kernel {
  return new Kernel(dump, search);
}
