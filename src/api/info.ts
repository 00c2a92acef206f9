import type { OpenedDump } from "../dump/format.ts";
import { nameBugcheck } from "../kernel/bugchecks.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { InfoDocument } from "../report/documents.ts";

/** What the dump is, what it holds, and why the machine stopped. */
export function infoDocument(dump: OpenedDump, kernel: Kernel, notes: readonly string[]): InfoDocument {
  const { facts, memory } = dump;
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
    processors: facts.processors?.value ?? null,
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
    contexts: kernel.contexts,
    pages: "pages" in memory ? { present: memory.pages.present, missing: memory.pages.missing } : null,
    attributes: dump.header?.attributes ?? null,
    modules: kernel.modules.items.length,
    notes,
  };
}

/** 100 ns between 1601 and 1970. */
const UNIX_EPOCH = 116_444_736_000_000_000n;

/** A FILETIME as ISO 8601; null where no calendar has it. */
function isoTime(fileTime: bigint): string | null {
  const time = new Date(Number((fileTime - UNIX_EPOCH) / 10_000n));
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
