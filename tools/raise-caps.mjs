/**
 * Raises each cap of core/limits.ts by itself, sixteenfold, and looks for a test that fails then: `npm run caps [NAME…]`. The
 * tests that reach a cap have its name in their titles.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @returns {readonly string[]} the names of all caps */
function allCaps() {
  const text = readFileSync(join(root, "src/core/limits.ts"), "utf8");
  return [...text.matchAll(/^export const (\w+)/gm)].map(([, name = ""]) => name);
}

/** Whose titles have the cap's name. @param {string} cap @returns {readonly string[]} files of tests */
function testsOf(cap) {
  const title = new RegExp(`\\(${cap}\\)["\`]`);
  return readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts"))
    .map((path) => join("test", path))
    .filter((path) => title.test(readFileSync(join(root, path), "utf8")));
}

/** @param {string} cap @returns {"holds" | "no test" | "raised unseen" | "fails as it is"} */
function tried(cap) {
  const files = testsOf(cap);
  if (files.length === 0) return "no test";
  const run = (/** @type {string | undefined} */ raised) =>
    spawnSync(
      join(root, "node_modules/.bin/vitest"),
      ["run", "--silent", "--reporter=dot", "-t", `\\(${cap}\\)`, ...files],
      {
        cwd: root,
        stdio: "ignore",
        env: { ...process.env, ...(raised === undefined ? {} : { RAISED_CAP: raised }) },
      },
    ).status === 0;
  if (run(cap)) return "raised unseen";
  return run(undefined) ? "holds" : "fails as it is";
}

const asked = process.argv.slice(2);
let open = 0;
for (const cap of asked.length > 0 ? asked : allCaps()) {
  const outcome = tried(cap);
  if (outcome !== "holds") open++;
  console.log(`${cap.padEnd(30)} ${outcome}`);
}
console.log(`${open} caps of which no test shows that they hold`);
process.exitCode = open === 0 ? 0 : 1;
