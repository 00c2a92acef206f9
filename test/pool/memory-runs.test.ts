import { describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { EvenPieces } from "../../src/pool/even-pieces.ts";
import { MemoryRuns, readableRuns } from "../../src/pool/memory-runs.ts";
import { poolPlaces } from "../../src/pool/pool-places.ts";
import { poolMachine } from "../fixtures/pool-pages.ts";
import { VirtualMemory } from "../fixtures/virtual-memory.ts";

const START = 0xffff_f8a0_0000_0000n;

describe("readableRuns", () => {
  it("gives the pages that can be read, across holes and ranges", () => {
    const memory = new VirtualMemory(8)
      .map(START, 0x3000)
      .map(START + 0x5000n, 0x1000)
      .pageOut(START + 0x1000n, 0x1000)
      .map(START + 0x40_0000_0000n, 0x2000);
    const runs = readableRuns(memory.space, [{ start: va(START), length: 2 ** 39 }]);
    expect(runs).toMatchObject({ pages: 5, readable: 0x5000, whole: true });
    expect([0, 1, 2, 3, 4, 5].map((index) => runs.at(index))).toEqual([
      { start: START, pages: 1 },
      { start: START + 0x2000n, pages: 1 },
      { start: START + 0x5000n, pages: 1 },
      { start: START + 0x40_0000_0000n, pages: 2 },
      { start: START + 0x40_0000_1000n, pages: 1 },
      undefined,
    ]);
  });

  it("looks through all of kernel space in a few steps where nothing stands there", () => {
    const memory = new VirtualMemory(8).map(START, 0x1000);
    const runs = readableRuns(memory.space, [{ start: va(0xffff_8000_0000_0000n), length: 2 ** 47 }]);
    expect(runs).toMatchObject({ pages: 1, whole: true });
  });

  it("ends in tables that never end, and says so", () => {
    let asked = 0;
    const space = new AddressSpace({
      pointerSize: 8,
      locate: (at) => {
        asked++;
        // every other page, for 128 TB
        return (at & 0x1000n) === 0n
          ? { fault: { kind: "not-mapped", va: at, level: "PTE" }, length: 0x1000 }
          : { source: undefined as never, offset: 0, length: 0x1000, origin: "dump" };
      },
    });
    const runs = readableRuns(space, [{ start: va(0xffff_8000_0000_0000n), length: 2 ** 47 }], 1000);
    expect(runs.whole).toBe(false);
    expect(asked).toBeLessThan(2_000_000);
  });

  it("takes near runs for one where there are too many, and goes on", () => {
    const runs = new MemoryRuns(8);
    for (let i = 0; i < 100; i++) expect(runs.add(va(START + BigInt(i) * 0x2000n), 1)).toBe(true);
    expect(runs.readable).toBe(100 * 0x1000);
    expect(runs.pages).toBeGreaterThan(100);
    const last = runs.at(runs.pages - 1);
    expect(last?.start).toBe(START + 99n * 0x2000n);
  });

  it("takes no more where they are far apart", () => {
    const runs = new MemoryRuns(8);
    const added = Array.from({ length: 20 }, (_, i) => runs.add(va(START + BigInt(i) * 0x10_0000n), 1));
    expect(added.filter(Boolean).length).toBe(8);
    expect(runs).toMatchObject({ pages: 8, whole: false });
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

describe("poolPlaces", () => {
  it("leaves images out of kernel space, in any order and overlapping", () => {
    const { kernel } = poolMachine(4, 3790, []);
    const [place, ...others] = poolPlaces(
      { ...kernel, kdbg: undefined },
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

  it("has none in a triage dump", () => {
    const { kernel } = poolMachine(8, 7601, []);
    expect(poolPlaces({ ...kernel, triage: true }, [], [])).toEqual([]);
  });
});
