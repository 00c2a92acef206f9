import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { COMMANDS, SESSIONS } from "../../src/cli/commands.ts";
import { pooltrail, spawnedPooltrail } from "../fixtures/cli.ts";

const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

/** Words behind each command's file; every command is run once as a process of its own. */
const OPERANDS: Readonly<Record<string, readonly string[]>> = {
  trace: ["Se"],
  tags: ["Se*"],
  scan: ["Se"],
  near: ["nt!SeQueryInformationToken+10"],
  pointers: ["nt!SeQueryInformationToken"],
  pool: ["nt"],
  calls: ["nt", "ExFreePoolWithTag"],
  code: ["nt!SeQueryInformationToken"],
  read: ["nt", "64"],
};

describe("the command line as a process", () => {
  it.each(COMMANDS.map(({ name }) => name).filter((name) => !SESSIONS.includes(name)))(
    "prints what %s answers in this process, and exits with the same code",
    (name) => {
      const words = [name, "samples/article-2003.dmp", ...(OPERANDS[name] ?? [])];
      const spawned = spawnedPooltrail("", ...words);
      expect(spawned).toEqual(pooltrail(...words));
      expect(spawned.code).toBe(0);
      expect(spawned.stdout).not.toBe("");
    },
  );

  it.skipIf(!existsSync("/dev/full"))("says in one line that a full disk does not take the answer", () => {
    const full = openSync("/dev/full", "w");
    const { status, stderr } = spawnSync(
      process.execPath,
      ["dist/cli/main.js", "info", "samples/article-2003.dmp"],
      { stdio: ["ignore", full, "pipe"], encoding: "utf8" },
    );
    closeSync(full);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: "pooltrail: the answer could not be written: ENOSPC: no space left on device, write\n",
    });
  });

  it("is of ASCII alone, which loads in less time", () => {
    const built = readdirSync("dist", { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".js"),
    );
    expect(built).toContain(join("cli", "main.js"));
    for (const name of built)
      expect([name, /[^\0-\x7f]/.test(readFileSync(join("dist", name), "utf8"))]).toEqual([name, false]);
  });

  it("loads for its version and its help nothing that reads dumps", () => {
    const loaded = new Set<string>();
    const load = (file: string): void => {
      if (loaded.has(file)) return;
      loaded.add(file);
      const text = readFileSync(file, "utf8");
      for (const [, name = ""] of text.matchAll(/^import (?:[^"]* from )?"(\.[^"]+)"/gm))
        load(join(dirname(file), name));
    };
    load("dist/cli/main.js");
    const bytes = [...loaded].reduce((sum, file) => sum + readFileSync(file).length, 0);
    expect(loaded.size).toBeGreaterThan(2);
    expect(bytes).toBeLessThan(0x1_8000);
  });

  it("ends at once where the user interrupts it, as a shell's 130", async () => {
    const busy = spawn(process.execPath, [
      "dist/cli/main.js",
      "eval",
      "samples/article-2003.dmp",
      "-e",
      "console.log('busy')",
      "-e",
      "for (;;) {}",
    ]);
    await once(busy.stdout, "data");
    busy.kill("SIGINT");
    const [code, signal] = await once(busy, "exit");
    expect([code, signal]).toEqual([null, "SIGINT"]);
  });

  it("tells wrong usage, a missing file and its version by exit code, like the function does", () => {
    for (const words of [
      ["scan"],
      ["info", "no-such-file.dmp"],
      ["near", "samples/article-2003.dmp", "zz!"],
    ]) {
      expect(spawnedPooltrail("", ...words)).toEqual(pooltrail(...words));
    }
    expect(spawnedPooltrail("", "--version")).toMatchObject({
      stdout: `${manifest.version}\n`,
      code: 0,
    });
  });
});
