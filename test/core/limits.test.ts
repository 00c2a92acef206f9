import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** Titles of tests that have the name of a cap at their end, as `npm run caps` finds them. */
const TITLE = /\((MAX_\w+|MIN_\w+)\)["`]/g;

describe("the caps", () => {
  const caps = [...readFileSync("src/core/limits.ts", "utf8").matchAll(/^export const (\w+)/gm)].map(
    ([, name]) => name,
  );
  const reached = readdirSync("test", { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts"))
    .flatMap((path) => [...readFileSync(join("test", path), "utf8").matchAll(TITLE)])
    .map(([, name]) => name);

  it("are each reached by a test that has its name", () => {
    expect(caps.length).toBeGreaterThan(100);
    expect(caps.filter((cap) => !reached.includes(cap))).toEqual([]);
  });

  it("are named in titles by names that there are", () => {
    expect(reached.filter((name) => !caps.includes(name))).toEqual([]);
  });
});
