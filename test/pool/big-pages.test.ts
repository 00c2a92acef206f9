import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { va } from "../../src/core/address.ts";
import { readDump } from "../../src/dump/open.ts";
import { readKernel } from "../../src/kernel/kernel.ts";
import { type BigPages, bigUsageByTag, type NoBigPages, readBigPages } from "../../src/pool/big-pages.ts";
import { type PoolKernel, poolKernelOf } from "../../src/pool/pool-kernel.ts";
import { parseTag } from "../../src/pool/tag.ts";
import { openFile } from "../../src/source/node-files.ts";
import { PLACES, trackerMachine } from "../fixtures/pool-machine.ts";
import type { VirtualMemory } from "../fixtures/virtual-memory.ts";

const open: Disposable[] = [];
afterAll(() => {
  for (const source of open) source[Symbol.dispose]();
});

const path = (name: string): string => fileURLToPath(new URL(`../../samples/${name}`, import.meta.url));
function sample(name: string): PoolKernel {
  const source = openFile(path(name));
  open.push(source);
  return poolKernelOf(readKernel(readDump(source)));
}

function found(pages: BigPages | NoBigPages): BigPages {
  if ("missing" in pages) throw new Error(pages.reason);
  return pages;
}

interface Entry {
  readonly va: bigint;
  readonly tag: string;
  readonly bytes: number;
  readonly paged?: boolean;
}

/** A table of `slots` entries in the form of a build, at nt+data+0x200, its size beside the pointer. */
function machineWith(build: number, pointerSize: 4 | 8, slots: number, entries: readonly Entry[]) {
  const layout = pointerSize === 4 ? "A32" : build < 16299 ? "A64" : "B64";
  const made = trackerMachine({ layout, build, hashed: 64, processors: [[{ tag: "Pool" }]] });
  const data = PLACES[pointerSize].data + 0x200n;
  const at = PLACES[pointerSize].tables + 0x80_0000n;
  const size = pointerSize === 4 ? (build < 3790 ? 0xc : 0x10) : build >= 20348 ? 0x20 : 0x18;
  const { memory } = made;
  memory.map(at, slots * size);
  for (let i = 0; i < slots; i++) memory.pointer(at + BigInt(i * size), 1n);
  entries.forEach(({ va, tag, bytes, paged }, i) => {
    const entry = at + BigInt(i * 3 * size);
    const word = BigInt(pointerSize);
    memory.pointer(entry, va).u32(entry + word, parseTag(tag).key);
    if (build < 6000) memory.u32(entry + word + 4n, Math.ceil(bytes / 0x1000));
    else {
      memory.u32(entry + word + 4n, build >= 10240 ? (paged ? 0x100 : 0x20000) : paged ? 1 : 0x200);
      memory.pointer(entry + word + 8n, bytes);
    }
  });
  memory.pointer(data, at).pointer(data + BigInt(pointerSize), slots);
  return { ...made, at, size };
}

describe("readBigPages", () => {
  it("finds the allocations of the 64-bit sample, by tag", () => {
    const truth = JSON.parse(readFileSync(path("leak-x64.json"), "utf8"));
    const pages = found(readBigPages(sample("leak-x64.dmp")));
    const leaked = bigUsageByTag(pages).find(({ tag }) => tag === truth.tag);
    expect(leaked).toMatchObject({ count: truth.bigPages.entries, bytes: truth.bigPages.bytes });
    expect(pages.allocations.find(({ tag }) => tag === truth.tag)?.pool).toBe("paged");
    expect(pages.entries).toBe(0x1000);
  });

  it("leaves out what the article's machine has freed", () => {
    const pages = found(readBigPages(sample("article-2003.dmp")));
    // six of `Ntff` are freed
    expect(pages.free).toBeGreaterThanOrEqual(6);
    expect(pages.allocations.some(({ tag }) => tag === "Ntff")).toBe(false);
    expect(pages.allocations.every(({ pool }) => pool === undefined)).toBe(true);
  });

  it.each([
    [2600, 4, [0x3000, 0x1000]],
    [3790, 4, [0x3000, 0x1000]],
    [3790, 8, [0x3000, 0x1000]],
    [7601, 4, [0x2345, 0x1000]],
    [7601, 8, [0x2345, 0x1000]],
    [19041, 8, [0x2345, 0x1000]],
    [22621, 8, [0x2345, 0x1000]],
  ] as const)("reads the entries of build %d, %d-byte pointers", (build, pointerSize, sizes) => {
    const base = PLACES[pointerSize].tables + 0x100_0000n;
    const { kernel, at } = machineWith(build, pointerSize, 512, [
      { va: base, tag: "Big1", bytes: 0x2345, paged: true },
      { va: base + 0x10_0000n, tag: "Big2", bytes: 0x1000 },
      { va: base + 0x20_0001n, tag: "Free", bytes: 0x1000 },
    ]);
    const pages = found(readBigPages(kernel));
    expect(pages).toMatchObject({ at, entries: 512, free: 1, unread: 0, notes: [] });
    const pool = build < 6000 ? [undefined, undefined] : ["paged", "nonPaged"];
    expect(pages.allocations.map(({ tag, bytes, pool: where }) => [tag, bytes, where])).toEqual([
      ["Big1", sizes[0], pool[0]],
      ["Big2", sizes[1], pool[1]],
    ]);
  });

  it("says how much of the table is paged out", () => {
    const base = PLACES[8].tables + 0x100_0000n;
    const { kernel, memory, at, size } = machineWith(19041, 8, 512, [
      { va: base, tag: "Big1", bytes: 0x2000 },
    ]);
    memory.pageOut(at + 0x2000n, 0x1000);
    const pages = found(readBigPages(kernel));
    expect(pages.allocations.length).toBe(1);
    expect(pages.unread).toBe(Math.ceil(0x3000 / size) - Math.floor(0x2000 / size));
    expect(pages.notes.join()).toContain("cannot be read");
  });

  const NONE = "nothing that nt's data points to is a table of big pages with up to 4194304 entries";
  const MORE = "there are more places that could be it than were looked at";
  /** The start of a table: an allocation, and free places in the first half of those that are sampled. */
  function startTable(memory: VirtualMemory, at: bigint, entries: number, tag = "Big1"): void {
    const bytes = new BigUint64Array(16 * 3);
    for (let block = 0; block < 10; block++) {
      for (let entry = 0; entry < 16; entry++) bytes[entry * 3] = 1n;
      memory.write(at + BigInt((block * entries * 0x18) / 16), new Uint8Array(bytes.buffer));
    }
    memory
      .pointer(at, PLACES[8].tables)
      .u32(at + 8n, parseTag(tag).key)
      .u64(at + 0x10n, 0x2000n);
  }
  /** A machine with nothing but tables that the data points to, each with its size behind the pointer. */
  function machineOf(tables: readonly (readonly [at: bigint, entries: number])[]) {
    const { memory, kernel } = trackerMachine({ layout: "B64", build: 19041, hashed: 64, processors: [[]] });
    const start = va(PLACES[8].data + 0x10_0000n);
    const length = tables.length * 0x10;
    tables.forEach(([at, entries], i) => {
      memory.pointer(start + BigInt(i * 0x10), at).pointer(start + BigInt(i * 0x10 + 8), entries);
    });
    return { memory, kernel: { ...kernel, nt: { ...kernel.nt!, writable: [{ start, length }] } } };
  }
  const place = (i: number): bigint => PLACES[8].tables + 0x1_0000_0000n + BigInt(i) * 0x1000_0000n;

  it("finds a table of 4,194,304 entries, and says that it looks for none larger (MAX_BIG_PAGES)", () => {
    const read = (entries: number) => {
      const { memory, kernel } = machineOf([[place(0), entries]]);
      startTable(memory, place(0), entries);
      return readBigPages(kernel);
    };
    expect(read(4_194_304)).toMatchObject({ entries: 4_194_304, allocations: [{ tag: "Big1" }] });
    expect(read(8_388_608)).toEqual({ missing: "not-found", reason: NONE });
  });

  it("compares tables of twice as many entries together, and says that there are more", () => {
    const tables = [0, 1, 2].map((i) => [place(i), 4_194_304] as const);
    const { memory, kernel } = machineOf(tables);
    for (const [at, entries] of tables) startTable(memory, at, entries);
    expect(readBigPages(kernel)).toMatchObject({ at: place(0), notes: [expect.any(String), MORE] });
  });

  it("looks at 64 tables that nt's data points to, and says that there are more", () => {
    const read = (others: number) => {
      const tables = Array.from({ length: others + 1 }, (_, i) => [place(i), 64] as const);
      const { memory, kernel } = machineOf(tables);
      tables.forEach(([at, entries], i) => {
        startTable(memory, at, entries, i === others ? "Real" : "Big1");
      });
      memory
        .pointer(place(others) + 0x18n, PLACES[8].tables)
        .u32(place(others) + 0x20n, parseTag("Real").key);
      memory.u64(place(others) + 0x28n, 0x1000n);
      return readBigPages(kernel);
    };
    expect(read(63)).toMatchObject({ at: place(63), notes: [] });
    expect(read(64)).toMatchObject({ at: place(0), notes: [MORE] });
  });

  it("looks at 16,384 places that nt's data points to, and says that there are more", () => {
    const tables = Array.from({ length: 16_385 }, (_, i) => [place(i), 64] as const);
    const { memory, kernel } = machineOf(tables);
    startTable(memory, place(16_384), 64);
    expect(readBigPages(kernel)).toEqual({ missing: "not-found", reason: `${NONE}; ${MORE}` });
  });

  it("finds none where there is none", () => {
    const { kernel } = trackerMachine({
      layout: "B64",
      build: 19041,
      hashed: 4096,
      processors: [[{ tag: "Pool" }]],
    });
    expect(readBigPages(kernel)).toEqual({ missing: "not-found", reason: NONE });
    expect(readBigPages({ ...kernel, triage: true })).toMatchObject({ missing: "triage" });
    expect(readBigPages({ ...kernel, nt: undefined })).toMatchObject({ missing: "no-kernel" });
  });
});
