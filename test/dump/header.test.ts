import { describe, expect, it } from "vitest";
import { writerOf } from "../../src/dump/attributes.ts";
import { readDumpHeader } from "../../src/dump/header.ts";
import { readDump } from "../../src/dump/open.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { openFile } from "../../src/source/node-files.ts";
import { dumpBytes, type Patch } from "../fixtures/dump-bytes.ts";
import { realDump } from "../fixtures/real-dumps.ts";

function header(bits: 32 | 64, patches: Readonly<Record<number, Patch>> = {}) {
  return readDumpHeader(new BytesSource(dumpBytes(bits, 0x2000, patches), "x.dmp"));
}

describe("readDumpHeader, 64 bits", () => {
  it("takes what still reads PAGE for absent", () => {
    const { bits, machine, machineType, processors, headerSize, ...rest } = header(64);
    expect({ bits, machine, machineType, processors, headerSize }).toEqual({
      bits: 64,
      machine: "x64",
      machineType: 0x8664,
      processors: 1,
      headerSize: 0x2000,
    });
    expect(Object.entries(rest).filter(([, value]) => value !== undefined)).toEqual([]);
  });

  it("reads each field from its place, exact to the last bit", () => {
    const found = header(64, {
      8: 0xf,
      12: 19041,
      16: 0x6d4002n,
      24: 0xfffff80510c22468n,
      32: 0xfffff80510af62f1n,
      40: 0xfffff80510ae6981n,
      48: 0xaa64,
      52: 16,
      56: 0x1000007e,
      64: 0xffffffffc0000005n,
      72: 0xfffff8048b58334cn,
      80: 3n,
      88: 4n,
      128: 0xfffff80510ad45e1n,
      3992: 6,
      4000: 0x100002000n,
      4008: 132583451029877657n,
      4016: "by hand\0",
      4144: 37470697n,
      4152: 0xcff,
      4156: 2,
      4160: 3,
      4164: 0x110,
      4168: 2,
      4176: 0x1c,
    });
    expect(found).toMatchObject({
      machine: "arm64",
      majorVersion: 0xf,
      build: 19041,
      directoryTableBase: 0x6d4002n,
      pfnDatabase: 0xfffff80510c22468n,
      psLoadedModuleList: 0xfffff80510af62f1n,
      psActiveProcessHead: 0xfffff80510ae6981n,
      kdDebuggerDataBlock: 0xfffff80510ad45e1n,
      processors: 16,
      bugcheck: { code: 0x1000007e, parameters: [0xffffffffc0000005n, 0xfffff8048b58334cn, 3n, 4n] },
      dumpType: 6,
      requiredDumpSpace: 0x100002000n,
      systemTime: 132583451029877657n,
      upTime: 37470697n,
      comment: "by hand",
      miniDumpFields: 0xcff,
      secondaryDataState: 2,
      productType: 3,
      suiteMask: 0x110,
      writerStatus: 2,
      attributes: 0x1c,
      writer: "kernel",
      paeEnabled: undefined,
    });
  });

  it("reads the exception, and no more parameters than it has", () => {
    const exception = {
      3840: 0xc0000005,
      3844: 1,
      3856: 0xfffff8048b58334cn,
      3864: 2,
      3872: 1n,
      3880: 0x20n,
    };
    expect(header(64, exception).exception).toEqual({
      code: 0xc0000005,
      flags: 1,
      address: 0xfffff8048b58334cn,
      parameters: [1n, 0x20n],
    });
    expect(header(64, { ...exception, 3864: 0xffffffff }).exception?.parameters).toHaveLength(15);
  });

  it("knows where the context and the runs stand in the file", () => {
    const found = header(64, { 136: 1, 840: 0n });
    expect([found.memoryBlock?.fileOffset, found.memoryBlock?.length]).toEqual([0x88, 700]);
    expect([found.context?.fileOffset, found.context?.length]).toEqual([0x348, 3000]);
  });

  // tools that convert dumps zero what they do not know
  it("takes an address, a time or a size of 0 for absent, but not a bugcheck of 0", () => {
    const found = header(64, { 56: 0, 64: 0n, 72: 0n, 80: 0n, 88: 0n, 128: 0n, 4008: 0n, 4144: 0n });
    expect(found).toMatchObject({ kdDebuggerDataBlock: undefined, systemTime: undefined, upTime: undefined });
    expect(found.bugcheck).toEqual({ code: 0, parameters: [0n, 0n, 0n, 0n] });
  });

  it.each([0, 2049, 0x45474150])("does not believe in %s processors", (processors) => {
    expect(header(64, { 52: processors }).processors).toBeUndefined();
  });
});

describe("readDumpHeader, 32 bits", () => {
  it("reads each field from its place", () => {
    const found = header(32, {
      8: 0xf,
      12: 3790,
      16: 0x2c0020,
      20: 0x81000000,
      24: 0x808a8ee8,
      28: 0x808af068,
      36: 4,
      40: 0xe2,
      44: 1,
      48: 2,
      52: 3,
      56: 0xffffffff,
      92: Uint8Array.of(1),
      96: 0x80896c40,
      100: 1,
      800: 0x1001f,
      2000: 0x80000003,
      2004: 0,
      2012: 0x8082c4bb,
      2016: 1,
      2020: 7,
      2208: 2,
      3976: 1,
      4000: 0x3fff0000n,
      4024: 5n,
      4032: 6n,
    });
    expect(found).toMatchObject({
      bits: 32,
      machine: "x86",
      build: 3790,
      directoryTableBase: 0x2c0020n,
      pfnDatabase: 0x81000000n,
      psLoadedModuleList: 0x808a8ee8n,
      psActiveProcessHead: 0x808af068n,
      kdDebuggerDataBlock: 0x80896c40n,
      processors: 4,
      bugcheck: { code: 0xe2, parameters: [1n, 2n, 3n, 0xffffffffn] },
      paeEnabled: true,
      exception: { code: 0x80000003, flags: 0, address: 0x8082c4bbn, parameters: [7n] },
      attributes: 2,
      dumpType: 1,
      requiredDumpSpace: 0x3fff0000n,
      upTime: 5n,
      systemTime: 6n,
      headerSize: 0x1000,
    });
    expect([found.context?.fileOffset, found.context?.length, found.memoryBlock?.fileOffset]).toEqual([
      0x320, 1200, 0x64,
    ]);
  });

  it("does not know whether PAE is on when the byte still reads PAGE", () => {
    expect([header(32).paeEnabled, header(32, { 92: Uint8Array.of(0) }).paeEnabled]).toEqual([
      undefined,
      false,
    ]);
  });
});

describe("readDumpHeader refuses, and says what the file is and what to do", () => {
  const lznt = Uint8Array.of(0x0c, 0xb0, 0x00, ...Buffer.from("PAGEDU64"), 0);
  it.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(0), /found an empty file; copy the dump again/],
    [
      "a user-mode minidump",
      Buffer.from("MDMP\x93\xa7"),
      /found MDMP, a user-mode minidump of one process; .*MEMORY\.DMP/,
    ],
    ["an old user-mode dump", Buffer.from("USERDU64"), /a user-mode dump/],
    ["gzip", Uint8Array.of(0x1f, 0x8b, 8), /a gzip file; unpack it first/],
    ["zip", Buffer.from("PK\x03\x04"), /a zip archive; unpack/],
    ["a cabinet", Buffer.from("MSCF\0\0"), /a cabinet .*expand/],
    ["7z", Uint8Array.of(0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c), /a 7z archive/],
    ["LZNT1", lznt, /a dump compressed with LZNT1; unpack/],
    ["ELF", Buffer.from("\x7fELF\x02\x01"), /an ELF file that is no core.*dump-guest-memory/],
    ["an old VMware state", Uint8Array.of(0xd0, 0xbe, 0xd0, 0xbe), /a VMware state.*vmss2core/],
    ["a PE image", Buffer.from("MZ\x90\0"), /a PE image; pooltrail headers/],
    ["text", Buffer.from("lkd> !poolused 4\r\n"), /text, and no dump/],
    ["UTF-16 text", Uint8Array.of(0xff, 0xfe, 0x41, 0), /text in UTF-16/],
    ["zeros", new Uint8Array(0x3000), /zeros, as raw memory/],
    ["what is not known", Uint8Array.of(1, 2, 0xab), /found 0102ab, which is no format known here/],
  ])("%s", (_what, bytes, message) => {
    const read = () => readDump(new BytesSource(bytes, "x.dmp"));
    expect(read).toThrow(message);
    expect(read).toThrow(expect.objectContaining({ name: "FormatError", offset: 0, field: "the signature" }));
    expect(read).toThrow(/^[^\n]*$/);
  });

  it.each([
    [32, 0xfff],
    [64, 0x1fff],
    [64, 8],
  ] as const)("a %s-bit header of 0x%s bytes", (bits, size) => {
    expect(() => readDumpHeader(new BytesSource(dumpBytes(bits, size), "x.dmp"))).toThrow(
      /cut off in its header/,
    );
  });

  it.each([
    [64, 0x30, 0x200, /found Itanium \(0x200\); pooltrail reads/],
    [32, 0x20, 0x1c4, /found 32-bit ARM \(0x1c4\)/],
    [64, 0x30, 0x14c, /64-bit dump should be x64 .* found x86/],
    [32, 0x20, 0x45474150, /no machine that Windows writes dumps of/],
  ] as const)("a %s-bit dump of a machine at +0x%s that is 0x%s", (bits, at, machine, message) => {
    expect(() => header(bits, { [at]: machine })).toThrow(message);
    expect(() => header(bits, { [at]: machine })).toThrow(expect.objectContaining({ offset: at }));
  });

  it("an encrypted dump, but not one that was decrypted", () => {
    expect(() => header(64, { 4176: 0x104 })).toThrow(/an encrypted dump; decrypt it/);
    expect(() => header(32, { 2208: 0x100 })).toThrow(expect.objectContaining({ offset: 0x8a0 }));
    expect(header(64, { 4176: 0x200 }).attributes).toBe(0x200);
  });
});

describe("attributes", () => {
  it.each([
    [undefined, 0, "debugger"],
    [0x21008, undefined, "kernel"],
    [0x4, undefined, undefined],
    [undefined, undefined, undefined],
    [undefined, 2, undefined],
  ])("%s with writer status %s were written by: %s", (attributes, status, writer) => {
    expect(writerOf(attributes, status)).toBe(writer);
  });
});

// rizin's test database, test/db/formats/dmp/dmp
describe("the headers of real dumps", () => {
  const x64 = realDump("triage_x64.dmp");
  it.skipIf(x64 === undefined)("triage_x64.dmp", () => {
    using source = openFile(x64!);
    const found = readDumpHeader(source);
    expect(found).toMatchObject({
      bits: 64,
      machine: "x64",
      majorVersion: 0xf,
      build: 0x4a61,
      directoryTableBase: 0x1ad000n,
      pfnDatabase: 0xfffff8047c6fc500n,
      psLoadedModuleList: 0xfffff8047c62a390n,
      psActiveProcessHead: 0xfffff8047c61e200n,
      kdDebuggerDataBlock: 0xfffff8047c600b20n,
      processors: 0x10,
      bugcheck: {
        code: 0x1000007e,
        parameters: [0xffffffffc0000005n, 0xfffff8048b58334cn, 0xffff850429891ee8n, 0xffff850429891720n],
      },
      dumpType: 4,
      secondaryDataState: undefined,
      productType: 1,
      suiteMask: 0x110,
      memoryBlock: undefined,
      writer: "debugger",
    });
    // CONTEXT.Rip, the exception's: fffff8048b58334c
    expect(found.context?.u64(0xf8, "Rip")).toBe(0xfffff8048b58334cn);
  });

  const arm64 = realDump("triage_arm64.dmp");
  it.skipIf(arm64 === undefined)("triage_arm64.dmp", () => {
    using source = openFile(arm64!);
    const found = readDumpHeader(source);
    expect(found).toMatchObject({
      machine: "arm64",
      build: 0x55f0,
      directoryTableBase: 0x946aa000n,
      pfnDatabase: 0xfffff803f3b19960n,
      psLoadedModuleList: 0xfffff803f3a2aa20n,
      psActiveProcessHead: 0xfffff803f3a1d1c0n,
      kdDebuggerDataBlock: 0xfffff803f3a00d00n,
      processors: 8,
      bugcheck: { code: 0x1c8, parameters: [0x1b58n, 0xfffff803f3a20860n, 0n, 0n] },
      secondaryDataState: undefined,
      productType: 1,
      suiteMask: 0x110,
    });
    expect(found.context?.u32(0, "ContextFlags")).toBe(0x400007);
  });
});
