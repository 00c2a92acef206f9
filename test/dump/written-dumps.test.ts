import { describe, expect, it } from "vitest";
import { writeDump } from "../../samples/writer/dump.mjs";
import { Machine } from "../../samples/writer/machine.mjs";
import { PAGE_SIZE } from "../../src/core/address.ts";
import { type CrashDump, readCrashDump } from "../../src/dump/crash-dump.ts";
import { NOT_IN_DUMP, type PageMap } from "../../src/dump/page-map.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";

// the writer shares no code with the reader
const FORMS = [
  ["x86", "full", "full"],
  ["pae", "full", "full"],
  ["pae", "summary", "summary"],
  ["pae", "bitmap-kernel", "bitmap-kernel"],
  ["x64", "full", "full"],
  ["x64", "summary", "summary"],
  ["x64", "bitmap-full", "bitmap-full"],
  ["x64", "bitmap-kernel", "bitmap-kernel"],
  ["x64", "rdmp", "rdmp-kernel"],
  ["x64", "rdmp-full", "rdmp-full"],
  ["arm64", "bitmap-kernel", "bitmap-kernel"],
] as const;

function machineOf(mode: "x86" | "pae" | "x64" | "arm64"): Machine {
  const machine = new Machine({ mode, physicalPages: 0x9011, chunkFrames: 16, processors: 2 });
  const base = machine.is64 ? 0xfffff80640000000n : 0x80800000n;
  machine.map(base, 0x40000);
  machine.write(
    base,
    Uint8Array.from({ length: 0x40000 }, (_, i) => (i >> 12) ^ i),
  );
  return machine;
}

function pagesOf({ body }: CrashDump): PageMap {
  if (!("pages" in body)) throw new Error(`a ${body.kind} dump has no pages`);
  return body.pages;
}

describe.each(FORMS)("a dump of a machine in mode %s, written as %s", (mode, type, kind) => {
  const machine = machineOf(mode);
  const written: ReadonlyMap<number, Uint8Array> =
    type === "full" ? machine.pagesWithFiller() : machine.pages();
  const fields = {
    minor: 3790,
    psLoadedModuleList: machine.is64 ? 0xfffff80640001238n : 0x80801238n,
    bugcheck: { code: 0xe2, parameters: [1n, 2n, 3n, 0x80000004n] as const },
    systemTime: 132583451029877657n,
    comment: "written for a test",
  };
  const bytes = writeDump(machine, { type, header: fields });
  const dump = readCrashDump(new BytesSource(bytes, "written.dmp"));

  it("opens as what it is, with nothing odd about it", () => {
    expect([dump.body.kind, dump.notes]).toEqual([kind, []]);
    expect(dump.header).toMatchObject({
      bits: machine.is64 ? 64 : 32,
      machineType: machine.machineType,
      build: fields.minor,
      directoryTableBase: machine.directoryTableBase,
      processors: 2,
      psLoadedModuleList: fields.psLoadedModuleList,
      bugcheck: fields.bugcheck,
      systemTime: fields.systemTime,
      comment: fields.comment,
      requiredDumpSpace: BigInt(bytes.length),
      paeEnabled: machine.is64 ? undefined : mode === "pae",
      kdDebuggerDataBlock: undefined,
    });
  });

  it("gives each page that was written, and no other", () => {
    const pages = pagesOf(dump);
    expect([pages.present, pages.missing, pages.highestPfn]).toEqual([
      written.size,
      0,
      Math.max(...written.keys()),
    ]);
    const wrong = [...Array(machine.physicalPages + 1).keys()].filter((pfn) => {
      const page = written.get(pfn);
      const offset = pages.locate(pfn);
      if (page === undefined) return offset !== NOT_IN_DUMP;
      return Buffer.compare(bytes.subarray(offset, offset + PAGE_SIZE), page) !== 0;
    });
    expect(wrong).toEqual([]);
  });

  it("lists the pages as runs that stand together", () => {
    const pages = pagesOf(dump);
    const listed = [...pages.runs()].flatMap(({ pfn, count, fileOffset }) => {
      expect([pages.locate(pfn), pages.runLength(pfn, count)]).toEqual([fileOffset, count]);
      return [...Array(count).keys()].map((i) => pfn + i);
    });
    expect(listed).toEqual([...written.keys()].sort((a, b) => a - b));
  });

  // the cut stands in the tenth page of the file's last run or before
  it("opens when the file was cut off, and counts what is missing", () => {
    const cut = bytes.subarray(0, bytes.length - 9 * PAGE_SIZE - 1);
    const pages = pagesOf(readCrashDump(new BytesSource(cut, "cut.dmp")));
    expect([pages.present, pages.missing]).toEqual([written.size - 10, 10]);
  });
});
