/**
 * Pages a second beside readers that nobody here wrote, in one run: `VOLATILITY3=… KDMP_PARSER=… node bench/peers.mjs DIR`, with
 * the dumps of `node bench/dumps.mjs DIR`. Each opens the dump and reads all of its modules by their virtual addresses; what
 * opening alone takes is taken off. A reader that is not there has a row that says so.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openDump } from "../dist/index.js";
import { buildKdmp, withSavedMxCsr } from "../tools/differential/pages.mjs";

const ROUNDS = 5;
const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const [folder = "."] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), "pooltrail-peers-"));

/** @param {readonly string[]} command @param {string} input */
function seconds([program = "", ...args], input) {
  const times = Array.from({ length: ROUNDS }, () => {
    const begin = process.hrtime.bigint();
    const { status, stdout, stderr } = spawnSync(program, args, {
      input,
      encoding: "utf8",
      maxBuffer: 1 << 28,
      env: { ...process.env, PYTHONPATH: process.env.VOLATILITY3, COUNT: "1" },
    });
    if (status !== 0) throw new Error(stderr.trim().split("\n").at(-1) || stdout.trim());
    return {
      seconds: Number(process.hrtime.bigint() - begin) / 1e9,
      read: Number(stdout.trim().split("\n").at(-1)),
    };
  });
  return times.sort((a, b) => a.seconds - b.seconds)[ROUNDS >> 1] ?? { seconds: Number.NaN, read: 0 };
}

/** All modules of a dump, as ranges of pages; and where its page tables stand. @param {string} path */
function modulesOf(path) {
  const dump = openDump(path);
  const ranges = dump.modules.items.map(({ base, size }) => `v ${base.toString(16)} ${size / 0x1000}`);
  const root = dump.info().directoryTableBase?.toString(16) ?? "0";
  dump.close();
  return { ranges: ranges.join("\n"), root };
}

/** @param {string} what @param {string} name @param {readonly string[] | undefined} command @param {string} ranges */
function row(what, name, command, ranges) {
  if (command === undefined) return console.log(`${what}  ${name.padEnd(12)} not here`);
  const open = seconds(command, "");
  const all = seconds(command, ranges);
  const rate = Math.round(all.read / (all.seconds - open.seconds)).toLocaleString("en-US");
  const took = (open.seconds * 1000).toFixed(0).padStart(5);
  console.log(`${what}  ${name.padEnd(12)} open ${took} ms, ${all.read} pages, ${rate.padStart(9)} pages/s`);
}

try {
  const own = (/** @type {string} */ path) => [process.execPath, here("pages.mjs"), path];
  const bitmap = join(folder, "modules.dmp");
  withSavedMxCsr(bitmap);
  const large = modulesOf(bitmap);
  const kdmp = buildKdmp(work);
  row("100 MB of a bitmap dump", "pooltrail", own(bitmap), large.ranges);
  row(
    "100 MB of a bitmap dump",
    "kdmp-parser",
    kdmp === undefined ? undefined : [kdmp, bitmap],
    large.ranges,
  );
  const raw = join(folder, "sparse1.raw");
  const { ranges, root } = modulesOf(join(folder, "sparse1.dmp"));
  const script = here("../tools/differential/pages_volatility.py");
  const volatility = ["python3", script, "raw", "x64", root, raw];
  row("100 MB of raw memory   ", "pooltrail", own(raw), ranges);
  row(
    "100 MB of raw memory   ",
    "volatility3",
    process.env.VOLATILITY3 === undefined ? undefined : volatility,
    ranges,
  );
} finally {
  rmSync(work, { recursive: true });
}
