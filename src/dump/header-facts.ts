import { parseContext } from "./context.ts";
import { type FactSource, fact, type MachineFacts } from "./facts.ts";
import { statedRuns } from "./full.ts";
import type { DumpHeader } from "./header.ts";

/**
 * What a Windows crash header says of the machine. Containers of other formats can hold such a header as well.
 *
 * @param source the part of the container that the header is
 */
export function headerFacts(header: DumpHeader, source: FactSource): MachineFacts {
  const { machine, context, directoryTableBase } = header;
  const registers = context && parseContext(context.array, machine);
  return {
    source,
    machine: fact(machine, source),
    build: fact(header.build, source),
    processors: fact(header.processors, source),
    roots: directoryTableBase === undefined ? [] : [{ value: directoryTableBase, source }],
    pae: fact(header.paeEnabled, source),
    moduleList: fact(header.psLoadedModuleList, source),
    processList: fact(header.psActiveProcessHead, source),
    kdbg: fact(header.kdDebuggerDataBlock, source),
    contexts: registers === undefined ? [] : [{ value: registers, source }],
    runs: fact(statedRuns(header), source),
    bugcheck: fact(header.bugcheck, source),
    taken: fact(header.systemTime, source),
    upTime: fact(header.upTime, source),
  };
}
