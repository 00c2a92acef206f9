import type { Resolver } from "../code/callees.ts";
import type { Va } from "../core/address.ts";
import type { Abi } from "../isa/abi.ts";
import { instructionSetOf } from "../isa/machines.ts";
import type { Threads } from "../kernel/threads.ts";
import type { VerifiedDriver } from "../kernel/verifier-drivers.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { Image } from "../pe/image.ts";
import type { ImportTable } from "../pe/imports.ts";
import type { Service } from "../registry/services.ts";
import type { BlockContents } from "./blocks/block-contents.ts";
import type { Publisher } from "./publisher.ts";

/** A module as the trail needs it; from a dump, or from a folder of PE files. */
export interface TrailModule {
  /** As WinDbg's `lm` shows it. */
  readonly name: string;
  readonly imageName: string | null;
  readonly path: string | null;
  readonly base: Va;
  readonly end: Va;
  /** SizeOfImage in bytes. */
  readonly size: number;
  /** Absent where the headers cannot be read; `imageProblem` says why. */
  readonly image: Image | undefined;
  readonly imageProblem: Error | undefined;
  /** Empty where there is no image. */
  readonly imports: ImportTable;
  readonly publisher: Publisher;
}

/** What a trail is looked for in. */
export interface TrailTarget {
  readonly space: AddressSpace;
  readonly modules: readonly TrailModule[];
  /** The list of loaded modules ended early: there may be more. */
  readonly listCut?: boolean;
  /** The module that holds an address. */
  readonly moduleAt: (address: Va) => TrailModule | undefined;
  /** The exported function that starts at an address, with all its names; undefined where none does. */
  readonly resolve: Resolver;
  /** The services that start modules; absent where no SYSTEM hive was given. */
  readonly services?: readonly Service[];
  /** Names of drivers that were unloaded before the dump, the last ones; absent where there is no dump. */
  readonly unloaded?: readonly string[];
  /** The threads of the dump; absent where there is no dump. */
  readonly threads?: () => Threads;
  /** The drivers that Driver Verifier checks, with what they allocated; absent where there is no dump. */
  readonly verified?: () => readonly VerifiedDriver[];
  /** What the blocks of a tag hold of modules' addresses; absent where there is no dump. */
  readonly poolContent?: (key: number, outstanding?: number) => BlockContents<TrailModule>;
  /** Of Windows; undefined where it is not known. */
  readonly build: number | undefined;
}

/** Bytes of a module's lasting code that cannot be read; INIT is gone by then, and does not run again. */
export function codeMissing(target: TrailTarget, module: TrailModule): number {
  let missing = 0;
  for (const section of module.image?.sections ?? []) {
    if (!section.executable || section.discardable) continue;
    const start = module.image?.addressOf(section.rva);
    if (start !== undefined)
      missing += section.virtualSize - target.space.readableBytes(start, section.virtualSize);
  }
  return missing;
}

/** The module that a DLL's name in an import table means, in lower case: every driver says `ntoskrnl.exe` for nt. */
export function importedModule(dll: string): string {
  const stem = dll.toLowerCase().replace(/\.[^.]*$/, "");
  return /^nt(?:oskrnl|krnl)/.test(stem) ? "nt" : stem.replace(/[^a-z0-9_]/g, "_");
}

/** Whether the name of a DLL in an import table can mean a module. */
export function isImportedAs(module: string, dll: string): boolean {
  return importedModule(dll) === module.toLowerCase();
}

/** The calling convention of code that is decoded in full; 64-bit machines other than x64 have none. */
export function abiOf({ space }: TrailTarget): Abi {
  return instructionSetOf(space.pointerSize === 8 ? "x64" : "x86").abi;
}
