import { describe, expect, it } from "vitest";
import { fits } from "../../src/core/wildcard.ts";

describe("fits", () => {
  it.each([
    ["ABCMiniFilter", "abc*"],
    ["ABCMiniFilter", "*filter"],
    ["ABCMiniFilter", "ABC????Filter"],
    ["ABCMiniFilter", "*i*i*e?"],
    ["ABCMiniFilter", "***"],
    ["", "*"],
    ["", ""],
    ["a.sys", "a.sys"],
  ])("%s fits %s", (name, pattern) => {
    expect(fits(name, pattern)).toBe(true);
  });

  it.each([
    ["ABCMiniFilter", "ABC"],
    ["ABCMiniFilter", "Filter"],
    ["ABCMiniFilter", "ABC???Filter"],
    ["ABCMiniFilter", ""],
    ["", "?"],
    // a dot is a dot
    ["aXsys", "a.sys"],
  ])("%s does not fit %s", (name, pattern) => {
    expect(fits(name, pattern)).toBe(false);
  });

  // with a regular expression this takes longer than anybody lives
  it("takes no time of many stars", () => {
    expect(fits("a".repeat(5000), `${"*a".repeat(500)}*b`)).toBe(false);
  });
});
