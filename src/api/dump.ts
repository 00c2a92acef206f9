import type { AddressLike, Va } from "../core/address.ts";
import { ArgumentRangeError, ArgumentTypeError } from "../core/argument-error.ts";
import type { MachineFacts } from "../dump/facts.ts";
import type { OpenedDump } from "../dump/format.ts";
import type { DumpHeader } from "../dump/header.ts";
import { readDump } from "../dump/open.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { openMachine } from "../kernel/open-machine.ts";
import { holdsStacksOnly } from "../kernel/stacks-only.ts";
import { readThreads, type Threads } from "../kernel/threads.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { PhysicalSpace } from "../memory/physical-space.ts";
import { blockAt } from "../pool/block-at.ts";
import { type DumpIdentity, type Growth, growthBetween } from "../pool/growth.ts";
import type { LeakSigns } from "../pool/leak-signs.ts";
import type { LeakReport } from "../pool/leaks.ts";
import type { Lockstep } from "../pool/lockstep.ts";
import { parseTag, type Tag } from "../pool/tag.ts";
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
import { toolNotes } from "../report/tool-words.ts";
import { inputOf, type TraceDocument, type Trail, trailDocument } from "../report/trail-document.ts";
import type { FileInput } from "../source/given.ts";
import type { FileSet } from "../source/siblings.ts";
import type { ByteSource } from "../source/source.ts";
import type { BlockContents } from "../trail/blocks/block-contents.ts";
import type { Crash } from "../trail/crash.ts";
import { coverageOf } from "../trail/module-search.ts";
import type { Shortfall } from "../trail/next-steps.ts";
import { accountFor, isHeldByHandles, type ObjectAccount } from "../trail/object-holders.ts";
import { emptyFindings, traceTag } from "../trail/trace.ts";
import { CheckedDrivers } from "./checked-drivers.ts";
import { MachineEnd } from "./crash.ts";
import type { GivenImage } from "./images.ts";
import { described, openInput } from "./input.ts";
import { LoadedImages } from "./loaded-images.ts";
import { Module } from "./module.ts";
import { ModuleList } from "./module-list.ts";
import { type HandleQuery, HeldObjects } from "./objects.ts";
import { PoolAccount } from "./pool-account.ts";
import type { Tags } from "./tags.ts";
import { type WorkOptions, Workspace } from "./workspace.ts";

/** Tags that are traced where none is named. */
const MAX_TRACED = 3;
/** How a dump is opened. */
export interface OpenOptions {
  /** Folders with PE files that fill in pages which the dump lacks, and single files as sources under their names. */
  readonly images?: readonly GivenImage[];
  /** A copy of the machine's SYSTEM hive: it says when each driver starts. */
  readonly systemHive?: FileInput;
}

function servicesIn(input: FileInput): Services {
  const source = openInput(input, "systemHive");
  try {
    return readServices(openHive(source));
  } finally {
    if (source !== input) source[Symbol.dispose]();
  }
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
  readonly #account: PoolAccount;
  #end: MachineEnd | undefined;
  #checked: CheckedDrivers | undefined;
  #objects: HeldObjects | undefined;

  /**
   * Use `openDump`.
   *
   * @internal
   */
  constructor(source: ByteSource, options: OpenOptions, siblings?: FileSet) {
    const { dump, kernel } = openMachine(readDump(source, (name) => siblings?.named(name)));
    const images = new LoadedImages(kernel, options.images ?? [], dump.memory.source.size);
    const { modules, unloaded } = kernel;
    const items = modules.items.map((entry) => new Module(entry, images.space, images.fileOf(entry)));
    super(images.space, new ModuleList(items, modules.stopped, unloaded, kernel.base), {
      build: kernel.build,
      listCut: modules.stopped !== undefined,
      unloaded: unloaded.items.map(({ name }) => name),
      threads: () => readThreads(kernel),
      verified: () => this.#verifier.drivers,
      poolContent: (key, outstanding) => this.#account.contentsOf(key, outstanding),
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
    this.#account = new PoolAccount(kernel, this.space, this.modules.items, {
      target: () => this.target,
      notes: () => this.notes,
    });
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
    return this.#account.tags();
  }

  /**
   * As `Tags.otherCase`.
   *
   * @internal
   */
  otherCase(tag: string): string {
    return this.#account.otherCase(tag);
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
    return answer(memoryDocument(this.#account.memory(), this.notes));
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
    return this.#account.leaks();
  }

  /**
   * Whether one tag looks like a leak, and what speaks for it and against it.
   *
   * @param older a dump of the same machine, taken before: it shows what grows
   */
  leakSigns(tag: string, older?: Dump): LeakSigns {
    return this.#account.signs(tag, older === undefined ? undefined : this.since(older));
  }

  /** Which block of a pool an address lies in. */
  pool(address: AddressLike): PoolDocument {
    const at = this.address(address);
    const module = this.modules.at(at);
    // what stands in an image can look like blocks, and is none
    const found =
      module === undefined ? blockAt(this.#account.kernel, at) : ({ missing: "no-block" } as const);
    return answer(poolDocument(at, found, module?.name ?? null));
  }

  /** The tags whose counts go with that of one, and which of them is the cause; undefined where it stands alone. */
  lockstep(tag: string): Lockstep | undefined {
    return this.#account.lockstep(tag);
  }

  /**
   * What the blocks of a tag hold: pointers into modules, directly and one step further, heads of lists,
   * sizes, and the processes that are charged.
   */
  blockContents(tag: string): BlockContents<Module> {
    const { key } = parseTag(tag);
    return this.#account.contentsOf(key, this.#account.outstanding(key));
  }

  /**
   * From a tag to the drivers that can make it grow. Without a tag: of the one that looks most like a
   * leak; where none does, the trail's `tag` is null and its notes say why.
   */
  trace(tag?: string, work: WorkOptions = {}): Trail {
    const likeliest = tag === undefined ? this.leaks().candidates[0]?.tag : undefined;
    const chosen = tag ?? (likeliest === undefined ? undefined : this.#account.causeOf(likeliest));
    if (chosen === undefined) {
      const coverage = this.modules.items.map((module) =>
        coverageOf(this.target, module, module.readableBytes),
      );
      const notes = [...this.leaks().notes, ...this.#account.largest(), ...this.gaps];
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
    const tags = [...new Set(candidates.map(({ tag }) => this.#account.causeOf(tag)))];
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

  get #crash(): Crash | undefined {
    return this.#machineEnd.crash(this.#account.memory());
  }

  get #machineEnd(): MachineEnd {
    this.#end ??= new MachineEnd(this.#dump, this.kernel, this.modules);
    return this.#end;
  }

  /** Who holds the objects of a tag by handles; undefined for other tags, and where that cannot be told. */
  #objectAccount(tag: Tag): ObjectAccount | undefined {
    const outstanding = this.#account.outstanding(tag.key);
    if (!isHeldByHandles(tag.text) || outstanding === undefined || outstanding < 1) return undefined;
    const { handles } = this.#held;
    return "missing" in handles ? undefined : accountFor(handles, tag, outstanding);
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

  get #verifier(): CheckedDrivers {
    this.#checked ??= new CheckedDrivers(this.kernel, this.#account.kernel, this.modules);
    return this.#checked;
  }

  get #held(): HeldObjects {
    this.#objects ??= new HeldObjects({
      kernel: this.kernel,
      pool: this.#account.kernel,
      outstanding: (key) => this.#account.outstanding(key),
      processBlocks: () => this.#account.processBlocks(this.#held.layout.headers),
    });
    return this.#objects;
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
}
