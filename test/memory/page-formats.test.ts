import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { arm64 } from "../../src/memory/arm64.ts";
import type { PageFormat } from "../../src/memory/page-format.ts";
import { PageTableMapping } from "../../src/memory/page-table-mapping.ts";
import { x64 } from "../../src/memory/x64.ts";
import { x86 } from "../../src/memory/x86.ts";
import { x86Pae } from "../../src/memory/x86-pae.ts";
import { syntheticMemory } from "../fixtures/synthetic-memory.ts";

/** Physical memory of 128 KB with the tables in pages 1 to 4, emptied first. */
function mapped(
  format: PageFormat,
  root: bigint,
  entries: Readonly<Record<number, bigint>>,
): { readonly space: AddressSpace; readonly mapping: PageTableMapping } {
  const all: Record<number, bigint> = {};
  for (let at = 0x1000; at < 0x5000; at += format.entrySize) all[at] = 0n;
  const memory = syntheticMemory(0x20000, { ...all, ...entries }, { entrySize: format.entrySize });
  const mapping = new PageTableMapping(memory, format, root);
  return { space: new AddressSpace(mapping), mapping };
}
/** Where the tables say that an address stands; the dump holds little of it, and then the page's address is in the fault. */
const physical = (mapping: PageTableMapping, at: bigint): number | undefined => {
  const found = mapping.locate(va(at), 1);
  if (!("fault" in found)) return found.offset;
  return "pa" in found.fault ? found.fault.pa + Number(at & 0xfffn) : undefined;
};
const level = (mapping: PageTableMapping, at: bigint): unknown => {
  const found = mapping.locate(va(at), 1);
  return "fault" in found && "level" in found.fault ? [found.fault.kind, found.fault.level] : found;
};

describe("x86 without PAE", () => {
  it("takes a large page's bits 32 to 39 from bits 13 to 20 of its entry", () => {
    const { mapping } = mapped(x86, 0x1018n, { 0x1000: 0x00554083n | (0x1fn << 13n), 0x1004: 0x00c00083n });
    expect(physical(mapping, 0x123456n)).toBe(0xbf * 2 ** 32 + 0x400000 + 0x123456);
    expect(physical(mapping, 0x7fffffn)).toBe(0xffffff);
  });

  it("knows no address past 4 GB, and reads up to the last byte of them", () => {
    const { space, mapping } = mapped(x86, 0x1000n, { 0x1ffc: 0x2003n, 0x2ffc: 0x9003n });
    expect(space.readU32(va(0xfffffffcn))).toBe(0x9ffc);
    expect(mapping.locate(va(0xfffffffcn), 0x100)).toMatchObject({ length: 4 });
    expect(() => space.read(va(0xfffffffcn), 8)).toThrow(
      expect.objectContaining({ bytesRead: 4, fault: { kind: "not-canonical", va: 0x100000000n } }),
    );
  });

  it("finds a prototype PTE at the address that its two parts make", () => {
    // 0x80000000 + bits 11..31 of the entry, one place down, + bits 1..7, one place up
    expect(x86.prototypeAddress(0x00003406, 0)).toBe(0x8000180cn);
  });

  it("names a page file offset of all ones as a prototype elsewhere", () => {
    const { mapping } = mapped(x86, 0x1000n, { 0x1000: 0x2003n, 0x2000: 0xfffff080n, 0x2004: 0x1080n });
    expect(level(mapping, 0n)).toEqual(["prototype", "PTE"]);
    expect(level(mapping, 0x1000n)).toEqual(["paged-out", "PTE"]);
  });
});

describe("x86 with PAE", () => {
  const format = x86Pae(3790);

  it("starts at a root that is only 32-byte aligned", () => {
    const entries = {
      0x1fe0: 0x2001n,
      0x1ff8: 0x3001n,
      0x2000: 0x4003n,
      0x4000: 0x9003n,
      0x3ff8: 0x800000e3n,
    };
    const { space, mapping } = mapped(format, 0x1fe0n, entries);
    expect(space.readU32(va(0x10n))).toBe(0x9010);
    expect(physical(mapping, 0xffe12345n)).toBe(0x80012345);
    expect(mapping.root).toBe(0x1fe0);
  });

  it("reads nothing into a PDPTE that is not valid", () => {
    const { mapping } = mapped(format, 0x1000n, { 0x1000: 0x2880n });
    expect(level(mapping, 0n)).toEqual(["not-mapped", "PDPTE"]);
  });

  it("takes 26 bits of a transition page's number", () => {
    const entries = { 0x1000: 0x2001n, 0x2000: 0x4003n, 0x4000: 0x1240_0000_9880n };
    expect(mapped(format, 0x1000n, entries).space.readU32(va(0x10n))).toBe(0x9010);
  });

  it("finds a prototype PTE in the upper half of the entry", () => {
    const entries = {
      0x1000: 0x2001n,
      0x2000: 0x4003n,
      0x4000: 0x1008_0000_0400n,
      0x4008: 0xa003n,
      0xa008: 0x9003n,
    };
    expect(mapped(format, 0x1000n, entries).space.readU32(va(0x10n))).toBe(0x9010);
  });
});

describe("ARM64", () => {
  const format = arm64(22000);
  const tables = { 0x1000: 0x2003n, 0x2000: 0x3003n, 0x3000: 0x4003n };

  it("reads pages and blocks", () => {
    const entries = { ...tables, 0x4000: 0x9703n, 0x3008: 0x00e0_0000_0020_0701n, 0x2008: 0x4000_0701n };
    const { space, mapping } = mapped(format, 0x1000n, entries);
    expect(space.readU32(va(0x10n))).toBe(0x9010);
    expect(physical(mapping, 0x212345n)).toBe(0x212345);
    expect(physical(mapping, 0x40012345n)).toBe(0x40012345);
  });

  it("takes no block at the levels that have none", () => {
    const { mapping } = mapped(format, 0x1000n, { ...tables, 0x4000: 0x9701n, 0x1008: 0x2001n });
    expect(level(mapping, 0n)).toEqual(["not-mapped", "L3"]);
    expect(level(mapping, 0x80_0000_0000n)).toEqual(["not-mapped", "L0"]);
  });

  it("drops the address space's number from the root, and a signature from an address", () => {
    const { space, mapping } = mapped(format, 0x0012_0000_0000_1000n, {
      ...tables,
      0x4000: 0x9703n,
      0x1800: 0x2003n,
    });
    expect(space.readU32(va(0xffff_8000_0000_0010n))).toBe(0x9010);
    // bit 55 says which half it is; 63 to 56 and 54 to 48 are the pointer's signature
    expect(space.readU32(va(0x5a92_8000_0000_0010n))).toBe(0x9010);
    expect(level(mapping, 0x8000_0000_0010n)).toMatchObject({ fault: { kind: "not-canonical" } });
  });

  it("says prototype, and does not guess where it stands", () => {
    expect(format.prototypeAddress(0x10080400, 0)).toBeUndefined();
  });
});

describe("x64", () => {
  it("leaves the process context out of the root", () => {
    expect(x64(4, 19041).root(0x8000_0004_a758_a802n)).toBe(0x4_a758_a000);
  });
});
