import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const RSS = fileURLToPath(new URL("rss.cjs", import.meta.url));
const OUTPUT_LIMIT = 512 * 0x100000;

/**
 * @typedef {{ program?: string, args: readonly string[], answer?: (document: any) => string | undefined }} Command
 *   program: node, unless it is another. answer: what is wrong with the JSON that it printed
 */

/** @param {Command} command @param {readonly string[]} [before] options of node itself */
function start({ program = process.execPath, args }, before = []) {
  const begin = process.hrtime.bigint();
  const stdio = /** @type {const} */ (["ignore", "pipe", "pipe", "pipe"]);
  const result = spawnSync(program, [...before, ...args], { stdio: [...stdio], maxBuffer: OUTPUT_LIMIT });
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  if (result.error !== undefined) throw result.error;
  const [, stdout, stderr, extra] = result.output.map(String);
  return { seconds, status: result.status, stdout: stdout ?? "", stderr: stderr ?? "", extra: extra ?? "" };
}

/**
 * Whether the command answers, and rightly: a wrong answer is not worth timing.
 *
 * @param {Command} command @returns {string | undefined} what is wrong
 */
export function problemOf(command) {
  const { status, stdout, stderr } = start(command);
  if (status === 2 && /no command/.test(stderr)) return "not there yet";
  if (status !== 0) return stderr.trim().split("\n").at(0)?.slice(0, 120) || `exit code ${status}`;
  return command.answer?.(JSON.parse(stdout));
}

/**
 * Runs the commands in turn, so that what else the machine does falls on all alike.
 *
 * @template {string} Name
 * @param {ReadonlyMap<Name, Command>} commands @param {number} rounds
 * @returns {Map<Name, number>} median seconds of each
 */
export function medianSeconds(commands, rounds) {
  /** @type {Map<Name, number[]>} */
  const samples = new Map([...commands.keys()].map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, command] of commands) samples.get(name)?.push(start(command).seconds);
  }
  return new Map([...samples].map(([name, all]) => [name, median(all)]));
}

/** @param {Command} command @returns {number} its peak memory in bytes */
export function peakMemory(command) {
  return usageOf(command).peak;
}

/** @param {Command} command of node @returns {{ cpu: number, peak: number }} seconds of CPU, of all its threads; peak memory in bytes */
export function usageOf(command) {
  const [peak, cpu] = start(command, ["--require", RSS]).extra.split(" ").map(Number);
  return { cpu: (cpu ?? Number.NaN) / 1e6, peak: (peak ?? Number.NaN) * 1024 };
}

/** @param {readonly number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
