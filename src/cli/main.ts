#!/usr/bin/env node
import { ANSWERED, run } from "./run.ts";

process.stdout.on("error", leaveOnClosedPipe);
process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
});

/** `pooltrail … | head` closes the pipe early; that is no failure. */
function leaveOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(ANSWERED);
}
