import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { readDump } from "../../src/dump/open.ts";
import { readKernel } from "../../src/kernel/kernel.ts";
import { readVerifier } from "../../src/kernel/verifier.ts";
import { openFile } from "../../src/source/node-files.ts";
import { realDump } from "../fixtures/real-dumps.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

const AT = 0xffff_f804_7c62_a7a0n;

// !verifier 0xf of Windows 7 in Microsoft's documentation of the command:
//   Verify Level 9bb
//   RaiseIrqls                             0x0
//   AcquireSpinLocks                       0x362
//   Synch Executions                       0x0
//   Trims                                  0xa34a
//   Pool Allocations Attempted             0x7b058
//   Pool Allocations Succeeded             0x7b058
//   Pool Allocations Succeeded SpecialPool 0x7b058
//   Pool Allocations With NO TAG           0x0
//   Pool Allocations Failed                0x0
//   Resource Allocations Failed Deliberately   0x0
//   Current paged pool allocations         0x1a for 00000950 bytes
//   Peak paged pool allocations            0x1b for 00000AC4 bytes
//   Current nonpaged pool allocations      0xe3 for 00046110 bytes
//   Peak nonpaged pool allocations         0x10f for 00048E40 bytes
const HEAD = [0x9bb, 0, 0x362, 0, 0x7b058, 0x7b058, 0x7b058, 0, 0, 0xa34a, 0, 0];
const COUNTS = [0x1a, 0xe3, 0x1b, 0x10f];
const BYTES = [0x950, 0x46110, 0xac4, 0x48e40];

function memory(pointerSize: 4 | 8, countsAt: number, head = HEAD): VirtualMemory {
  const made = new VirtualMemory(pointerSize);
  made.map(AT & (pointerSize === 4 ? 0xffffffffn : ~0n), 0x100);
  const at = pointerSize === 4 ? AT & 0xffffffffn : AT;
  head.forEach((value, i) => void made.u32(at + BigInt(i * 4), value));
  COUNTS.forEach((value, i) => void made.u32(at + BigInt(countsAt + i * 4), value));
  const bytesAt = pointerSize === 4 ? countsAt + 0x10 : Math.ceil((countsAt + 0x10) / 8) * 8;
  BYTES.forEach((value, i) => void made.pointer(at + BigInt(bytesAt + i * pointerSize), value));
  return made;
}
const read = (made: VirtualMemory) =>
  readVerifier(made.space, va(made.pointerSize === 4 ? AT & 0xffffffffn : AT));

describe("readVerifier", () => {
  it.each([
    [4, 0x40],
    [8, 0x40],
    // Windows 11 with AllocationFreed
    [4, 0x44],
    [8, 0x44],
  ] as const)(
    "reads what !verifier shows, with pointers of %i bytes and the pools' counts at %i",
    (size, at) => {
      expect(read(memory(size, at))).toMatchObject({
        state: "on",
        counts: {
          level: 0x9bb,
          allocationsAttempted: 0x7b058,
          allocationsSucceeded: 0x7b058,
          allocationsFailed: 0,
          allocationsFailedDeliberately: 0,
          outstanding: {
            paged: { allocations: 0x1a, bytes: 0x950n },
            nonPaged: { allocations: 0xe3, bytes: 0x46110n },
          },
        },
      });
    },
  );

  it("leaves out what is outstanding where the form of it cannot be told", () => {
    const made = memory(8, 0x40);
    made.u64(AT + 0x50n, 1n);
    expect(read(made)).toMatchObject({ state: "on", counts: { level: 0x9bb, outstanding: undefined } });
  });

  it("is off where nothing was counted", () => {
    const made = new VirtualMemory(8).map(AT, 0x100);
    // VerifyMode is not zero in Windows 10 that never verified anything
    made.u32(AT + 0x7cn, 4);
    expect(read(made)).toEqual({ state: "off", address: AT });
  });

  it.each([
    ["more succeeded than were tried", 5, 0x7b059],
    ["a flag that verifier.exe does not know", 0, 0x8000_09bb],
    ["counts without a flag", 0, 0],
    ["more in special pool than succeeded", 6, 0x7b059],
  ])("takes %s for something else", (_, word, value) => {
    expect(read(memory(8, 0x40, HEAD.with(word, value)))).toEqual({
      state: "unknown",
      address: AT,
      reason: "what stands where Driver Verifier's counters should be is something else",
    });
  });

  it("does not know whether flags without a count mean that it ran", () => {
    expect(read(memory(8, 0x40, [0x9bb, ...HEAD.slice(1).fill(0)]))).toMatchObject({ state: "unknown" });
  });

  it("does not know where it cannot look", () => {
    expect(readVerifier(new VirtualMemory(8).space, va(AT))).toEqual({
      state: "unknown",
      address: AT,
      reason: "Driver Verifier's counters cannot be read",
    });
    expect(readVerifier(new VirtualMemory(8).space, undefined)).toEqual({
      state: "unknown",
      address: undefined,
      reason: "this dump does not say where Driver Verifier's counters stand",
    });
  });
});

// KDBG's MmVerifierData, whose bytes both dumps hold: zeros
describe.each([
  ["triage_x64.dmp", 0xfffff8047c62a7a0n],
  ["triage_arm64.dmp", 0xfffff803f3a2b200n],
] as const)("%s", (name, address) => {
  const path = realDump(name);

  it.skipIf(path === undefined)("has Driver Verifier off", () => {
    using source = openFile(path!);
    const kernel = readKernel(readDump(source));
    expect(readVerifier(kernel.space, kernel.variable("MmVerifierData")?.address)).toEqual({
      state: "off",
      address,
    });
  });
});
