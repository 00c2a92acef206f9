import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wordBytes } from "../../src/core/bytes.ts";
import { keyForms, parseTag, parseTagPattern, tableKey, tagText } from "../../src/pool/tag.ts";

describe("parseTag", () => {
  it.each([
    ["Se", 0x20206553, "Se  "],
    ["Se  ", 0x20206553, "Se  "],
    ["Pool", 0x6c6f6f50, "Pool"],
    ["ABC\\x00", 0x00434241, "ABC\\x00"],
    ["a\\b", 0x20625c61, "a\\x5cb "],
    [" x", 0x20207820, " x  "],
  ])("reads %j", (text, key, shown) => {
    expect(parseTag(text)).toEqual({ key, text: shown });
  });

  it.each(["", "Queue", "\\x41\\x42\\x43\\x44E", "Zürich", "é", "a\tb", "a\nb"])("refuses %j", (text) => {
    expect(() => parseTag(text)).toThrow(RangeError);
  });

  it("takes back every tag that is shown", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (key) => {
        expect(parseTag(tagText(key))).toEqual({ key, text: tagText(key) });
      }),
    );
  });
});

describe("the protected bit", () => {
  it("is the top bit of the fourth character", () => {
    // 'Proc' as a driver passes it for a protected allocation: 50 72 6f e3
    expect(keyForms(parseTag("Proc").key).map((key) => [...wordBytes(key)])).toEqual([
      [0x50, 0x72, 0x6f, 0x63],
      [0x50, 0x72, 0x6f, 0xe3],
    ]);
    expect(tableKey(0xe36f_7250)).toBe(0x636f_7250);
    expect(keyForms(0xe36f_7250)[0]).toBe(0x636f_7250);
  });
});

describe("parseTagPattern", () => {
  it.each([
    ["Se", "Se  ", true],
    ["Se", "SeTl", false],
    ["Se*", "Se  ", true],
    ["Se*", "SeTl", true],
    ["se*", "Se  ", false],
    ["Se?", "Se? ", true],
    ["Se?", "SeTl", false],
    ["?o?l", "Pool", true],
    ["*", "Pool", true],
    ["****", "Pool", true],
    ["*ol", "Pool", true],
    ["*oo*", "Pool", true],
    ["P*o*l", "Pool", true],
    ["P*lo", "Pool", false],
    ["\\x2a", "*   ", true],
    ["\\x2a", "Pool", false],
    ["abcde*", "abcd", false],
  ])("%j matches %j: %s", (pattern, tag, expected) => {
    expect(parseTagPattern(pattern)(parseTag(tag).key)).toBe(expected);
  });

  it("sees a protected tag as the tag that it is", () => {
    expect(parseTagPattern("Pro*")(0xe36f_7250)).toBe(true);
  });

  it("ends soon for a pattern made of stars", () => {
    expect(parseTagPattern(`${"*a".repeat(10_000)}b`)(parseTag("aaaa").key)).toBe(false);
  });

  it.each(["", "abcde"])("refuses %j", (pattern) => {
    expect(() => parseTagPattern(pattern)).toThrow(RangeError);
  });
});
