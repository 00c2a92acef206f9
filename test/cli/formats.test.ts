import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pooltrail } from "../fixtures/cli.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const DUMP = "samples/leak-x64.dmp";

describe("--format and --output", () => {
  it.each([
    ["html", /^<!doctype html>/],
    ["md", /^\| start \| end \|/],
    ["csv", /^start,end,module name/],
    ["json", /^\{\n {2}"schemaVersion": 1/],
    ["text", /^start {2}/],
  ])("%s goes to stdout, or to the file that is named", (format, begins) => {
    const folder = temporaryFolder();
    const file = join(folder.path, "answer");
    const { stdout } = pooltrail("modules", DUMP, "--format", format);
    expect(stdout).toMatch(begins);
    expect(pooltrail("modules", DUMP, "--format", format, "--output", file)).toEqual({
      stdout: "",
      stderr: "",
      code: 0,
    });
    expect(readFileSync(file, "utf8")).toBe(stdout);
  });

  it("--html FILE is one page", () => {
    const file = join(temporaryFolder().path, "report.html");
    expect(pooltrail("trace", DUMP, "Se", "--html", file)).toEqual({ stdout: "", stderr: "", code: 0 });
    expect(readFileSync(file, "utf8")).toContain("<code>pooltrail trace samples/leak-x64.dmp Se</code>");
  });

  it("writes over nothing unless it is forced to, and leaves nothing beside", () => {
    const folder = temporaryFolder();
    const file = folder.file("answer.html", "mine");
    expect(pooltrail("info", DUMP, "--html", file)).toEqual({
      code: 1,
      stdout: "",
      stderr: `pooltrail: ${file}: it is there already, and stays as it is; --force writes over it\n`,
    });
    expect(readFileSync(file, "utf8")).toBe("mine");
    expect(pooltrail("info", DUMP, "--html", file, "--force").code).toBe(0);
    expect(readFileSync(file, "utf8")).toMatch(/^<!doctype html>/);
    expect(readdirSync(folder.path)).toEqual(["answer.html"]);
  });

  it("writes to no device and into no folder that is not there", () => {
    const folder = temporaryFolder();
    const missing = join(folder.path, "none", "answer.html");
    expect(pooltrail("info", DUMP, "--html", missing)).toMatchObject({ code: 1, stdout: "" });
    expect(pooltrail("info", DUMP, "--html", folder.path, "--force").stderr).toMatch(/this is no file/);
    if (existsSync("/dev/full"))
      expect(pooltrail("info", DUMP, "--html", "/dev/full", "--force").stderr).toMatch(/this is no file/);
  });

  it.each([
    [["--format", "pdf"], '--format takes text, json, html, md, csv, not "pdf"'],
    [["--json", "--format", "csv"], "one format at a time, not json and csv"],
    [["--html", "a", "--output", "b"], "--html FILE says where already: leave --output out"],
  ])("is wrong usage: %s", (options, words) => {
    expect(pooltrail("info", DUMP, ...options)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(words),
    });
  });
});
