import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, symlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { FileError, openDump } from "../../src/index.ts";
import { pooltrail, spawnedPooltrail } from "../fixtures/cli.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const X64 = "samples/leak-x64.dmp";
const folder = temporaryFolder();
const file = folder.file("file", new Uint8Array(4));
const loop = join(folder.path, "loop");
symlinkSync("loop", loop);
const fifo = join(folder.path, "fifo");
spawnSync("mkfifo", [fifo]);

/** What leads to no file, and what is said of it. */
const PATHS = {
  "through a file": [join(file, "x"), "there is no such file"],
  "in a circle": [loop, "ELOOP"],
  "too long": [join(folder.path, "a".repeat(300)), "ENAMETOOLONG"],
  "to a pipe": [fifo, "this is a device or a pipe"],
  "to a device": ["/dev/zero", "this is a device or a pipe"],
} as const;

const LINES: readonly (readonly [string, (path: string) => readonly string[]])[] = [
  ["the dump", (path) => ["info", path]],
  ["a PE file", (path) => ["headers", path]],
  ["the hive", (path) => ["trace", X64, "Se", "--system-hive", path]],
  ["the tag file", (path) => ["tags", X64, "--pooltags", path]],
  ["the older dump", (path) => ["tags", X64, "--since", path]],
];

describe.each(Object.entries(PATHS))("a path that leads %s", (_, [path, says]) => {
  it.each(LINES)("is told in one line where it is %s", (_what, line) => {
    const { stdout, stderr, code } = pooltrail(...line(path));
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(says);
    expect(stderr).toMatch(/^pooltrail: [^\n]*\n$/);
  });

  it("is told where a folder is wanted, and where the answer is to go", () => {
    const given = pooltrail("info", X64, "--images", path);
    expect(given).toMatchObject({ code: 1, stdout: "" });
    expect(given.stderr).toMatch(/^pooltrail: [^\n]*\n$/);
    const out = pooltrail("info", X64, "--output", path);
    expect(out).toMatchObject({ code: 1, stdout: "" });
    expect(out.stderr).toMatch(/^pooltrail: [^\n]*\n$/);
  });
});

it("names a folder that is none by what it is", () => {
  expect(pooltrail("info", X64, "--images", file).stderr).toContain(
    "this is no folder; name the one it is in",
  );
});

describe("a dump that is cut off while it is open", () => {
  it("is a FileError that says so, whatever is asked", () => {
    const path = folder.file("cut.dmp", readFileSync(X64));
    using dump = openDump(path);
    dump.info();
    truncateSync(path, 0x3000);
    for (const ask of [
      () => dump.trace("Se"),
      () => dump.functions("ctstor"),
      () => dump.find(new Uint8Array(4)),
    ]) {
      let thrown: unknown;
      try {
        ask();
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(FileError);
      expect(thrown).toMatchObject({ problem: "changed", path });
    }
  });

  it("is told at the prompt in one line, and the prompt goes on", () => {
    const path = folder.file("cut-at-the-prompt.dmp", readFileSync(X64));
    const lines = [
      "lm().modules[0].name",
      `process.getBuiltinModule("node:fs").truncateSync(${JSON.stringify(path)}, 0x3000)`,
      "!trace Se",
      "1 + 1",
    ];
    const { stdout, code } = spawnedPooltrail(`${lines.join("\n")}\n`, "repl", path);
    const answers = stdout.split("pooltrail> ").slice(1, -1);
    expect(code).toBe(0);
    expect(answers[0]).toBe("'nt'\n");
    expect(answers[2]?.trimEnd()).toBe(`Uncaught ${path}: it was cut off while it was open; copy it first`);
    expect(answers[3]).toBe("2\n");
  });
});

// the superuser may read anything, and so it is somebody else who asks
it.skipIf(process.getuid?.() !== 0)("names a file that may not be read", () => {
  const path = folder.file("secret.dmp", readFileSync(X64));
  chmodSync(path, 0o600);
  chmodSync(folder.path, 0o755);
  const script = `
    const { openDump } = await import(${JSON.stringify(pathToFileURL("dist/index.js").href)});
    process.seteuid(65534);
    try { openDump(${JSON.stringify(path)}); } catch (error) { console.log(error.name, error.problem, error.message); }`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(stdout).toBe(
    `FileError denied ${path}: no permission to read it; C:\\Windows\\MEMORY.DMP needs an administrator\n`,
  );
});
