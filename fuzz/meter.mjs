import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** What one step costs: seconds of CPU, and how far memory rose over what was taken before it (Linux says; else what stays). */
export const ALLOWED = { cpu: 5, memory: 250 * 0x100000 };

/** Sets the peak that Linux keeps back to what is used now. */
function forgetPeak() {
  try {
    const file = openSync("/proc/self/clear_refs", "w");
    writeSync(file, "5");
    closeSync(file);
  } catch {
    return false;
  }
  return true;
}

/** In bytes. @param {boolean} known */
function peak(known) {
  if (!known) return process.memoryUsage.rss();
  const [, kilobytes = "0"] = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}

/** @template T @param {() => T} run @returns {{ value: T, cpu: number, memory: number }} */
export function measured(run) {
  const known = forgetPeak();
  const before = process.memoryUsage.rss();
  const start = process.cpuUsage();
  const value = run();
  const { user, system } = process.cpuUsage(start);
  return { value, cpu: (user + system) / 1e6, memory: peak(known) - before };
}
