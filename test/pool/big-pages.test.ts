import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { readDump } from "../../src/dump/open.ts";
import { readKernel } from "../../src/kernel/kernel.ts";
import { type BigPages, bigUsageByTag, type NoBigPages, readBigPages } from "../../src/pool/big-pages.ts";
import { type PoolKernel, poolKernelOf } from "../../src/pool/pool-kernel.ts";
import { parseTag } from "../../src/pool/tag.ts";
import { openFile } from "../../src/source/node-files.ts";
import { PLACES, trackerMachine } from "../fixtures/pool-machine.ts";

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

  it("finds none where there is none", () => {
    const { kernel } = trackerMachine({
      layout: "B64",
      build: 19041,
      hashed: 4096,
      processors: [[{ tag: "Pool" }]],
    });
    expect(readBigPages(kernel)).toMatchObject({ missing: "not-found" });
    expect(readBigPages({ ...kernel, triage: true })).toMatchObject({ missing: "triage" });
    expect(readBigPages({ ...kernel, nt: undefined })).toMatchObject({ missing: "no-kernel" });
  });
});
