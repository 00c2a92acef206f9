import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openDump, toVa } from "../../src/index.ts";
import type { InfoDocument } from "../../src/report/documents.ts";
import { PLAIN } from "../../src/report/style.ts";
import { renderText } from "../../src/report/text.ts";

const view = { style: PLAIN, pointerSize: 8 as const };
const address = toVa(0xfffff8048140120cn);

describe("what an answer says where it knows little", () => {
  it("is not that a dump cut off behind its header is a triage dump", () => {
    const info: InfoDocument = {
      file: "cut.dmp",
      fileSize: 0x2000,
      machine: "x64",
      paging: null,
      build: 19041,
      buildLab: null,
      dumpType: "header-only",
      writer: null,
      processors: 4,
      directoryTableBase: null,
      psLoadedModuleList: null,
      kdDebuggerDataBlock: null,
      kdDebuggerDataBasis: null,
      kernelBase: null,
      systemTime: null,
      upTime: null,
      bugcheck: null,
      occasion: null,
      exception: null,
      stoppedAt: null,
      current: null,
      contexts: [],
      pages: null,
      attributes: null,
      modules: 0,
      sources: {},
      notes: [],
    };
    expect(renderText("info", info, view)).toMatch(/^pages +none that can be placed$/m);
    expect(renderText("info", { ...info, dumpType: "triage" }, view)).toMatch(/^pages +none: a triage dump/m);
  });

  it("is not that a driver without exports has a first exported name", () => {
    const row = {
      address,
      module: "ctstor",
      rva: 0x120c,
      below: null,
      above: null,
      symbol: null,
      function: null,
      notes: [],
    };
    expect(renderText("near", { symbols: [row] }, view)).toBe(
      "ctstor+0x120c, with no exported name at or below it\n  the function it stands in is not known",
    );
  });

  it("counts one place as one", () => {
    const pointer = { address, module: "AsIO2", rva: 0x40d0, section: null, slot: null, bytes: "80 5a" };
    const document = { target: address, pointers: [pointer], coverage: [], notes: [] };
    expect(renderText("pointers", document as never, view)).toContain("1 place holds fffff804`8140120c");
  });

  it("is the header's count of pages where a full dump is cut off before its KDBG", () => {
    const cut = new Uint8Array(readFileSync("samples/article-2003.dmp").subarray(0, 0x5000));
    using dump = openDump(cut);
    const { pages, sources } = dump.memory();
    expect([pages.physical, sources.physical]).toEqual([
      832,
      "the runs of physical memory in the dump's header",
    ]);
    expect(dump.notes).toContain(
      "no debugger data block (KDBG) was found: pool tags and memory counters are not known",
    );
    expect(dump.trace("Se").next.join()).not.toContain("a triage dump holds");
  });
});
