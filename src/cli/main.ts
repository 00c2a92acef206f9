#!/usr/bin/env node
import { ANSWERED, run, UNREADABLE } from "./run.ts";

process.stdout.on("error", leave);
// what cannot be told there cannot be told at all
process.stderr.on("error", () => {});
process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
});

/** `pooltrail … | head` closes the pipe early, and that is no failure; a full disk is one. */
function leave(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(ANSWERED);
  process.stderr.write(`pooltrail: the answer could not be written: ${error.message}\n`);
  process.exit(UNREADABLE);
}
