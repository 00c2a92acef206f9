import { describe, expect, it } from "vitest";
import { parseCommandLine, UsageError } from "../../src/cli/arguments.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { renderHelp } from "../../src/cli/help.ts";

function run(...argv: string[]): { command: string; file: string; operands: readonly string[] } {
  const invocation = parseCommandLine(argv);
  if (invocation.kind !== "run") throw new Error(`${argv.join(" ")} is no run`);
  return { command: invocation.command.name, file: invocation.file, operands: invocation.operands };
}

describe("parseCommandLine", () => {
  it("takes a dump without a command as trace", () => {
    expect(run("MEMORY.DMP", "Se")).toEqual({ command: "trace", file: "MEMORY.DMP", operands: ["Se"] });
  });

  it.each([
    ["lm", "modules"],
    ["s", "scan"],
    ["ln", "near"],
    ["dh", "headers"],
    ["dps", "imports"],
    ["db", "read"],
  ])("knows WinDbg's %s as %s", (alias, name) => {
    const operands = { lm: [], dh: [], dps: [] }[alias] ?? ["8096c909"];
    expect(run(alias, "a.dmp", ...operands).command).toBe(name);
  });

  it.each([
    [["lm", "a.dmp", "m", "ABC*"], "modules", ["ABC*"], {}],
    [["lmvm", "a.dmp", "ABCD", "--json"], "modules", ["ABCD"], { format: "json" }],
    [["dh", "a.dmp", "-f", "b8f04000"], "headers", ["b8f04000"], {}],
    [["!dh", "a.dmp", "b8f04000", "-f"], "headers", ["b8f04000"], {}],
    [["poolused", "a.dmp", "/t10", "4"], "tags", [], { sort: "paged", top: 10 }],
    [["poolused", "a.dmp", "4", "--sort", "tag"], "tags", [], { sort: "tag" }],
    [["u", "a.dmp", "nt", "L10"], "code", ["nt"], { view: "from", lines: 16 }],
    [["!process", "a.dmp", "0", "0"], "processes", [], {}],
    [["!handle", "a.dmp", "4"], "handles", ["4"], {}],
    [["!vm", "a.dmp", "1"], "memory", [], {}],
    // these are the command line's own, as before
    [["dps", "a.dmp", "b8f04000+7880"], "imports", ["b8f04000+7880"], {}],
    [["s", "a.dmp", "Se"], "scan", ["Se"], {}],
  ])("takes WinDbg's operands behind WinDbg's names: %j", (argv, name, operands, options) => {
    expect(parseCommandLine(argv)).toMatchObject({ file: "a.dmp", command: { name }, operands, options });
  });

  it.each([
    [["help", "moduls"], 'there is no command "moduls"; did you mean modules?'],
    [["help", "frobnicate"], 'there is no command "frobnicate"'],
  ])("names the command that was meant: %j", (argv, message) => {
    expect(() => parseCommandLine(argv)).toThrow(new UsageError(message));
  });

  it.each(COMMANDS.flatMap(({ name, examples }) => examples.map((example) => [name, example] as const)))(
    "takes the examples of %s: %s",
    (name, example) => {
      const words = example.match(/'[^']*'|\S+/g)!.map((word) => word.replaceAll("'", ""));
      expect(run(...words).command).toBe(name);
    },
  );

  it("collects every --images", () => {
    const invocation = parseCommandLine(["info", "a.dmp", "--images", "one", "--images=two", "--json"]);
    expect(invocation).toMatchObject({ options: { images: ["one", "two"], format: "json", quiet: false } });
  });

  it.each([
    [["scan", "a.dmp"]],
    [["scan", "a.dmp", "Se", "extra"]],
    [["info"]],
    [["info", "a.dmp", "--frobnicate"]],
    [["help", "frobnicate"]],
    [["read", "a.dmp"]],
  ])("refuses %j as wrong usage", (argv) => {
    expect(() => parseCommandLine(argv)).toThrow(UsageError);
  });

  it("shows the help without a file", () => {
    expect(parseCommandLine([])).toEqual({ kind: "help" });
    expect(parseCommandLine(["scan", "--help"])).toMatchObject({ kind: "help", command: { name: "scan" } });
  });
});

describe("renderHelp", () => {
  it("names every command and no line is wider than a terminal", () => {
    const text = renderHelp();
    for (const command of COMMANDS) expect(text).toContain(`  ${command.name} `);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(110);
  });
});
