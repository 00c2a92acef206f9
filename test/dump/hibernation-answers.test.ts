import { describe, expect, it } from "vitest";
import { article2003 } from "../../samples/article-2003.mjs";
import { leakX64 } from "../../samples/leak-x64.mjs";
import { writeDump } from "../../samples/writer/dump.mjs";
import { writeHibernation } from "../../samples/writer/hibernation.mjs";
import { writeHibernation7 } from "../../samples/writer/hibernation-7.mjs";
import type { Machine } from "../../samples/writer/machine.mjs";
import { va } from "../../src/core/address.ts";
import { type FactSource, fact } from "../../src/dump/facts.ts";
import { readDump } from "../../src/dump/open.ts";
import { type Kernel, readKernel } from "../../src/kernel/kernel.ts";
import { readMemorySummary } from "../../src/pool/memory-summary.ts";
import { poolKernelOf } from "../../src/pool/pool-kernel.ts";
import { readTagTable } from "../../src/pool/tracker/read.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";

const leak = leakX64();
const article = article2003();
const systemTime = 133_456_789_012_345_678n;

/** What the questions stand on: all of it is read through the page map. */
function answers(kernel: Kernel) {
  const pool = poolKernelOf(kernel);
  const table = readTagTable(pool);
  return {
    modules: kernel.modules.items,
    unloaded: kernel.unloaded.items,
    processes: kernel.processes.items,
    processors: kernel.processors.items,
    kdbg: { ...kernel.kdbg, foundBy: undefined },
    tags: "missing" in table ? table : table.tags,
    memory: readMemorySummary(pool),
  };
}

const x64 = leak.system.machine;
const x86 = article.machine;

describe.each([
  ["8.1", x64, leak.header, writeHibernation(x64, { form: "8.1", packing: "plain", systemTime })],
  ["10", x64, leak.header, writeHibernation(x64, { form: "10", packing: "mixed", systemTime })],
  ["11", x64, leak.header, writeHibernation(x64, { form: "11", packing: "huffman", systemTime })],
  ["7, x64", x64, leak.header, writeHibernation7(x64, { systemTime })],
  ["7, x86", x86, article.header, writeHibernation7(x86, { systemTime })],
  ["10, x86", x86, article.header, writeHibernation(x86, { form: "10-x86", packing: "mixed", systemTime })],
] as const)("a hibernation file of Windows %s of which it is known where the kernel is", (...row) => {
  const [, machine, header, bytes] = row;
  const told: FactSource = "header";
  const dump = readDump(new BytesSource(bytes, "hiberfil.sys"));
  const kernel = readKernel({
    ...dump,
    facts: {
      ...dump.facts,
      build: fact(header.minor, told),
      roots:
        dump.facts.roots.length > 0
          ? dump.facts.roots
          : [{ value: machine.directoryTableBase, source: told }],
      processors: fact(machine.processors, told),
      moduleList: fact(va(header.psLoadedModuleList!), told),
      processList: fact(va(header.psActiveProcessHead!), told),
      kdbg: fact(va(header.kdDebuggerDataBlock!), told),
    },
  });

  it("gives what the crash dump of the same machine gives", () => {
    const written = writeDump(machine as Machine, { type: "full", header });
    const wanted = answers(readKernel(readDump(new BytesSource(written, "x.dmp"))));
    expect(answers(kernel)).toEqual(wanted);
    expect(wanted.modules.length).toBeGreaterThan(3);
    expect(wanted.tags).not.toHaveProperty("missing");
  });

  it("has no bugcheck, and lost no page", () => {
    expect(kernel.facts.bugcheck).toBeUndefined();
    expect(dump.notes).toEqual([]);
  });
});
