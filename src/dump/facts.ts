import type { Va } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import type { Registers } from "./context.ts";
import type { Machine } from "./machine.ts";
import type { TriageDriver, TriageList, TriageUnloaded } from "./triage-drivers.ts";
import type { MemoryStorage } from "./triage-memory.ts";

/**
 * The part of a container that a fact stands in, as a sentence names it: `the header`. `core`: the notes of an ELF core.
 * `vmcoreinfo`: the header that a driver in a virtual machine left for its core. `state`: VMware's of a
 * machine. `file`: what its name or
 * size say. `memory`: the machine's memory itself, in which it was looked for. A container that keeps facts elsewhere adds
 * its own.
 */
export type FactSource =
  | "header"
  | "triage"
  | "processor-state"
  | "core"
  | "vmcoreinfo"
  | "state"
  | "file"
  | "memory";

/** Something that a container says of the machine, and where it says so. */
export interface Fact<T> {
  readonly value: T;
  readonly source: FactSource;
}

/**
 * What a container knows of the machine whose memory it holds, whatever its format. A fact that is absent is one that
 * the container does not say: the readers look for it in memory, or do without. None of it is proved: a header can name
 * a list that is none.
 */
export interface MachineFacts {
  /** Where this container keeps its facts: an absent one is missing from there. */
  readonly source: FactSource;
  readonly machine?: Fact<Machine> | undefined;
  /** Of Windows: 3790, 19041. A machine updated to 19045 reports 19041. */
  readonly build?: Fact<number> | undefined;
  /** How many logical processors there are. */
  readonly processors?: Fact<number> | undefined;
  /**
   * Root tables of address spaces, the likeliest to show the kernel first: as registers hold them, so that the low bits
   * are not an address.
   */
  readonly roots: readonly Fact<bigint>[];
  /** Whether a 32-bit machine uses the larger page tables. */
  readonly pae?: Fact<boolean> | undefined;
  /** PsLoadedModuleList, the head of the list. */
  readonly moduleList?: Fact<Va> | undefined;
  /** PsActiveProcessHead, the head of the list. */
  readonly processList?: Fact<Va> | undefined;
  /** Where KDDEBUGGER_DATA64 stands in memory. */
  readonly kdbg?: Fact<Va> | undefined;
  /** A copy of KDDEBUGGER_DATA64 that the container holds, never encoded. */
  readonly kdbgCopy?: Fact<Bytes> | undefined;
  /** The loaded drivers, where the container lists them itself. */
  readonly drivers?: Fact<TriageList<TriageDriver>> | undefined;
  /** The drivers that were unloaded, where the container lists them itself. */
  readonly unloaded?: Fact<TriageList<TriageUnloaded>> | undefined;
  /** What ran on the processor that stopped the machine. */
  readonly stopped?: Fact<Stopped> | undefined;
  /** Registers of processors; those of the one that stopped the machine first. */
  readonly contexts: readonly Fact<Registers>[];
  /** Registers by which processors find the kernel, of those that had paging on. */
  readonly system?: readonly Fact<SystemRegisters>[] | undefined;
  /** The machine's physical memory, whether its pages are in the container or not. */
  readonly runs?: Fact<readonly PhysicalRun[]> | undefined;
  /** Figures of the memory manager. */
  readonly memory?: Fact<MemoryStorage> | undefined;
  readonly bugcheck?: Fact<Bugcheck> | undefined;
  /** FILETIME: units of 100 ns since 1601, UTC. */
  readonly taken?: Fact<bigint> | undefined;
  /** In units of 100 ns. */
  readonly upTime?: Fact<bigint> | undefined;
}

/** Why the machine stopped. */
export interface Bugcheck {
  readonly code: number;
  readonly parameters: readonly [bigint, bigint, bigint, bigint];
}

/** Registers of a processor that lead into the kernel; 0 where the container does not have one. */
export interface SystemRegisters {
  readonly cr3: bigint;
  /** CR0.PG: addresses are translated. */
  readonly paging: boolean;
  /** It is a 64-bit one. */
  readonly long: boolean;
  /** IDTR's base. */
  readonly idt: bigint;
  /** GS's base, and the one that `swapgs` brings: one of them is the KPCR of 64-bit kernels. */
  readonly gs: bigint;
  readonly kernelGs: bigint;
  /** FS's base: the KPCR of 32-bit kernels. */
  readonly fs: bigint;
  /** IA32_LSTAR: where system calls enter. */
  readonly syscall: bigint;
}

/** Structures of the processor that stopped the machine; `undefined` where the container does not tell. */
export interface Stopped {
  /** Its KPRCB. */
  readonly prcb: Va | undefined;
  /** The ETHREAD that ran there. */
  readonly thread: Va | undefined;
}

/** Pages that stand one after the other in physical memory. */
export interface PhysicalRun {
  /** The first page's number. */
  readonly pfn: number;
  /** In pages. */
  readonly count: number;
}

/** A fact, where there is a value for it. */
export function fact<T>(value: T | undefined, source: FactSource): Fact<T> | undefined {
  return value === undefined ? undefined : { value, source };
}
