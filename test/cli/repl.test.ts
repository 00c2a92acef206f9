import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { historyFile } from "../../src/cli/repl.ts";
import { pooltrail, spawnedPooltrail } from "../fixtures/cli.ts";

const DUMP = "samples/article-2003.dmp";
const PROMPT = "pooltrail> ";

/** What the REPL answers to each line typed. */
function typed(...lines: string[]): string[] {
  const { stdout, stderr, code } = spawnedPooltrail(`${lines.join("\n")}\n`, "repl", DUMP);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout
    .split(PROMPT)
    .slice(1, -1)
    .map((answer) => answer.trimEnd());
}

describe("the REPL", () => {
  it("prints each short name as its command does", () => {
    const answers = typed(
      "lm()",
      'ln("8096c909")',
      'poolused({ sort: "paged", top: 3 })',
      'poolused("Nt*")',
      'dps("ABCMiniFilter")',
      'db("b94b5938", 16)',
      "vm()",
    );
    expect(answers).toEqual(
      [
        ["lm", DUMP],
        ["ln", DUMP, "8096c909"],
        ["poolused", DUMP, "--sort", "paged", "--top", "3"],
        ["poolused", DUMP, "Nt*"],
        ["dps", DUMP, "ABCMiniFilter"],
        ["db", DUMP, "b94b5938", "0x10"],
        ["vm", DUMP],
      ].map((line) => pooltrail(...line).stdout.trimEnd()),
    );
  });

  it("has the dump open as `dump`, and shows addresses in hex", () => {
    const answers = typed(
      "dump.modules.items.length",
      "dump.modules.named('ABCMiniFilter').base",
      "dump.near('8096c909').below",
      "[dump.kernel.base]",
      "hex(dump.address('nt!SeQueryInformationToken'))",
      "s('Se').references.length",
      "lm().modules[0].name",
    );
    expect(answers).toEqual([
      "35",
      "0xb8f04000",
      "{ name: 'SeQueryInformationToken', address: 0x8096c8cc, offset: 61 }",
      "[ 0x80800000 ]",
      "'0x8096c8cc'",
      "19",
      "'nt'",
    ]);
  });

  it("takes a module or an address that it gave", () => {
    const [byModule, byAddress] = typed("dh(dump.modules.items[1])", "ln(0x8096c909n)");
    expect(byModule).toBe(pooltrail("dh", DUMP, "hal").stdout.trimEnd());
    expect(byAddress).toBe(pooltrail("ln", DUMP, "8096c909").stdout.trimEnd());
  });

  it("says in one line what was wrong, and goes on", () => {
    const answers = typed('ln("nosuch")', 's("Fives")', "ln(true)", "1 + 1");
    expect(answers[0]).toMatch(/^Uncaught .*"nosuch" is neither an address nor a module[^\n]*$/);
    expect(answers[1]).toMatch(/^Uncaught .*one to four characters, found 5: Fives$/);
    expect(answers[2]).toMatch(/^Uncaught [^\n]*$/);
    expect(answers[3]).toBe("2");
  });

  // errors and maps of the prompt's own realm were shown as empty objects
  it("shows what is made at the prompt as Node does", () => {
    const answers = typed("nosuch", "new Map([[1, 2]])", "new Date(0)");
    expect(answers[0]).toMatch(/nosuch is not defined/);
    expect(answers.slice(1)).toEqual(["Map(1) { 1 => 2 }", "1970-01-01T00:00:00.000Z"]);
  });
});

describe("the REPL's history", () => {
  it("is kept in the user's folder, or where POOLTRAIL_HISTORY says, or nowhere", () => {
    expect(historyFile({})).toBe(join(homedir(), ".pooltrail_history"));
    expect(historyFile({ POOLTRAIL_HISTORY: "/elsewhere/history" })).toBe("/elsewhere/history");
    expect(historyFile({ POOLTRAIL_HISTORY: "" })).toBeUndefined();
  });
});
