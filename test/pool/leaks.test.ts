import { describe, expect, it } from "vitest";
import { type DumpIdentity, growthBetween } from "../../src/pool/growth.ts";
import { findLeaks } from "../../src/pool/leaks.ts";
import { parseTag } from "../../src/pool/tag.ts";
import { groupByCount } from "../../src/pool/tag-groups.ts";
import type { PoolCounts, TagTable, TagUsage } from "../../src/pool/tag-table.ts";

const pool = (outstanding: number, frees: number, bytes: number): PoolCounts => ({
  allocations: outstanding + frees,
  frees,
  outstanding,
  bytes,
  bytesPerAllocation: outstanding > 0 ? Math.round(bytes / outstanding) : null,
});
const none = pool(0, 0, 0);
const usage = (tag: string, counts: { nonPaged?: PoolCounts; paged?: PoolCounts }): TagUsage => ({
  tag: parseTag(tag).text,
  key: parseTag(tag).key,
  nonPaged: counts.nonPaged ?? none,
  paged: counts.paged ?? none,
});
const table = (tags: readonly TagUsage[], complete = true): TagTable => ({
  tags,
  layout: "B64",
  hash: "product",
  score: 1,
  slots: 4096,
  at: 0n as TagTable["at"],
  array: undefined,
  processors: { read: 1, of: 1 },
  complete,
  basis: [],
  notes: [],
});

/** Some tags of a machine where all is well. */
const healthy = [
  usage("Ntff", { paged: pool(10_434, 812_000, 8_514_144) }),
  usage("MmSt", { paged: pool(15_231, 400_000, 31_835_696) }),
  usage("Irp ", { nonPaged: pool(2_310, 9_000_000, 900_000) }),
  usage("File", { nonPaged: pool(5_120, 7_000_000, 1_900_000) }),
  usage("UlHT", { paged: pool(1, 0, 4_198_400) }),
];

describe("findLeaks", () => {
  it("names the article's tag, and nothing else of that machine", () => {
    const report = findLeaks(
      table([...healthy, usage("Se", { paged: pool(172_204, 9_000_000, 232_720_312) })]),
      {
        pools: { pagedMax: { label: "", pages: 134_144, from: "" } },
      },
    );
    expect(report.candidates.map(({ tag, pool: where }) => [tag, where])).toEqual([["Se  ", "paged"]]);
    expect(report.candidates[0]?.reasons[0]).toBe("it holds 84 % of all paged pool that tags account for");
    expect(report.candidates[0]?.reasons[1]).toBe("it fills 42 % of what the paged pool can hold");
  });

  it("finds nothing where all is well", () => {
    const many = Array.from({ length: 40 }, (_, i) =>
      usage(`a${i}`, { paged: pool(1000 + i * 137, 100_000, 400_000 + i * 1000) }),
    );
    expect(findLeaks(table([...healthy, ...many])).candidates).toEqual([]);
  });

  it("does not take what a driver keeps from its start for a leak", () => {
    const kept = usage("Keep", { nonPaged: pool(1500, 0, 96_000) });
    const rest = usage("Rest", { paged: pool(30_000, 900_000, 40_000_000) });
    expect(findLeaks(table([kept, rest, ...healthy])).candidates).toEqual([]);
  });

  it("does not take one large table for a leak", () => {
    expect(
      findLeaks(table([usage("Tabl", { paged: pool(1, 0, 400_000_000) }), ...healthy])).candidates,
    ).toEqual([]);
  });

  it("tells the tag that never frees from those that it holds", () => {
    // counts of WSL#40804 after five days: WCsc never frees, the others do
    const tags = [
      usage("WCsc", { paged: pool(503_677, 0, 80_588_320) }),
      usage("NtfC", { paged: pool(503_712, 90_000_000, 64_475_136) }),
      usage("File", { nonPaged: pool(514_826, 88_000_000, 197_693_184) }),
      usage("IoNm", { paged: pool(504_435, 70_000_000, 56_496_720) }),
      usage("FOCX", { nonPaged: pool(503_787, 60_000_000, 48_363_552) }),
      usage("IoFE", { nonPaged: pool(1_006_714, 120_000_000, 48_322_272) }),
      ...healthy.filter(({ tag }) => tag !== "File"),
    ];
    const [group, ...others] = groupByCount(tags);
    expect(others).toEqual([]);
    expect(group?.source?.tag).toBe("WCsc");
    expect(group?.members.map(({ tag, ratio }) => [tag, ratio])).toEqual([
      ["WCsc", 1],
      ["NtfC", 1],
      ["FOCX", 1],
      ["IoNm", 1],
      ["File", 1],
      ["IoFE", 2],
    ]);
    const report = findLeaks(table(tags));
    expect(report.candidates[0]).toMatchObject({ tag: "WCsc", group: { source: "WCsc" } });
    expect(report.candidates[0]?.reasons).toContain(
      "5 tags have the same or a whole-number multiple of its count, and it alone never frees",
    );
    const victim = report.candidates.find(({ tag }) => tag === "File");
    expect(victim?.reasons.join()).toContain("goes with that of WCsc");
  });

  it("names no source when several never free", () => {
    const tags = ["Aaaa", "Bbbb"].map((tag) => usage(tag, { paged: pool(50_000, 0, 5_000_000) }));
    expect(groupByCount(tags)[0]?.source).toBeUndefined();
  });

  it("sees more processes allocated than alive", () => {
    const tags = [usage("Proc", { nonPaged: pool(39_400, 60_000, 59_000_000) }), ...healthy];
    const report = findLeaks(table(tags), { liveObjects: new Map([["Proc", 173]]) });
    expect(report.candidates[0]).toMatchObject({ tag: "Proc" });
    expect(report.candidates[0]?.reasons).toContain(
      "39,400 are allocated, and only 173 such objects are alive",
    );
  });

  it("says when the table is not complete", () => {
    expect(findLeaks(table(healthy, false)).notes.join()).toContain("not complete");
  });
});

describe("growthBetween", () => {
  const identity: DumpIdentity = {
    build: 19041,
    processors: 4,
    systemTime: 133_000_000_000_000_000n,
    upTime: 36_000_000_000n,
    kernelBase: 0xffff_f804_7ba0_0000n,
  };
  const later = (seconds: bigint): DumpIdentity => ({
    ...identity,
    systemTime: identity.systemTime! + seconds * 10_000_000n,
    upTime: identity.upTime! + seconds * 10_000_000n,
  });

  it("gives what grew, the most first, and leaves out what did not", () => {
    const growth = growthBetween(
      {
        table: table([usage("Se", { paged: pool(10, 5, 1000) }), usage("Same", { paged: pool(1, 1, 64) })]),
        identity,
      },
      {
        table: table([
          usage("Same", { paged: pool(1, 1, 64) }),
          usage("New ", { nonPaged: pool(3, 0, 96) }),
          usage("Se", { paged: pool(110, 25, 11_000) }),
        ]),
        identity: later(3600n),
      },
    );
    expect(growth).toMatchObject({ seconds: 3600, sameStart: true, notes: [] });
    expect(growth.tags).toMatchObject([
      { tag: "Se  ", kind: "grown", paged: { allocations: 120, frees: 20, outstanding: 100, bytes: 10_000 } },
      { tag: "New ", kind: "new", nonPaged: { outstanding: 3, bytes: 96 } },
    ]);
  });

  it.each([
    ["another build", { build: 22631 }, "different builds"],
    ["another start", { upTime: 5_000_000_000n }, "started at different times"],
    ["another kernel address", { kernelBase: 0xffff_f801_0000_0000n }, "restarted in between"],
    ["no time", { systemTime: undefined }, "does not say when"],
    ["an earlier time", { systemTime: identity.systemTime! - 10_000_000n }, "taken later"],
    ["more processors", { processors: 8 }, "different numbers of processors"],
  ])("says what speaks against one start: %s", (_, change, note) => {
    const growth = growthBetween(
      { table: table([]), identity },
      { table: table([]), identity: { ...identity, ...change } },
    );
    expect(growth.notes.join()).toContain(note);
    expect(growth.sameStart).toBe(note === "taken later");
  });
});
