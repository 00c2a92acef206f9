import { describe, expect, it } from "vitest";
import { Machine } from "../../samples/writer/machine.mjs";
import { va } from "../../src/core/address.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { arm64 } from "../../src/memory/arm64.ts";
import type { PageFormat } from "../../src/memory/page-format.ts";
import { PageTableMapping } from "../../src/memory/page-table-mapping.ts";
import { x64 } from "../../src/memory/x64.ts";
import { x86 } from "../../src/memory/x86.ts";
import { x86Pae } from "../../src/memory/x86-pae.ts";
import { machineMemory } from "../fixtures/machine-memory.ts";

type Mode = ConstructorParameters<typeof Machine>[0]["mode"];
const MODES: readonly [Mode, number, PageFormat][] = [
  ["x86", 2600, x86],
  ["pae", 3790, x86Pae(3790)],
  ["pae", 17763, x86Pae(17763)],
  ["x64", 7601, x64(4, 7601)],
  ["x64", 19041, x64(4, 19041)],
  ["x64-la57", 26100, x64(5, 26100)],
  ["arm64", 22000, arm64(22000)],
];
const pattern = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) * 13) & 0xff);

describe.each(MODES)("the memory of a machine in mode %s, build %i", (mode, build, format) => {
  const machine = new Machine({ mode, build });
  const large = machine.is64 ? 0xffff_f806_4000_0000n : 0x8080_0000n;
  const small = machine.is64 ? 0xffff_f806_4800_0000n : 0xb8f0_0000n;
  const page = (n: number): bigint => small + BigInt(n) * 0x1000n;
  machine.map(large + 0x3000n, 0x20000, { large: true });
  machine.write(large + 0x3000n, pattern(0x20000));
  machine.map(small, 0x10000);
  machine.write(small, pattern(0x10000));
  machine.setState(page(2), 0x1000, "transition");
  machine.setState(page(4), 0x1000, "paged-out");
  machine.setState(page(5), 0x2000, "demand-zero");
  machine.setState(page(8), 0x1000, "not-in-dump");
  machine.setState(page(9), 0x1000, "prototype", "absent");
  machine.setState(page(11), 0x1000, "prototype", "valid");
  machine.setState(page(12), 0x1000, "prototype", "transition");
  machine.setState(page(13), 0x1000, "prototype", "paged-out");
  machine.unmap(page(14), 0x1000);
  const space = new AddressSpace(
    new PageTableMapping(machineMemory(machine), format, machine.directoryTableBase),
  );
  const kindAt = (n: number): string => {
    const found = space.mapping.locate(va(page(n)), 1);
    return "fault" in found ? found.fault.kind : found.origin;
  };

  it("reads back what was written, across scattered pages and a transition page", () => {
    expect(space.read(va(small + 0x801n), 0x3000)).toEqual(pattern(0x10000).slice(0x801, 0x3801));
  });

  it("reads back what was written in a large page, and misses what the dump lacks of it", () => {
    expect(Buffer.compare(space.read(va(large + 0x3000n), 0x20000), pattern(0x20000))).toBe(0);
    expect(() => space.read(va(large + 0x22ff0n), 0x20)).toThrow(
      expect.objectContaining({ bytesRead: 0x10, fault: expect.objectContaining({ kind: "not-in-dump" }) }),
    );
  });

  it("names each kind of hole", () => {
    const shared = format.name === "arm64" ? "prototype" : "dump";
    const sharedOut = format.name === "arm64" ? "prototype" : "paged-out";
    expect(Array.from({ length: 16 }, (_, n) => kindAt(n))).toEqual([
      ...["dump", "dump", "dump", "dump", "paged-out", "demand-zero", "demand-zero", "dump"],
      ...["not-in-dump", "prototype", "dump", shared, shared, sharedOut, "not-mapped", "dump"],
    ]);
  });

  it("sees the page tables through themselves", () => {
    const entries = (address: bigint): bigint => {
      const index = BigInt.asUintN(format.addressBits, address) >> 12n;
      return machine.pteBase + index * BigInt(format.entrySize);
    };
    const physical = Number(machine.physicalAddress(page(0)));
    const low = space.readU32(va(entries(page(0))));
    expect(low & 1).toBe(1);
    expect(low >>> 12).toBe((physical >>> 12) & 0xfffff);
  });
});
