import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import type { MachineFacts } from "../../src/dump/facts.ts";
import { readDump } from "../../src/dump/open.ts";
import { readKernel } from "../../src/kernel/kernel.ts";
import { findLeaks } from "../../src/pool/leaks.ts";
import { readMemorySummary } from "../../src/pool/memory-summary.ts";
import { type PoolKernel, poolKernelOf } from "../../src/pool/pool-kernel.ts";
import { isInUse, sortTags, type TagTable, totalsOf } from "../../src/pool/tag-table.ts";
import { readTagTable } from "../../src/pool/tracker/read.ts";
import { openFile } from "../../src/source/node-files.ts";
import { realDump } from "../fixtures/real-dumps.ts";

const open: Disposable[] = [];
afterAll(() => {
  for (const source of open) source[Symbol.dispose]();
});

function openPool(path: string): { kernel: PoolKernel; facts: MachineFacts } {
  const source = openFile(path);
  open.push(source);
  const kernel = readKernel(readDump(source));
  return { kernel: poolKernelOf(kernel), facts: kernel.facts };
}

const sample = (name: string): string => fileURLToPath(new URL(`../../samples/${name}`, import.meta.url));

function tableOf(kernel: PoolKernel): TagTable {
  const table = readTagTable(kernel);
  if ("missing" in table) throw new Error(table.reason);
  return table;
}

describe("the article's dump", () => {
  const { kernel, facts } = openPool(sample("article-2003.dmp"));

  it("has the article's !poolused /t10 4, to the digit", () => {
    // the article's columns: tag, nonpaged allocs and used, paged allocs and used
    const article = [
      "Se         0        0 172204 232720312",
      "MmSt       0        0  15231  31835696",
      "Ntff       9     1872  10434   8514144",
      "WD       384  1251376     27   5591040",
      "UlHT       0        0      1   4198400",
      "NtfF       0        0   3259   3050424",
      "Toke       0        0    966   3034216",
      "NtFs   13717   551176  19678   1758008",
      "IoNm       0        0  12034   1737360",
      "FSim       0        0  11336   1451008",
      "CM16       0        0    293   1437696",
      "Wmit       6    11392     23   1376912",
      "NtFU       0        0   8719   1237232",
      "Obtb       0        0    397    995600",
      "Key        0        0   7245    753432",
      "MmSm       0        0  11393    729152",
    ].map((line) => line.split(/\s+/));
    const table = tableOf(kernel);
    const top = sortTags(table.tags, "paged").slice(0, article.length);
    expect(
      top.map(({ tag, nonPaged, paged }) =>
        [tag.trim(), nonPaged.outstanding, nonPaged.bytes, paged.outstanding, paged.bytes].map(String),
      ),
    ).toEqual(article);
    // TOTAL 192495 33751032 347461 310172416
    const { nonPaged, paged } = totalsOf(table.tags);
    expect([nonPaged.outstanding, nonPaged.bytes, paged.outstanding, paged.bytes]).toEqual([
      192_495, 33_751_032, 347_461, 310_172_416,
    ]);
    expect(table).toMatchObject({ layout: "A32", complete: true, processors: { read: 4, of: 4 }, notes: [] });
  });

  it("has the array of tables both by the data and by the code", () => {
    expect(tableOf(kernel).basis.join()).toMatch(/hashing code indexes it, and the keys/);
  });

  it("has the article's !vm 1, to the digit", () => {
    const { lines, pagedPools } = readMemorySummary(kernel, facts);
    expect(Object.fromEntries(Object.entries(lines).map(([line, { pages }]) => [line, pages]))).toMatchObject(
      {
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
        lockedIo: null,
      },
    );
    expect(pagedPools.map(({ pages }) => pages)).toEqual([67_074, 3266, 3282, 3268, 3214]);
  });
});

describe("the 64-bit leak", () => {
  const { kernel, facts } = openPool(sample("leak-x64.dmp"));
  const truth = JSON.parse(readFileSync(sample("leak-x64.json"), "utf8"));

  it("has the figures that were written", () => {
    const table = tableOf(kernel);
    expect(table.tags.find((usage) => usage.tag === truth.tag)).toMatchObject(truth.usage);
    expect(totalsOf(table.tags).paged.bytes).toBe(truth.totals.paged);
    expect(table).toMatchObject({ layout: "B64", complete: true, processors: { read: 4, of: 4 }, notes: [] });
    expect(table.tags.filter(isInUse).every((usage) => usage.doubt === undefined)).toBe(true);
  });

  it("would show negative counts with one processor's table alone", () => {
    const alone = tableOf({ ...kernel, nt: undefined });
    expect(alone).toMatchObject({ complete: false, processors: { read: 1, of: 4 } });
    expect(alone.tags.find((usage) => usage.tag === truth.tag)).toMatchObject({
      doubt: "negative",
      paged: { outstanding: expect.any(Number) },
    });
    expect(alone.tags.find((usage) => usage.tag === truth.tag)!.paged.outstanding).toBeLessThan(0);
  });

  it("finds the table without KDBG, by the hashing code", () => {
    const table = tableOf({ ...kernel, variables: undefined });
    expect(table.basis[0]).toContain("the kernel's hashing code");
    expect(table.tags.find((usage) => usage.tag === truth.tag)).toMatchObject(truth.usage);
  });

  it("gives the pools' sizes from what Windows 10 still names", () => {
    const { lines } = readMemorySummary(kernel, facts);
    expect([lines.pagedUsage.pages, lines.nonPagedUsage.pages]).toEqual([
      truth.pool.pagedPages,
      truth.pool.nonPagedPages,
    ]);
    expect(lines.available).toMatchObject({ pages: null, from: null });
  });
});

describe.each(["triage_x64.dmp", "triage_arm64.dmp"] as const)("the real %s", (name) => {
  const path = realDump(name);

  it.skipIf(path === undefined)("says that a triage dump holds no tag table", () => {
    const { kernel } = openPool(path!);
    expect(readTagTable(kernel)).toEqual({
      missing: "triage",
      reason:
        "no tag table found, because a triage dump (minidump) does not hold it; a kernel dump (MEMORY.DMP) of the same machine does",
      processors: { read: 0, of: kernel.processors },
    });
  });

  it.skipIf(path === undefined)("gives no figure that the dump does not hold, and a reason for each", () => {
    const { kernel, facts } = openPool(path!);
    const { lines } = readMemorySummary(kernel, facts);
    for (const { pages, from, reason } of Object.values(lines)) {
      if (pages === null) expect(reason).toMatch(/\S/);
      else expect([pages > 0, from]).toEqual([true, expect.stringMatching(/\S/)]);
    }
    expect(lines.available.reason).toContain("not available in this Windows");
  });
});

describe("what looks like a leak", () => {
  it.each(["article-2003.dmp", "leak-x64.dmp"])("is `Se  ` alone in %s", (name) => {
    const { kernel, facts } = openPool(sample(name));
    const { lines } = readMemorySummary(kernel, facts);
    const report = findLeaks(tableOf(kernel), { pools: lines });
    expect(report.candidates.map(({ tag, pool }) => [tag, pool])).toEqual([["Se  ", "paged"]]);
  });
});
