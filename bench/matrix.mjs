/**
 * One machine in every container, every question to each, against the crash dump's answers: `npm run matrix`. Sample code
 * writes the containers, which shares none with the readers.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CONTAINERS, containerMachine } from "./containers.mjs";

/** @typedef {import("../src/index.ts").Dump} Dump */

/** What a container says of itself and of the machine's end, and how much of memory it holds. */
const OWN = new Set(["input", "notes", "crash", "next", "readableBytes", "coverage"]);
/** What `info` says of the machine, whatever holds its memory. */
const OF_MACHINE = [
  "machine",
  "paging",
  "build",
  "buildLab",
  "processors",
  "psLoadedModuleList",
  "kernelBase",
  "modules",
];

/** @type {Readonly<Record<string, (api: typeof import("../src/index.ts"), dump: Dump) => unknown>>} */
const QUESTIONS = {
  info: (_, dump) => {
    const info = Object.entries(dump.info());
    return Object.fromEntries(info.filter(([name]) => OF_MACHINE.includes(name)));
  },
  modules: ({ ask }, dump) => ask(dump, { command: "modules" }),
  tags: ({ ask }, dump) => ask(dump, { command: "tags" }),
  memory: ({ ask }, dump) => ask(dump, { command: "memory" }),
  processes: ({ ask }, dump) => ask(dump, { command: "processes" }),
  handles: ({ ask }, dump) => ask(dump, { command: "handles" }),
  scan: ({ ask }, dump) => ask(dump, { command: "scan", tag: "Se" }),
  near: ({ ask }, dump) => ask(dump, { command: "near", addresses: ["nt!SeQueryInformationToken+10"] }),
  pointers: ({ ask }, dump) => ask(dump, { command: "pointers", address: "nt!SeQueryInformationToken" }),
  imports: ({ ask }, dump) => ask(dump, { command: "imports", module: "ctstor" }),
  functions: ({ ask }, dump) => ask(dump, { command: "functions", module: "ctstor" }),
  trace: ({ ask }, dump) => ask(dump, { command: "trace", tags: ["Se"] }),
};

/** @param {unknown} value @returns {unknown} */
function comparable(value) {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return typeof value === "bigint" ? `${value}` : value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, held]) => (OWN.has(name) ? [] : [[name, comparable(held)]])),
  );
}

const folder = mkdtempSync(join(tmpdir(), "pooltrail-matrix-"));
try {
  /** @type {typeof import("../src/index.ts")} */
  const api = await import(new URL("../dist/index.js", import.meta.url).href);
  let different = 0;
  for (const arch of /** @type {const} */ (["x64", "x86"])) {
    const made = containerMachine(arch);
    /** @type {Map<string, string>} */
    const expected = new Map();
    console.log(`\n${`${arch}`.padEnd(36)}${Object.keys(QUESTIONS).join("  ")}`);
    for (const [name, write] of Object.entries(CONTAINERS)) {
      const paths = Object.entries(write(made)).map(([file, bytes]) => {
        const path = join(folder, file);
        writeFileSync(path, bytes);
        return path;
      });
      const cells = Object.entries(QUESTIONS).map(([question, asked]) => {
        try {
          const dump = api.openDump(paths);
          const answer = JSON.stringify(comparable(asked(api, dump)));
          dump[Symbol.dispose]();
          if (!expected.has(question)) expected.set(question, answer);
          return (answer === expected.get(question) ? "same" : "OTHER").padEnd(question.length);
        } catch (error) {
          return `FAILS: ${error instanceof Error ? error.message : error}`;
        }
      });
      different += cells.filter((cell) => cell.trim() !== "same").length;
      console.log(`${name.padEnd(36)}${cells.join("  ")}`);
    }
  }
  console.log(`\n${different} answers differ from the crash dump's`);
  process.exitCode = different === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
