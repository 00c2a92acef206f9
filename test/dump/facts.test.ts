import { describe, expect, it } from "vitest";
import { kdbgBytes } from "../../samples/writer/kdbg.mjs";
import { Machine } from "../../samples/writer/machine.mjs";
import { writeTriageDump } from "../../samples/writer/triage.mjs";
import type { Fact, MachineFacts } from "../../src/dump/facts.ts";
import { readDump } from "../../src/dump/open.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { dumpBytes, type Patch } from "../fixtures/dump-bytes.ts";

function factsOf(bytes: Uint8Array): MachineFacts {
  return readDump(new BytesSource(bytes, "x.dmp")).facts;
}

function made(bits: 32 | 64, patches: Readonly<Record<number, Patch>> = {}): MachineFacts {
  return factsOf(dumpBytes(bits, 0x4000, patches));
}

const inHeader = <T>(value: T): Fact<T> => ({ value, source: "header" });

describe("what a crash dump knows of its machine", () => {
  it("is what its header says, each from there", () => {
    expect(
      made(64, {
        12: 19041,
        16: 0x1aa002n,
        32: 0xfffff80510af62f0n,
        40: 0xfffff80510ae6980n,
        56: 0xe2,
        64: 1n,
        72: 2n,
        80: 3n,
        88: 4n,
        128: 0xfffff80510ad45e0n,
        4008: 132583451029877657n,
        4144: 37470697n,
      }),
    ).toMatchObject({
      source: "header",
      machine: inHeader("x64"),
      build: inHeader(19041),
      processors: inHeader(1),
      roots: [inHeader(0x1aa002n)],
      moduleList: inHeader(0xfffff80510af62f0n),
      processList: inHeader(0xfffff80510ae6980n),
      kdbg: inHeader(0xfffff80510ad45e0n),
      bugcheck: inHeader({ code: 0xe2, parameters: [1n, 2n, 3n, 4n] }),
      taken: inHeader(132583451029877657n),
      upTime: inHeader(37470697n),
      contexts: [],
    });
  });

  it("is next to nothing where the header says nothing", () => {
    const { source, machine, processors, ...rest } = made(64);
    expect({ source, machine, processors }).toEqual({
      source: "header",
      machine: inHeader("x64"),
      processors: inHeader(1),
    });
    expect(Object.entries(rest).filter(([, value]) => value !== undefined)).toEqual([
      ["roots", []],
      ["contexts", []],
    ]);
  });

  it("has the larger page tables of 32-bit machines, where the header says so", () => {
    expect([made(32, { 0x5c: 1 }), made(32, { 0x5c: 0 }), made(32)].map(({ pae }) => pae)).toEqual([
      inHeader(true),
      inHeader(false),
      undefined,
    ]);
  });

  it("has the runs of physical memory of a full dump, though the file ends before them", () => {
    const facts = made(64, {
      0xf98: 1,
      0x88: 2,
      0x90: 0x7ff9en,
      0x98: 1n,
      0xa0: 0x9en,
      0xa8: 0x200n,
      0xb0: 0x7ff00n,
    });
    expect(facts.runs).toMatchObject(
      inHeader([
        { pfn: 1, count: 0x9e },
        { pfn: 0x200, count: 0x7ff00 },
      ]),
    );
  });
});

describe.each(["pae", "x64"] as const)("what a triage dump of mode %s knows of its machine", (mode) => {
  const machine = new Machine({ mode });
  const base = machine.is64 ? 0xfffff80640000000n : 0x80800000n;
  const kdbg = kdbgBytes({ size: 0x318, is64: machine.is64, listHead: base, fields: { KernBase: base } });
  const facts = factsOf(
    writeTriageDump(machine, {
      header: { minor: machine.build, kdDebuggerDataBlock: base + 0x3000n },
      drivers: [{ path: "\\SystemRoot\\system32\\ntoskrnl.exe", base, size: 0x400000 }],
      unloaded: [{ name: "gone.sys", start: base + 0x900000n, end: base + 0x901000n }],
      kdbg,
      mm: {
        nonPagedMax: 1,
        nonPaged: 2,
        pagedMax: 3,
        paged: 4,
        committed: 5,
        committedPeak: 6,
        commitLimit: 7,
      },
    }),
  );

  it("is what the kernel copied behind the header, beside what the header says", () => {
    expect(facts).toMatchObject({
      kdbg: inHeader(base + 0x3000n),
      drivers: { source: "triage", value: { claimed: 1, items: [{ base, size: 0x400000 }] } },
      unloaded: { source: "triage", value: { items: [{ name: "gone.sys" }] } },
      memory: { source: "triage", value: { committedPages: 5 } },
    });
  });

  it("has the copy of KDBG to its last byte", () => {
    expect(facts.kdbgCopy?.source).toBe("triage");
    expect(Buffer.from(facts.kdbgCopy!.value.array).equals(kdbg)).toBe(true);
  });
});
