import { existsSync, readFileSync, writeFileSync } from "node:fs";

/**
 * Writes the sample dumps: `node samples/build.mjs [NAME…]`. Each scenario `NAME.mjs` exports `build()`, which
 * gives the bytes of `NAME.dmp`; the same bytes each time. With `--check` nothing is written: it fails when
 * a file differs.
 */
const SCENARIOS =
  /** @type {Record<string, () => Promise<{ build: () => Uint8Array | Promise<Uint8Array> }>>} */ ({
    "article-2003": () => import("./article-2003.mjs"),
    "leak-x64": () => import("./leak-x64.mjs"),
  });
/** What may be committed of one dump. */
const MAXIMUM_SIZE = 4 * 1024 * 1024;

const names = process.argv.slice(2).filter((argument) => argument !== "--check");
const checking = process.argv.includes("--check");
for (const name of names.length > 0 ? names : Object.keys(SCENARIOS)) {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) {
    process.stderr.write(`no scenario ${name}; there are ${Object.keys(SCENARIOS).join(", ")}\n`);
    process.exitCode = 2;
    continue;
  }
  const { build } = await scenario();
  const bytes = await build();
  if (bytes.length > MAXIMUM_SIZE)
    throw new RangeError(`${name}.dmp has ${bytes.length} bytes, ${MAXIMUM_SIZE} are allowed`);
  const target = new URL(`${name}.dmp`, import.meta.url);
  if (!checking) writeFileSync(target, bytes);
  const same = existsSync(target) && readFileSync(target).equals(bytes);
  if (!same) process.exitCode = 1;
  const found = checking ? (same ? " is as built" : " differs") : "";
  process.stdout.write(`${name}.dmp ${bytes.length} bytes${found}\n`);
}
