import { describe, expect, it } from "vitest";
import { innocentTags } from "../../samples/writer/innocent-tags.mjs";
import { CountChance, chanceOf } from "../../src/pool/count-chance.ts";
import { lockstepOf } from "../../src/pool/lockstep.ts";
import { parseTag } from "../../src/pool/tag.ts";
import { groupByCount } from "../../src/pool/tag-groups.ts";
import type { TagUsage } from "../../src/pool/tag-table.ts";

type Pool = "nonPaged" | "paged";
const NONE = { allocations: 0, frees: 0, outstanding: 0, bytes: 0, bytesPerAllocation: null };

function usage(tag: string, pool: Pool, outstanding: number, frees: number): TagUsage {
  const counts = {
    allocations: outstanding + frees,
    frees,
    outstanding,
    bytes: outstanding * 64,
    bytesPerAllocation: 64,
  };
  const { text, key } = parseTag(tag);
  return { tag: text, key, nonPaged: NONE, paged: NONE, [pool]: counts };
}

/** The tags of a machine where all is well, as the samples' writer makes them. */
function innocents(seed: number, busy = 1, without: readonly string[] = []): readonly TagUsage[] {
  return innocentTags({ seed, word: 8, busy, without }).map(({ tag, nonPaged, paged }) => {
    const counts = nonPaged ?? paged ?? { allocs: 0, frees: 0 };
    const pool: Pool = nonPaged === undefined ? "paged" : "nonPaged";
    const frees = Number(counts.frees);
    return usage(tag, pool, Number(counts.allocs) - frees, frees);
  });
}

/** Numbers from 0 to 1, always the same for a seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Counts of 300 tags that lie evenly over six orders of magnitude at heart, and thin out at both ends. */
function natural(seed: number): readonly TagUsage[] {
  const next = random(seed);
  return Array.from({ length: 300 }, (_, i) => {
    const wide = next() + next() + next() + next();
    const live = Math.round(10 ** (wide * 1.6));
    const frees = next() < 0.1 ? 0 : Math.round(live * 30 * next() + 50_000 * next());
    return usage(`t${`${i}`.padStart(3, "0")}`, i % 2 === 0 ? "paged" : "nonPaged", live, frees);
  });
}

describe("groupByCount", () => {
  it("sees no tags go together on machines where all is well", () => {
    const groups = Array.from({ length: 60 }, (_, seed) => groupByCount(innocents(seed + 1)));
    expect(groups.flat()).toEqual([]);
  });

  it("sees none go together by chance among 300 tags", () => {
    const groups = Array.from({ length: 60 }, (_, seed) => groupByCount(natural(seed * 977 + 5)));
    expect(groups.flat().map(({ members }) => members.map((one) => `${one.tag}:${one.outstanding}`))).toEqual(
      [],
    );
  });

  it("sees two of 300 tags go together whose counts are large and equal", () => {
    // what a leak of 400,000 pairs adds to two of the tags above
    const tags = [
      ...natural(5),
      usage("NPBL", "nonPaged", 1_400_112, 1_400_000),
      usage("Mdl", "nonPaged", 1_402_340, 88_000_000),
    ];
    expect(groupByCount(tags).map(({ members }) => members.map(({ tag }) => tag))).toEqual([
      ["NPBL", "Mdl "],
    ]);
  });
});

describe("CountChance", () => {
  it("expects as many in a part as the crowd around it has", () => {
    // 90 counts, one each per cent of a factor of nine around 1000
    const counts = Array.from({ length: 90 }, (_, i) => Math.round(334 * 9 ** (i / 90)));
    const expected = new CountChance(counts).expectedNear(1000, 0)(0.009);
    // (90 + 1) / ln 9 a unit, and nine and one thousandth on both sides
    expect(expected).toBeCloseTo((91 / Math.log(9)) * 0.02, 1);
  });

  it("expects no fewer of counts that are equal to the digit than of those a little apart", () => {
    const chance = new CountChance([1000, 1000, 2000]);
    expect(chance.expectedNear(1000, 0)(0)).toBe(chance.expectedNear(1000, 0)(0.0001));
  });

  it("gives the chance to meet so many", () => {
    expect(chanceOf(1, 0.5)).toBeCloseTo(1 - Math.exp(-0.5), 12);
    expect(chanceOf(3, 2)).toBeCloseTo(1 - 5 * Math.exp(-2), 12);
    expect(chanceOf(2, 1e-6)).toBeCloseTo(5e-13, 18);
    expect(chanceOf(0, 3)).toBe(1);
  });
});

describe("lockstepOf", () => {
  const nobody = (): readonly string[] => [];
  const only = (tags: readonly TagUsage[], owners: (tag: string) => readonly string[] = nobody) => {
    const found = groupByCount(tags).map((group) => lockstepOf(group, ({ tag }) => owners(tag)));
    expect(found).toHaveLength(1);
    return found[0]!;
  };

  it("takes the tag that never frees for the cause (microsoft/WSL#40804, after five days)", () => {
    const tags = [
      usage("WCsc", "paged", 503_677, 0),
      usage("NtfC", "paged", 503_712, 90_000_000),
      usage("File", "nonPaged", 514_826, 88_000_000),
      usage("IoNm", "paged", 504_435, 70_000_000),
      usage("FOCX", "nonPaged", 503_787, 60_000_000),
      ...innocents(7, 1, ["File", "IoNm"]),
    ];
    expect(only(tags).leader).toMatchObject({ tag: "WCsc", reason: "never-frees" });
  });

  it("takes processes for the cause of their tokens and page tables", () => {
    // a live dump of build 26200: 71,703 process objects, nearly all of them ended
    const tags = [
      usage("Proc", "nonPaged", 71_703, 201_000),
      usage("MiP2", "nonPaged", 71_701, 201_000),
      usage("Toke", "paged", 72_610, 5_400_000),
      usage("Obtb", "paged", 71_960, 420_000),
      ...innocents(11, 1, ["Proc", "Toke", "Obtb"]),
    ];
    const { members, leader } = only(tags);
    expect(members.map(({ tag }) => tag).sort()).toEqual(["MiP2", "Obtb", "Proc", "Toke"]);
    expect(leader).toEqual({ tag: "Proc", key: parseTag("Proc").key, reason: "object", owners: [] });
  });

  it("takes threads for the cause of the processes that they keep", () => {
    const tags = [
      usage("Proc", "nonPaged", 39_511, 201_000),
      usage("Thre", "nonPaged", 39_498, 640_000),
      usage("Toke", "paged", 39_702, 5_400_000),
      ...innocents(11, 1, ["Proc", "Toke", "Thre"]),
    ];
    expect(only(tags).leader).toMatchObject({ tag: "Thre", reason: "object" });
  });

  it("takes a driver's own tag for the cause of the kernel's lists of pages (nmap/nmap#1966)", () => {
    const tags = [
      usage("NPBL", "nonPaged", 640_210, 640_000),
      usage("Mdl", "nonPaged", 641_807, 91_000_000),
      ...innocents(13, 1, ["Mdl "]),
    ];
    const looked: string[] = [];
    const { leader } = only(tags, (tag) => {
      looked.push(tag);
      return tag === "NPBL" ? ["npcap"] : [];
    });
    expect(leader).toMatchObject({ tag: "NPBL", reason: "third-party", owners: ["npcap"] });
    expect(looked.sort()).toEqual(["Mdl ", "NPBL"]);
  });

  it("takes files for the cause of the block that a filter hangs on each", () => {
    // the filter frees its block with the file: who holds the files is to blame, not the filter
    const tags = [
      usage("File", "nonPaged", 410_500, 80_000_000),
      usage("FltX", "paged", 410_012, 79_000_000),
      ...innocents(17, 1, ["File"]),
    ];
    expect(only(tags, (tag) => (tag === "FltX" ? ["someflt"] : [])).leader).toMatchObject({
      tag: "File",
      reason: "object",
    });
  });

  it("names no cause where nothing tells one (ciderapp/Cider-2#1946)", () => {
    const tags = [
      usage("Etwr", "nonPaged", 29_386_669, 400_000_000),
      usage("EtwD", "paged", 29_386_543, 400_000_000),
      ...innocents(19, 1, ["Etwr", "EtwD"]),
    ];
    const { members, leader } = only(tags);
    expect(members.map(({ tag }) => tag)).toEqual(["EtwD", "Etwr"]);
    // one of the two is no object, and no third party has code for either
    expect(leader).toBeUndefined();
  });

  it("names no cause where two third parties have a tag each", () => {
    const tags = [
      usage("AaaA", "nonPaged", 300_000, 2_000_000),
      usage("BbbB", "nonPaged", 300_010, 2_000_000),
      usage("CccC", "nonPaged", 300_020, 2_000_000),
    ];
    expect(only(tags, (tag) => (tag === "CccC" ? [] : [tag.toLowerCase()])).leader).toBeUndefined();
  });

  it("takes the tag that keeps nearly all for the cause of those that keep little", () => {
    const tags = [
      usage("AaaA", "nonPaged", 300_000, 40_000),
      usage("BbbB", "paged", 300_010, 9_000_000),
      usage("CccC", "paged", 600_030, 9_000_000),
    ];
    const { members, leader } = only(tags);
    expect(members.map(({ tag, ratio }) => [tag, ratio])).toEqual([
      ["AaaA", 1],
      ["BbbB", 1],
      ["CccC", 2],
    ]);
    expect(leader).toMatchObject({ tag: "AaaA", reason: "fewest-frees" });
  });

  it("does not ask for the owners of more tags than are worth a look", () => {
    const tags = Array.from({ length: 9 }, (_, i) => usage(`Ab${i}x`, "paged", 500_000 + i, 900_000));
    const { leader } = only(tags, () => {
      throw new Error("asked");
    });
    expect(leader).toBeUndefined();
  });
});
