import { fork } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Starts workers, and ends one that hangs.
 *
 * @typedef {import("./worker.mjs").Case} Case
 * @typedef {import("./worker.mjs").Found} Found
 * @typedef {import("./worker.mjs").FuzzOrder} FuzzOrder
 * @typedef {import("./worker.mjs").ReplayOrder} ReplayOrder
 */

/** Seconds of CPU on one question after which a process is ended: it is known by then to be too slow. */
const HANGS = 20;
const TICKS = 100;
const HEAP = 1500;

/** Seconds of CPU that a process has taken; undefined where Linux does not tell. @param {number | undefined} pid */
function cpuOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return performance.now() / 1000;
  }
}

/** What a worker said that it was at. @param {string} path @returns {Case | undefined} */
function caseIn(path) {
  if (!existsSync(path)) return undefined;
  const [line = ""] = readFileSync(path, "utf8").split("\n", 1);
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/**
 * A worker at its part.
 *
 * @param {FuzzOrder | ReplayOrder} order
 * @param {{ said: (message: any) => void, ended: (found: Found | undefined) => void }} on ended: with what it died of, if of anything
 * @returns {{ stop: () => void }}
 */
export function work(order, { said, ended }) {
  const worker = fork(fileURLToPath(new URL("worker.mjs", import.meta.url)), {
    execArgv: [`--max-old-space-size=${HEAP}`],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let errors = "";
  worker.stderr?.on("data", (text) => {
    errors = `${errors}${text}`.slice(-4000);
  });
  let last = "";
  let since = cpuOf(worker.pid);
  let hangs = false;
  let stopped = false;
  const watch = setInterval(() => {
    const now = existsSync(order.progress) ? readFileSync(order.progress, "utf8") : "";
    if (now !== last) {
      last = now;
      since = cpuOf(worker.pid);
    } else if (cpuOf(worker.pid) - since > HANGS) {
      hangs = true;
      worker.kill("SIGKILL");
    }
  }, 250);
  worker.on("message", said);
  worker.on("exit", (code) => {
    clearInterval(watch);
    const of = caseIn(order.progress);
    if (stopped || code === 0 || of === undefined) {
      if (!stopped && code !== 0) process.stderr.write(`a worker ended: ${errors}\n`);
      return ended(undefined);
    }
    const question = of.questions[0] === undefined ? "open" : JSON.stringify(of.questions[0]);
    const memory = /heap out of memory|allocation failed/i.test(errors);
    const message = hangs
      ? `more than ${HANGS} s of CPU`
      : memory
        ? `more than ${HEAP} MB`
        : errors.slice(-600);
    ended({ problem: { kind: hangs ? "hang" : memory ? "memory" : "crash", message, question }, of });
  });
  worker.send(order);
  return {
    stop: () => {
      stopped = true;
      worker.kill("SIGKILL");
    },
  };
}

let replays = 0;

/** Runs one input in a process of its own. @param {Case} of @param {string} folder @returns {Promise<readonly Found[]>} */
export function replay(of, folder) {
  replays++;
  const at = (/** @type {string} */ what) => join(folder, `replay-${replays}-${what}`);
  return new Promise((resolve) => {
    /** @type {Found[]} */
    const all = [];
    work(
      { do: "replay", of, progress: at("progress"), scratch: at("files") },
      {
        said: (found) => all.push(...found),
        ended: (found) => resolve(found === undefined ? all : [...all, found]),
      },
    );
  });
}
