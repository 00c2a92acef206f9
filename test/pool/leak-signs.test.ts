import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { SCENARIOS } from "../../samples/leakbench/scenarios.mjs";
import { openDump } from "../../src/api/open-dump.ts";
import { type DumpIdentity, growthBetween } from "../../src/pool/growth.ts";
import { leakSigns } from "../../src/pool/leak-signs.ts";
import { parseTag } from "../../src/pool/tag.ts";
import type { PoolCounts, TagTable, TagUsage } from "../../src/pool/tag-table.ts";

const pool = (outstanding: number, frees: number, bytes: number): PoolCounts => ({
  allocations: outstanding + frees,
  frees,
  outstanding,
  bytes,
  bytesPerAllocation: outstanding > 0 ? Math.round(bytes / outstanding) : null,
});
const none = pool(0, 0, 0);
const usage = (tag: string, counts: Partial<Pick<TagUsage, "nonPaged" | "paged" | "doubt">>): TagUsage => ({
  tag: parseTag(tag).text,
  key: parseTag(tag).key,
  nonPaged: none,
  paged: none,
  ...counts,
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
const healthy = [
  usage("MmSt", { paged: pool(15_231, 400_000, 31_835_696) }),
  usage("Irp ", { nonPaged: pool(2_310, 9_000_000, 900_000) }),
  usage("File", { nonPaged: pool(5_120, 7_000_000, 1_900_000) }),
];
const signs = (tag: string, ...more: readonly TagUsage[]) =>
  leakSigns(table([...more, ...healthy]), parseTag(tag));

describe("leakSigns", () => {
  it("says of a tag that nearly fills its pool what speaks for a leak", () => {
    const found = signs("Se", usage("Se", { paged: pool(172_204, 9_000_000, 232_720_312) }));
    expect(found).toMatchObject({ tag: "Se  ", pool: "paged", outstanding: 172_204, looksLikeLeak: true });
    expect(found.share).toBeCloseTo(0.8796, 3);
    expect(found.freeRatio).toBeCloseTo(0.9812, 3);
    expect(found.reasons).toMatchObject([
      { kind: "share", rank: 1 },
      { kind: "kept", many: false, allocations: 9_172_204 },
    ]);
  });

  it("says no of a tag that is freed but for 0.1 % and holds little", () => {
    const found = signs("Even", usage("Even", { nonPaged: pool(4_000, 4_000_000, 400_000) }));
    expect(found.looksLikeLeak).toBe(false);
    expect(found.reasons).toMatchObject([
      { kind: "share", rank: 3 },
      { kind: "kept", part: 4_000 / 4_004_000, many: false },
    ]);
  });

  it("says no of a tag of which nothing is outstanding, or that a whole table does not have", () => {
    const [freed, absent] = [signs("Gone", usage("Gone", { paged: pool(0, 500, 0) })), signs("Q9z9")];
    for (const found of [freed, absent]) {
      expect(found).toMatchObject({ looksLikeLeak: false, reasons: [{ kind: "none-outstanding" }] });
    }
    expect([freed.freeRatio, absent.freeRatio]).toEqual([1, undefined]);
  });

  it("says yes of 40,000 small blocks that nobody ever frees, whatever else the pool holds", () => {
    const rest = usage("Rest", { nonPaged: pool(50_000, 9_000_000, 400_000_000) });
    const leak = usage("Leak", { nonPaged: pool(40_007, 0, 40_007 * 0x60) });
    expect(signs("Leak", leak, rest).looksLikeLeak).toBe(true);
    expect(signs("Keep", usage("Keep", { nonPaged: pool(1500, 0, 96_000) }), rest)).toMatchObject({
      looksLikeLeak: false,
      reasons: [{ kind: "share" }, { kind: "never-freed", allocations: 1500 }, { kind: "few" }],
    });
  });

  it("does not know where the tables cannot be read, or are in doubt", () => {
    const missing = { missing: "triage", reason: "", processors: { read: 0, of: null } } as const;
    expect(leakSigns(missing, parseTag("Se"))).toMatchObject({
      looksLikeLeak: undefined,
      reasons: [{ kind: "no-table", missing: "triage" }],
    });
    expect(leakSigns(table(healthy, false), parseTag("Se"))).toMatchObject({
      looksLikeLeak: undefined,
      reasons: [{ kind: "not-in-table" }],
    });
    const doubtful = usage("Se", { paged: pool(172_204, 9_000_000, 232_720_312), doubt: "partial" });
    expect(signs("Se", doubtful)).toMatchObject({
      looksLikeLeak: undefined,
      reasons: [{ kind: "doubt", doubt: "partial" }, { kind: "share" }, { kind: "kept" }],
    });
  });

  it("looks at the pool in which the tag leaks, not at the one that holds more of it", () => {
    const kept = usage("Both", { paged: pool(1, 0, 8_000_000), nonPaged: pool(90_000, 10, 7_000_000) });
    expect(signs("Both", kept)).toMatchObject({ pool: "nonPaged", looksLikeLeak: true });
  });

  it("says of a group which of its tags never frees", () => {
    const found = (tag: string) =>
      signs(
        tag,
        usage("WCsc", { paged: pool(503_677, 0, 80_588_320) }),
        usage("NtfC", { paged: pool(503_712, 90_000_000, 64_475_136) }),
      ).reasons.find(({ kind }) => kind === "goes-with");
    expect(found("WCsc")).toEqual({ kind: "goes-with", tags: ["NtfC"], source: "WCsc", isSource: true });
    expect(found("NtfC")).toEqual({ kind: "goes-with", tags: ["WCsc"], source: "WCsc", isSource: false });
  });

  describe("with an older dump", () => {
    const identity: DumpIdentity = {
      build: 19041,
      processors: 4,
      systemTime: 133_000_000_000_000_000n,
      upTime: 36_000_000_000n,
      kernelBase: 0xffff_f804_7ba0_0000n,
    };
    const grown = (before: PoolCounts, now: PoolCounts, seconds = 3600n, restarted = false) => {
      const later = {
        ...identity,
        systemTime: identity.systemTime! + seconds * 10_000_000n,
        upTime: restarted ? 5n : identity.upTime! + seconds * 10_000_000n,
      };
      const [older, newer] = [before, now].map((paged) => table([usage("Leak", { paged }), ...healthy]));
      const growth = growthBetween(
        { table: older!, identity },
        { table: newer!, identity: restarted ? { ...later, kernelBase: 1n } : later },
      );
      return leakSigns(newer!, parseTag("Leak"), { growth });
    };

    it("says yes of what grew, however little it is", () => {
      expect(grown(pool(1_000, 100, 96_000), pool(3_000, 300, 288_000))).toMatchObject({
        looksLikeLeak: true,
        reasons: [{ kind: "grew", outstanding: 2_000, bytes: 192_000, seconds: 3600 }, {}, {}],
      });
    });

    it("says no of what did not grow, however much it is", () => {
      const large = pool(172_204, 0, 232_720_312);
      expect(grown(large, large)).toMatchObject({
        looksLikeLeak: false,
        reasons: [{ kind: "did-not-grow", outstanding: 0 }, {}, {}],
      });
      // too soon to tell, or of another start: by its size alone
      expect(grown(large, large, 10n).looksLikeLeak).toBe(true);
      expect(grown(large, large, 3600n, true).looksLikeLeak).toBe(true);
    });

    it("takes what comes and goes for no growth", () => {
      const [before, now] = [pool(100_000, 9_000_000, 9_600_000), pool(100_090, 9_900_000, 9_608_640)];
      expect(grown(before, now).reasons.some(({ kind }) => kind === "grew")).toBe(false);
    });
  });
});

describe("the samples", () => {
  const sample = (name: string) => openDump(fileURLToPath(new URL(`../../samples/${name}`, import.meta.url)));

  it.each(["article-2003.dmp", "leak-x64.dmp"])(
    "%s: `Se  ` looks like a leak, and no other tag does",
    (name) => {
      using dump = sample(name);
      const leaking = dump.tags().items.filter(({ tag }) => dump.leakSigns(tag).looksLikeLeak !== false);
      expect(leaking.map(({ tag }) => tag)).toEqual(["Se  "]);
    },
  );

  it.each(SCENARIOS.filter(({ kind }) => kind === "driver"))(
    "$name: the tag that a driver leaks does",
    (scenario) => {
      using dump = openDump(scenario.build());
      expect(dump.leakSigns(scenario.tag).looksLikeLeak).toBe(true);
    },
  );
});
