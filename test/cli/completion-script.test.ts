import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { SHELLS, type Shell } from "../../src/cli/arguments.ts";
import { COMMAND_NAMES } from "../../src/cli/commands.ts";
import { pooltrail } from "../fixtures/cli.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const folder = temporaryFolder();
const script = (shell: Shell): string =>
  folder.file(`complete.${shell}`, new TextEncoder().encode(pooltrail("completion", shell).stdout));

const has = (shell: string): boolean => spawnSync(shell, ["-c", "true"]).status === 0;

/** What bash offers for the last of some words. */
function bashOffers(...words: readonly string[]): readonly string[] {
  const program = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); _pooltrail; printf "%s\\n" "\${COMPREPLY[@]}"`;
  const { stdout } = spawnSync("bash", ["-c", program, script("bash"), "pooltrail", ...words], {
    encoding: "utf8",
    cwd: "samples",
  });
  return stdout.split("\n").filter((word) => word !== "");
}

describe.skipIf(!has("bash"))("completion in bash", () => {
  it.each([
    [["tra"], ["trace"]],
    [["completion", ""], [...SHELLS]],
    [
      ["tags", "x.dmp", "--s"],
      ["--sort", "--since"],
    ],
    // aliases take what their commands take
    [["poolused", "x.dmp", "--to"], ["--top"]],
    [["info", "x.dmp", "--so"], []],
    [
      ["tags", "x.dmp", "--sort", ""],
      ["paged", "nonpaged", "bytes", "count", "tag"],
    ],
    [["info", "article-2003.dm"], ["article-2003.dmp"]],
    [["info", "x.dmp", "--images", "ima"], ["images"]],
  ])("offers for %j %j", (words, offered) => {
    expect(bashOffers(...words)).toEqual(offered);
  });
});

describe.skipIf(!has("fish"))("completion in fish", () => {
  it.each([
    ["pooltrail ta", ["tags"]],
    ["pooltrail tags x --s", ["--since", "--sort"]],
    ["pooltrail tags x --sort ", ["bytes", "count", "nonpaged", "paged", "tag"]],
    ["pooltrail completion ", [...SHELLS].sort()],
  ])("offers for %s %j", (line, offered) => {
    const { stdout } = spawnSync("fish", ["-c", `source ${script("fish")}; complete -C '${line}'`], {
      encoding: "utf8",
    });
    expect(stdout.split("\n").flatMap((row) => row.split("\t")[0] || [])).toEqual(offered);
  });
});

it.skipIf(!has("zsh"))("completion in zsh is a script that zsh reads", () => {
  const { status, stderr } = spawnSync("zsh", ["-n", script("zsh")], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

it.each(SHELLS)("the script for %s knows every command and option", (shell) => {
  const { stdout } = pooltrail("completion", shell);
  const names = COMMAND_NAMES.filter((name) => shell === "powershell" || !name.startsWith("!"));
  expect(names.filter((name) => !new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(stdout))).toEqual([]);
  expect(stdout).toContain(shell === "fish" ? "-l system-hive" : "--system-hive");
});

it.each([[["completion"]], [["completion", "tcsh"]], [["completion", "bash", "zsh"]]])(
  "%j is wrong usage",
  (words) => {
    expect(pooltrail(...words)).toMatchObject({
      code: 2,
      stderr: "pooltrail: completion takes bash, zsh, fish, powershell\nTry: pooltrail --help\n",
    });
  },
);
