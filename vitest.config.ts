import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const tests = readdirSync("test", { recursive: true, encoding: "utf8" })
  .map((name) => join("test", name))
  .filter((path) => path.endsWith(".test.ts"));
/** Those that count steps: V8 counts only in code that it compiles for them, and so they share none with the others. */
const counting = tests.filter((path) => /\/steps\.ts"/.test(readFileSync(path, "utf8")));

/** What `npm run caps` looks for: which tests fail with one cap sixteen times as high. */
const raised = process.env.RAISED_CAP;
const raising = {
  name: "raised-cap",
  transform(code: string, path: string): string | undefined {
    if (raised === undefined || !path.endsWith("/src/core/limits.ts")) return undefined;
    const line = new RegExp(`^(export const ${raised}\\b[^=]*= )(.*?);$`, "m");
    return code.replace(line, (_, start: string, value: string) =>
      value.endsWith("n") ? `${start}(${value}) * 16n;` : `${start}(${value}) * 16;`,
    );
  },
};

export default defineConfig({
  plugins: [{ ...raising, enforce: "pre" }],
  test: {
    maxWorkers: 2,
    globalSetup: "test/fixtures/fetch-windivert.ts",
    pool: "threads",
    // loading the source anew for each file takes as long as a third of all tests
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: "counting", include: counting } },
      {
        extends: true,
        test: { name: "all", include: ["test/**/*.test.ts", "apps/*/test/**/*.test.ts"], exclude: counting },
      },
    ],
  },
});
