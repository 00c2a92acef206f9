import { describe, expect, it } from "vitest";
import { Machine } from "../../samples/writer/machine.mjs";
import { va } from "../../src/core/address.ts";
import type { Machine as Processor } from "../../src/dump/machine.ts";
import type { AddressSpace } from "../../src/memory/address-space.ts";
import { type KernelSpace, openKernelSpace } from "../../src/memory/kernel-space.ts";
import type { PageFormatName } from "../../src/memory/page-format.ts";
import { machineMemory } from "../fixtures/machine-memory.ts";

type Mode = ConstructorParameters<typeof Machine>[0]["mode"];
const MODES: readonly [Mode, Processor, PageFormatName][] = [
  ["x86", "x86", "x86"],
  ["pae", "x86", "x86-pae"],
  ["x64", "x64", "x64"],
  ["x64-la57", "x64", "x64-la57"],
  ["arm64", "arm64", "arm64"],
];

describe.each(MODES)("openKernelSpace over a machine in mode %s", (mode, processor, name) => {
  const machine = new Machine({ mode, physicalPages: 0x4000 });
  const marker = machine.allocate(8);
  machine.u32(marker, 0x1234abcd);
  const memory = machineMemory(machine);
  const check = (space: AddressSpace): boolean => space.tryReadU32(va(marker)) === 0x1234abcd;
  const open = (directoryTableBase: bigint | undefined, paeEnabled?: boolean): KernelSpace =>
    openKernelSpace(
      memory,
      { machine: processor, build: machine.build, directoryTableBase, paeEnabled },
      check,
    );
  const found = (space: KernelSpace): unknown => ({
    name: space.mapping.format.name,
    root: BigInt(space.mapping.root),
    rootFrom: space.rootFrom,
    verified: space.verified,
  });
  const root = machine.directoryTableBase;

  it("finds the mode with the header's root, whatever the header says of PAE", () => {
    const right = { name, root, rootFrom: "header", verified: true };
    expect([undefined, true, false].map((pae) => found(open(root, pae)))).toEqual([right, right, right]);
  });

  it("finds the root by itself where the header has none, or one that leaves the kernel out", () => {
    const searched = { name, root, rootFrom: "search", verified: true };
    // the page that holds the marker is no page table
    const elsewhere = machine.physicalAddress(marker)! & ~0xfffn;
    expect([undefined, elsewhere, 0x3fff_f000n].map((wrong) => found(open(wrong)))).toEqual([
      searched,
      searched,
      searched,
    ]);
  });

  it("says so when no root leads to the kernel", () => {
    const { verified, rootFrom } = openKernelSpace(
      memory,
      { machine: processor, build: machine.build, directoryTableBase: root, paeEnabled: undefined },
      () => false,
    );
    expect({ verified, rootFrom }).toEqual({ verified: false, rootFrom: "header" });
  });
});
