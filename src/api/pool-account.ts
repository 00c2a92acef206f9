import type { Va } from "../core/address.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { ObjectHeader } from "../kernel/object-headers.ts";
import { readThreads } from "../kernel/threads.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { type BigAllocation, readBigPages } from "../pool/big-pages.ts";
import type { Growth } from "../pool/growth.ts";
import { type LeakSigns, leakSigns } from "../pool/leak-signs.ts";
import { findLeaks, type LeakHints, type LeakReport } from "../pool/leaks.ts";
import { type Lockstep, lockstepOf } from "../pool/lockstep.ts";
import { type MemorySummary, readMemorySummary } from "../pool/memory-summary.ts";
import { type PoolKernel, poolKernelOf } from "../pool/pool-kernel.ts";
import { poolPlaces } from "../pool/pool-places.ts";
import { parseTag, sameButForCase } from "../pool/tag.ts";
import { mayHaveTag, readTagTable } from "../pool/tracker/read.ts";
import { largestTags } from "../report/pool-words.ts";
import type { BlockContents } from "../trail/blocks/block-contents.ts";
import { findBlockContents } from "../trail/blocks/find-contents.ts";
import { readHeldObjects } from "../trail/blocks/held-objects.ts";
import { thirdPartyOwners } from "../trail/tag-owners.ts";
import type { TrailTarget } from "../trail/target.ts";
import type { Module } from "./module.ts";
import type { HeldObjects } from "./objects.ts";
import { Tags } from "./tags.ts";

/** What uses most of each pool is told of so many tags. */
const LARGEST = 5;

/** What the account takes from the dump; each is asked for when it is needed. */
export interface AccountSources {
  readonly target: () => TrailTarget;
  /** Of the dump. */
  readonly notes: () => readonly string[];
}

/** What the pools of a dump hold by tag, and what of it looks like a leak. Each part is read when it is asked for, and once. */
export class PoolAccount {
  readonly #kernel: Kernel;
  readonly #space: AddressSpace;
  readonly #modules: readonly Module[];
  readonly #sources: AccountSources;
  readonly #locksteps = new Map<string, Lockstep>();
  #tags: Tags | undefined;
  #leaks: LeakReport | undefined;
  #memory: MemorySummary | undefined;

  constructor(kernel: Kernel, space: AddressSpace, modules: readonly Module[], sources: AccountSources) {
    this.#kernel = kernel;
    this.#space = space;
    this.#modules = modules;
    this.#sources = sources;
  }

  /** As the pool layer takes it. */
  get kernel(): PoolKernel {
    return poolKernelOf(this.#kernel, this.#space);
  }

  /** Usage by tag, of all processors. */
  tags(): Tags {
    this.#tags ??= new Tags(readTagTable(this.kernel), this.#space, this.#modules, {
      leaks: () => this.leaks(),
      bigPages: () => readBigPages(this.kernel),
      notes: this.#sources.notes,
    });
    return this.#tags;
  }

  /** As `Tags.otherCase`; most tags have no such other, and that is known before all counters are read. */
  otherCase(tag: string): string {
    const possible =
      this.#tags !== undefined || mayHaveTag(this.kernel, (other) => sameButForCase(tag, other));
    return possible ? this.tags().otherCase(tag) : "";
  }

  /** The memory summary of `!vm 1`. */
  memory(): MemorySummary {
    this.#memory ??= readMemorySummary(this.kernel, this.#kernel.facts);
    return this.#memory;
  }

  /** The tags that look like leaks, the likeliest first. */
  leaks(): LeakReport {
    const { table } = this.tags();
    this.#leaks ??=
      "missing" in table
        ? { candidates: [], groups: [], notes: [table.reason] }
        : findLeaks(table, this.#leakHints());
    return this.#leaks;
  }

  /** Whether one tag looks like a leak. @param growth since an older dump */
  signs(tag: string, growth: Growth | undefined): LeakSigns {
    const { table } = this.tags();
    const lockstep = this.lockstep(tag);
    return leakSigns(table, parseTag(tag), {
      ...(lockstep === undefined ? {} : { lockstep }),
      ...("missing" in table ? {} : { hints: this.#leakHints(), report: this.leaks() }),
      ...(growth === undefined ? {} : { growth }),
    });
  }

  /** The tags whose counts go with that of one, and which of them is the cause; undefined where it stands alone. */
  lockstep(tag: string): Lockstep | undefined {
    const { key } = parseTag(tag);
    const group = this.leaks().groups.find(({ members }) => members.some((one) => one.key === key));
    if (group === undefined) return undefined;
    const name = group.members.map((one) => `${one.tag}${one.pool}`).join();
    const known =
      this.#locksteps.get(name) ??
      lockstepOf(group, (member) => thirdPartyOwners(this.#sources.target(), parseTag(member.tag)));
    this.#locksteps.set(name, known);
    return known;
  }

  /** Of tags that grow together the one that is the cause; a tag that stands alone is its own. */
  causeOf(tag: string): string {
    return this.lockstep(tag)?.leader?.tag ?? tag;
  }

  /** What the blocks of a tag hold. */
  contentsOf(key: number, outstanding: number | undefined): BlockContents<Module> {
    const pool = this.kernel;
    return findBlockContents(pool, key, this.#modules, {
      ...bigAllocations(pool),
      ...(outstanding === undefined ? {} : { outstanding }),
      processes: this.#kernel.processes.items,
    });
  }

  /** What uses most of each pool, where nothing looks like a leak. */
  largest(): readonly string[] {
    const tags = this.tags();
    return [
      ...largestTags("paged", tags.byPagedBytes().slice(0, LARGEST)),
      ...largestTags("nonPaged", tags.byNonPagedBytes().slice(0, LARGEST)),
    ];
  }

  /** Allocations of a tag that were not freed; `undefined` where the tag tables do not say. */
  outstanding(key: number): number | undefined {
    const tags = this.tags();
    const usage = tags.get(key);
    if (usage !== undefined) return usage.nonPaged.outstanding + usage.paged.outstanding;
    return "missing" in tags.table || !tags.table.complete ? undefined : 0;
  }

  /** Process objects in the pool, where there are more than the list has. */
  processBlocks(headers: HeldObjects["layout"]["headers"]): readonly Va[] {
    const { key } = parseTag("Proc");
    const outstanding = this.outstanding(key);
    if (headers === undefined || outstanding === undefined) return [];
    if (outstanding <= this.#kernel.processes.items.length) return [];
    const pool = this.kernel;
    const found: Va[] = [];
    const onObject = (body: Va, { kind }: ObjectHeader): void => {
      if (kind === headers.processKind) found.push(body);
    };
    for (const places of poolPlaces(pool, bigAllocations(pool).big ?? [], this.#modules)) {
      readHeldObjects(pool, headers, key, places, { onObject, mostBlocks: outstanding });
      if (found.length > 0) break;
    }
    return found;
  }

  #leakHints(): LeakHints {
    const { nonPagedMax, pagedMax, nonPagedUsage, pagedUsage } = this.memory().lines;
    return { pools: { nonPagedMax, pagedMax, nonPagedUsage, pagedUsage }, liveObjects: this.#liveObjects() };
  }

  /** Objects that are alive, by their tag, where all of them could be counted. */
  #liveObjects(): ReadonlyMap<string, number> {
    const { processes } = this.#kernel;
    const live = new Map<string, number>();
    if (processes.stopped !== undefined || processes.items.length === 0) return live;
    live.set("Proc", processes.items.length);
    const threads = readThreads(this.#kernel);
    if (threads.stopped === undefined && threads.processes.read === threads.processes.of) {
      live.set("Thre", threads.items.length);
    }
    return live;
  }
}

/** All of them: in newer Windows they are the only sign of where the pools stand. */
function bigAllocations(pool: PoolKernel): { readonly big?: readonly BigAllocation[] } {
  const pages = readBigPages(pool);
  return "missing" in pages ? {} : { big: pages.allocations };
}
