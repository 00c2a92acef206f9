import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const CASES =
  process.env.POOLTRAIL_CASES ?? fileURLToPath(new URL("../../shared/data/cases", import.meta.url));
const TOOLS = ["x86_64-w64-mingw32-as", "x86_64-w64-mingw32-ld", "i686-w64-mingw32-as", "python3"];

/** Why the cases' images cannot be built here; undefined where they can. @returns {string | undefined} */
export function casesMissing() {
  if (!existsSync(join(CASES, "lib/build.sh"))) return `no cases in ${CASES} (POOLTRAIL_CASES)`;
  const absent = TOOLS.filter((tool) => spawnSync(tool, ["--version"]).error !== undefined);
  return absent.length === 0 ? undefined : `${absent.join(", ")} not installed`;
}

/** A copy of the cases in which their scripts may write. @param {string} folder an empty one */
export function copyCases(folder) {
  cpSync(CASES, folder, {
    recursive: true,
    filter: (path) => !/^out/.test(basename(path)),
  });
}

/** @param {string} program @param {readonly string[]} args @param {string} cwd */
function run(program, args, cwd) {
  const { status, stderr, stdout } = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} in ${cwd}: ${stderr}${stdout}`);
}

/**
 * Builds assembly files of a case with the cases' own script.
 * @param {{ cases: string, name: string, sources: readonly string[] }} what cases: a copy of the cases
 * @returns {string} the folder with the images
 */
export function buildCase({ cases, name, sources }) {
  const folder = join(cases, name);
  const out = join(folder, `out-${sources.join("-").replace(/\W/g, "-")}`);
  if (existsSync(out)) return out;
  run("bash", ["../lib/build.sh", out, ...sources], folder);
  for (const image of ["lookcfg.sys", "lookplain.sys"])
    if (existsSync(join(out, image))) declareLoadConfig(join(out, image));
  return out;
}

/** Runs a script of a case, `make.py` or `make.sh`, in its folder. @param {{ cases: string, name: string, script: string, args?: readonly string[] }} what @returns {string} its folder `out` */
export function makeCase({ cases, name, script, args = [] }) {
  const folder = join(cases, name);
  mkdirSync(join(folder, "out"), { recursive: true });
  run(script.endsWith(".py") ? "python3" : "bash", [script, ...args], folder);
  return join(folder, "out");
}

/** GNU ld names no load configuration: its directory is pointed at the section `.lcfg`. @param {string} path */
function declareLoadConfig(path) {
  const file = readFileSync(path);
  const pe = file.readUInt32LE(0x3c);
  const optional = pe + 24;
  const table = optional + file.readUInt16LE(pe + 20);
  for (let i = 0; i < file.readUInt16LE(pe + 6); i++) {
    const header = table + i * 40;
    if (file.toString("latin1", header, header + 5) !== ".lcfg") continue;
    file.writeUInt32LE(file.readUInt32LE(header + 12), optional + 112 + 10 * 8);
    file.writeUInt32LE(file.readUInt32LE(header + 8), optional + 112 + 10 * 8 + 4);
  }
  writeFileSync(path, file);
}
