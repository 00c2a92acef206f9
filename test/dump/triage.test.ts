import { describe, expect, it } from "vitest";
import { readCrashDump } from "../../src/dump/crash-dump.ts";
import type { TriageDump } from "../../src/dump/triage.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { openFile } from "../../src/source/node-files.ts";
import type { ByteSource } from "../../src/source/source.ts";
import { dumpBytes, type Patch, patch } from "../fixtures/dump-bytes.ts";
import { realDump } from "../fixtures/real-dumps.ts";

function openTriage(source: ByteSource): { triage: TriageDump; notes: readonly string[] } {
  const { body, notes } = readCrashDump(source);
  if (body.kind !== "triage") throw new Error(`a ${body.kind} dump is no triage dump`);
  return { triage: body.triage, notes };
}

const utf16 = (text: string) => new Uint8Array(Buffer.from(text, "utf16le"));
const u16 = (value: number) => Uint8Array.of(value & 0xff, value >> 8);

/** KTHREAD.ApcState.Process, KPRCB.CurrentThread and the sizes, as KDBG gives them. */
const kdbg = (kiProcessorBlock: bigint) => ({
  0x10: "KDBG",
  0x218: kiProcessorBlock,
  0x2a0: u16(0xb8),
  0x2a8: u16(0x100),
  0x2b0: u16(0x80),
  0x2b4: u16(8),
  0x2be: u16(0x24),
  0x2c0: u16(0xc0),
});

/**
 * A triage dump with two drivers, one unloaded driver, a stack, two data blocks and a blob.
 * KiProcessorBlock[1], in the first data block, holds the KPRCB's address.
 */
function triage64(patches: Readonly<Record<number, Patch>> = {}): Uint8Array {
  const bytes = dumpBytes(64, 0x3fb4, { 0xf98: 4, 0x80: 0xfffff80400100000n, 0x1038: 0xfff, 0xfa0: 0x3fb4n });
  const offsets = {
    0x2004: 0x3f80,
    0x2008: 0x3f7c,
    0x2014: 0x2080,
    0x2018: 0x20d0,
    0x201c: 0x2200,
    0x2020: 0x2280,
    0x2024: 0x2380,
    0x2028: 0x2440,
    0x202c: 0x40,
    0x2030: 0x2500,
    0x2034: 2,
    0x2038: 0x2620,
    0x203c: 0x100,
    0x2040: 0x2680,
    0x2044: 0x41,
    0x2048: 0xffff850429890ee8n,
    0x2060: 0xfffff80400300000n,
    0x2068: 0x2480,
    0x206c: 0x10,
    0x2070: 0x2800,
    0x2074: 0x380,
    0x2078: 0x2c00,
    0x207c: 2,
  };
  const pages = {
    0x2080: 1,
    0x2084: 0x50,
    0x2088: 0x6c6f6f50,
    0x208c: 5,
    0x2098: 100n,
    0x20a0: 90n,
    0x20a8: 80n,
    0x20b0: 2n ** 32n,
    0x20b8: 60n,
    0x20c0: 50n,
    0x20c8: 40n,
  };
  const unloaded = {
    0x20d0: 1n,
    0x20d8: u16(60),
    0x20e8: utf16("dump_storpor"),
    0x2100: 0xfffff80400500000n,
    0x2108: 0xfffff80400510000n,
  };
  const records = { 0x2208: 0xffffc08bde9e1640n, 0x2224: 1, 0x2438: 0xffffc08bdce94180n };
  const drivers = {
    0x2500: 0x2620,
    0x2538: 0xfffff80400000000n,
    0x2540: 0xfffff80400001000n,
    0x2548: 0x46000,
    0x2580: 0xabcd,
    0x2588: 0x5f000001,
    0x2590: 0x3fffff00,
    0x25c8: 0xfffff80400200000n,
    0x25d8: 0x8000,
    0x2620: 6,
    0x2624: utf16("nt.exe\0"),
    0x2680: 5,
    0x2684: utf16("a.sys\0"),
  };
  const blocks = {
    0x2c00: 0xfffff80400110000n,
    0x2c08: 0x2d00,
    0x2c0c: 0x20,
    0x2c10: 0xfffff80400000000n,
    0x2c18: 0x2d40,
    0x2c1c: 0x10,
    0x2d08: 0xfffff80400120000n,
  };
  patch(bytes, { ...offsets, ...pages, ...unloaded, ...records, ...drivers, ...blocks, 0x3f7c: "TRGD" });
  patch(bytes.subarray(0x2800), kdbg(0xfffff80400110000n));
  patch(bytes, {
    0x3f80: "DumpBlob",
    0x3f88: 0x10,
    0x3f90: 0x20,
    0x3f94: Uint8Array.from({ length: 16 }, (_, i) => i),
    0x3fa4: 4,
  });
  return patch(bytes, patches);
}

const read64 = (patches: Readonly<Record<number, Patch>> = {}) =>
  openTriage(new BytesSource(triage64(patches), "x.dmp"));

describe("a triage dump of 64 bits", () => {
  it("lists drivers, and does not lose one whose name is not in the file", () => {
    expect(read64().triage.drivers).toEqual({
      claimed: 2,
      items: [
        {
          path: "nt.exe",
          base: 0xfffff80400000000n,
          entryPoint: 0xfffff80400001000n,
          size: 0x46000,
          checksum: 0xabcd,
          timestamp: 0x5f000001,
        },
        {
          path: undefined,
          base: 0xfffff80400200000n,
          entryPoint: 0n,
          size: 0x8000,
          checksum: 0,
          timestamp: 0,
        },
      ],
    });
  });

  it("lists unloaded drivers, whose names are cut at twelve characters", () => {
    expect(read64().triage.unloaded?.items).toEqual([
      { name: "dump_storpor", start: 0xfffff80400500000n, end: 0xfffff80400510000n },
    ]);
  });

  it("names the driver that Windows blames, and the figures of its memory manager", () => {
    const { triage } = read64();
    expect([triage.brokenDriver, triage.memory]).toEqual([
      "a.sys",
      {
        specialPoolTag: 0x6c6f6f50,
        triageActionTaken: 5,
        nonPagedPoolMaximum: 100,
        nonPagedPoolAllocated: 90,
        pagedPoolMaximum: 80,
        pagedPoolAllocated: 2 ** 32,
        committedPages: 60,
        committedPagesPeak: 50,
        commitLimitMaximum: 40,
      },
    ]);
  });

  it("knows where its records stood: processor 1, its thread, the thread's process", () => {
    const { prcb, thread, process, debuggerData } = read64().triage;
    expect({ prcb, thread, process, debuggerData }).toEqual({
      prcb: { address: 0xfffff80400120000n, length: 0x80, fileOffset: 0x2200 },
      thread: { address: 0xffffc08bde9e1640n, length: 0xc0, fileOffset: 0x2380 },
      process: { address: 0xffffc08bdce94180n, length: 0x100, fileOffset: 0x2280 },
      debuggerData: { address: 0xfffff80400100000n, length: 0x380, fileOffset: 0x2800 },
    });
  });

  it("gives each stretch of memory, the data blocks first", () => {
    expect(
      read64().triage.blocks.map(({ start, length, fileOffset }) => [start, length, fileOffset]),
    ).toEqual([
      [0xfffff80400110000n, 0x20, 0x2d00],
      [0xfffff80400000000n, 0x10, 0x2d40],
      [0xffff850429890ee8n, 0x40, 0x2440],
      [0xfffff80400300000n, 0x10, 0x2480],
      [0xfffff80400100000n, 0x380, 0x2800],
      [0xfffff80400120000n, 0x80, 0x2200],
      [0xffffc08bde9e1640n, 0xc0, 0x2380],
      [0xffffc08bdce94180n, 0x100, 0x2280],
    ]);
  });

  it("has no part that MiniDumpFields denies", () => {
    const { triage, notes } = read64({ 0x1038: 0 });
    const { drivers, brokenDriver, callStack, prcb, process, thread, debuggerData, memory, blocks } = triage;
    expect([drivers, brokenDriver, callStack, prcb, process, thread, debuggerData, memory]).toEqual(
      Array(8).fill(undefined),
    );
    expect([blocks, notes]).toEqual([[], ["this triage dump has no list of drivers"]]);
  });

  it("takes each part by its offset where MiniDumpFields was never written", () => {
    expect(read64({ 0x1038: "PAGE" }).triage).toEqual(read64().triage);
  });

  it("reads secondary data behind the dump, and stops where its header is none", () => {
    expect(read64().triage.blobs.items).toEqual([
      { guid: "{03020100-0504-0706-0809-0a0b0c0d0e0f}", fileOffset: 0x3fb0, size: 4 },
    ]);
    expect([read64({ 0x3f90: 0x21 }).triage.blobs, read64({ 0x3f80: "x" }).triage.blobs]).toEqual([
      { items: [] },
      { items: [] },
    ]);
    expect(read64({ 0x3fa4: 0xffffffff }).triage.blobs.items[0]?.size).toBe(4);
  });
});

describe("a triage dump that is broken", () => {
  it.each([
    ["a stack past the end", { 0x202c: 0xffffffff }, (dump: TriageDump) => dump.callStack, undefined],
    ["a list of drivers in the header", { 0x2030: 0x10 }, (dump: TriageDump) => dump.drivers, undefined],
    ["a processor past all", { 0x2224: 0xffffffff }, (dump: TriageDump) => dump.prcb?.address, undefined],
    ["a processor block at 0", { 0x2a18: 0n }, (dump: TriageDump) => dump.prcb?.address, undefined],
    ["a KDBG of 16 bytes", { 0x2074: 0x10 }, (dump: TriageDump) => dump.prcb?.address, undefined],
    ["KDBG past the end", { 0x2070: 0x3fb4 }, (dump: TriageDump) => dump.debuggerData, undefined],
    ["sizes past the next part", { 0x2ab0: u16(0xffff) }, (dump: TriageDump) => dump.prcb?.length, 0x80],
  ])("opens: %s", (_what, patches, part, expected) => {
    expect(part(read64(patches).triage)).toBe(expected);
  });

  it("says what it claims and does not hold", () => {
    expect(read64({ 0x2034: 0xffffffff }).notes).toEqual(["2 of 4294967295 drivers could be read"]);
    expect(read64({ 0x207c: 0x7000000 }).notes[0]).toMatch(/data blocks are not in the file/);
    expect(read64({ 0x2c18: 0x3ff0 }).notes).toEqual(["1 of 2 data blocks are not in the file"]);
    expect(read64({ 0x3f7c: "TRUE" }).notes).toEqual([
      "the mark at the end of the triage dump is not there: the dump may be incomplete",
    ]);
    expect(read64({ 0x2044: 0x141 }).notes).toEqual(["Windows had no room for all that it wanted to save"]);
  });

  it("says that it holds more blobs than are read (MAX_BLOBS)", () => {
    // an empty blob again and again behind the head of the secondary data, and the 4,097th at the end
    const bytes = Buffer.concat([triage64().subarray(0, 0x3f90), new Uint8Array(4097 * 0x20)]);
    for (let at = 0x3f90; at < bytes.length; at += 0x20) bytes[at] = 0x20;
    const { triage, notes } = openTriage(new BytesSource(bytes, "x.dmp"));
    expect([triage.blobs.items.length, triage.blobs.stopped]).toEqual([4096, "limit"]);
    expect(notes).toContain("only the first 4096 secondary blobs are read");
  });

  it("opens when it was cut off anywhere behind its head, and says so", () => {
    const whole = triage64();
    for (let size = 0x2080; size < 0x3f80; size += 0x11) {
      const { notes } = openTriage(new BytesSource(whole.subarray(0, size), "x.dmp"));
      expect(notes).toContain(`the file ends early, after ${size} of ${0x3f80} bytes; copy the dump again`);
    }
  });

  it("is refused when it was cut off in its head", () => {
    expect(() => openTriage(new BytesSource(triage64().subarray(0, 0x207f), "x.dmp"))).toThrow(
      expect.objectContaining({ name: "FormatError", field: "the triage dump's head" }),
    );
  });
});

/** A 32-bit triage dump: one driver, one unloaded, and data blocks with entries of 12 or 16 bytes. */
function triage32(stride: 12 | 16): Uint8Array {
  const bytes = dumpBytes(32, 0x1800, { 0xf88: 4, 0xf8c: 0xfff, 0xfa0: 0x1800n, 0x60: 0x80896c40 });
  const offsets = {
    0x1004: 0x1800,
    0x1008: 0x17fc,
    0x1014: 0x1068,
    0x1018: 0x10a0,
    0x101c: 0x1100,
    0x1028: 0x1180,
    0x102c: 0x10,
    0x1030: 0x1200,
    0x1034: 1,
    0x1038: 0x124c,
    0x103c: 0x40,
    0x1048: 0xb8f0b938,
    0x1060: 0x1300,
    0x1064: 2,
  };
  const memory = { 0x1068: 1, 0x106c: 0x34, 0x1080: 100, 0x1098: 40 };
  const unloaded = {
    0x10a0: 1,
    0x10a4: u16(14),
    0x10ac: utf16("kmx.sys"),
    0x10c4: 0xf7a00000,
    0x10c8: 0xf7a20000,
  };
  const driver = {
    0x1200: 0x124c,
    0x121c: 0x80800000,
    0x1220: 0x80801000,
    0x1224: 0x25d000,
    0x1244: 0x1234,
    0x1248: 0x42435e60,
    0x124c: 4,
    0x1250: utf16("nt.x\0"),
  };
  patch(bytes, { ...offsets, ...memory, ...unloaded, ...driver, 0x17fc: "TRGD" });
  const [address, offset, size] = stride === 12 ? [0, 4, 8] : [0, 8, 12];
  for (const [i, start] of [0x80896c40, 0x8096c8cc].entries()) {
    const at = 0x1300 + i * stride;
    patch(bytes, { [at + address!]: start, [at + offset!]: 0x1400 + i * 0x40, [at + size!]: 0x40 });
  }
  return bytes;
}

describe("a triage dump of 32 bits", () => {
  const { triage, notes } = openTriage(new BytesSource(triage32(16), "x.dmp"));

  it("has narrower records at other places", () => {
    expect(notes).toEqual([]);
    expect(triage.drivers?.items).toEqual([
      {
        path: "nt.x",
        base: 0x80800000n,
        entryPoint: 0x80801000n,
        size: 0x25d000,
        checksum: 0x1234,
        timestamp: 0x42435e60,
      },
    ]);
    expect(triage.unloaded?.items).toEqual([{ name: "kmx.sys", start: 0xf7a00000n, end: 0xf7a20000n }]);
    expect([triage.memory?.nonPagedPoolMaximum, triage.memory?.commitLimitMaximum]).toEqual([100, 40]);
    expect(triage.callStack).toEqual({ start: 0xb8f0b938n, length: 0x10, fileOffset: 0x1180 });
  });

  it.each([12, 16] as const)("finds out that an entry of its data blocks has %s bytes", (stride) => {
    const { dataBlocks } = openTriage(new BytesSource(triage32(stride), "x.dmp")).triage;
    expect(dataBlocks).toEqual({
      blocks: [
        { start: 0x80896c40n, length: 0x40, fileOffset: 0x1400 },
        { start: 0x8096c8ccn, length: 0x40, fileOffset: 0x1440 },
      ],
      missing: 0,
      unread: 0,
    });
  });

  // KDBG and 64-bit entries hold 32-bit addresses sign-extended
  it("cuts addresses to 32 bits", () => {
    const bytes = patch(triage32(16), { 0x1304: 0xffffffff });
    expect(openTriage(new BytesSource(bytes, "x.dmp")).triage.dataBlocks.blocks[0]?.start).toBe(0x80896c40n);
  });
});

// rizin's test database, test/db/formats/dmp/dmp, and the same bytes read by hand
const GOLDEN = [
  {
    file: "triage_x64.dmp",
    sizeOfDump: 0x13a28c,
    drivers: 151,
    kernel: 0xfffff8047ba00000n,
    unloaded: ["dam.sys", "WdBoot.sys", "hwpolicy.sys", "mcupdate.dll"],
    stack: { start: 0xffff850429890ee8n, length: 0x2118, fileOffset: 0xe390 },
    kdbg: { address: 0xfffff8047c600b20n, length: 0x380, fileOffset: 0x104a8 },
    prcb: { address: 0xfffff804782d4180n, length: 0xaf00, fileOffset: 0x21b8 },
    process: { length: 0xa40, fileOffset: 0xd0b8 },
    thread: { length: 0x898, fileOffset: 0xdaf8 },
    blocks: 1831,
    blockBytes: 1_153_874,
    blobs: 20,
  },
  {
    file: "triage_arm64.dmp",
    sizeOfDump: 0xac46c,
    drivers: 245,
    kernel: 0xfffff803f2e00000n,
    unloaded: ["MSKSSRV.sys", "WdFilter.sys", "WdNisDrv.sys", "WdNisDrv.sys", "dump_storpor"],
    stack: { start: 0xffffe00e0e4bc4a0n, length: 0xb60, fileOffset: 0xcf50 },
    kdbg: { address: 0xfffff803f3a00d00n, length: 0x380, fileOffset: 0xdab0 },
    prcb: { address: 0xfffff803efd00980n, length: 0x9680, fileOffset: 0x2340 },
    process: { length: 0xc80, fileOffset: 0xb9c0 },
    thread: { length: 0x910, fileOffset: 0xc640 },
    blocks: 679,
    blockBytes: 574_245,
    blobs: 42,
  },
] as const;

describe.each(GOLDEN)("the real dump $file", (golden) => {
  const path = realDump(golden.file);
  const found = path === undefined ? undefined : openTriage(openFile(path));
  const absent = found === undefined;

  it.skipIf(absent)("has its drivers and unloaded drivers", () => {
    const { drivers, unloaded } = found!.triage;
    expect([drivers?.claimed, drivers?.items.length]).toEqual([golden.drivers, golden.drivers]);
    expect(drivers?.items[0]).toMatchObject({
      path: "\\SystemRoot\\system32\\ntoskrnl.exe",
      base: golden.kernel,
    });
    expect(
      drivers?.items.filter(({ path }) => path === undefined || !/\.(sys|exe|dll)$/i.test(path)),
    ).toEqual([]);
    expect(unloaded?.items.map(({ name }) => name).slice(0, 5)).toEqual(golden.unloaded);
  });

  it.skipIf(absent)("has its records where Windows had them", () => {
    expect(found!.triage).toMatchObject({
      servicePackBuild: 0,
      sizeOfDump: golden.sizeOfDump,
      options: 0xffffffff,
      brokenDriver: undefined,
      memory: undefined,
      callStack: golden.stack,
      debuggerData: golden.kdbg,
      prcb: golden.prcb,
      process: golden.process,
      thread: golden.thread,
    });
  });

  it.skipIf(absent)("has its data blocks, all of them in the file", () => {
    const { blocks, missing, unread } = found!.triage.dataBlocks;
    expect([blocks.length, missing, unread]).toEqual([golden.blocks, 0, 0]);
    expect(blocks.reduce((sum, { length }) => sum + length, 0)).toBe(golden.blockBytes);
  });

  it.skipIf(absent)("has its secondary data up to the end of the file", () => {
    expect(found!.triage.blobs.items).toHaveLength(golden.blobs);
    expect(found!.notes).toEqual([
      expect.stringContaining("as is usual when a debugger wrote a triage dump"),
    ]);
  });
});
