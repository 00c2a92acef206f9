import { describe, expect, it } from "vitest";
import { runLeakBench } from "../../bench/leakbench.mjs";
import { SCENARIOS } from "../../samples/leakbench/scenarios.mjs";
import { openDump } from "../../src/index.ts";

describe("the leak benchmark", () => {
  const { rows, summary } = runLeakBench(openDump);

  it("has the scenarios that were asked for", () => {
    expect(summary.scenarios).toBeGreaterThanOrEqual(24);
    expect(new Set(rows.map((row) => row.form)).size).toBeGreaterThanOrEqual(3);
  });

  it("names the culprit first in nineteen of twenty", () => {
    const missed = rows.filter((row) => row.culprit !== null && row.named !== row.culprit);
    const told = missed.map((row) => `${row.name}: ${row.named} for ${row.culprit}`);
    expect(told.slice(Math.floor(summary.withCulprit / 20))).toEqual([]);
  });

  it("has machines of every kind of culprit, and tells the kind", () => {
    const { kinds } = summary;
    expect(kinds.filter(({ machines }) => machines === 0)).toEqual([]);
    const right = kinds.reduce((sum, { kindRight }) => sum + kindRight, 0);
    expect(right / summary.scenarios).toBeGreaterThanOrEqual(0.95);
    expect(kinds.filter(({ machines, top1 }) => top1 / machines < 0.9)).toEqual([]);
    expect(kinds.map(({ wrongWithHighConfidence }) => wrongWithHighConfidence)).toEqual(kinds.map(() => 0));
  });

  it("blames nobody wrongly with medium or high confidence, and says when it cannot tell", () => {
    const wrong = rows.filter((row) => row.named !== null && row.named !== row.culprit);
    expect(wrong.filter(({ confidence }) => confidence === "medium" || confidence === "high")).toEqual([]);
    expect(summary.wrongWithHighConfidence).toBe(0);
    expect(summary.cannotTell).toBe(summary.withoutCulprit);
  });

  it("takes who frees in a completion routine, without a tag, or leaves it to others, for no leaker", () => {
    const innocent = ["alpine", "woodgr", "bestfor", "liberty", "wwilib"];
    const named = rows.filter((row) => row.named !== row.culprit && innocent.includes(row.named ?? ""));
    expect(named.map((row) => row.name)).toEqual([]);
  });

  it("names the driver that is gone as one to consider", () => {
    const scenario = SCENARIOS.find(({ name }) => name === "unloaded-x64");
    using dump = openDump(scenario?.build() ?? new Uint8Array());
    expect(dump.trace(scenario?.tag).next.join("\n")).toMatch(
      /ctstor\.sys as well: unloaded before the dump/,
    );
  });

  it("does better than the recipe alone", () => {
    expect(summary.top1).toBeGreaterThan(summary.baselineTop1);
  });
}, 120_000);
