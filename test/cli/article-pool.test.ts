import { describe, expect, it } from "vitest";
import { pooltrail, pooltrailJson } from "../fixtures/cli.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

/** The article's step 1. What is expected is what the article prints. */
const DUMP = "samples/article-2003.dmp";
const folder = temporaryFolder();

/** A line of a table as its words, whatever stands between them. */
const rowsOf = (text: string): string[] =>
  text.split("\n").map((line) => line.trim().replace(/ {2,}/g, "  "));

describe("memory, beside !vm 1", () => {
  const TRANSCRIPT = `
Physical Memory: 2096922 ( 8387688 Kb)
Available Pages: 1607242 ( 6428968 Kb)
ResAvail Pages: 1991659 ( 7966636 Kb)
Modified Pages: 10775 ( 43100 Kb)
NonPagedPool Usage: 7881 ( 31524 Kb)
NonPagedPool Max: 65279 ( 261116 Kb)
PagedPool 0 Usage: 67074 ( 268296 Kb)
PagedPool 1 Usage: 3266 ( 13064 Kb)
PagedPool 2 Usage: 3282 ( 13128 Kb)
PagedPool 3 Usage: 3268 ( 13072 Kb)
PagedPool 4 Usage: 3214 ( 12856 Kb)
PagedPool Usage: 80104 ( 320416 Kb)
PagedPool Maximum: 134144 ( 536576 Kb)
Shared Commit: 19969 ( 79876 Kb)
PagedPool Commit: 80140 ( 320560 Kb)
Driver Commit: 1602 ( 6408 Kb)
Committed pages: 520485 ( 2081940 Kb)
Commit limit: 6241313 ( 24965252 Kb)`;
  const { stdout, code } = pooltrail("memory", DUMP);
  const rows = rowsOf(stdout);

  it.each(TRANSCRIPT.trim().split("\n"))("has the line %s", (line) => {
    const [, title, pages, kilobytes] = /^(.*): (\d+) \( (\d+) Kb\)$/.exec(line) ?? [];
    expect(code).toBe(0);
    const row = `${title}  ${pages}  ${kilobytes}`;
    expect(rows.some((found) => found === row || found.startsWith(`${row}  `))).toBe(true);
  });

  // lines of the article whose variables only symbols find
  it.each([
    "Locked IO Pages",
    "Free System PTEs",
    "Session Commit",
    "Special Pool",
    "Shared Process",
    "Pages For MDLs",
  ])("says that %s is not known, and why", (title) => {
    expect(rows).toContainEqual(expect.stringMatching(new RegExp(`^${title} {2}not known {2}- {2}\\S`)));
  });

  it("has a source for every figure, or a reason for null", () => {
    const { pages, pagedPools, sources, reasons } = pooltrailJson("vm", DUMP);
    for (const [line, count] of Object.entries(pages)) {
      expect([line, line in sources, line in reasons]).toEqual([line, count !== null, count === null]);
    }
    expect(pagedPools).toEqual([67074, 3266, 3282, 3268, 3214]);
  });
});

describe("tags, beside !poolused /t10 4", () => {
  // Tag, nonpaged allocs and used, paged allocs and used
  const TRANSCRIPT = `
Se 0 0 172204 232720312
MmSt 0 0 15231 31835696
Ntff 9 1872 10434 8514144
WD 384 1251376 27 5591040
UlHT 0 0 1 4198400
NtfF 0 0 3259 3050424
Toke 0 0 966 3034216
NtFs 13717 551176 19678 1758008
IoNm 0 0 12034 1737360
FSim 0 0 11336 1451008
CM16 0 0 293 1437696
Wmit 6 11392 23 1376912
NtFU 0 0 8719 1237232
Obtb 0 0 397 995600
Key 0 0 7245 753432
MmSm 0 0 11393 729152
TOTAL 192495 33751032 347461 310172416`;
  const lines = TRANSCRIPT.trim().split("\n");
  const allTags: readonly string[] = pooltrailJson("tags", DUMP).tags.map((row: Row) => row.tag);

  it("prints the article's table", () => {
    const { stdout, code } = pooltrail("poolused", DUMP, "--sort", "paged", "--top", "16");
    expect(code).toBe(0);
    const rows = stdout
      .split("\n")
      .slice(1, 18)
      .map((line) => {
        const words = line.split(/\s+/);
        // after each pair stands what one allocation takes, where there is one
        const figures: string[] = [];
        for (let at = 1; figures.length < 4; ) {
          figures.push(words[at] ?? "", words[at + 1] ?? "");
          at += words[0] === "TOTAL" || words[at] === "0" ? 2 : 3;
        }
        return [words[0], ...figures].join(" ");
      });
    expect(rows).toEqual(lines);
  });

  it("gives them to a program", () => {
    const { tags, totals, complete, processors } = pooltrailJson(
      "tags",
      DUMP,
      "--sort",
      "paged",
      "--top",
      "16",
    );
    type Use = { outstanding: number; bytes: number };
    const figures = ({ nonPaged, paged }: { nonPaged: Use; paged: Use }): string =>
      [nonPaged, paged].flatMap(({ outstanding, bytes }) => [outstanding, bytes]).join(" ");
    const rows = tags.map((row: { tag: string; nonPaged: Use; paged: Use }) => {
      expect(row.tag).toHaveLength(4);
      return `${row.tag.trim()} ${figures(row)}`;
    });
    expect([...rows, `TOTAL ${figures(totals)}`]).toEqual(lines);
    expect([complete, processors]).toEqual([true, { read: 4, of: 4 }]);
  });

  it.each([
    ["Nt*", /^Nt../],
    ["Nt?f", /^Nt.f$/],
    ["*f", /f$/],
    ["Se", /^Se {2}$/],
    ["nt*", /^nt/],
  ])("takes the pattern %s", (pattern, regular) => {
    const matching = allTags.filter((tag) => regular.test(tag));
    const found = pooltrailJson("tags", DUMP, pattern).tags.map((row: Row) => row.tag);
    expect(found).toEqual(matching);
    expect(found.length > 0).toBe(pattern !== "nt*");
  });

  it("has TOTAL of what the pattern takes, also of rows that --top leaves out", () => {
    const { tags, totals } = pooltrailJson("tags", DUMP, "Nt?f", "--top", "1", "--sort", "paged");
    expect(tags).toHaveLength(1);
    const all = pooltrailJson("tags", DUMP, "Nt?f").tags;
    const sum = all.reduce((bytes: number, row: { paged: { bytes: number } }) => bytes + row.paged.bytes, 0);
    expect(totals.paged.bytes).toBe(sum);
  });

  it.each([
    ["paged", (row: Row) => -row.paged.bytes],
    ["nonpaged", (row: Row) => -row.nonPaged.bytes],
    ["count", (row: Row) => -(row.paged.outstanding + row.nonPaged.outstanding)],
  ])("sorts by %s", (order, key) => {
    const keys = pooltrailJson("tags", DUMP, "--sort", order).tags.map(key);
    expect(keys.length).toBeGreaterThan(200);
    expect(keys).toEqual([...keys].sort((a, b) => a - b));
  });

  it("sorts by tag, byte by byte, with --sort tag and without", () => {
    const names = (...options: string[]): string[] =>
      pooltrailJson("tags", DUMP, ...options).tags.map((row: Row) => row.tag);
    const byTag = names("--sort", "tag");
    expect(byTag).toEqual([...byTag].sort());
    expect(names()).toEqual(byTag);
  });

  it("describes tags from a --pooltags file, whose irregular lines it names", () => {
    const path = folder.file(
      "pooltag.txt",
      [
        "rem  Pooltag.txt",
        "",
        "Se   - nt!se      - General security allocations",
        "MmSt - nt!mm      - Mm section object prototype ptes",
        "Nt*  - ntfs.sys   - something of NTFS",
        "NtFU - ntfs.sys   - usnsup.c",
        "this line is none",
        "WD   - <unknown>  - UNKNOWN pooltag",
      ].join("\r\n"),
    );
    const { tags, notes } = pooltrailJson("tags", DUMP, "--pooltags", path);
    const of = (tag: string) => {
      const { description, binary } = tags.find((row: Row) => row.tag === tag);
      return [binary, description];
    };
    expect(of("Se  ")).toEqual(["nt!se", "General security allocations"]);
    expect(of("NtFU")).toEqual(["ntfs.sys", "usnsup.c"]);
    expect(of("Ntff")).toEqual(["ntfs.sys", "something of NTFS"]);
    expect(of("WD  ")).toEqual([null, "UNKNOWN pooltag"]);
    expect(of("Toke")).toEqual([null, null]);
    expect(notes).toContainEqual(expect.stringMatching(/line 7.*this line is none/));
    const { stdout } = pooltrail("tags", DUMP, "Se", "--pooltags", path);
    expect(stdout).toContain("General security allocations, Binary: nt!se");
  });
});

interface Row {
  readonly tag: string;
  readonly paged: { readonly bytes: number; readonly outstanding: number };
  readonly nonPaged: { readonly bytes: number; readonly outstanding: number };
}
