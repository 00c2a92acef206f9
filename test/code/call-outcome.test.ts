import { describe, expect, it } from "vitest";
import { constant, resultOf } from "../../src/code/abstract-value.ts";
import { outcomeOf, type Subject } from "../../src/code/call-outcome.ts";

const left = resultOf(0x1000);
/** test eax,eax, and a jump on the condition that is taken, or not. */
const tested = (subject: Subject, condition: string, holds: boolean) =>
  outcomeOf(subject, condition, { kind: "test", left, right: left, size: 4 }, holds);
/** cmp eax,number; je, taken or not. */
const compared = (subject: Subject, number: number, holds: boolean) =>
  outcomeOf(subject, "e", { kind: "cmp", left, right: constant(number), size: 4 }, holds);

describe("outcomeOf", () => {
  it("says nothing of what is held where it is not known what 0 means", () => {
    expect([tested("status", "e", true), tested("unknown", "e", true)]).toEqual(["acquired", "failed"]);
    expect(tested("unknown", "e", false)).toBe("failed");
    expect(tested("unknown", "s", true)).toBe("failed");
    expect(tested("unknown", "s", false)).toBe("acquired");
  });

  it("knows a call that gives something with one error only", () => {
    const exists: Subject = { only: 0xc01c0002 };
    expect([compared(exists, 0xc01c0002, true), compared(exists, 0xc01c0002, false)]).toEqual([
      "acquired",
      "failed",
    ]);
    expect([compared(exists, 0xc000009a, true), compared(exists, 0xc000009a, false)]).toEqual([
      "failed",
      undefined,
    ]);
    expect([tested(exists, "s", true), tested(exists, "s", false)]).toEqual([undefined, "failed"]);
  });
});
