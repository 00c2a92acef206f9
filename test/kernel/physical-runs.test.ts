import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { readPhysicalRuns } from "../../src/kernel/physical-runs.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

describe("the runs of physical memory that a kernel counts", () => {
  const [variable, block] = [0xffff_f804_7ba8_0000n, 0xffff_be0e_4000_0000n];
  /** PHYSICAL_MEMORY_DESCRIPTOR with runs of two pages, a page apart. */
  const runsOf = (count: number) => {
    const memory = new VirtualMemory(8).pointer(variable, block).pointer(block, count);
    memory.u64(block + 8n, BigInt(2 * count));
    for (let i = 0n; i < count; i++) {
      memory.u64(block + 16n * (i + 1n), 3n * i + 1n).u64(block + 16n * (i + 1n) + 8n, 2n);
    }
    const address = va(variable);
    return readPhysicalRuns({ space: memory.space, variable: () => ({ address, basis: "kdbg" }) });
  };

  it("are 4,096 at the most: more are no such list (MAX_MEMORY_RUNS)", () => {
    expect(runsOf(4096)).toEqual(Array.from({ length: 4096 }, (_, i) => ({ pfn: 3 * i + 1, count: 2 })));
    expect(runsOf(4097)).toBeUndefined();
  });
});
