import { describe, expect, it } from "vitest";
import { kdbgBytes } from "../../samples/writer/kdbg.mjs";
import { Machine } from "../../samples/writer/machine.mjs";
import { blocksOf, writeTriageDump } from "../../samples/writer/triage.mjs";
import { readCrashDump } from "../../src/dump/crash-dump.ts";
import type { TriageDump } from "../../src/dump/triage.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";

const FORMS = [
  ["pae", 12],
  ["pae", 16],
  ["x64", 16],
] as const;

// the writer shares no code with the reader
describe.each(FORMS)("a triage dump in mode %s, its blocks listed in %i bytes each", (mode, blockStride) => {
  const machine = new Machine({ mode });
  const nt = machine.is64 ? 0xfffff80640000000n : 0x80800000n;
  const pool = machine.allocate(0x300);
  machine.write(
    pool,
    Uint8Array.from({ length: 0x300 }, (_, i) => i * 7),
  );
  const kdbg = kdbgBytes({
    size: machine.is64 ? 0x380 : 0x318,
    is64: machine.is64,
    listHead: nt + 0x3000n,
    fields: { KernBase: nt },
  });
  const file = writeTriageDump(machine, {
    header: { minor: machine.build },
    drivers: [
      { path: "\\SystemRoot\\system32\\ntoskrnl.exe", base: nt, size: 0x400000, checksum: 5, timestamp: 6 },
      { path: "\\??\\C:\\leaky.sys", base: nt + 0x800000n, size: 0x9e80, checksum: 7, timestamp: 8 },
    ],
    unloaded: [{ name: "averylongname.sys", start: nt + 0x900000n, end: nt + 0x901000n }],
    blocks: blocksOf(machine, [
      [pool + 0x100n, 0x40],
      [pool + 3n, 0x11],
    ]),
    stack: { va: pool, bytes: new Uint8Array(0x88).fill(0xcc) },
    kdbg,
    mm: {
      nonPagedMax: 11,
      nonPaged: 12,
      pagedMax: 13,
      paged: 14,
      committed: 15,
      committedPeak: 16,
      commitLimit: 17,
    },
    brokenDriver: "leaky.sys",
    blockStride,
    blobs: [{ guid: new Uint8Array(16).fill(9), data: new Uint8Array(24) }],
  });
  const { body } = readCrashDump(new BytesSource(file));
  if (body.kind !== "triage") throw new Error(`read as ${body.kind}`);
  const triage: TriageDump = body.triage;

  it("names the drivers with their place, size, checksum and time stamp", () => {
    expect(triage.drivers?.items).toMatchObject([
      { path: "\\SystemRoot\\system32\\ntoskrnl.exe", base: nt, size: 0x400000, checksum: 5, timestamp: 6 },
      { path: "\\??\\C:\\leaky.sys", base: nt + 0x800000n, size: 0x9e80, checksum: 7, timestamp: 8 },
    ]);
    expect(triage.brokenDriver).toBe("leaky.sys");
  });

  it("cuts the unloaded driver's name at twelve characters", () => {
    expect(triage.unloaded?.items).toEqual([
      { name: "averylongnam", start: nt + 0x900000n, end: nt + 0x901000n },
    ]);
  });

  it("gives the memory manager's seven figures in their order", () => {
    expect(triage.memory).toMatchObject({
      nonPagedPoolMaximum: 11,
      nonPagedPoolAllocated: 12,
      pagedPoolMaximum: 13,
      pagedPoolAllocated: 14,
      committedPages: 15,
      committedPagesPeak: 16,
      commitLimitMaximum: 17,
    });
  });

  it("finds the data blocks, the stack and KDBG where the file has their bytes", () => {
    const bytesAt = (start: bigint, length: number): Uint8Array | undefined => {
      const block = triage.blocks.find((b) => b.start === start && b.length === length);
      return block && file.slice(block.fileOffset, block.fileOffset + length);
    };
    expect(bytesAt(pool + 0x100n, 0x40)).toEqual(machine.read(pool + 0x100n, 0x40));
    expect(bytesAt(pool + 3n, 0x11)).toEqual(machine.read(pool + 3n, 0x11));
    expect(bytesAt(pool, 0x88)).toEqual(new Uint8Array(0x88).fill(0xcc));
    const { fileOffset, length } = triage.debuggerData ?? { fileOffset: 0, length: 0 };
    expect(file.slice(fileOffset, fileOffset + length)).toEqual(kdbg);
  });

  it("reads the blob behind the dump's end", () => {
    expect(triage.blobs.items).toHaveLength(1);
  });
});
