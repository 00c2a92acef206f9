import { describe, expect, it } from "vitest";
import { pa, type Va, va } from "../../src/core/address.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import type { Hole } from "../../src/memory/mapping.ts";
import { EvenPieces } from "../../src/pool/even-pieces.ts";
import { MemoryRuns, mappedRuns } from "../../src/pool/memory-runs.ts";
import { poolPlaces } from "../../src/pool/pool-places.ts";
import { variables } from "../fixtures/pool-machine.ts";
import { poolMachine } from "../fixtures/pool-pages.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

const START = 0xffff_f8a0_0000_0000n;

describe("mappedRuns", () => {
  it("gives what page tables stand for, from the range's start to its end", () => {
    const memory = new VirtualMemory(8)
      .map(START, 0x3000)
      .map(START + 0x20_0000n, 0x1000)
      .map(START + 0x40_0000_0000n, 0x2000);
    const runs = mappedRuns(memory.space, [{ start: va(START + 0x1000n), length: 2 ** 39 }]);
    // two tables of 512 pages without the first one, and another far away
    expect(runs).toMatchObject({ pages: 511 + 512 + 512, whole: true });
    expect([0, 510, 1022, 1023, 1535].map((index) => runs.at(index))).toEqual([
      { start: START + 0x1000n, pages: 1023 },
      { start: START + 0x1f_f000n, pages: 513 },
      { start: START + 0x3f_f000n, pages: 1 },
      { start: START + 0x40_0000_0000n, pages: 512 },
      undefined,
    ]);
  });

  it("looks through all of kernel space in a few steps where nothing stands there", () => {
    const memory = new VirtualMemory(8).map(START, 0x1000);
    const asked: bigint[] = [];
    const space = new AddressSpace({
      pointerSize: 8,
      locate: (at, want) => {
        asked.push(at);
        return memory.locate(at, want);
      },
    });
    const runs = mappedRuns(space, [{ start: va(0xffff_8000_0000_0000n), length: 2 ** 47 }]);
    expect(runs).toMatchObject({ pages: 512, whole: true });
    expect(asked.length).toBeLessThan(2000);
  });

  it.each([
    [
      "tables everywhere",
      (at: Va) => ({ fault: { kind: "not-mapped", va: at, level: "PTE" }, length: 0x1000 }),
    ],
    [
      "every other table",
      (at: Va) =>
        (at & 0x20_0000n) === 0n
          ? { fault: { kind: "not-mapped", va: at, level: "PDE" }, length: 0x20_0000 }
          : { fault: { kind: "not-mapped", va: at, level: "PTE" }, length: 0x1000 },
    ],
    [
      "holes that say they are large and are not",
      (at: Va) => ({ fault: { kind: "not-mapped", va: at, level: "PML4E" }, length: 1 }),
    ],
  ] satisfies readonly [string, (at: Va) => Hole][])(
    "ends in %s, and says so (MAX_POOL_TABLES)",
    (_, hole) => {
      let asked = 0;
      const space = new AddressSpace({
        pointerSize: 8,
        locate: (at) => {
          asked++;
          return hole(at);
        },
      });
      const runs = mappedRuns(space, [{ start: va(0xffff_8000_0000_0000n), length: 2 ** 47 }]);
      expect(runs.whole).toBe(false);
      expect(asked).toBeLessThan(1_100_000);
    },
  );

  it("leaves out what page tables that are not in the dump stand for", () => {
    const space = new AddressSpace({
      pointerSize: 8,
      locate: (at, want) => ({
        fault: { kind: "not-in-dump", va: at, pa: pa(0x1000), level: "PTE" },
        length: Math.min(want, 0x20_0000 - Number(at & 0x1f_ffffn)),
      }),
    });
    expect(mappedRuns(space, [{ start: va(START), length: 0x80_0000 }])).toMatchObject({
      pages: 0,
      whole: true,
    });
  });
});

describe("EvenPieces", () => {
  const runs = (pages: number): MemoryRuns => {
    const made = new MemoryRuns();
    // in pieces of 100 pages with a hole behind each
    for (let at = 0; at < pages; at += 100) {
      made.add(va(START + BigInt(at) * 0x2000n), Math.min(100, pages - at));
    }
    return made;
  };

  it.each([1, 63, 64, 65, 1000, 10_007])("takes each of %i pages once in all rounds", (pages) => {
    for (const perRound of [1, 7, 64, 333, 20_000]) {
      const pieces = new EvenPieces(runs(pages), perRound);
      const seen = new Set<bigint>();
      let count = 0;
      for (let round = 0; round < pieces.rounds; round++) {
        for (const piece of pieces.of(round)) {
          for (let i = 0; i < piece.pages; i++) seen.add(piece.start + BigInt(i) * 0x1000n);
          count += piece.pages;
        }
      }
      expect([count, seen.size]).toEqual([pages, pages]);
    }
  });

  it("takes as much from each part of the memory in every round", () => {
    const pages = 65_536;
    const pieces = new EvenPieces(runs(pages), 4096);
    expect(pieces.rounds).toBe(16);
    for (let round = 0; round < pieces.rounds; round++) {
      const byPart = new Array<number>(16).fill(0);
      for (const piece of pieces.of(round)) {
        const page = Number((piece.start - START) / 0x1000n);
        byPart[Math.floor((page / 2 / pages) * 16)]! += piece.pages;
      }
      for (const part of byPart) {
        expect(part).toBeGreaterThan(230);
        expect(part).toBeLessThan(282);
      }
    }
  });
});

describe("a round of EvenPieces", () => {
  it("is no fixed distance, at which something that repeats is always met or never", () => {
    const runs = new MemoryRuns();
    runs.add(va(START), 65_536);
    const pieces = new EvenPieces(runs, 4096);
    const places = new Array<number>(pieces.rounds).fill(0);
    for (const { start } of pieces.of(0)) {
      places[(Number((start - START) >> 12n) / 4) % pieces.rounds]!++;
    }
    // 1,024 pieces over 16 places in their parts
    expect(Math.min(...places)).toBeGreaterThan(32);
    expect(Math.max(...places)).toBeLessThan(128);
  });
});

describe("poolPlaces", () => {
  it("leaves images out of kernel space, in any order and overlapping", () => {
    const { kernel } = poolMachine(4, 3790, []);
    const [place, ...others] = poolPlaces(
      { ...kernel, variables: undefined },
      [],
      [
        { base: va(0xb900_0000n), end: va(0xb900_8800n) },
        { base: va(0x8080_0000n), end: va(0x80a0_0000n) },
        { base: va(0x8090_0000n), end: va(0x8091_0000n) },
        { base: va(0x0040_0000n), end: va(0x0041_0000n) },
      ],
    );
    expect(others).toEqual([]);
    expect(place).toEqual({
      basis: "kernel-space",
      ranges: [
        { start: 0x8000_0000n, length: 0x80_0000 },
        { start: 0x80a0_0000n, length: 0x3860_0000 },
        { start: 0xb900_9000n, length: 0x46ff_7000 },
      ],
    });
  });

  it("takes the nonpaged pool of a 32-bit machine, which goes on behind the paged one, for one place with it", () => {
    const { kernel, memory } = poolMachine(4, 3790, []);
    memory
      .pointer(0x8088_0100n, 0x8100_0000n)
      .pointer(0x8088_0104n, 0xffbe_0000n)
      .pointer(0x8088_0108n, 0xe100_0000n)
      .pointer(0x8088_010cn, 0xf0ff_ffffn);
    const named = variables({
      mmNonPagedPoolStart: 0x8088_0100n,
      mmNonPagedPoolEnd: 0x8088_0104n,
      mmPagedPoolStart: 0x8088_0108n,
      mmPagedPoolEnd: 0x8088_010cn,
    });
    const images = [{ base: va(0xb900_0000n), end: va(0xb900_8000n) }];
    expect(poolPlaces({ ...kernel, variables: named }, [], images)[0]).toEqual({
      basis: "kdbg",
      ranges: [
        { start: 0x8100_0000n, length: 0x3800_0000 },
        { start: 0xb900_8000n, length: 0x46bd_8000 },
      ],
    });
  });

  it("has none in a triage dump", () => {
    const { kernel } = poolMachine(8, 7601, []);
    expect(poolPlaces({ ...kernel, triage: true }, [], [])).toEqual([]);
  });
});
