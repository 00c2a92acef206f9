import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const PAGE = "docs/assistant.md";

describe(PAGE, () => {
  const page = readFileSync(PAGE, "utf8");
  const [, program = "", printed = ""] = /```js\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/.exec(page) ?? [];

  it("shows what a client is told", () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module"], {
      input: program,
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, ""]);
    if (process.env.UPDATE_DOCS === "1") {
      const [before, after = ""] = page.split("```text\n");
      writeFileSync(PAGE, `${before}\`\`\`text\n${stdout}${after.slice(after.indexOf("```"))}`);
    } else expect(stdout).toBe(printed);
  });

  it("names every tool", async () => {
    const { TOOLS } = await import("../src/tools.ts");
    const tools = page.split("## What it offers")[1]?.split("`files`")[0] ?? "";
    const named = [...tools.matchAll(/`(\w+)`/g)].map((match) => match[1]);
    expect(named.filter((name) => !["repl", "eval", "since"].includes(name ?? ""))).toEqual(
      TOOLS.map(({ name }) => name),
    );
  });
});
