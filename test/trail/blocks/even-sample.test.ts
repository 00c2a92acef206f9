import { describe, expect, it } from "vitest";
import { EvenSample } from "../../../src/trail/blocks/even-sample.ts";

describe("EvenSample", () => {
  const sampleOf = (count: number, most: number): { kept: readonly number[]; made: number } => {
    const sample = new EvenSample<number>(most);
    let made = 0;
    for (let i = 0; i < count; i++) {
      sample.offer(() => {
        made++;
        return i;
      });
    }
    return { kept: sample.items, made };
  };

  it("keeps all of few", () => {
    expect(sampleOf(4, 4).kept).toEqual([0, 1, 2, 3]);
    expect(sampleOf(0, 4).kept).toEqual([]);
  });

  it.each([5, 8, 9, 100, 4097, 40_007])("keeps %i things at equal distances, and enough of them", (count) => {
    const { kept, made } = sampleOf(count, 4);
    expect(kept.length).toBeGreaterThanOrEqual(2);
    expect(kept.length).toBeLessThanOrEqual(4);
    const every = kept[1]! - kept[0]!;
    expect(kept).toEqual(kept.map((_, i) => i * every));
    expect(kept.at(-1)! + every).toBeGreaterThanOrEqual(count);
    expect(made).toBeLessThan(4 * 20);
  });
});
