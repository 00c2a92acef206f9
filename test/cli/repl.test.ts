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

  // the lines of the article, as it types them
  it("takes what is typed as in WinDbg", () => {
    const lines: [string, ...string[]][] = [
      ["!vm 1", "memory"],
      ["!poolused /t10 4", "tags", "--sort", "paged", "--top", "10"],
      ["ln 8096c909", "near", "8096c909"],
      ["ln b94b5938", "near", "b94b5938"],
      ["lm", "modules"],
      ["!dh b8f04000 -f", "headers", "b8f04000"],
      ["dps b8f04000+7880 b8f04000+7880+108", "imports", "b8f04000+7880", "L43"],
      ["dps b8f04000+7880 L42", "imports", "b8f04000+7880", "L42"],
      ["lm m ABC*", "modules", "ABC*"],
      ["lmvm ABCMiniFilter", "modules", "ABCMiniFilter"],
      ["db b94b5938 L20", "read", "b94b5938", "20"],
      ["u nt!SeQueryInformationToken L4", "u", "nt!SeQueryInformationToken", "--lines", "4"],
      ["tags --top 3", "tags", "--top", "3"],
      ["info", "info"],
    ];
    expect(typed(...lines.map(([line]) => line))).toEqual(
      lines.map(([, command = "", ...operands]) => pooltrail(command, DUMP, ...operands).stdout.trimEnd()),
    );
  });

  it("says where it does otherwise than WinDbg", () => {
    const answers = typed(
      '!for_each_module s -a @#Base @#End "Se "',
      "!for_each_module s-d @#Base @#End 8096c8cc",
      "_.pointers.length",
    );
    const note = "note: every module is looked at, whatever the range\n";
    expect(answers[0]).toBe(note + pooltrail("scan", DUMP, "Se").stdout.trimEnd());
    expect(answers[1]).toBe(note + pooltrail("pointers", DUMP, "8096c8cc").stdout.trimEnd());
    // the ten slots of samples/article-2003.md
    expect(answers[2]).toBe("10");
  });

  it("gives typed lines as values: `_` and `last`", () => {
    const answers = typed(
      "ln 8096c909",
      "_.symbols[0].below.name",
      "? nt!SeQueryInformationToken+0n61",
      "last + 1n",
      "tags Se",
      "const [se] = _.tags",
      "se.paged.bytes",
    );
    expect(answers.slice(1, 4)).toEqual(["'SeQueryInformationToken'", "0x8096c909", "0x8096c90a"]);
    expect(answers[6]).toBe("232720312");
  });

  it("says what there is where it has not what WinDbg has", () => {
    const answers = typed(
      "dt nt!_EPROCESS",
      "k",
      "!nosuch",
      "!nosuch 4",
      "const k = 4",
      "k",
      "!k",
      "help near",
    );
    expect(answers).toEqual([
      "there is no dt here: types are not known without symbols; db and dps show memory",
      "there is no k here: dps ADDRESS L40 of a stack names what it returns to; info has the registers",
      "there is no !nosuch here; .help shows what there is",
      "there is no !nosuch here; .help shows what there is",
      "undefined",
      "4",
      "false",
      pooltrail("near", "--help").stdout.trimEnd(),
    ]);
  });

  it("shows lists as tables that are still values", () => {
    const answers = typed("lm().modules.filter((one) => one.name.startsWith('ABC'))", "last.length", "_");
    expect(answers[0]?.split("\n")[0]).toMatch(/^name +imageName +path +base +end +size/);
    expect(answers[0]).toMatch(/^ABCMiniFilter +ABCMiniFilter\.sys +.* 0xb8f04000 +0xb8f0de80 +40576/m);
    expect(answers.slice(1)).toEqual(["2", "2"]);
  });

  it("leaves a name to who has taken it, and JavaScript to Node", () => {
    const answers = typed(
      "let u = 5",
      "u",
      "lm ().modules.length",
      "const memory = 1 +",
      "2",
      "memory",
      "!vm",
    );
    expect(answers).toEqual([
      "undefined",
      "5",
      "35",
      // the line is not ended: Node asks on, from 24 on with a bar
      expect.stringMatching(/^(?:\.\.\.|\|) undefined$/),
      "3",
      pooltrail("vm", DUMP).stdout.trimEnd(),
    ]);
  });

  it("shows how to ask", () => {
    const [help = ""] = typed(".help");
    const examples = [...help.matchAll(/^ {2}(\S.*?)(?: {2,}.*)?$/gm)].map(([, example = ""]) => example);
    expect(examples.length).toBeGreaterThan(12);
    for (const answer of typed(...examples.filter((example) => !example.startsWith("last, _"))))
      expect(answer).not.toContain("Uncaught");
  });

  // doubles past 2^53 skip addresses: this one would be answered for fffff8047bc01000
  it("does not answer for a rounded number", () => {
    const calls = ["ln", "db", "near", "pointers", "u"].map((name) => `${name}(0xfffff8047bc01172)`);
    for (const answer of typed(...calls)) {
      expect(answer).toMatch(/^Uncaught \d+ is not an exact address: use a bigint or a string[^\n]*$/);
    }
  });

  it("takes a module or an address that it gave", () => {
    const [byModule, byAddress] = typed("dh(dump.modules.items[1])", "ln(0x8096c909n)");
    expect(byModule).toBe(pooltrail("dh", DUMP, "hal").stdout.trimEnd());
    expect(byAddress).toBe(pooltrail("ln", DUMP, "8096c909").stdout.trimEnd());
  });

  it("says in one line what was wrong, and goes on", () => {
    const answers = typed(
      'ln("nosuch")',
      's("Fives")',
      "ln(true)",
      "1 + 1",
      "ln SeQueryInformationTokn",
      "ln",
      "tags --nosuch",
      "? poi(win32k)",
    );
    expect(answers[0]).toMatch(/^Uncaught .*"nosuch" is neither an address nor a module[^\n]*$/);
    expect(answers[1]).toMatch(/^Uncaught .*one to four characters, found 5: Fives$/);
    expect(answers[2]).toMatch(/^Uncaught [^\n]*$/);
    expect(answers[3]).toBe("2");
    expect(answers.slice(4)).toEqual([
      'Uncaught "SeQueryInformationTokn" is neither an address nor a module; did you mean SeQueryInformationToken?',
      "Uncaught near needs ADDRESS...",
      "Uncaught Unknown option '--nosuch'",
      expect.stringMatching(/^Uncaught poi\(win32k\) cannot be read: 0xbf800000 is not mapped: [^\n]*$/),
    ]);
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
