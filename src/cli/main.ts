#!/usr/bin/env node
import { aboutText } from "./about.ts";
import { type Invocation, parseCommandLine } from "./arguments.ts";
import { ANSWERED, UNREADABLE } from "./exit-codes.ts";

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
  const { run } = await import("./run.ts");
  const { stdin, stdout, stderr, env: environment } = process;
  return await run(argv, { stdin, stdout, stderr, environment });
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
