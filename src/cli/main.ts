#!/usr/bin/env node
import { createRequire } from "node:module";
import { ANSWERED, run } from "./run.ts";

process.stdout.on("error", leaveOnClosedPipe);
process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  version: version(),
});

function version(): string {
  const manifest: unknown = createRequire(import.meta.url)("../../package.json");
  if (typeof manifest === "object" && manifest !== null && "version" in manifest)
    return String(manifest.version);
  throw new Error("the package names no version");
}

/** `pooltrail … | head` closes the pipe early; that is no failure. */
function leaveOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(ANSWERED);
}
