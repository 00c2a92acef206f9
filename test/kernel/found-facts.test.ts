import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { kernelSearch } from "../../src/kernel/find-nt.ts";
import { foundFacts } from "../../src/kernel/found-facts.ts";
import { Image } from "../../src/pe/image.ts";
import { buildPe } from "../fixtures/pe.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

const base = 0xffff_f804_7ba0_0000n;
const data = Uint8Array.of(0);
const file = buildPe({
  bits: 64,
  imageSize: 0x200_0000,
  sections: [
    { name: ".data", rva: 0x1000, data, virtualSize: 0x1000, use: "rw" },
    { name: "PAGEDATA", rva: 0x2000, data, virtualSize: 0x100_0000, use: "rw" },
  ],
});

/** Where the list is found that stands so far into the data; undefined where it is not. */
function listAt(offset: number, search = kernelSearch(true)): bigint | undefined {
  const [head, entry] = [base + 0x1000n + BigInt(offset), 0xffff_be0e_4000_0000n];
  const memory = new VirtualMemory(8).write(base, file.subarray(0, 0x400));
  memory.pointer(head, entry).pointer(head + 8n, entry);
  memory
    .pointer(entry, head)
    .pointer(entry + 8n, head)
    .pointer(entry + 0x30n, base);
  const nt = Image.at(memory.space, va(base));
  const facts = foundFacts(memory.space, nt, { source: "file", roots: [], contexts: [] }, search);
  return facts.moduleList?.value === undefined ? undefined : facts.moduleList.value - base - 0x1000n;
}

describe("the list of modules, where nothing says its place", () => {
  it("is looked for in 16 MB of nt's data, all sections together (MAX_KERNEL_DATA)", () => {
    expect(listAt(0xff_fff0)).toBe(0xff_fff0n);
    expect(listAt(0x100_0000)).toBeUndefined();
  });
  // a thousand tables that map themselves and the same kernel took as many passes over its data
  it("is looked for in 16,777,216 words, of all kernels that are tried together (MAX_KERNEL_WORDS)", () => {
    const search = kernelSearch(true);
    for (let kernel = 1; kernel <= 7; kernel++) expect(listAt(0xff_fff0, search)).toBe(0xff_fff0n);
    expect(listAt(0xff_fff0, search)).toBeUndefined();
    expect(search.words).toBeLessThanOrEqual(0);
  });
});
