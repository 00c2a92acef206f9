import { groupBy } from "../core/search.ts";
import type { OpenedDump } from "../dump/format.ts";
import { nameBugcheck } from "../kernel/bugchecks.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type CrashPlace, crashPlace, type Occasion, occasionOf } from "../kernel/stop.ts";
import type { TrackedAllocations } from "../kernel/verifier-drivers.ts";
import { readUnfreed } from "../kernel/verifier-stop.ts";

import { exhaustionOf } from "../pool/exhaustion.ts";
import type { MemorySummary } from "../pool/memory-summary.ts";
import { tableKey, tagText } from "../pool/tag.ts";
import type { Crash, UnfreedDriver } from "../trail/crash.ts";
import type { Module } from "./module.ts";
import type { ModuleList } from "./module-list.ts";

/** How the machine of a dump ended, as far as the dump says. */
export class MachineEnd {
  /** Undefined where nothing tells. */
  readonly occasion: Occasion | undefined;
  /** The instruction that it ended at; undefined where nothing says, and of a machine that went on. */
  readonly place: CrashPlace | undefined;
  /** The module of that instruction. */
  readonly module: Module | undefined;
  readonly #dump: OpenedDump;
  readonly #kernel: Kernel;
  readonly #modules: ModuleList;

  constructor(dump: OpenedDump, kernel: Kernel, modules: ModuleList) {
    const bugcheck = dump.facts.bugcheck?.value;
    this.#dump = dump;
    this.#kernel = kernel;
    this.#modules = modules;
    // whatever has no crash header copies the memory of a machine that goes on
    this.occasion = dump.header === undefined ? "live" : occasionOf(bugcheck, dump.header.attributes);
    this.place =
      this.occasion === "live"
        ? undefined
        : crashPlace(bugcheck, dump.header?.exception, kernel.contexts[0]?.registers);
    this.module = this.place === undefined ? undefined : modules.at(this.place.address);
  }

  /** What it says of leaks; undefined where the dump names no reason for the end. */
  crash(memory: MemorySummary): Crash | undefined {
    const bugcheck = this.#dump.facts.bugcheck?.value;
    if (bugcheck === undefined || this.occasion === undefined) return undefined;
    const unfreed = readUnfreed(this.#kernel.space, bugcheck);
    const name = unfreed?.name;
    return {
      occasion: this.occasion,
      bugcheck: { code: bugcheck.code, name: nameBugcheck(bugcheck.code) ?? null },
      // the kernel itself stops the machine: that it did so says nothing of itself
      module: this.module === undefined || this.module.name === "nt" ? null : this.module.name,
      exhaustion: this.occasion === "crash" ? (exhaustionOf(bugcheck, memory.lines) ?? null) : null,
      unfreed:
        unfreed === undefined
          ? null
          : {
              file: name ?? null,
              module: (name === undefined ? undefined : this.#modules.named(name))?.name ?? null,
              allocations: unfreed.allocations ?? null,
              tags: leftByTag(unfreed.tracked),
            },
    };
  }
}

function leftByTag(tracked: readonly TrackedAllocations[]): UnfreedDriver["tags"] {
  const sums = [...groupBy(tracked, ({ tag }) => tableKey(tag))].map(([tag, own]) => ({
    tag: tagText(tag),
    allocations: own.reduce((sum, { allocations }) => sum + allocations, 0),
  }));
  return sums.sort((a, b) => b.allocations - a.allocations);
}
