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
  const open = (roots: readonly bigint[], paeEnabled?: boolean): KernelSpace =>
    openKernelSpace(memory, { machine: processor, build: machine.build, roots, paeEnabled }, check);
  const found = (space: KernelSpace): unknown => ({
    name: space.mapping.format.name,
    root: BigInt(space.mapping.root),
    rootFrom: space.rootFrom,
    verified: space.verified,
  });
  const root = machine.directoryTableBase;

  it("finds the mode with the given root, whatever is said of PAE", () => {
    const right = { name, root, rootFrom: "given", verified: true };
    expect([undefined, true, false].map((pae) => found(open([root], pae)))).toEqual([right, right, right]);
  });

  it("finds the root by itself where none is given, or those that leave the kernel out", () => {
    const searched = { name, root, rootFrom: "search", verified: true };
    // the page that holds the marker is no page table
    const elsewhere = machine.physicalAddress(marker)! & ~0xfffn;
    expect([[], [elsewhere], [elsewhere, 0x3fff_f000n]].map((wrong) => found(open(wrong)))).toEqual([
      searched,
      searched,
      searched,
    ]);
  });

  it("tries the given roots in turn", () => {
    const right = { name, root, rootFrom: "given", verified: true };
    expect(found(open([0x3fff_f000n, root]))).toEqual(right);
  });

  it("tries the modes of all machines where nothing says which it is", () => {
    for (const roots of [[root], []]) {
      const hints = { machine: undefined, build: machine.build, roots, paeEnabled: undefined };
      // x64's tables can also be read as ARM64's, and the reverse: who checks has to tell them apart
      const space = openKernelSpace(memory, hints, (tried, format) => format.name === name && check(tried));
      expect(found(space)).toMatchObject({ name, root, verified: true });
    }
  });

  it("says so when no root leads to the kernel", () => {
    const { verified, rootFrom } = openKernelSpace(
      memory,
      { machine: processor, build: machine.build, roots: [root], paeEnabled: undefined },
      () => false,
    );
    expect({ verified, rootFrom }).toEqual({ verified: false, rootFrom: "given" });
  });

  it("looks for a root above the first 128 MB only where all of memory is asked for (MAX_ROOT_SEARCH_PAGES)", () => {
    const high = new Machine({ mode, physicalPages: 0x40000, seed: 12345 });
    const root = high.directoryTableBase;
    expect(root).toBeGreaterThan(0x800_0000n);
    const at = high.allocate(8);
    high.u32(at, 0x1234abcd);
    const answers = [false, true].map((everywhere) => {
      const hints = { machine: processor, build: high.build, roots: [], paeEnabled: undefined, everywhere };
      const space = openKernelSpace(
        machineMemory(high),
        hints,
        (tried) => tried.tryReadU32(va(at)) === 0x1234abcd,
      );
      return { verified: space.verified, root: BigInt(space.mapping.root) };
    });
    expect(answers).toEqual([
      { verified: false, root: 0n },
      { verified: true, root },
    ]);
  });
});
