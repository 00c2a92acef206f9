import { describe, expect, it } from "vitest";
import type { MemoryStorage } from "../../src/dump/triage-memory.ts";
import { MEMORY_LINES } from "../../src/pool/memory-lines.ts";
import { readMemorySummary } from "../../src/pool/memory-summary.ts";
import type { PoolKernel, PoolVariables } from "../../src/pool/pool-kernel.ts";
import { variables } from "../fixtures/pool-machine.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

const DATA = { 4: 0x8088_0000n, 8: 0xffff_f804_7ba8_0000n } as const;

type Fields = Partial<Record<keyof PoolVariables, bigint>>;

/** A kernel whose KDBG names the variables that are given, each 0x10 bytes from the last. */
function kernelWith(
  pointerSize: 4 | 8,
  build: number,
  values: Partial<Record<keyof PoolVariables, number | bigint>>,
  more: (memory: VirtualMemory, data: bigint) => Fields = () => ({}),
): { kernel: PoolKernel; memory: VirtualMemory } {
  const memory = new VirtualMemory(pointerSize);
  const data = DATA[pointerSize];
  memory.map(data, 0x4000);
  const fields: Fields = {};
  Object.entries(values).forEach(([name, value], i) => {
    const at = data + BigInt(i * 0x10);
    fields[name as keyof PoolVariables] = at;
    memory.pointer(at, value);
  });
  Object.assign(fields, more(memory, data + 0x2000n));
  const kernel: PoolKernel = {
    space: memory.space,
    build,
    processors: 4,
    nt: undefined,
    variables: variables(fields),
    triage: false,
  };
  return { kernel, memory };
}

/** Descriptors of one nonpaged and the paged pools, written as `build` has them. */
function descriptors(
  memory: VirtualMemory,
  at: bigint,
  nonPaged: readonly [pages: number, big: number],
  paged: readonly (readonly [pages: number, big: number])[],
  layout: { index: number; pages: number; big: number; size: bigint },
  array: "pointers" | "together" = "pointers",
): Fields {
  const write = (
    place: bigint,
    type: number,
    index: number,
    [pages, big]: readonly [number, number],
  ): void => {
    memory.map(place, Number(layout.size));
    memory.u32(place, type).u32(place + BigInt(layout.index), index);
    memory.u32(place + BigInt(layout.pages), pages).u32(place + BigInt(layout.big), big);
  };
  const word = BigInt(memory.pointerSize);
  const pool = at + 0x10_0000n;
  write(pool, 0, 0, nonPaged);
  const first = pool + 0x1_0000n;
  paged.forEach((counts, index) => {
    const place = first + BigInt(index) * layout.size;
    write(place, 1, index, counts);
    if (array === "pointers") memory.pointer(at + BigInt(index) * word, place);
  });
  if (array === "together") memory.pointer(at, first);
  memory.u32(at + 0x200n, paged.length - 1);
  return { nonPagedPoolDescriptor: pool, expPagedPoolDescriptor: at, expNumberOfPagedPools: at + 0x200n };
}

const pagesOf = (kernel: PoolKernel) =>
  Object.fromEntries(
    Object.entries(readMemorySummary(kernel).lines).map(([line, figure]) => [line, figure.pages]),
  );

const ARTICLE = {
  mmNumberOfPhysicalPages: 2_096_922,
  mmAvailablePages: 1_607_242,
  mmResidentAvailablePages: 1_991_659,
  mmModifiedPageListHead: 10_775,
  mmMaximumNonPagedPoolInBytes: 65_279 * 4096,
  mmSizeOfPagedPoolInBytes: 134_144 * 4096,
  mmSharedCommit: 19_969,
  mmPagedPoolCommit: 80_140,
  mmDriverCommit: 1602,
  mmTotalCommittedPages: 520_485,
  mmTotalCommitLimit: 6_241_313,
} as const;

describe("readMemorySummary", () => {
  const x86 = { index: 4, pages: 0x10, big: 0x14, size: 0x1030n };

  it.each(["pointers", "together"] as const)(
    "gives the article's figures, its paged pools by %s",
    (array) => {
      // !vm 1, Windows Server 2003 x86:
      //   NonPagedPool Usage: 7881, PagedPool 0 Usage: 67074, 1: 3266, 2: 3282, 3: 3268, 4: 3214, PagedPool Usage: 80104
      const { kernel } = kernelWith(4, 3790, ARTICLE, (memory, at) =>
        descriptors(
          memory,
          at,
          [6000, 1881],
          [
            [60_074, 7000],
            [3266, 0],
            [3282, 0],
            [3200, 68],
            [3214, 0],
          ],
          x86,
          array,
        ),
      );
      expect(pagesOf(kernel)).toMatchObject({
        physical: 2_096_922,
        available: 1_607_242,
        residentAvailable: 1_991_659,
        modified: 10_775,
        nonPagedUsage: 7881,
        nonPagedMax: 65_279,
        pagedUsage: 80_104,
        pagedMax: 134_144,
        sharedCommit: 19_969,
        pagedCommit: 80_140,
        driverCommit: 1602,
        committed: 520_485,
        commitLimit: 6_241_313,
        freeSystemPtes: null,
      });
      expect(readMemorySummary(kernel).pagedPools.map((pool) => [pool.label, pool.pages])).toEqual([
        ["PagedPool 0 Usage", 67_074],
        ["PagedPool 1 Usage", 3266],
        ["PagedPool 2 Usage", 3282],
        ["PagedPool 3 Usage", 3268],
        ["PagedPool 4 Usage", 3214],
      ]);
    },
  );

  it("reads the descriptors of Windows 7, which keep their counts elsewhere", () => {
    const { kernel } = kernelWith(8, 7601, {}, (memory, at) =>
      descriptors(memory, at, [300, 41], [[50, 7]], { index: 0x80, pages: 0xc0, big: 0x48, size: 0x1140n }),
    );
    expect(pagesOf(kernel)).toMatchObject({ nonPagedUsage: 341, pagedUsage: 57 });
  });

  it("gives no sum of paged pools when one is missing", () => {
    const { kernel, memory } = kernelWith(4, 3790, {}, (memory, at) =>
      descriptors(
        memory,
        at,
        [1, 1],
        [
          [10, 1],
          [20, 2],
          [30, 3],
        ],
        x86,
      ),
    );
    memory.u32(DATA[4] + 0x2000n + 0x10_0000n + 0x1_0000n + 0x1030n, 7);
    const summary = readMemorySummary(kernel);
    expect(summary.pagedPools.map((pool) => pool.pages)).toEqual([11, null, 33]);
    expect(summary.lines.pagedUsage).toMatchObject({
      pages: null,
      reason: expect.stringContaining("pool 1 of 3"),
    });
  });

  it("reads 65 paged pools, and takes no larger count for one (MAX_PAGED_POOLS)", () => {
    const counted = (pools: number) => {
      const { kernel } = kernelWith(4, 3790, {}, (memory, at) =>
        descriptors(
          memory,
          at,
          [1, 0],
          Array.from({ length: pools }, () => [2, 0] as const),
          x86,
        ),
      );
      return readMemorySummary(kernel).lines.pagedUsage;
    };
    expect(counted(65)).toMatchObject({ pages: 130 });
    expect(counted(66)).toMatchObject({
      pages: null,
      reason: "ExpNumberOfPagedPools is 65, which is no count of pools",
    });
  });

  it("finds the pools of Windows 10 and 11 around the one field that is left", () => {
    const { kernel } = kernelWith(8, 19041, {}, (memory, at) => {
      memory.u64(at + 0xf8n, 0x1_0000_0000n).u64(at + 0x100n, 91_234n);
      memory.u64(at + 0x108n, 0x1_0000_0000n).u64(at + 0x178n, 45_678n);
      return { mmPagedPoolCommit: at + 0x100n };
    });
    expect(pagesOf(kernel)).toMatchObject({
      pagedUsage: 91_234,
      pagedMax: 0x1_0000_0000,
      pagedCommit: 91_234,
      nonPagedUsage: 45_678,
      nonPagedMax: 0x1_0000_0000,
    });
  });

  it("takes no pool totals from there when they cannot be any", () => {
    const { kernel } = kernelWith(8, 19041, {}, (memory, at) => {
      memory.u64(at + 0xf8n, 10n).u64(at + 0x100n, 91_234n);
      return { mmPagedPoolCommit: at + 0x100n };
    });
    expect(readMemorySummary(kernel).lines.pagedUsage.pages).toBeNull();
  });

  it("says of a field that this Windows does not fill that it is not available, and never 0", () => {
    const { kernel } = kernelWith(8, 26100, {});
    const { lines } = readMemorySummary(kernel);
    for (const line of MEMORY_LINES) {
      expect(lines[line]).toMatchObject({ pages: null, from: null, reason: expect.stringMatching(/./) });
    }
    expect(lines.available.reason).toBe(
      "not available in this Windows: its KDBG no longer names MmAvailablePages",
    );
  });

  it("takes the physical pages from the descriptor, then from the dump's header", () => {
    const { kernel } = kernelWith(8, 19041, {}, (memory, at) => {
      memory
        .u64(at, at + 0x100n)
        .u32(at + 0x100n, 3)
        .u64(at + 0x108n, 4_171_523n);
      return { mmPhysicalMemoryBlock: at };
    });
    const value = [
      { pfn: 1, count: 3 },
      { pfn: 0x100, count: 4 },
    ];
    const runs = { value, source: "header" } as const;
    expect(readMemorySummary(kernel, { runs }).lines.physical.pages).toBe(4_171_523);
    const without = { ...kernel, variables: undefined };
    expect(readMemorySummary(without, { runs }).lines.physical).toMatchObject({
      pages: 7,
      from: "the runs of physical memory in the dump's header",
    });
  });

  it("does not take the next variable for the upper half of a 32-bit count", () => {
    const { kernel } = kernelWith(8, 3790, {
      mmNumberOfPhysicalPages: 2_096_922,
      mmAvailablePages: (0x1234n << 32n) | 1000n,
    });
    expect(pagesOf(kernel).available).toBe(1000);
  });

  it("says which page is missing", () => {
    const { kernel, memory } = kernelWith(4, 3790, { mmAvailablePages: 5 });
    memory.pageOut(DATA[4], 1);
    expect(readMemorySummary(kernel).lines.available).toMatchObject({
      pages: null,
      reason: "MmAvailablePages cannot be read: 0x80880000 is paged out (PTE)",
    });
  });

  const storage: MemoryStorage = {
    specialPoolTag: 0,
    triageActionTaken: 0,
    nonPagedPoolMaximum: 0x1_0000_0000,
    nonPagedPoolAllocated: 40_000,
    pagedPoolMaximum: 0x1_0000_0000,
    pagedPoolAllocated: 90_000,
    committedPages: 2_000_000,
    committedPagesPeak: 2_100_000,
    commitLimitMaximum: 9_000_000,
  };

  it("reads a triage dump's own memory block", () => {
    const { kernel } = kernelWith(8, 26100, {});
    const { lines } = readMemorySummary(
      { ...kernel, triage: true },
      { memory: { value: storage, source: "triage" } },
    );
    expect(lines.nonPagedUsage).toMatchObject({ pages: 40_000, from: "the triage dump's own memory block" });
    expect([lines.pagedUsage.pages, lines.committed.pages, lines.pagedMax.pages]).toEqual([
      90_000, 2_000_000, 0x1_0000_0000,
    ]);
    expect(lines.commitLimit.pages).toBeNull();
  });

  it("does not take an empty memory block for an empty pool", () => {
    const { kernel } = kernelWith(8, 19041, {});
    const empty = Object.fromEntries(Object.keys(storage).map((key) => [key, 0])) as unknown as MemoryStorage;
    const summary = readMemorySummary(
      { ...kernel, triage: true },
      { memory: { value: empty, source: "triage" } },
    );
    expect(summary.lines.nonPagedUsage.pages).toBeNull();
    expect(summary.notes.join()).toContain("left it empty");
  });
});
