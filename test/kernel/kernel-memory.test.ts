import { expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { mapOf } from "../../src/dump/run-map.ts";
import { kernelSearch } from "../../src/kernel/find-nt.ts";
import { openKernelMemory } from "../../src/kernel/kernel-memory.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";

/** A dump of nothing but tables of ARM64 that map themselves, whose header names a list that is none. */
function tables(count: number) {
  const bytes = new Uint8Array(count * 0x1000);
  const words = new BigUint64Array(bytes.buffer);
  for (let pfn = 0; pfn < count; pfn++) words[pfn * 512 + 511] = (BigInt(pfn) << 12n) | 3n;
  const source = new BytesSource(bytes, "tables.dmp");
  const named = { value: va(0xfffff80412345678n), source: "header" } as const;
  const { translation, notes } = openKernelMemory(
    {
      source,
      kind: "full",
      memory: { source, pages: mapOf([{ pfn: 0, count, offset: 0 }], bytes.length) },
      facts: {
        source: "header",
        machine: { value: "arm64", source: "header" },
        roots: [],
        contexts: [],
        moduleList: named,
      },
      writer: undefined,
      header: undefined,
      notes: [],
    },
    kernelSearch(true),
  );
  return { verified: translation?.verified, untried: translation?.untried, notes };
}

it("says how many tables that map themselves were not tried, where none leads to the kernel (MAX_ROOTS)", () => {
  const told = "the header has no root of page tables, and through no root can the kernel's lists be read";
  expect(tables(4096)).toEqual({ verified: false, untried: 0, notes: [told] });
  expect(tables(4097)).toEqual({
    verified: false,
    untried: 1,
    notes: [`${told}; tables that map themselves and were not tried, since there are too many: 1`],
  });
});
