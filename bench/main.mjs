/**
 * Measures speed and memory against floors of the same run: `npm run bench`. The dumps are made anew, in
 * a folder that is removed at the end; `node bench/main.mjs DIR` takes those of `node bench/dumps.mjs DIR`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { medianSeconds, peakMemory, problemOf, usageOf } from "./commands.mjs";

/** @typedef {import("./commands.mjs").Command} Command */

const ROUNDS = 11;
/** A tag that stands in no image. */
const ABSENT = "Q9z9";
const MB = 0x100000;
const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const CLI = here("../dist/cli/main.js");

const given = process.argv[2];
const folder = given ?? mkdtempSync(join(tmpdir(), "pooltrail-bench-"));
try {
  if (given === undefined) {
    // in a process of its own: the memory of a parent counts as its child's peak
    const made = spawnSync(process.execPath, [here("dumps.mjs"), folder], { stdio: "inherit" });
    if (made.status !== 0) throw new Error("the dumps could not be made");
  }
  measure();
} finally {
  if (given === undefined) rmSync(folder, { recursive: true });
}

/** @param {string} name @returns {import("./dumps.mjs").Plan} */
function planOf(name) {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
}

/** @param {import("./dumps.mjs").Plan} plan @returns {Map<string, Command>} */
function makeCommands({ path, tag, tags, references, modules }) {
  const sparse = planOf("sparse").path;
  const tagList = join(folder, "tags.txt");
  writeFileSync(tagList, `${tags.join("\n")}\n`);
  const count = (/** @type {string} */ what, /** @type {number} */ found, /** @type {number} */ wanted) =>
    found === wanted ? undefined : `wrong: ${found} ${what}, not ${wanted}`;
  const cli = (/** @type {string[]} */ ...args) => [CLI, ...args, "--json", "--quiet"];
  return new Map(
    Object.entries({
      node: { args: ["-e", "0"] },
      floor: { args: [here("floor.mjs"), join(folder, "modules.json")] },
      search: {
        args: cli("scan", path, ABSENT),
        answer: (document) => count("references", document.references.length, 0),
      },
      crashed: {
        args: cli("scan", planOf("hibernated").path, ABSENT),
        answer: (document) => count("references", document.references.length, 0),
      },
      hibernated: {
        args: cli("scan", planOf("hibernated").path.replace(/dmp$/, "sys"), ABSENT),
        answer: (document) => count("modules", document.coverage.length, planOf("hibernated").modules),
      },
      scan: {
        args: cli("scan", path, tag),
        answer: (document) => count("references", document.references.length, references),
      },
      modules: {
        args: cli("modules", sparse),
        answer: (document) => count("modules", document.modules.length, modules),
      },
      tags: {
        args: cli("tags", sparse),
        answer: (document) => count("tags", document.tags.length, tags.length),
      },
      index: {
        args: cli("tags", path),
        answer: (document) => count("tags", document.tags.length, tags.length),
      },
      ripgrep: {
        program: "rg",
        args: ["--text", "--count-matches", "--fixed-strings", "--file", tagList, path],
      },
      functions: { args: cli("functions", path, "nt") },
      trace: { args: cli("trace", path, tag) },
      trace1: { args: cli("trace", planOf("sparse1").path, tag) },
      trace8: { args: cli("trace", planOf("sparse8").path, tag) },
      trace64: { args: cli("trace", sparse, tag) },
      version: { args: [CLI, "--version"] },
      handles: {
        args: cli("handles", planOf("handles").path, "Even"),
        answer: (document) => {
          const { handles, objects } = document.totals[0] ?? {};
          const wanted = planOf("handles").handles ?? Number.NaN;
          return handles > wanted && objects === handles ? undefined : `wrong: ${handles} to ${objects}`;
        },
      },
      threads: { args: cli("trace", planOf("threads").path, tag) },
      open: { args: [here("blocks.mjs"), planOf("pool").path] },
      pool: { args: [here("blocks.mjs"), planOf("pool").path, tag] },
      poolWithout: { args: [here("blocks.mjs"), planOf("pool").path, "largest"] },
    }),
  );
}

function measure() {
  const plan = planOf("modules");
  const commands = makeCommands(plan);
  /** @type {Map<string, string>} */
  const problems = new Map();
  for (const [name, command] of commands) {
    const problem = name === "ripgrep" ? ripgrepProblem() : problemOf(command);
    if (problem === undefined) continue;
    problems.set(name, problem);
    commands.delete(name);
  }
  const seconds = medianSeconds(commands, ROUNDS);
  const memory = (/** @type {string} */ name) => {
    const command = commands.get(name);
    return command === undefined ? Number.NaN : peakMemory(command);
  };
  const usage = (/** @type {string} */ name) => {
    const command = commands.get(name);
    return command === undefined ? { cpu: Number.NaN, peak: Number.NaN } : usageOf(command);
  };
  const net = (/** @type {string} */ name) => (seconds.get(name) ?? Number.NaN) - (seconds.get("node") ?? 0);
  const floor = net("floor");

  const ms = (/** @type {number} */ value) => `${(value * 1000).toFixed(0)} ms`;
  const mb = (/** @type {number} */ value) => `${(value / MB).toFixed(0)} MB`;
  /** @type {string[][]} */
  const rows = [["what", "measured", "floor", "ratio", "allowed", ""]];
  /**
   * @param {string} what @param {readonly string[]} names the commands that it takes
   * @param {{ value: number, floor?: number, allowed: number, most?: string, unit?: (value: number) => string }} limit
   *   allowed: the most that `value` may be. most: the same in words
   */
  const row = (what, names, { value, floor: base, allowed, most, unit = ms }) => {
    const problem = names.map((name) => problems.get(name)).find((text) => text !== undefined);
    const ratio = base === undefined ? "" : (value / base).toFixed(2);
    const limit = most ?? unit(allowed);
    if (problem === undefined)
      rows.push([
        what,
        unit(value),
        base === undefined ? "" : unit(base),
        ratio,
        limit,
        value < 0 ? "too noisy to tell" : value <= allowed ? "ok" : "over",
      ]);
    else rows.push([what, "", "", "", limit, problem]);
  };

  row("search for one tag", ["search"], { value: net("search"), floor, allowed: 1.5 * floor, most: "1.5" });
  row("modules, 64 GiB sparse", ["modules"], { value: net("modules"), allowed: 0.15 });
  row("modules, peak memory", ["modules"], { value: memory("modules"), allowed: 150 * MB, unit: mb });
  row("tags, 64 GiB sparse", ["tags"], { value: net("tags"), allowed: 0.3 });
  row("all tags in all images", ["index", "search"], {
    value: net("index"),
    floor: net("search"),
    allowed: 3 * net("search"),
    most: "3",
  });
  row("the same by ripgrep", ["index", "ripgrep"], {
    value: net("index"),
    floor: seconds.get("ripgrep") ?? Number.NaN,
    allowed: 0.5 * (seconds.get("ripgrep") ?? Number.NaN),
    most: "0.5",
  });
  row("search in a hibernation file", ["hibernated", "crashed"], {
    value: net("hibernated"),
    floor: net("crashed"),
    allowed: 10 * net("crashed"),
    most: "10",
  });
  row("hibernation, peak memory", ["hibernated"], {
    value: memory("hibernated"),
    allowed: 150 * MB,
    unit: mb,
  });
  const analysis = (6 * plan.kernelCode) / (100 * MB);
  row(`functions of ${mb(plan.kernelCode)} of code`, ["functions"], {
    value: net("functions"),
    allowed: analysis,
  });
  row("functions, peak memory", ["functions"], { value: memory("functions"), allowed: 400 * MB, unit: mb });
  const decoded = { floor, allowed: 3 * floor + 1, most: "3 and 1 s" };
  row(`scan, ${plan.references} references`, ["scan"], { value: net("scan"), ...decoded });
  row("trace of one tag", ["trace"], { value: net("trace"), ...decoded });
  for (const [what, name] of /** @type {const} */ ([
    ["trace, 8 GiB beside 1 GiB", "trace8"],
    ["trace, 64 GiB beside 1 GiB", "trace64"],
  ])) {
    const least = net("trace1");
    row(what, [name, "trace1"], { value: net(name), floor: least, allowed: 1.2 * least, most: "1.2" });
  }
  row("--version, beside node -e 0", ["version"], { value: net("version"), allowed: 0.04 });
  row("modules, 64 GiB, beside node -e 0", ["modules"], {
    value: seconds.get("modules") ?? Number.NaN,
    floor: seconds.get("node") ?? Number.NaN,
    allowed: 3.5 * (seconds.get("node") ?? 0),
    most: "3.5",
  });
  row("trace, CPU", ["trace64"], { value: usage("trace64").cpu, allowed: 2 });
  row("trace, peak memory", ["trace64"], { value: memory("trace64"), allowed: 250 * MB, unit: mb });
  row("evidence in 2,000 threads", ["threads", "trace"], {
    value: net("threads") - net("trace"),
    allowed: 1.5,
  });
  for (const [what, name] of /** @type {const} */ ([
    ["blocks of a tag in 1 GB of pool", "pool"],
    ["a tag of which none is there", "poolWithout"],
  ])) {
    const value = net(name) - net("open");
    row(what, [name, "open"], { value, floor, allowed: 8 * floor, most: "8" });
  }

  row("a million handles of 200 processes", ["handles"], { value: net("handles"), allowed: 2 });
  row("handles, more memory than modules", ["handles", "modules"], {
    value: memory("handles") - memory("modules"),
    allowed: 60 * MB,
    unit: mb,
  });

  const start = ms(seconds.get("node") ?? Number.NaN);
  const mega = (plan.moduleBytes / MB).toFixed(1);
  console.log(`medians of ${ROUNDS} rounds, without the ${start} that node takes to start`);
  console.log(`floor: ${mega} MB of ${plan.modules} modules, read and searched for one tag\n`);
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((cells) => cells[i]?.length ?? 0))) ?? [];
  for (const cells of rows)
    console.log(
      cells
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    );
}

function ripgrepProblem() {
  return spawnSync("rg", ["--version"]).status === 0 ? undefined : "ripgrep is not on the PATH";
}
