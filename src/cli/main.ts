#!/usr/bin/env node
import { createRequire } from "node:module";
import { FormatError, MemoryError } from "../core/errors.ts";
import { printable } from "../core/text.ts";
import { FileError } from "../source/file-source.ts";
import { parseCommandLine, UsageError } from "./arguments.ts";
import { renderHelp } from "./help.ts";
import { run } from "./run.ts";

/** Answered, also when partly; the input cannot be read; wrong usage. */
const ANSWERED = 0;
const UNREADABLE = 1;
const MISUSED = 2;

process.stdout.on("error", leaveOnClosedPipe);
process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  try {
    const invocation = parseCommandLine(argv);
    if (invocation.kind === "version") {
      print(version());
      return ANSWERED;
    }
    if (invocation.kind === "help") {
      print(renderHelp(invocation.command));
      return ANSWERED;
    }
    const text = await run(invocation, {
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      environment: process.env,
    });
    if (text !== undefined) print(text);
    return ANSWERED;
  } catch (error) {
    return report(error);
  }
}

function report(error: unknown): number {
  if (error instanceof UsageError) {
    const help = error.command === undefined ? "pooltrail --help" : `pooltrail ${error.command} --help`;
    process.stderr.write(`pooltrail: ${printable(error.message)}\nTry: ${help}\n`);
    return MISUSED;
  }
  if (error instanceof MemoryError) {
    const advice = "give the driver's file with --images DIR, or take a dump that holds more";
    process.stderr.write(
      `pooltrail: the image's headers cannot be read: ${printable(error.message)}; ${advice}\n`,
    );
    return UNREADABLE;
  }
  if (error instanceof FormatError || error instanceof FileError) {
    process.stderr.write(`pooltrail: ${printable(error.message)}\n`);
    return UNREADABLE;
  }
  throw error;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

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
