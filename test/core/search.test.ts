import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addAll, addTo, groupBy, upperBound } from "../../src/core/search.ts";

describe("upperBound", () => {
  it("gives 0 where all keys are past, and the count where none is", () => {
    const keys = [3, 3, 5];
    const keyAt = (i: number): number => keys[i]!;
    expect([2, 3, 4, 5, 6].map((key) => upperBound(3, key, keyAt))).toEqual([0, 2, 2, 3, 3]);
    expect(upperBound(0, 3, keyAt)).toBe(0);
  });

  it("counts the keys that are at or before the one looked for, as a walk over them does", () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(-20n, 20n)), fc.bigInt(-21n, 21n), (unsorted, key) => {
        const keys = [...unsorted].sort((a, b) => Number(a - b));
        expect(upperBound(keys.length, key, (i) => keys[i]!)).toBe(keys.filter((one) => one <= key).length);
      }),
    );
  });
});

describe("groupBy", () => {
  it("keeps the order of the items, and of the keys as they are met", () => {
    const groups = groupBy(["nt", "hal", "ab", "ntfs"], (name) => name.length);
    expect([...groups]).toEqual([
      [2, ["nt", "ab"]],
      [3, ["hal"]],
      [4, ["ntfs"]],
    ]);
    addTo(groups, 3, "tdi");
    expect(groups.get(3)).toEqual(["hal", "tdi"]);
  });
});

describe("addAll", () => {
  it("adds more than a call has room for arguments", () => {
    const list = [7];
    addAll(
      list,
      Array.from({ length: 1_000_000 }, (_, i) => i),
    );
    expect([list.length, list[0], list.at(-1)]).toEqual([1_000_001, 7, 999_999]);
  });
});
