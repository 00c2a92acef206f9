import { describe, expect, it } from "vitest";
import { inspectHex } from "../../src/cli/inspect.ts";
import { openDump } from "../../src/index.ts";

describe("inspectHex", () => {
  it("shows bytes as a debugger does, and not all of many", () => {
    expect(inspectHex({ bytes: Uint8Array.of(0x53, 0x65, 0x20, 0) }, false)).toBe(
      "{ bytes: 4 bytes: 53 65 20 00 }",
    );
    expect(inspectHex(new Uint8Array(1000), false)).toMatch(/^1000 bytes: (?:00 ){200}\.\.\.$/);
  });

  it("shows a dump in one line, not with all that it holds", () => {
    using dump = openDump("samples/article-2003.dmp");
    expect(inspectHex(dump, false)).toMatch(/^Dump article-2003\.dmp: 35 modules[^\n]*$/);
  });
});

describe("inspectHex of a list of things of one kind", () => {
  const rows = [
    { name: "nt", base: 0x80800000n, size: 2478080, path: null, parts: [1, 2] },
    { name: "hal\u001b[31m", base: 0x80a5d000n, size: 180, path: "x".repeat(70), parts: [] },
  ];

  it("is a table, addresses in hex, numbers to the right, nothing that drives a terminal", () => {
    expect(inspectHex(rows, false).split("\n")).toEqual([
      "name           base           size  path",
      "nt             0x80800000  2478080  -",
      `hal\\u{1b}[31m  0x80a5d000      180  ${"x".repeat(57)}...`,
      "(and parts: last[0] shows one whole)",
    ]);
  });

  it("has as many columns as there is room for", () => {
    expect(inspectHex(rows, false, 38).split("\n")).toEqual([
      "name           base           size",
      "nt             0x80800000  2478080",
      "hal\\u{1b}[31m  0x80a5d000      180",
      "(and path, parts: last[0] shows one whole)",
    ]);
    expect(inspectHex(rows, false, 1).split("\n")[0]).toBe("name");
  });

  it("has 200 rows, and says how many more there are", () => {
    const many = Array.from({ length: 1234 }, (_, i) => ({ i, even: i % 2 === 0 }));
    const lines = inspectHex(many, false).split("\n");
    expect([lines[0], lines[200], lines[201], lines.length]).toEqual([
      "  i  even",
      "199  false",
      "... 1,034 more",
      202,
    ]);
  });

  it.each([
    ["numbers", [1, 2], "[ 1, 2 ]"],
    ["nothing", [], "[]"],
    ["things of one field", [{ a: 1 }], "[ { a: 1 } ]"],
    ["things without a plain field", [{ a: [1], b: {} }], "[ { a: [ 1 ], b: {} } ]"],
    ["a thing among values", [{ a: 1, b: 2 }, 3], "[ { a: 1, b: 2 }, 3 ]"],
  ])("but not of %s", (_, value, text) => {
    expect(inspectHex(value, false)).toBe(text);
  });
});
