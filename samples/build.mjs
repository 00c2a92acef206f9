// @ts-check
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Writes the sample dumps: `node samples/build.mjs [NAME…]`. Each scenario `NAME.mjs` exports `build()`, which
 * gives the bytes of `NAME.dmp`; the same bytes each time. With `--check` nothing is written: it fails when
 * a file differs.
 */
const SCENARIOS = ["article-2003", "leak-x64"];
/** What may be committed of one dump. */
const MAXIMUM_SIZE = 4 * 1024 * 1024;

const names = process.argv.slice(2).filter((argument) => argument !== "--check");
const checking = process.argv.includes("--check");
for (const name of names.length > 0 ? names : SCENARIOS) {
  const script = new URL(`${name}.mjs`, import.meta.url);
  if (!existsSync(script)) {
    process.stderr.write(`${name}: no ${fileURLToPath(script)}\n`);
    process.exitCode = 1;
    continue;
  }
  /** @type {{ build: () => Uint8Array | Promise<Uint8Array> }} */
  const { build } = await import(script.href);
  const bytes = await build();
  if (bytes.length > MAXIMUM_SIZE)
    throw new RangeError(`${name}.dmp has ${bytes.length} bytes, ${MAXIMUM_SIZE} are allowed`);
  const target = new URL(`${name}.dmp`, import.meta.url);
  if (!checking) writeFileSync(target, bytes);
  else if (!existsSync(target) || !readFileSync(target).equals(bytes)) process.exitCode = 1;
  process.stdout.write(
    `${name}.dmp ${bytes.length} bytes${checking ? (process.exitCode === 1 ? " differs" : " is as built") : ""}\n`,
  );
}
