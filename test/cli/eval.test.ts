import { describe, expect, it } from "vitest";
import { pooltrail, spawnedPooltrail } from "../fixtures/cli.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const DUMP = "samples/article-2003.dmp";
const folder = temporaryFolder();

function evaluated(...words: string[]) {
  return spawnedPooltrail("", "eval", DUMP, ...words);
}

/** A script of that text, and what it ends with. */
function script(name: string, text: string, ...words: string[]) {
  const file = folder.file(name, text);
  return { file, ...evaluated(file, ...words) };
}

describe("eval -e", () => {
  it("prints what each line gives, as the REPL does", () => {
    expect(evaluated("-e", "lm().modules.length", "-e", "dump.address('nt')", "-e", "const x = 1")).toEqual({
      stdout: "35\n0x80800000\n",
      stderr: "",
      code: 0,
    });
    expect(
      evaluated("-e", "const se = dump.tags().byPagedBytes()[0]", "-e", "'used: ' + se.paged.bytes").stdout,
    ).toBe("used: 232720312\n");
    expect(evaluated("-e", "Promise.resolve(4n)").stdout).toBe("0x4\n");
  });

  it("takes WinDbg's lines", () => {
    expect(evaluated("-e", "ln 8096c909", "-e", "lm m ABC*").stdout).toBe(
      pooltrail("near", DUMP, "8096c909").stdout + pooltrail("modules", DUMP, "ABC*").stdout,
    );
  });

  it("prints JSON where it is asked to", () => {
    expect(evaluated("--json", "-e", "ln 8096c909").stdout).toBe(
      pooltrail("near", DUMP, "8096c909", "--json").stdout,
    );
    expect(JSON.parse(evaluated("--json", "-e", "[dump.address('nt'), lm().modules.length]").stdout)).toEqual(
      ["0x80800000", 35],
    );
  });

  it.each([
    ["nosuch.x", 1, "pooltrail: -e: line 1: ReferenceError: nosuch is not defined\n"],
    ["ln nosuch!X", 2, 'pooltrail: there is no module "nosuch" here\nTry: pooltrail near --help\n'],
    ["throw 4", 1, "pooltrail: -e: 4\n"],
    ["1 +", 1, "pooltrail: -e: line 1: SyntaxError: Unexpected end of input\n"],
  ])("ends at what goes wrong: %s", (line, code, stderr) => {
    expect(evaluated("-e", "1", "-e", line, "-e", "2")).toEqual({ stdout: "1\n", stderr, code });
  });
});

describe("eval FILE.mjs", () => {
  it("runs a module that has the dump, and the commands, as globals", () => {
    const text = `const { modules } = lm();
      const third = modules.filter((one) => one.thirdParty && one.name.startsWith("X"));
      console.log(third.map(({ name, base }) => name + " " + hex(base)).join("\\n"));
      console.log(JSON.stringify(ln("8096c909")).slice(0, 18), await Promise.resolve(dump.file));`;
    expect(script("third.mjs", text)).toMatchObject({
      stdout: 'XVhdBusxxx 0xf7974000\n{"schemaVersion":1 article-2003.dmp\n',
      stderr: "",
      code: 0,
    });
  });

  it("prints what the module gives as its default", () => {
    const text = "export default (dump) => dump.trace('Se').suspects[0].module;";
    expect(script("suspect.mjs", text)).toMatchObject({ stdout: "ABCMiniFilter\n", stderr: "", code: 0 });
    expect(script("table.mjs", "export default ln('8096c909');", "--json").stdout).toBe(
      pooltrail("near", DUMP, "8096c909", "--json").stdout,
    );
  });

  it("says in which line it ended, and why", () => {
    const { file, ...ended } = script("broken.mjs", "const a = 1;\n\nnosuch(a);\n");
    expect(ended).toEqual({
      stdout: "",
      stderr: `pooltrail: ${file}: line 3: ReferenceError: nosuch is not defined\n`,
      code: 1,
    });
  });

  it("that is not there is said to be missing, and none at all is wrong usage", () => {
    expect(evaluated("nosuch.mjs")).toEqual({
      stdout: "",
      stderr: "pooltrail: nosuch.mjs: there is no such file\n",
      code: 1,
    });
    expect(evaluated()).toMatchObject({ code: 2, stderr: expect.stringContaining("-e CODE") });
    expect(pooltrail("near", DUMP, "nt", "-e", "1")).toMatchObject({ code: 2, stdout: "" });
  });
});
