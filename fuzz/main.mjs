/**
 * Reads broken files until the time is up: `npm run fuzz -- [--minutes N] [--seed S] [--executions N] [--jobs N] [--only TEXT]`, or
 * `--replay FILE` for one that was found. docs/fuzzing.md says what is done and what was found.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { replay, work } from "./overseer.mjs";
import { seeds } from "./seeds.mjs";

/**
 * @typedef {import("./worker.mjs").Case} Case
 * @typedef {import("./worker.mjs").Found} Found
 * @typedef {import("./worker.mjs").RoundDone} RoundDone
 */

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    executions: { type: "string", default: "Infinity" },
    jobs: { type: "string", default: String(availableParallelism()) },
    only: { type: "string", default: "" },
    out: { type: "string", default: join(homedir(), ".cache/pooltrail/fuzz") },
    replay: { type: "string" },
  },
});

/** Minutes of looking for new code, which is slow, and of changing further what was found. */
const COVERS = 3;
const CHANGES = 12;

/** Two with the same key are one fault. @param {Found} found */
function keyOf({ problem, of }) {
  const command = problem.question === "open" ? "open" : JSON.parse(problem.question).command;
  const costs = problem.kind === "slow" || problem.kind === "hang" || problem.kind === "memory";
  const message = costs ? "" : problem.message.replace(/0x[0-9a-f]+|\d+|"[^"]*"/gi, "#");
  return [problem.kind === "hang" ? "slow" : problem.kind, command, costs ? of.seed : "", message].join(
    " | ",
  );
}

/** Shown by one process alone, with as few changes as it takes. @param {Found} found @param {string} folder @returns {Promise<Found | undefined>} */
async function confirmed(found, folder) {
  const wanted = keyOf(found);
  const same = async (/** @type {Case} */ of) =>
    (await replay(of, folder)).find((one) => keyOf(one) === wanted);
  const first = await same(found.of);
  if (first === undefined) return undefined;
  let best = first;
  let tries = 0;
  for (let at = 0; at < best.of.changes.length && best.of.changes.length > 1 && tries < 24; tries++) {
    const fewer = best.of.changes.filter((_, i) => i !== at);
    const still = await same({ ...best.of, changes: fewer });
    if (still === undefined) at++;
    else best = { ...still, of: { ...best.of, changes: fewer } };
  }
  return best;
}

class Run {
  executions = 0;
  inputs = 0;
  covered = 0;
  /** @type {Map<string, number>} executions of each kind of input */
  kinds = new Map();
  /** @type {Map<string, number>} */
  outcomes = new Map();
  /** @type {Map<string, { found: Found, count: number, file?: string, seen: "alone" | "not alone" | "" }>} */
  faults = new Map();
  /** @type {Record<string, (readonly import("./mutations.mjs").Change[])[]>} */
  corpus = {};
  #checks = Promise.resolve();

  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
  }

  /** @param {RoundDone} done */
  add(done) {
    this.inputs += done.inputs;
    this.covered = Math.max(this.covered, done.covered);
    for (const [outcome, count] of Object.entries(done.outcomes)) {
      this.executions += count;
      this.kinds.set(done.kind, (this.kinds.get(done.kind) ?? 0) + count);
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + count);
    }
    this.corpus[done.name] = [...(this.corpus[done.name] ?? []), ...done.kept].slice(-200);
    for (const found of done.found) this.found(found);
  }

  /** @param {Found} found */
  found(found) {
    const key = keyOf(found);
    const known = this.faults.get(key);
    if (known !== undefined) {
      known.count++;
      return;
    }
    const fault = { found, count: 1, seen: /** @type {const} */ ("") };
    this.faults.set(key, fault);
    this.#checks = this.#checks.then(() => this.#check(fault));
  }

  /** Waits for what was found to be seen again. */
  async checked() {
    await this.#checks;
  }

  /** @param {{ found: Found, count: number, file?: string, seen: string }} fault */
  async #check(fault) {
    const again = await confirmed(fault.found, this.folder);
    fault.seen = again === undefined ? "not alone" : "alone";
    fault.found = again ?? fault.found;
    mkdirSync(values.out, { recursive: true });
    const number = `${Date.now()}-${this.faults.size}`;
    fault.file = join(values.out, `${fault.found.problem.kind}-${number}.json`);
    writeFileSync(fault.file, `${JSON.stringify(fault.found, undefined, 2)}\n`);
    console.log(
      `${fault.seen === "alone" ? "FOUND" : "seen once"} ${describe(fault.found)}\n      ${fault.file}`,
    );
  }

  /** @returns {number} how many are open */
  report() {
    const all = [...this.faults.values()];
    const open = all.filter(({ seen }) => seen !== "not alone");
    console.log(
      `\n${this.executions} executions of ${this.inputs} inputs, ${this.covered} places of the code`,
    );
    for (const counts of [this.kinds, this.outcomes]) {
      for (const [what, count] of [...counts].sort(([, a], [, b]) => b - a))
        console.log(`${String(count).padStart(10)}  ${what}`);
      console.log();
    }
    console.log(
      `${open.length} violations open${all.length > open.length ? `, ${all.length - open.length} seen once and not again alone` : ""}`,
    );
    for (const { found, count, file } of open)
      console.log(`${String(count).padStart(6)}  ${describe(found)}\n        ${file}`);
    return open.length;
  }
}

/** @param {Found} found */
function describe({ problem, of }) {
  return `${problem.kind}: ${problem.message} (${problem.question} of ${of.seed}, ${of.changes.length} changes)`;
}

/** @param {Run} run @param {string} folder */
async function fuzz(run, folder) {
  const jobs = Number(values.jobs);
  const most = Number(values.executions);
  const names = seeds()
    .map(({ name }) => name)
    .filter((name) => name.includes(values.only));
  if (names.length === 0) throw new RangeError(`nothing to start from has ${values.only} in its name`);
  const end = performance.now() + Number(values.minutes) * 60_000;
  let stopping = false;
  /** @type {(() => void)[]} */
  const stops = [];
  const one = (/** @type {number} */ job, /** @type {number} */ first, covers = true) =>
    new Promise((resolve) => {
      const own = names.filter((_, i) => i % jobs === job);
      if (own.length === 0) return resolve(undefined);
      let round = first;
      const change = performance.now() + (covers ? COVERS : CHANGES) * 60_000;
      const at = (/** @type {string} */ what) => join(folder, `${job}-${what}`);
      const corpus = Object.fromEntries(own.map((name) => [name, run.corpus[name] ?? []]));
      const worker = work(
        {
          do: "fuzz",
          seed: values.seed,
          names: own,
          round,
          progress: at("progress"),
          scratch: at("files"),
          corpus,
          covers,
        },
        {
          said: (/** @type {RoundDone} */ done) => {
            if (stopping) return;
            run.add(done);
            round = done.round + 1;
            if (run.executions >= most) stop();
            else if (performance.now() > change) worker.stop();
          },
          ended: (found) => {
            if (found !== undefined) run.found(found);
            if (stopping) return resolve(undefined);
            if (performance.now() > change) resolve(one(job, round, !covers));
            else resolve(one(job, round + 1, covers));
          },
        },
      );
      stops[job] = () => worker.stop();
    });
  const stop = () => {
    stopping = true;
    for (const each of stops) each?.();
  };
  const timer = setTimeout(stop, end - performance.now());
  await Promise.all(Array.from({ length: jobs }, (_, job) => one(job, 0)));
  clearTimeout(timer);
  await run.checked();
}

const folder = mkdtempSync(join(tmpdir(), "pooltrail-fuzz-"));
try {
  if (values.replay === undefined) {
    const run = new Run(folder);
    await fuzz(run, folder);
    process.exitCode = run.report() === 0 ? 0 : 1;
  } else {
    const { of } = JSON.parse(readFileSync(values.replay, "utf8"));
    const found = await replay(of, folder);
    for (const one of found) console.log(describe(one));
    if (found.length === 0) console.log("answered, or refused as promised");
    process.exitCode = found.length === 0 ? 0 : 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
