import { describe, expect, it } from "vitest";
import { computedAt, constant, type Value } from "../../src/code/abstract-value.ts";
import { outcomeOf } from "../../src/code/call-outcome.ts";
import { type Comparison, decide, decideAtLoopEnd, learn } from "../../src/code/conditions.ts";
import { Facts } from "../../src/code/facts.ts";

const X: Value = [{ kind: "register", key: "r1", register: 1 }];
const Y: Value = [{ kind: "register", key: "r2", register: 2 }];

function compared(left: Value, right: Value, size = 4): Comparison {
  return { kind: "cmp", left, right, size };
}

describe("decide", () => {
  /** Whether a condition holds behind another one that came out as true. */
  const behind = (
    [learnt, of]: readonly [string, Comparison],
    [asked, about]: readonly [string, Comparison],
  ): boolean | undefined => decide(asked, about, learn(learnt, of, true, Facts.none));

  it("knows the answer whichever way round two values are compared", () => {
    expect(behind(["b", compared(X, Y)], ["a", compared(Y, X)])).toBe(true);
    expect(behind(["b", compared(X, Y)], ["be", compared(Y, X)])).toBe(false);
    expect(behind(["ge", compared(X, Y)], ["le", compared(Y, X)])).toBe(true);
    expect(behind(["e", compared(Y, X)], ["ne", compared(X, Y)])).toBe(false);
    expect(behind(["b", compared(X, Y)], ["l", compared(X, Y)])).toBeUndefined();
  });

  it("knows it of a number on the left, and of the next one", () => {
    // 0 < x; x <= 0, x == 0, x < 1
    for (const asked of [
      ["be", compared(X, constant(0))],
      ["e", compared(X, constant(0))],
      ["b", compared(X, constant(1))],
    ] as const)
      expect(behind(["b", compared(constant(0), X)], asked)).toBe(false);
    expect(behind(["be", compared(X, constant(3))], ["ae", compared(X, constant(4))])).toBe(false);
    expect(behind(["l", compared(X, constant(0))], ["s", { ...compared(X, X), kind: "test" }])).toBe(true);
  });

  it("takes -1 for the highest number without a sign, and for the one below 0 with one", () => {
    expect(behind(["be", compared(X, constant(-1))], ["b", compared(X, constant(0))])).toBeUndefined();
    expect(behind(["le", compared(X, constant(0xffffffff))], ["l", compared(X, constant(0))])).toBe(true);
    // of 64 bits it is a number like others
    const wide = compared(X, constant(0xffffffff), 8);
    expect(behind(["le", wide], ["l", compared(X, constant(0), 8)])).toBeUndefined();
  });

  it("knows it of other limits: what is 129 or more is not below 8", () => {
    const limit = (number: number) => compared(X, constant(number));
    expect(behind(["ae", limit(129)], ["b", limit(8)])).toBe(false);
    expect(behind(["ae", limit(129)], ["e", limit(8)])).toBe(false);
    expect(behind(["ae", limit(129)], ["b", limit(130)])).toBeUndefined();
    expect(behind(["b", limit(8)], ["b", limit(129)])).toBe(true);
    expect(behind(["b", limit(8)], ["e", limit(8)])).toBe(false);
    expect(behind(["b", limit(8)], ["e", limit(7)])).toBeUndefined();
    // with a sign, and from one to the other
    expect(behind(["l", limit(-3)], ["ge", limit(2)])).toBe(false);
    expect(behind(["b", limit(8)], ["l", limit(9)])).toBe(true);
    expect(behind(["b", limit(8)], ["l", limit(0)])).toBe(false);
    expect(behind(["ge", limit(8)], ["b", limit(4)])).toBe(false);
    expect(behind(["l", limit(8)], ["b", limit(9)])).toBeUndefined();
    expect(behind(["ae", limit(8)], ["l", limit(0)])).toBeUndefined();
    // without a sign all negative numbers are high ones
    expect(behind(["ae", limit(-5)], ["b", limit(8)])).toBeUndefined();
    expect(behind(["b", limit(8)], ["e", limit(-1)])).toBe(false);
  });

  it("takes a counter that is not below a limit any more for the limit", () => {
    const counter = computedAt({ kind: "unknown", key: "?" }, 0x1000, "0");
    const end = (of: Value, number: number) => compared(of, constant(number));
    const left = learn("be", end(counter, 15), false, Facts.none);
    expect(decideAtLoopEnd("e", end(counter, 16), left)).toBe(true);
    expect(decideAtLoopEnd("ne", end(counter, 16), left)).toBe(false);
    // another limit, another condition, what a function was given, and a loop that goes on
    expect(decideAtLoopEnd("e", end(counter, 17), left)).toBeUndefined();
    expect(decideAtLoopEnd("b", end(counter, 16), left)).toBeUndefined();
    expect(decideAtLoopEnd("e", end(X, 16), learn("be", end(X, 15), false, Facts.none))).toBeUndefined();
    expect(
      decideAtLoopEnd("e", end(counter, 16), learn("be", end(counter, 15), true, Facts.none)),
    ).toBeUndefined();
  });

  it("knows the number that a value is, on whichever side it was compared with it", () => {
    expect(behind(["e", compared(constant(7), X)], ["b", compared(X, constant(8))])).toBe(true);
  });
});

describe("outcomeOf", () => {
  it("takes any answer but STATUS_PENDING of what is done then", () => {
    const outcome = (condition: string, number: number, holds = true): unknown =>
      outcomeOf("done", condition, compared(X, constant(number)), holds);
    expect(outcome("e", 0x103)).toBe("acquired");
    expect(outcome("e", 0x103, false)).toBe("failed");
    expect(outcome("ne", 0x103)).toBe("failed");
    expect(outcome("e", 0)).toBe("failed");
    expect(outcome("e", 0, false)).toBeUndefined();
    expect(outcome("e", 0xc0000001)).toBe("failed");
    expect(outcome("e", 0xc0000001, false)).toBeUndefined();
  });
});
