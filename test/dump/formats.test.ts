import { describe, expect, it } from "vitest";
import { article2003 } from "../../samples/article-2003.mjs";
import { leakX64 } from "../../samples/leak-x64.mjs";
import { writeDump } from "../../samples/writer/dump.mjs";
import { writeModuleList } from "../../samples/writer/kernel.mjs";
import { Machine } from "../../samples/writer/machine.mjs";
import { type Va, va } from "../../src/core/address.ts";
import { crashDump } from "../../src/dump/crash-dump.ts";
import type { Fact } from "../../src/dump/facts.ts";
import type { DumpFormat, OpenedDump } from "../../src/dump/format.ts";
import { openWith, readDump } from "../../src/dump/open.ts";
import { RunMap } from "../../src/dump/run-map.ts";
import { readKernel } from "../../src/kernel/kernel.ts";
import { poolKernelOf } from "../../src/pool/pool-kernel.ts";
import { readTagTable } from "../../src/pool/tracker/read.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";

/** Of a made machine: its pages in one file, and in `pages.idx` beside it the page numbers in that order. */
function twoFiles(machine: Machine): { main: BytesSource; index: BytesSource } {
  const pages = [...machine.pages()];
  const main = new Uint8Array(4 + pages.length * 0x1000);
  main.set([0x46, 0x4c, 0x41, 0x54]);
  pages.forEach(([, bytes], i) => void main.set(bytes, 4 + i * 0x1000));
  const index = Uint32Array.from(pages, ([pfn]) => pfn);
  return {
    main: new BytesSource(main, "flat.mem"),
    index: new BytesSource(new Uint8Array(index.buffer), "pages.idx"),
  };
}

/** A format that knows no more of the machine than where these stand. */
const flat = (known: { build: number; root: bigint; moduleList: Va; kdbg: Va }): DumpFormat => ({
  starts: "FLAT",
  recognise: (head) => head.length >= 4 && head.u32(0, "the signature") === 0x54414c46,
  open({ main, sibling }): OpenedDump {
    const index = sibling("pages.idx");
    if (index === undefined) throw new Error("no index");
    const numbers = new Uint32Array(index.size / 4);
    index.read(0, new Uint8Array(numbers.buffer));
    const table = {
      pfns: Float64Array.from(numbers),
      counts: new Float64Array(numbers.length).fill(1),
      fileOffsets: Float64Array.from(numbers, (_, i) => 4 + i * 0x1000),
    };
    return {
      source: main,
      kind: "full",
      memory: { source: main, pages: new RunMap(table, main.size) },
      facts: {
        source: "header",
        build: fact(known.build),
        // the first is of a processor that stopped elsewhere
        roots: [fact(0x1000n), fact(known.root)],
        contexts: [],
        moduleList: fact(known.moduleList),
        kdbg: fact(known.kdbg),
      },
      writer: undefined,
      header: undefined,
      notes: [],
    };
  },
});

function fact<T>(value: T): Fact<T> {
  return { value, source: "header" };
}

const leak = leakX64();
const article = article2003();

describe.each([
  ["leak-x64", leak.system.machine, leak.header, "x64"],
  ["article-2003", article.machine, article.header, "x86-pae"],
] as const)("the memory of %s in a format of two files", (_name, machine, header, paging) => {
  const { main, index } = twoFiles(machine);
  const own = flat({
    build: header.minor!,
    root: machine.directoryTableBase,
    moduleList: va(header.psLoadedModuleList!),
    kdbg: va(header.kdDebuggerDataBlock!),
  });
  const formats = [crashDump, own];
  const sibling = (name: string) => (name === index.name ? index : undefined);
  const written = readKernel(
    readDump(new BytesSource(writeDump(machine, { type: "full", header }), "x.dmp")),
  );
  const kernel = readKernel(openWith(formats, { main, sibling }));

  it("is read though nothing says the machine", () => {
    const { paging: found, machine: name, base, notes } = kernel;
    expect({ found, name, base, notes }).toEqual({
      found: paging,
      name: written.machine,
      base: written.base,
      notes: [],
    });
  });

  it("gives the modules and the KDBG that the crash dump gives", () => {
    expect(kernel.modules).toEqual(written.modules);
    expect(kernel.modules.items.length).toBeGreaterThan(3);
    expect(kernel.kdbg).toEqual(written.kdbg);
  });

  it("gives the same use of pool", () => {
    const [one, other] = [kernel, written].map((from) => {
      const table = readTagTable(poolKernelOf(from));
      return "missing" in table ? table : table.tags;
    });
    expect(one).toEqual(other);
    expect(one).not.toHaveProperty("missing");
  });

  it("asks for the file beside it by name, and for no other", () => {
    const asked: string[] = [];
    const ask = (name: string) => {
      asked.push(name);
      return index;
    };
    openWith(formats, { main, sibling: ask });
    expect(asked).toEqual(["pages.idx"]);
  });
});

describe("a machine that no format names", () => {
  // x64's page tables can be read as ARM64's, and the reverse; nt's image says which they are
  it.each([
    ["x64", 0x8664],
    ["arm64", 0xaa64],
  ] as const)("is %s by the headers of nt", (mode, number) => {
    const machine = new Machine({ mode, build: 19041, physicalPages: 0x4000 });
    const base = 0xfffff80640000000n;
    machine.map(base, 0x2000);
    machine
      .u32(base, 0x5a4d)
      .u32(base + 0x3cn, 0x80)
      .u32(base + 0x80n, 0x4550)
      .u32(base + 0x84n, number);
    const list = machine.allocate(0x10);
    writeModuleList(machine, list, [{ base, size: 0x2000, name: "ntoskrnl.exe" }]);
    const format = flat({
      build: 19041,
      root: machine.directoryTableBase,
      moduleList: va(list),
      kdbg: va(base),
    });
    const { main, index } = twoFiles(machine);
    const kernel = readKernel(openWith([format], { main, sibling: () => index }));
    expect([kernel.machine, kernel.paging]).toEqual([mode, mode]);
  });
});

describe("the table of formats", () => {
  const file = (text: string) => ({
    main: new BytesSource(Buffer.from(text), "x"),
    sibling: () => undefined,
  });
  const named = (starts: string): DumpFormat => ({
    starts,
    recognise: (head) => Buffer.from(head.array).toString("latin1").startsWith(starts),
    open: () => {
      throw new Error(`opened as ${starts}`);
    },
  });

  it("gives a file to the first format that knows it", () => {
    expect(() => openWith([named("AA"), named("A"), named("AAA")], file("AAA"))).toThrow("opened as AA");
  });

  it("names what every format starts with where none knows the file", () => {
    expect(() => openWith([named("A"), named("B")], file("PK\u0003\u0004"))).toThrow(
      expect.objectContaining({
        name: "FormatError",
        offset: 0,
        expected: "A, or B",
        found: expect.stringMatching(/a zip archive/),
      }),
    );
  });

  it("shows a format the head, however short the file", () => {
    const lengths: number[] = [];
    const probe: DumpFormat = {
      ...named("?"),
      recognise: ({ length, file: name }) => {
        expect(name).toBe("x");
        lengths.push(length);
        return false;
      },
    };
    for (const size of [0, 1, 0x5000]) {
      const main = new BytesSource(new Uint8Array(size), "x");
      expect(() => openWith([probe], { main, sibling: () => undefined })).toThrow();
    }
    expect(lengths).toEqual([0, 1, 0x1000]);
  });
});
