import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const tests = readdirSync("test", { recursive: true, encoding: "utf8" })
  .map((name) => join("test", name))
  .filter((path) => path.endsWith(".test.ts"));
/** Those that count steps: V8 counts only in code that it compiles for them, and so they share none with the others. */
const counting = tests.filter((path) => /\/steps\.ts"/.test(readFileSync(path, "utf8")));

export default defineConfig({
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
