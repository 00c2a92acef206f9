import { describe, expect, it } from "vitest";
import { constant, fewNumbers, movedBy, oneOf, UNKNOWN, type Value } from "../../src/code/abstract-value.ts";
import { decide, Facts } from "../../src/code/conditions.ts";
import { fewResults } from "../../src/code/few-numbers.ts";

const RESULT: Value = [{ kind: "result", key: "=4096", call: 0x1000 }];
const numbers = (value: Value | undefined): readonly number[] | undefined => value && fewNumbers(value);

describe("fewResults", () => {
  it("knows the few numbers that a bit of something, or its sign, can be", () => {
    expect(numbers(fewResults("and", RESULT, 4, 4))).toEqual([0, 4]);
    expect(numbers(fewResults("and", UNKNOWN, 3, 4))).toEqual([0, 1, 2, 3]);
    expect(fewResults("and", RESULT, 7, 4)).toBeUndefined();
    expect(numbers(fewResults("shr", RESULT, 31, 4))).toEqual([0, 1]);
    expect(numbers(fewResults("shr", RESULT, 63, 8))).toEqual([0, 1]);
    expect(fewResults("shr", RESULT, 31, 8)).toBeUndefined();
  });

  it("goes on with them, one by one", () => {
    const bit = oneOf([0, 0x400]);
    expect(numbers(fewResults("shr", bit, 9, 4))).toEqual([0, 2]);
    expect(numbers(fewResults("or", bit, 1, 4))).toEqual([1, 0x401]);
    expect(numbers(fewResults("add", bit, 5, 4))).toEqual([5, 0x405]);
    // all the same: it is that number
    expect(fewResults("and", bit, 3, 4)).toEqual(constant(0));
    expect(numbers(fewResults("sub", [...constant(7), ...constant(4)], 3, 4))).toEqual([4, 1]);
    // one number is folded with its place in the code
    expect(fewResults("add", constant(7), 1, 4)).toBeUndefined();
  });
});

describe("decide", () => {
  const asked = (condition: string, left: Value, right: number): boolean | undefined =>
    decide(condition, { kind: "cmp", left, right: constant(right), size: 4 }, Facts.none);

  it("knows what is so for each of a few numbers", () => {
    const [state] = oneOf([0, 1]);
    if (state === undefined) throw new Error("no value");
    const moved = movedBy(state, 4);
    expect(asked("e", moved, 0)).toBe(false);
    expect(asked("a", moved, 3)).toBe(true);
    expect(asked("e", moved, 4)).toBeUndefined();
    expect(asked("e", [...constant(7), ...constant(4)], 5)).toBe(false);
    expect(asked("e", [...constant(7), ...UNKNOWN], 5)).toBeUndefined();
  });
});
