import { describe, expect, it } from "vitest";
import { constant, fewNumbers, movedBy, oneOf, UNKNOWN, type Value } from "../../src/code/abstract-value.ts";
import { resultOf } from "../../src/code/arithmetic.ts";
import { decide } from "../../src/code/conditions.ts";
import { Facts } from "../../src/code/facts.ts";
import type { Instruction, Operand } from "../../src/isa/instruction.ts";

const RESULT: Value = [{ kind: "result", key: "=4096", call: 0x1000 }];
/** What an operation of a register with a number gives. */
function result(mnemonic: string, value: Value, by: number, size: 4 | 8): Value | undefined {
  const operands: readonly Operand[] = [
    { kind: "register", register: 0, size },
    { kind: "immediate", value: by },
  ];
  const instruction = { mnemonic, operands, immediateSize: 1, immediateAt: 0x1002 } as Instruction;
  return resultOf(instruction, value, constant(by), 8);
}
const numbers = (value: Value | undefined): readonly number[] | undefined => value && fewNumbers(value);

describe("resultOf", () => {
  it("knows the few numbers that a bit of something, or its sign, can be", () => {
    expect(numbers(result("and", RESULT, 4, 4))).toEqual([0, 4]);
    expect(numbers(result("and", UNKNOWN, 3, 4))).toEqual([0, 1, 2, 3]);
    expect(result("and", RESULT, 7, 4)).toBeUndefined();
    expect(numbers(result("shr", RESULT, 31, 4))).toEqual([0, 1]);
    expect(numbers(result("shr", RESULT, 63, 8))).toEqual([0, 1]);
    expect(result("shr", RESULT, 31, 8)).toBeUndefined();
  });

  it("goes on with them, one by one", () => {
    const bit = oneOf([0, 0x400]);
    expect(numbers(result("shr", bit, 9, 4))).toEqual([0, 2]);
    expect(numbers(result("or", bit, 1, 4))).toEqual([1, 0x401]);
    expect(numbers(result("add", bit, 5, 4))).toEqual([5, 0x405]);
    // all the same: it is that number
    expect(result("and", bit, 3, 4)).toEqual(constant(0));
    expect(numbers(result("sub", [...constant(7), ...constant(4)], 3, 4))).toEqual([4, 1]);
    // … and 32 bits are no more than that
    expect(result("add", constant(7), 1, 4)).toEqual(constant(8));
    expect(result("add", constant(0xffffffff), 3, 4)).toEqual(constant(2));
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
