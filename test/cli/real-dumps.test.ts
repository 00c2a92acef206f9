import { statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pooltrail, pooltrailJson } from "../fixtures/cli.ts";
import { realDump } from "../fixtures/real-dumps.ts";

/**
 * The real triage dumps through the command line. What is expected are the values of rizin's test database
 * (test/db/formats/dmp/dmp), each read again from the bytes.
 */
const X64 = realDump("triage_x64.dmp");
const ARM64 = realDump("triage_arm64.dmp");

type Json = Record<string, unknown>;

/** What `info` says, with the registers of one set beside it. */
function infoOf(path: string): { info: Json; registers: (which: string) => Json } {
  const info = pooltrailJson("info", path);
  return {
    info,
    registers: (which) => info.contexts.find((set: { which: string }) => set.which === which).registers,
  };
}

describe.skipIf(X64 === undefined)("triage_x64.dmp", () => {
  const path = X64 ?? "";

  it("is what rizin says it is", () => {
    const { info } = infoOf(path);
    expect(info).toMatchObject({
      fileSize: 1_444_532,
      machine: "x64",
      build: 19041,
      buildLab: "19041.1.amd64fre.vb_release.191206-1406",
      dumpType: "triage",
      processors: 16,
      directoryTableBase: "0x1ad000",
      psLoadedModuleList: "0xfffff8047c62a390",
      kdDebuggerDataBlock: "0xfffff8047c600b20",
      kernelBase: "0xfffff8047ba00000",
      bugcheck: {
        code: 0x1000007e,
        name: "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M",
        parameters: ["0xffffffffc0000005", "0xfffff8048b58334c", "0xffff850429891ee8", "0xffff850429891720"],
      },
      pages: null,
      modules: 151,
    });
    expect(statSync(path).size).toBe(1_444_532);
  });

  it("takes no inside of a function for one, where the unwind data is not there", () => {
    // Read from the bytes: the ends of functions (41 5e 41 5d 41 5c 5f 5e 5d c3, and a c3 after 41 5f 5f 5b), and
    // cold blocks behind an int3 that write to the frame of another function, at ...11cab and ...08494.
    const entries = pooltrailJson("functions", path, "nt").functions.map(
      ({ entry }: { entry: string }) => entry,
    );
    expect(entries).toContain("0xfffff8047bd17dd0");
    for (const inside of [
      "0xfffff8047bc11ca0",
      "0xfffff8047bc11cab",
      "0xfffff8047bc4a340",
      "0xfffff8047bc08494",
    ])
      expect(entries).not.toContain(inside);
  });

  it("shows the registers at the bugcheck and those at the exception, each labelled", () => {
    const { registers } = infoOf(path);
    expect(registers("prcb")).toMatchObject({
      rip: "0xfffff8047bdf5a80",
      rsp: "0xffff850429890ee8",
      rbp: "0xffff850429892c10",
      rax: "0xffff850429891720",
      rbx: "0xfffff8047ba82b68",
      rcx: "0x7e",
      rdx: "0xffffffffc0000005",
      rsi: "0x0",
      rdi: "0x0",
      r8: "0xfffff8048b58334c",
      r9: "0xffff850429891ee8",
      r10: "0xffff850429891ee8",
      r11: "0xffff8afd53400000",
      r12: "0xffff850429892c10",
      r13: "0xffff850429891ee8",
      r14: "0xffff850429891560",
      r15: "0xfffff8047ba00000",
      rflags: "0x40286",
      mxcsr: "0x1f80",
    });
    expect(registers("header")).toMatchObject({
      rip: "0xfffff8048b58334c",
      rsp: "0xffff850429892120",
      rax: "0xffffc08be4da6240",
      rcx: "0x20",
      rflags: "0x50246",
    });
  });

  it("lists 151 modules, and puts the frames of its stack into the right ones", () => {
    const { modules } = pooltrailJson("modules", path);
    expect(modules).toHaveLength(151);
    expect(modules[0]).toMatchObject({
      name: "nt",
      imageName: "ntoskrnl.exe",
      base: "0xfffff8047ba00000",
    });
    const { symbols } = pooltrailJson(
      "near",
      path,
      "fffff8047bdf5a80",
      "fffff8048b58334c",
      "fffff8048b5a0e8f",
      "fffff804799cc027",
      "fffff8047bc52f55",
      "fffff8047bc25975",
    );
    const found = symbols.map((row: Json) => row.module);
    expect(found).toEqual(["nt", "amdppm", "amdppm", "Wdf01000", "nt", "nt"]);
  });

  it("reads what it holds and shows the rest as holes", () => {
    // KDBG+0x10 is its tag
    expect(pooltrailJson("read", path, "fffff8047c600b30", "4")).toMatchObject({
      bytes: "4b 44 42 47",
      holes: [],
    });
    // KernBase stands at KDBG+0x18
    expect(pooltrailJson("read", path, "fffff8047c600b38", "8").bytes).toBe("00 00 a0 7b 04 f8 ff ff");
    const { bytes, holes } = pooltrailJson("read", path, "fffff80479440000", "10");
    expect(bytes).toBe(Array(16).fill("??").join(" "));
    expect(holes).toMatchObject([{ address: "0xfffff80479440000", length: 16 }]);
  });

  it.each([
    ["tags", /no tag table found, because a triage dump \(minidump\) does not hold it; a kernel dump/],
    ["memory", /Paged ?Pool Usage +not known/i],
    ["trace", /no tag table found, because a triage dump/],
    ["trace Se", /Not known[\s\S]*no tag table found, because a triage dump[\s\S]*--images/],
    ["scan Se", /unknown, not absent/],
  ])("says in words what %s cannot answer", (line, says) => {
    const [command = "", ...operands] = line.split(" ");
    const { stdout, code } = pooltrail(command, path, ...operands);
    expect(code).toBe(0);
    expect(stdout).toMatch(says);
  });

  it("gives null, not 0, for what is not known", () => {
    const { pages, reasons } = pooltrailJson("memory", path);
    for (const line of ["pagedUsage", "nonPagedUsage", "available", "committed"]) {
      expect([line, pages[line], typeof reasons[line]]).toEqual([line, null, "string"]);
    }
    expect(pooltrailJson("tags", path)).toMatchObject({ totals: null, complete: false });
    expect(pooltrailJson("trace", path, "Se")).toMatchObject({ usage: null, conclusion: { module: null } });
  });
});

describe.skipIf(ARM64 === undefined)("triage_arm64.dmp", () => {
  const path = ARM64 ?? "";

  it("is what rizin says it is", () => {
    const { info } = infoOf(path);
    expect(info).toMatchObject({
      fileSize: 1_216_428,
      machine: "arm64",
      build: 22000,
      buildLab: "22000.1.arm64fre.co_release.210604-1628",
      dumpType: "triage",
      processors: 8,
      directoryTableBase: "0x946aa000",
      psLoadedModuleList: "0xfffff803f3a2aa20",
      kdDebuggerDataBlock: "0xfffff803f3a00d00",
      kernelBase: "0xfffff803f2e00000",
      bugcheck: {
        code: 0x1c8,
        name: "MANUALLY_INITIATED_POWER_BUTTON_HOLD",
        parameters: ["0x1b58", "0xfffff803f3a20860", "0x0", "0x0"],
      },
      pages: null,
      modules: 245,
    });
  });

  it.each(["header", "prcb"])("shows the registers of the %s", (which) => {
    const { registers } = infoOf(path);
    expect(registers(which)).toMatchObject({
      pc: "0xfffff803f32de014",
      sp: "0xffffe00e0e4bc4a0",
      fp: "0xffffe00e0e4bc4a0",
      lr: "0x0",
      cpsr: "0x80000144",
      fpsr: "0x10",
      x3: "0xfffff803f3a36aa0",
      x6: "0xfffff803f3a16000",
      x7: "0x64d",
      x11: "0xffffe00e0e4bd000",
      x12: "0xffffe00e0e4b5000",
      x17: "0x6402a279369a",
      x18: "0xfffff803efd00000",
      x19: "0xfffff803efd00980",
      x25: "0x1b58",
      x26: "0xfffff803f3a20860",
    });
  });

  it("lists 245 modules, and puts the frames of its stack into nt", () => {
    const { modules } = pooltrailJson("modules", path);
    expect(modules).toHaveLength(245);
    expect(modules[0]).toMatchObject({ name: "nt", base: "0xfffff803f2e00000" });
    const frames = ["fffff803f32de014", "fffff803f33442a0", "fffff803f309ff1c", "fffff803f3007de4"];
    const { symbols } = pooltrailJson("near", path, ...frames);
    expect(symbols.map((row: Json) => row.module)).toEqual(["nt", "nt", "nt", "nt"]);
  });

  it("reads KDBG, and says in words what it cannot answer", () => {
    expect(pooltrailJson("read", path, "fffff803f3a00d10", "4").bytes).toBe("4b 44 42 47");
    expect(pooltrail("tags", path).stdout).toMatch(/no tag table found, because a triage dump/);
    expect(pooltrail("trace", path, "Se").stdout).toMatch(/Not known/);
  });
});
