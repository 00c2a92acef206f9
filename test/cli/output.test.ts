import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { pooltrail } from "../fixtures/cli.ts";

const DUMP = "samples/article-2003.dmp";

const LINES = [
  ["trace", DUMP, "Se"],
  ["trace", DUMP],
  ["info", DUMP],
  ["modules", DUMP],
  ["memory", DUMP],
  ["tags", DUMP],
  ["scan", DUMP, "Se"],
  ["near", DUMP, "8096c909", "80800000"],
  ["pointers", DUMP, "8096c8cc"],
  ["headers", DUMP, "ABCMiniFilter"],
  ["imports", DUMP, "ABCMiniFilter"],
  ["exports", DUMP, "nt"],
  ["read", DUMP, "b94b5938", "0x40"],
  ["headers", "samples/images/x86/ctstor.sys"],
  ["imports", "samples/images/x86/ctstor.sys"],
  ["exports", "samples/images/x86/ntoskrnl.exe"],
];
const ESCAPE = "\u001b";

describe.each(LINES)("pooltrail %s %s %s", (...given) => {
  const line = given.filter((word) => word !== undefined);

  it("gives one JSON document on stdout and nothing else anywhere", () => {
    const { stdout, stderr, code } = pooltrail(...line, "--json");
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1 });
    expect(stdout).toMatch(/^\{[\s\S]*\}\n$/);
  });

  it("writes plain text into a pipe, and nothing to stderr", () => {
    const { stdout, stderr, code } = pooltrail(...line);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).not.toContain(ESCAPE);
    expect(stdout).toMatch(/\S\n$/);
  });
});

describe("trace of several tags", () => {
  it("gives a list of documents, one for each tag in the order of the command line", () => {
    const documents = JSON.parse(pooltrail("trace", DUMP, "Toke", "Se", "--json").stdout);
    const [toke, se] = ["Toke", "Se"].map((tag) =>
      JSON.parse(pooltrail("trace", DUMP, tag, "--json").stdout),
    );
    expect(documents).toEqual([toke, se]);
  });

  it("reads as one text", () => {
    expect(pooltrail("trace", DUMP, "Se", "Toke").stdout).toContain("2 tags are traced");
  });
});

describe("--quiet", () => {
  it.each([
    ["trace", DUMP, "Se"],
    ["memory", DUMP],
  ])("leaves the answer as it is: %s", (...line) => {
    expect(pooltrail(...line, "--json", "--quiet").stdout).toBe(pooltrail(...line, "--json").stdout);
  });
});

describe("colours", () => {
  /** What a command writes to a terminal: `script` lends it one. */
  function onTerminal(environment: Readonly<Record<string, string>>, ...options: string[]): string {
    const command = [process.execPath, "dist/cli/main.js", "info", DUMP, ...options].join(" ");
    const { NO_COLOR: _, ...env } = process.env;
    return spawnSync("script", ["-qec", command, "/dev/null"], {
      encoding: "utf8",
      env: { ...env, TERM: "xterm", ...environment },
    }).stdout;
  }
  const noTerminal = spawnSync("script", ["--version"]).status !== 0;

  it.skipIf(noTerminal)("are for a terminal", () => {
    expect(onTerminal({})).toContain(ESCAPE);
  });

  it.skipIf(noTerminal).each([
    ["NO_COLOR", { NO_COLOR: "1" }, []],
    ["--no-color", {}, ["--no-color"]],
    ["--json", {}, ["--json"]],
  ])("are left out there with %s", (_, environment, options) => {
    const shown = onTerminal(environment, ...options);
    expect(shown).toContain("3790");
    expect(shown).not.toContain(ESCAPE);
  });
});

describe("a reader that goes away, as head does", () => {
  it.each([[["exports", DUMP, "nt"]], [["tags", DUMP, "--json"]]])("ends %j in silence", async (line) => {
    const child = spawn(process.execPath, ["dist/cli/main.js", ...line], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    const [code] = await once(child, "close");
    expect([code, stderr]).toEqual([0, ""]);
  });
});
