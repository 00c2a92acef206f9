import { expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { readProcessors } from "../../src/kernel/processors.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

const ARRAY = 0xfffff80412340000n;

it("reads KiProcessorBlock as far as Windows has processors, and says that no zero ended it (MAX_PROCESSORS)", () => {
  const memory = new VirtualMemory(8);
  for (let i = 0n; i < 2049n; i++) memory.u64(ARRAY + i * 8n, 0xfffff80500000000n + i * 0x10000n);
  const of = () =>
    readProcessors(memory.space, va(ARRAY), { count: undefined, numberOffset: 0x24, build: 19041 });
  const { items, stopped } = of();
  expect([items.length, items.at(-1), stopped]).toEqual([
    2048,
    { prcb: 0xfffff80500000000n + 2047n * 0x10000n, number: undefined },
    "limit",
  ]);
  memory.u64(ARRAY + 2047n * 8n, 0n);
  expect(of()).toMatchObject({ items: { length: 2047 } });
  expect(of().stopped).toBeUndefined();
});
