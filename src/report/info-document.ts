import type { Va } from "../core/address.ts";
import type { Fact, MachineFacts } from "../dump/facts.ts";
import type { OpenedDump } from "../dump/format.ts";
import { nameBugcheck } from "../kernel/bugchecks.ts";
import { readCurrent } from "../kernel/current.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type CrashPlace, type Occasion, statusName } from "../kernel/stop.ts";
import type { InfoDocument } from "./documents.ts";
import { isoTime } from "./words.ts";

/** How the machine of the dump ended, as far as that is known. */
interface End {
  readonly occasion: Occasion | undefined;
  readonly place: CrashPlace | undefined;
  readonly module: { readonly name: string; readonly base: Va } | undefined;
}

/** What the dump is, what it holds, and why the machine stopped. */
export function infoDocument(
  dump: OpenedDump,
  kernel: Kernel,
  end: End,
  notes: readonly string[],
): InfoDocument {
  const { memory } = dump;
  const { facts } = kernel;
  const { bugcheck, taken, upTime } = facts;
  return {
    file: dump.source.name,
    fileSize: dump.source.size,
    machine: kernel.machine,
    paging: kernel.paging ?? null,
    build: kernel.build ?? null,
    buildLab: kernel.buildLab ?? null,
    dumpType: dump.kind,
    writer: dump.writer ?? null,
    processors: facts.processors?.value ?? counted(kernel),
    directoryTableBase: facts.roots[0]?.value ?? null,
    psLoadedModuleList: facts.moduleList?.value ?? null,
    kdDebuggerDataBlock: kernel.kdbg?.address ?? facts.kdbg?.value ?? null,
    kdDebuggerDataBasis: kernel.kdbg?.foundBy ?? null,
    kernelBase: kernel.base ?? null,
    systemTime: taken === undefined ? null : isoTime(taken.value),
    upTime: upTime === undefined ? null : Number(upTime.value / 10_000n) / 1000,
    bugcheck:
      bugcheck === undefined
        ? null
        : {
            code: bugcheck.value.code,
            name: nameBugcheck(bugcheck.value.code) ?? null,
            parameters: bugcheck.value.parameters,
          },
    occasion: end.occasion ?? null,
    exception: exceptionOf(dump),
    stoppedAt: placeOf(end),
    current: currentOf(kernel),
    contexts: kernel.contexts,
    pages: "pages" in memory ? { present: memory.pages.present, missing: memory.pages.missing } : null,
    attributes: dump.header?.attributes ?? null,
    modules: kernel.modules.items.length,
    sources: sourcesOf(facts),
    notes,
  };
}

/** The processors that the kernel lists, where the dump says no number. */
function counted({ processors: { items, stopped } }: Kernel): number | null {
  return stopped !== undefined || items.length === 0 ? null : items.length;
}

/** Where the dump says what it says of the machine, by the names of `dump.facts`. */
function sourcesOf(facts: MachineFacts): InfoDocument["sources"] {
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, said]) => {
      const first: unknown = Array.isArray(said) ? said[0] : said;
      return isFact(first) ? [[name, first.source] as const] : [];
    }),
  );
}

function isFact(value: unknown): value is Fact<unknown> {
  return typeof value === "object" && value !== null && "source" in value && "value" in value;
}

function exceptionOf({ header }: OpenedDump): InfoDocument["exception"] {
  const exception = header?.exception;
  // a dump of no exception has a record of zeros
  if (exception === undefined || exception.code === 0) return null;
  const { code, flags, address, parameters } = exception;
  return { code, name: statusName(code) ?? null, flags, address, parameters };
}

function placeOf({ place, module }: End): InfoDocument["stoppedAt"] {
  if (place === undefined) return null;
  const offset = module === undefined ? null : Number(place.address - module.base);
  return { address: place.address, module: module?.name ?? null, offset, basis: place.basis };
}

function currentOf(kernel: Kernel): InfoDocument["current"] {
  const current = readCurrent(kernel);
  if (current === undefined) return null;
  const { processor, thread, process, entry } = current;
  return {
    processor: processor ?? null,
    thread,
    process: process ?? null,
    pid: entry?.pid ?? null,
    imageName: entry?.imageName ?? null,
  };
}
