import { expect, it } from "vitest";
import type { AddressSpace, Span } from "../../src/memory/address-space.ts";
import { coverageOf } from "../../src/trail/module-search.ts";
import type { TrailModule, TrailTarget } from "../../src/trail/target.ts";

/** An image of which every second page is paged out. */
function target(pages: number): { readonly target: TrailTarget; readonly module: TrailModule } {
  const base = 0xfffff80000000000n;
  const spans = Array.from({ length: pages }, (_, i) => ({
    start: base + BigInt(i) * 0x1000n,
    length: 0x1000,
    content: i % 2 === 0 ? "dump" : { kind: "paged-out", va: base, level: "PTE" },
  })) as unknown as readonly Span[];
  const space = { mapping: {}, spans: () => spans } as unknown as AddressSpace;
  const module = { name: "odd", base, size: pages * 0x1000 } as unknown as TrailModule;
  return { target: { space } as unknown as TrailTarget, module };
}

it("tells which parts of an image cannot be read, in order", () => {
  const { target: of, module } = target(8);
  expect(coverageOf(of, module, 4 * 0x1000).unread).toEqual(
    [0x1000, 0x3000, 0x5000, 0x7000].map((rva) => ({ rva, length: 0x1000 })),
  );
});

it("lets the last of 256 parts reach to the end of the last (MAX_UNREAD_PARTS)", () => {
  const { target: of, module } = target(600);
  const { unread } = coverageOf(of, module, 300 * 0x1000);
  expect(unread).toHaveLength(256);
  expect(unread.at(-1)).toEqual({ rva: 511 * 0x1000, length: (599 - 511 + 1) * 0x1000 });
});

it("has nothing to tell of an image that was read whole", () => {
  const { target: of, module } = target(8);
  expect(coverageOf(of, module, module.size).unread).toEqual([]);
});
