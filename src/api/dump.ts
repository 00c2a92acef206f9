import type { AddressLike, Va } from "../core/address.ts";
import { ArgumentRangeError, ArgumentTypeError } from "../core/argument-error.ts";
import type { MachineFacts } from "../dump/facts.ts";
import type { OpenedDump } from "../dump/format.ts";
import type { DumpHeader } from "../dump/header.ts";
import { readDump } from "../dump/open.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { ObjectHeader } from "../kernel/object-headers.ts";
import { openMachine } from "../kernel/open-machine.ts";
import { holdsStacksOnly } from "../kernel/stacks-only.ts";
import { readThreads, type Threads } from "../kernel/threads.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { PhysicalSpace } from "../memory/physical-space.ts";
import { type BigAllocation, readBigPages } from "../pool/big-pages.ts";
import { blockAt } from "../pool/block-at.ts";
import { type DumpIdentity, type Growth, growthBetween } from "../pool/growth.ts";
import { type LeakSigns, leakSigns } from "../pool/leak-signs.ts";
import { findLeaks, type LeakHints, type LeakReport } from "../pool/leaks.ts";
import { type Lockstep, lockstepOf } from "../pool/lockstep.ts";
import { type MemorySummary, readMemorySummary } from "../pool/memory-summary.ts";
import { type PoolKernel, poolKernelOf } from "../pool/pool-kernel.ts";
import { poolPlaces } from "../pool/pool-places.ts";
import { parseTag, type Tag } from "../pool/tag.ts";
import { readTagTable } from "../pool/tracker/read.ts";
import { openHive } from "../registry/hive.ts";
import { readServices, type Services } from "../registry/services.ts";
import { answer } from "../report/answer.ts";
import { crashWords, liveNotes } from "../report/crash-words.ts";
import type { InfoDocument, MemoryDocument, PoolDocument } from "../report/documents.ts";
import { growthDocument } from "../report/growth-document.ts";
import { infoDocument } from "../report/info-document.ts";
import { memoryDocument } from "../report/memory-document.ts";
import type { HandlesDocument, ProcessesDocument } from "../report/object-documents.ts";
import { poolDocument } from "../report/pool-document.ts";
import { largestTags } from "../report/pool-words.ts";
import { toolNotes } from "../report/tool-words.ts";
import { inputOf, type TraceDocument, type Trail, trailDocument } from "../report/trail-document.ts";
import { type FileInput, isUrl } from "../source/given.ts";
import { type FileSet, GivenFiles, Siblings } from "../source/siblings.ts";
import type { ByteSource } from "../source/source.ts";
import type { BlockContents } from "../trail/blocks/block-contents.ts";
import { findBlockContents } from "../trail/blocks/find-contents.ts";
import { readHeldObjects } from "../trail/blocks/held-objects.ts";
import type { Crash } from "../trail/crash.ts";
import { coverageOf } from "../trail/module-search.ts";
import type { Shortfall } from "../trail/next-steps.ts";
import { accountFor, isHeldByHandles, type ObjectAccount } from "../trail/object-holders.ts";
import { thirdPartyOwners } from "../trail/tag-owners.ts";
import { emptyFindings, traceTag } from "../trail/trace.ts";
import { CheckedDrivers } from "./checked-drivers.ts";
import { MachineEnd } from "./crash.ts";
import type { GivenImage } from "./images.ts";
import { described, openInput, pathOf } from "./input.ts";
import { LoadedImages } from "./loaded-images.ts";
import { Module } from "./module.ts";
import { ModuleList } from "./module-list.ts";
import { type HandleQuery, HeldObjects } from "./objects.ts";
import { Tags } from "./tags.ts";
import { type WorkOptions, Workspace } from "./workspace.ts";

/** Tags that are traced where none is named. */
const MAX_TRACED = 3;
/** Tags that are listed where none leaks. */
const LARGEST = 5;

/** How a dump is opened. */
export interface OpenOptions {
  /** Folders with PE files that fill in pages which the dump lacks, and single files as sources under their names. */
  readonly images?: readonly GivenImage[];
  /** A copy of the machine's SYSTEM hive: it says when each driver starts. */
  readonly systemHive?: FileInput;
}

/** All of them: in newer Windows they are the only sign of where the pools stand. */
function bigAllocations(pool: PoolKernel): { readonly big?: readonly BigAllocation[] } {
  const pages = readBigPages(pool);
  return "missing" in pages ? {} : { big: pages.allocations };
}

function servicesIn(input: FileInput): Services {
  const source = openInput(input, "systemHive");
  try {
    return readServices(openHive(source));
  } finally {
    if (source !== input) source[Symbol.dispose]();
  }
}

/**
 * Opens a kernel dump or another image of a machine's memory. What is not asked for is not read.
 *
 * @param input of several files that belong together, such as a `.vmem` and its `.vmss`, all, the one to open first; those
 * beside a path are found by themselves
 * @throws {FormatError} it is none, or there is no Windows kernel in it; the message says what it is and what to do
 * @throws {FileError} a path leads to no readable file
 * @throws {TypeError} what was given is nothing that is taken; the message says what is
 */
export function openDump(input: FileInput | readonly FileInput[], options: OpenOptions = {}): Dump {
  const [first, ...others] = isList(input) ? input : [input];
  if (isList(input) && input.length === 0)
    throw new ArgumentTypeError("a list of files that is empty leads to no dump");
  checkOptions(options);
  const opened: Disposable[] = [];
  const open = (one: FileInput | undefined): ByteSource => {
    const source = openInput(one, "a dump");
    if (source !== one) opened.push(source);
    return source;
  };
  try {
    const main = open(first);
    const given = others.map(open);
    const own = opened.slice(main === first ? 0 : 1);
    const path = isUrl(first) ? pathOf(first, "a dump") : first;
    const beside = typeof path === "string" && given.length === 0 ? new Siblings(path) : undefined;
    if (beside !== undefined) opened.push(beside);
    return new Dump(main, options, beside ?? new GivenFiles(given, own));
  } catch (error) {
    for (const one of opened) one[Symbol.dispose]();
    throw error;
  }
}

function isList(input: FileInput | readonly FileInput[]): input is readonly FileInput[] {
  return Array.isArray(input);
}

/** @throws {TypeError} what programs without types get wrong */
function checkOptions(options: OpenOptions): void {
  if (typeof options !== "object" || options === null)
    throw new ArgumentTypeError(`options are an object, not ${described(options)}`);
  if (options.images !== undefined && !Array.isArray(options.images))
    throw new ArgumentTypeError(`images is a list of folders, not ${described(options.images)}`);
}

const UNUSED = { allocations: 0, frees: 0, outstanding: 0, bytes: 0, bytesPerAllocation: null };

/** An open dump, and every question that can be put to it. Dispose of it to close its files. */
export class Dump extends Workspace implements Disposable {
  /** The file's name. */
  readonly file: string;
  /** The Windows crash header; `undefined` for a dump of another format. */
  readonly header: DumpHeader | undefined;
  /** What the dump itself says of the machine. */
  readonly facts: MachineFacts;
  /** @internal */
  readonly kernel: Kernel;
  readonly #dump: OpenedDump;
  readonly #source: ByteSource;
  readonly #siblings: FileSet | undefined;
  readonly #images: LoadedImages;
  #tags: Tags | undefined;
  #leaks: LeakReport | undefined;
  #end: MachineEnd | undefined;
  #checked: CheckedDrivers | undefined;
  readonly #locksteps = new Map<string, Lockstep>();
  #memory: MemorySummary | undefined;
  #objects: HeldObjects | undefined;

  /**
   * Use `openDump`.
   *
   * @internal
   */
  constructor(source: ByteSource, options: OpenOptions, siblings?: FileSet) {
    const { dump, kernel } = openMachine(readDump(source, (name) => siblings?.named(name)));
    const images = new LoadedImages(kernel, options.images ?? []);
    const { modules, unloaded } = kernel;
    const items = modules.items.map((entry) => new Module(entry, images.space, images.fileOf(entry)));
    super(images.space, new ModuleList(items, modules.stopped, unloaded, kernel.base), {
      build: kernel.build,
      listCut: modules.stopped !== undefined,
      unloaded: unloaded.items.map(({ name }) => name),
      threads: () => readThreads(kernel),
      verified: () => this.#verifier.drivers,
      poolContent: (key, outstanding) => this.#contentsOf(key, outstanding),
      ...(options.systemHive === undefined ? {} : { services: servicesIn(options.systemHive).items }),
    });
    this.#source = source;
    this.#siblings = siblings;
    this.#dump = dump;
    this.#images = images;
    this.file = source.name;
    this.header = dump.header;
    this.facts = kernel.facts;
    this.kernel = kernel;
  }

  /** @internal */
  protected get machine(): string {
    return this.kernel.machine;
  }

  /**
   * By the debugger's table of them.
   *
   * @internal
   */
  protected override kernelVariable(name: string): Va | undefined {
    return this.kernel.variable(name)?.address;
  }

  /** Physical memory; `undefined` for a triage dump, which holds pieces of virtual memory only. */
  get physical(): PhysicalSpace | undefined {
    const { memory } = this.#dump;
    return "pages" in memory ? new PhysicalSpace(memory.source, memory.pages) : undefined;
  }

  /**
   * Memory as one process sees it: its own, and the kernel's with what is loaded in its session.
   *
   * @param pid as `processes()` has it
   * @returns `undefined` for a triage dump
   * @throws {RangeError} there is no such active process, or it cannot be told
   */
  spaceOf(pid: number): AddressSpace | undefined {
    const { items } = this.kernel.processes;
    const process = items.find((one) => one.pid === pid);
    if (process !== undefined) return this.kernel.spaceOf(process);
    throw new ArgumentRangeError(
      `there is no active process ${String(pid)} among the ${items.length} that are known`,
    );
  }

  /** The threads of all processes, each with its state, its processor and its kernel stack. */
  threads(): Threads {
    return readThreads(this.kernel);
  }

  /** What is missing or odd, one sentence each. */
  get notes(): readonly string[] {
    return [...this.#dump.notes, ...this.kernel.notes, ...this.#images.notes];
  }

  /** What the dump is, what it holds, and the bugcheck. */
  info(): InfoDocument {
    const crash = this.#crash;
    const notes = [
      ...this.notes,
      ...(crash === undefined ? [] : crashWords(crash)),
      ...liveNotes(this.#machineEnd.occasion, this.#shortfall),
      ...toolNotes(this.modules.items),
    ];
    return answer(infoDocument(this.#dump, this.kernel, this.#machineEnd, notes));
  }

  /** Usage by tag, of all processors. */
  tags(): Tags {
    this.#tags ??= new Tags(readTagTable(this.#pool), this.space, this.modules.items, {
      leaks: () => this.leaks(),
      bigPages: () => readBigPages(this.#pool),
      notes: () => this.notes,
    });
    return this.#tags;
  }

  /**
   * What each tag grew by since an older dump of the same machine; where either dump's tables cannot be
   * found there is no growth, and `notes` says why.
   */
  since(older: Dump): Growth {
    if (!(older instanceof Dump))
      throw new ArgumentTypeError(`an older dump is an open Dump, not ${described(older)}`);
    const [before, now] = [older.tags().table, this.tags().table];
    const missing = [before, now].flatMap((table) => ("missing" in table ? [table.reason] : []));
    const growth: Growth =
      "missing" in before || "missing" in now
        ? { tags: [], seconds: null, sameStart: false, otherMachine: undefined, notes: missing }
        : growthBetween(
            { table: before, identity: older.#identity },
            { table: now, identity: this.#identity },
          );
    return answer(growth, () => growthDocument(older.file, growth));
  }

  /** The memory summary of `!vm 1`. */
  memory(): MemoryDocument {
    return answer(memoryDocument(this.#memorySummary(), this.notes));
  }

  /** The processes, those that have ended and stay among them. */
  processes(): ProcessesDocument {
    return answer(this.#held.processesDocument(this.notes));
  }

  /**
   * Who holds which objects: the handles of all processes, by type.
   *
   * @param which of some processes, or to objects with one tag
   */
  handles(which: HandleQuery = {}): HandlesDocument {
    const { process } = which;
    if (!["undefined", "number", "string"].includes(typeof process))
      throw new ArgumentTypeError(`a process is an id or an image's name, not ${described(process)}`);
    return answer(this.#held.handlesDocument(which, this.notes));
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

  /**
   * Whether one tag looks like a leak, and what speaks for it and against it.
   *
   * @param older a dump of the same machine, taken before: it shows what grows
   */
  leakSigns(tag: string, older?: Dump): LeakSigns {
    const { table } = this.tags();
    const growth = older === undefined ? undefined : this.since(older);
    const lockstep = this.lockstep(tag);
    return leakSigns(table, parseTag(tag), {
      ...(lockstep === undefined ? {} : { lockstep }),
      ...("missing" in table ? {} : { hints: this.#leakHints() }),
      ...(growth === undefined ? {} : { growth }),
    });
  }

  /** Which block of a pool an address lies in. */
  pool(address: AddressLike): PoolDocument {
    const at = this.address(address);
    const module = this.modules.at(at);
    // what stands in an image can look like blocks, and is none
    const found = module === undefined ? blockAt(this.#pool, at) : ({ missing: "no-block" } as const);
    return answer(poolDocument(at, found, module?.name ?? null));
  }

  /** The tags whose counts go with that of one, and which of them is the cause; undefined where it stands alone. */
  lockstep(tag: string): Lockstep | undefined {
    const { key } = parseTag(tag);
    const group = this.leaks().groups.find(({ members }) => members.some((one) => one.key === key));
    if (group === undefined) return undefined;
    const name = group.members.map((one) => `${one.tag}${one.pool}`).join();
    const known =
      this.#locksteps.get(name) ??
      lockstepOf(group, (member) => thirdPartyOwners(this.target, parseTag(member.tag)));
    this.#locksteps.set(name, known);
    return known;
  }

  /**
   * What the blocks of a tag hold: pointers into modules, directly and one step further, heads of lists,
   * sizes, and the processes that are charged.
   */
  blockContents(tag: string): BlockContents<Module> {
    const { key } = parseTag(tag);
    return this.#contentsOf(key, this.#outstanding(key));
  }

  /**
   * From a tag to the drivers that can make it grow. Without a tag: of the one that looks most like a
   * leak; where none does, the trail's `tag` is null and its notes say why.
   */
  trace(tag?: string, work: WorkOptions = {}): Trail {
    const likeliest = tag === undefined ? this.leaks().candidates[0]?.tag : undefined;
    const chosen = tag ?? (likeliest === undefined ? undefined : this.#causeOf(likeliest));
    if (chosen === undefined) {
      const coverage = this.modules.items.map((module) =>
        coverageOf(this.target, module, module.readableBytes),
      );
      const notes = [...this.leaks().notes, ...this.#largest(), ...this.gaps];
      const findings = emptyFindings(notes, coverage, {
        shortfall: this.#shortfall ?? null,
        crash: this.#crash ?? null,
      });
      return this.#traced(trailDocument(findings, this.space.pointerSize));
    }
    const parsed = parseTag(chosen);
    const tags = this.tags();
    const { table } = tags;
    const whole = !("missing" in table) && table.complete;
    const unused = { tag: parsed.text, key: parsed.key, nonPaged: UNUSED, paged: UNUSED };
    const usage = tags.get(parsed.key) ?? (whole ? unused : null);
    const signs = this.leakSigns(parsed.text);
    const lockstep = this.lockstep(parsed.text);
    const objects = this.#objectAccount(parsed);
    const counters = { usage, signs, lockstep, objects, crash: this.#crash, shortfall: this.#shortfall };
    const findings = traceTag(this.target, parsed, counters, work);
    const unknown =
      "missing" in table
        ? [table.reason]
        : usage === null
          ? ["the tag tables do not have this tag in what could be read of them"]
          : [];
    const other = usage === null || usage === unused ? tags.otherCase(parsed.text) : "";
    if (other !== "") unknown.push(`nothing is allocated with \`${parsed.text}\`${other}`);
    const more = [...this.#verifier.notes, ...toolNotes(this.modules.items), ...unknown, ...this.gaps];
    return this.#traced(trailDocument(findings, this.space.pointerSize, more));
  }

  /** With the trail of the tag that is the cause, where that is another one. */
  #traced(trail: Trail): Trail {
    const document = (): TraceDocument => {
      const leader = trail.lockstep?.leader;
      const more = leader == null || leader === trail.tag ? [] : [this.trace(leader)];
      return { ...trail, more, input: inputOf(this.info()) };
    };
    return answer(trail, document);
  }

  /**
   * The trails of the tags that look like leaks, the likeliest first, as `trace` gives them without a tag: the first
   * `MAX_TRACED`, and of those that grow together only the one that is the cause.
   */
  traces(work: WorkOptions = {}): readonly Trail[] {
    const { candidates } = this.leaks();
    const tags = [...new Set(candidates.map(({ tag }) => this.#causeOf(tag)))];
    if (tags.length === 0) return [this.trace(undefined, work)];
    const traced = tags.slice(0, MAX_TRACED).map((tag) => this.trace(tag, work));
    const left = tags.slice(MAX_TRACED).map((tag) => `\`${tag}\``);
    if (left.length === 0) return traced;
    const note = `further tags look like leaks and are not traced here: ${left.join(", ")} (pooltrail trace, with the tag)`;
    return traced.map((trail) => ({ ...trail, notes: [...trail.notes, note] }));
  }

  /** Closes the dump, and the PE files that were given with it; what `using` does by itself. */
  close(): void {
    this.#images[Symbol.dispose]();
    this.#siblings?.[Symbol.dispose]();
    this.#source[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Of tags that grow together the one that is the cause; a tag that stands alone is its own. */
  #causeOf(tag: string): string {
    return this.lockstep(tag)?.leader?.tag ?? tag;
  }

  get #crash(): Crash | undefined {
    return this.#machineEnd.crash(this.#memorySummary());
  }

  get #machineEnd(): MachineEnd {
    this.#end ??= new MachineEnd(this.#dump, this.kernel, this.modules);
    return this.#end;
  }

  /** Who holds the objects of a tag by handles; undefined for other tags, and where that cannot be told. */
  #objectAccount(tag: Tag): ObjectAccount | undefined {
    const outstanding = this.#outstanding(tag.key);
    if (!isHeldByHandles(tag.text) || outstanding === undefined || outstanding < 1) return undefined;
    const { handles } = this.#held;
    return "missing" in handles ? undefined : accountFor(handles, tag, outstanding);
  }

  #contentsOf(key: number, outstanding: number | undefined): BlockContents<Module> {
    const pool = this.#pool;
    return findBlockContents(pool, key, this.modules.items, {
      ...bigAllocations(pool),
      ...(outstanding === undefined ? {} : { outstanding }),
      processes: this.kernel.processes.items,
    });
  }

  /** What uses most of each pool, where nothing looks like a leak. */
  #largest(): readonly string[] {
    const tags = this.tags();
    return [
      ...largestTags("paged", tags.byPagedBytes().slice(0, LARGEST)),
      ...largestTags("nonPaged", tags.byNonPagedBytes().slice(0, LARGEST)),
    ];
  }

  /** Why the dump holds too little, whatever it is asked. */
  get #shortfall(): Shortfall | undefined {
    const { kind, memory } = this.#dump;
    if (kind === "triage") return "triage";
    // only Windows itself takes such dumps
    const live = this.header !== undefined && this.#machineEnd.occasion === "live";
    if (live && holdsStacksOnly(this.kernel)) return "stacks-only";
    return "pages" in memory && memory.pages.missing > 0 ? "cut-off" : undefined;
  }

  #leakHints(): LeakHints {
    const { nonPagedMax, pagedMax, nonPagedUsage, pagedUsage } = this.#memorySummary().lines;
    return { pools: { nonPagedMax, pagedMax, nonPagedUsage, pagedUsage }, liveObjects: this.#liveObjects() };
  }

  /** Objects that are alive, by their tag, where all of them could be counted. */
  #liveObjects(): ReadonlyMap<string, number> {
    const { processes } = this.kernel;
    const live = new Map<string, number>();
    if (processes.stopped !== undefined || processes.items.length === 0) return live;
    live.set("Proc", processes.items.length);
    const threads = readThreads(this.kernel);
    if (threads.stopped === undefined && threads.processes.read === threads.processes.of) {
      live.set("Thre", threads.items.length);
    }
    return live;
  }

  get #verifier(): CheckedDrivers {
    this.#checked ??= new CheckedDrivers(this.kernel, this.#pool, this.modules);
    return this.#checked;
  }

  get #held(): HeldObjects {
    this.#objects ??= new HeldObjects({
      kernel: this.kernel,
      pool: this.#pool,
      outstanding: (key) => this.#outstanding(key),
      processBlocks: () => this.#processBlocks(),
    });
    return this.#objects;
  }

  /** Process objects in the pool, where there are more than the list has. */
  #processBlocks(): readonly Va[] {
    const { headers } = this.#held.layout;
    const { key } = parseTag("Proc");
    const outstanding = this.#outstanding(key);
    if (headers === undefined || outstanding === undefined) return [];
    if (outstanding <= this.kernel.processes.items.length) return [];
    const pool = this.#pool;
    const found: Va[] = [];
    const onObject = (body: Va, { kind }: ObjectHeader): void => {
      if (kind === headers.processKind) found.push(body);
    };
    for (const places of poolPlaces(pool, bigAllocations(pool).big ?? [], this.modules.items)) {
      readHeldObjects(pool, headers, key, places, { onObject, mostBlocks: outstanding });
      if (found.length > 0) break;
    }
    return found;
  }

  /** Allocations of a tag that were not freed; `undefined` where the tag tables do not say. */
  #outstanding(key: number): number | undefined {
    const tags = this.tags();
    const usage = tags.get(key);
    if (usage !== undefined) return usage.nonPaged.outstanding + usage.paged.outstanding;
    return "missing" in tags.table || !tags.table.complete ? undefined : 0;
  }

  get #identity(): DumpIdentity {
    const { kernel, facts } = this;
    return {
      build: kernel.build ?? 0,
      processors: facts.processors?.value,
      systemTime: facts.taken?.value,
      upTime: facts.upTime?.value,
      kernelBase: kernel.base,
    };
  }

  get #pool(): PoolKernel {
    return poolKernelOf(this.kernel, this.space);
  }

  #memorySummary(): MemorySummary {
    this.#memory ??= readMemorySummary(this.#pool, this.facts);
    return this.#memory;
  }
}
