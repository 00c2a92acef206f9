import { describe, expect, it } from "vitest";
import { type Va, va } from "../../src/core/address.ts";
import { findNt, kernelSearch } from "../../src/kernel/find-nt.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import type { Extent, Hole } from "../../src/memory/mapping.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { loadPe, type PeSpec } from "../fixtures/pe.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

/** Where 64-bit kernels are mapped from. */
const FROM = 0xffff_f800_0000_0000n;
const NT: PeSpec = {
  bits: 64,
  sections: [
    { name: "POOLCODE", rva: 0x1000, data: Uint8Array.of(0xc3), use: "rx" },
    { name: "PAGELK", rva: 0x2000, data: Uint8Array.of(0xc3), use: "rx" },
  ],
};

/** Kernel space in which every page is zeros but those of nt, which stands some pages behind its start. */
function spaceWithNt(pages: number): AddressSpace {
  const base = FROM + BigInt(pages) * 0x1000n;
  const memory = loadPe(new VirtualMemory(8), NT, base);
  const zeros = new BytesSource(new Uint8Array(0x1000), "zeros");
  return new AddressSpace({
    pointerSize: 8,
    locate(at: Va, want: number): Extent | Hole {
      if (at >= base && at < base + 0x3000n) return memory.locate(at, want);
      const length = at < base ? Math.min(want, Number(base - at)) : want;
      return { source: zeros, offset: 0, length, origin: "dump" };
    },
  });
}

describe("the kernel's image, where nothing says its place", () => {
  it("is looked for in the first 4 GB of kernel space (MAX_KERNEL_PAGES)", () => {
    // of the 1,048,576 looks one goes to each gigabyte, and one to nt itself
    const [last, next] = [1_048_570, 1_048_571];
    expect(findNt(spaceWithNt(last), "x64", [], kernelSearch(true))?.base).toBe(
      va(FROM + BigInt(last) * 0x1000n),
    );
    const search = kernelSearch(true);
    expect(findNt(spaceWithNt(next), "x64", [], search)).toBeUndefined();
    expect(search.left).toBe(0);
  });
  // 2,048 processors whose roots lead to no kernel took as many looks around the handlers of each
  it("is looked for around the handlers of processors, and not without end", () => {
    const nowhere = { cr3: 0n, paging: true, long: true, idt: 0n, gs: 0n, kernelGs: 0n, fs: 0n };
    const system = Array.from({ length: 60_000 }, (_, i) => ({
      value: { ...nowhere, syscall: FROM + BigInt(i % 30_000) * 0x100_0000n },
      source: "core" as const,
    }));
    let looks = 0;
    const space = new AddressSpace({
      pointerSize: 8,
      locate(at: Va, want: number): Hole {
        looks++;
        return { fault: { kind: "not-mapped", va: at, level: "PTE" }, length: want };
      },
    });
    const search = kernelSearch(true);
    for (let root = 0; root < 2048; root++) expect(findNt(space, "x64", system, search)).toBeUndefined();
    expect(looks).toBeLessThan(5_000_000);
    expect(search.left).toBeLessThanOrEqual(0);
  });
  // a gigabyte of one page with the headers of an image took minutes
  it("is looked for among 30,841 images, each of which counts as 34 looks", () => {
    const image = loadPe(new VirtualMemory(8), { bits: 64, sections: [] }, FROM);
    let read = 0;
    const space = new AddressSpace({
      pointerSize: 8,
      locate(at: Va, want: number): Extent | Hole {
        const into = at & 0xfffn;
        if (into === 0n && want === 64) read++;
        const found = image.locate((FROM + into) as Va, Math.min(want, 0x1000 - Number(into)));
        return found;
      },
    });
    const search = kernelSearch(true);
    expect(findNt(space, "x64", [], search)).toBeUndefined();
    expect(read).toBe(30_841);
  });
});
