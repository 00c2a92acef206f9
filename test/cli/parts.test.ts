import { describe, expect, it } from "vitest";
import { partsOf } from "../../src/cli/output.ts";

describe("partsOf", () => {
  it("ends no part within a character", () => {
    const text = `${"a".repeat(0x10_0000 - 1)}\u{1f600}${"b".repeat(0x10_0000)}`;
    const parts = [...partsOf(text)];
    expect(parts.map((part) => part.length)).toEqual([0x10_0001, 0x10_0000]);
    expect(Buffer.concat(parts.map((part) => Buffer.from(part))).toString()).toBe(text);
  });

  it("gives no part of no text", () => {
    expect([...partsOf("")]).toEqual([]);
  });
});
