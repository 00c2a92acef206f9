import type { Dump as DumpFile } from "../dump/open.ts";
import { nameBugcheck } from "../kernel/bugchecks.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { InfoDocument } from "../report/documents.ts";

/** What the dump is, what it holds, and why the machine stopped. */
export function infoDocument(dump: DumpFile, kernel: Kernel, notes: readonly string[]): InfoDocument {
  const { header, body } = dump;
  return {
    file: dump.source.name,
    fileSize: dump.source.size,
    machine: header.machine,
    paging: kernel.paging ?? null,
    build: header.build ?? null,
    buildLab: kernel.buildLab ?? null,
    dumpType: body.kind,
    writer: header.writer ?? null,
    processors: header.processors ?? null,
    directoryTableBase: header.directoryTableBase ?? null,
    psLoadedModuleList: header.psLoadedModuleList ?? null,
    kdDebuggerDataBlock: kernel.kdbg?.address ?? header.kdDebuggerDataBlock ?? null,
    kdDebuggerDataBasis: kernel.kdbg?.foundBy ?? null,
    kernelBase: kernel.base ?? null,
    systemTime: header.systemTime === undefined ? null : isoTime(header.systemTime),
    upTime: header.upTime === undefined ? null : Number(header.upTime / 10_000n) / 1000,
    bugcheck:
      header.bugcheck === undefined
        ? null
        : {
            code: header.bugcheck.code,
            name: nameBugcheck(header.bugcheck.code) ?? null,
            parameters: header.bugcheck.parameters,
          },
    contexts: kernel.contexts,
    pages: "pages" in body ? { present: body.pages.present, missing: body.pages.missing } : null,
    attributes: header.attributes ?? null,
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
