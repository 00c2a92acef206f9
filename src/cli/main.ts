#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";
import { aboutText } from "./about.ts";
import { type Invocation, parseCommandLine } from "./arguments.ts";
import { ANSWERED, UNREADABLE } from "./exit-codes.ts";

/** The latest version of Node that this was tried with. */
const LATEST_NODE = 24;

process.stdout.on("error", leave);
// what cannot be told there cannot be told at all
process.stderr.on("error", () => {});
process.exitCode = await answer(process.argv.slice(2));

/** What is said of the program itself is said without loading what reads dumps. */
async function answer(argv: readonly string[]): Promise<number> {
  const about = aboutOf(argv);
  if (about !== undefined) {
    process.stdout.write(`${about}\n`);
    return ANSWERED;
  }
  collectSooner();
  const { run } = await import("./run.ts");
  const { stdin, stdout, stderr, env: environment } = process;
  return await run(argv, { stdin, stdout, stderr, environment });
}

/**
 * Where a machine has much memory, Node lets what is used no more grow to three times of what is before it looks for it; at
 * half of it a trace takes two thirds of the memory, in the same time.
 */
function collectSooner(): void {
  // a later Node may not know the flag, and would say so
  const [version = 0] = process.versions.node.split(".").map(Number);
  if (version <= LATEST_NODE) setFlagsFromString("--heap-growing-percent=50");
}

/** A line that is wrong is told by `run`. */
function aboutOf(argv: readonly string[]): string | undefined {
  let invocation: Invocation;
  try {
    invocation = parseCommandLine(argv);
  } catch {
    return undefined;
  }
  return aboutText(invocation);
}

/** `pooltrail … | head` closes the pipe early, and that is no failure; a full disk is one. */
function leave(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(ANSWERED);
  process.stderr.write(`pooltrail: the answer could not be written: ${error.message}\n`);
  process.exit(UNREADABLE);
}
