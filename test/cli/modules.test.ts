import { describe, expect, it } from "vitest";
import { pooltrail, pooltrailJson } from "../fixtures/cli.ts";

const DUMP = "samples/article-2003.dmp";

/** The names that `modules` shows with a pattern. */
function shown(pattern: string): { modules: string[]; unloaded: string[] } {
  const { modules, unloaded } = pooltrailJson("modules", DUMP, pattern);
  const names = (rows: { name: string }[]): string[] => rows.map(({ name }) => name);
  return { modules: names(modules), unloaded: names(unloaded) };
}

// 35 modules, and five unloaded: samples/article-2003.md
describe("modules with a pattern", () => {
  it.each([
    ["ABC*", { modules: ["ABCMiniFilter", "ABCD"], unloaded: ["ABCScan.sys"] }],
    ["abcminifilter", { modules: ["ABCMiniFilter"], unloaded: [] }],
    ["ntkrpamp.exe", { modules: ["nt"], unloaded: [] }],
    ["X??", { modules: ["xyz"], unloaded: [] }],
  ])("shows those of that name: %s", (pattern, names) => {
    const found = shown(pattern);
    expect(found.modules.sort()).toEqual(names.modules.sort());
    expect(found.unloaded).toEqual(names.unloaded);
  });

  it("shows all of the only one", () => {
    const { stdout } = pooltrail("modules", DUMP, "ABCMiniFilter");
    expect(stdout).toMatch(/^time stamp {6}0x51f7d252, 2013-07-30 14:48:50 UTC, if it is a time$/m);
    expect(stdout).toMatch(/^image name {6}ABCMiniFilter\.sys$/m);
    expect(pooltrail("modules", DUMP, "ABC*").stdout).not.toContain("image name");
  });

  it("says that none is of that name, and which was meant", () => {
    const { code, stdout } = pooltrail("modules", DUMP, "ABCMiniFiltr");
    expect([code, stdout]).toEqual([
      0,
      "0 modules\n\nnote: no module fits ABCMiniFiltr; did you mean ABCMiniFilter?\n",
    ]);
  });
});
