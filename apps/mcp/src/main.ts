#!/usr/bin/env node
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import manifest from "../package.json" with { type: "json" };
import { Folders } from "./folders.ts";
import { serverOf } from "./server.ts";

const USAGE = `pooltrail-mcp FOLDER...

Answers an assistant's questions of Windows kernel dumps, by the Model Context Protocol on stdin and stdout.
Reads only what stands below the folders.`;

const folders = process.argv.slice(2);
if (folders.includes("--version")) console.log(manifest.version);
else if (folders.includes("--help")) console.log(USAGE);
else if (folders.length === 0) fail(USAGE);
else await serve(folders);

async function serve(given: readonly string[]): Promise<void> {
  let allowed: Folders;
  try {
    allowed = new Folders(given);
  } catch (error) {
    return fail(`pooltrail-mcp: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { server, close } = serverOf(allowed, manifest.version);
  const leave = (): void => void close().then(() => process.exit());
  process.stdin.on("end", leave);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, leave);
  // a client that has gone
  process.stdout.on("error", leave);
  await server.connect(new StdioServerTransport());
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 2;
}
