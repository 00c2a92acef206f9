import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CONTAINERS, containerMachine } from "../../bench/containers.mjs";
import { openDump } from "../../dist/index.js";

/** @typedef {import("./main.mjs").Row} Row */

const here = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));
const VOLATILITY = process.env.VOLATILITY3 ?? "";
const KDMP = process.env.KDMP_PARSER ?? "";

/** How volatility3 calls what holds the memory. @type {Readonly<Record<string, string>>} */
const FORMS = {
  "ELF core": "elf",
  "ELF core by virtual address": "elf",
  "ELF core of VirtualBox": "elf",
  "ELF core with the guest's header": "elf",
  LiME: "lime",
  "VMware, two files": "vmware",
  raw: "raw",
};

/** As pages_kdmp.cc does it. @param {Uint8Array} page */
function hashOf(page) {
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  let hash = 0xcbf29ce484222325n;
  for (let at = 0; at < page.length; at += 8)
    hash = BigInt.asUintN(64, (hash ^ view.getBigUint64(at, true)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}

/** Every page that the dump says it holds, and every page of the modules, with what we read there. @param {import("../../dist/index.js").Dump} dump */
function pagesOf(dump) {
  /** @type {string[]} */
  const asked = [];
  /** @type {string[]} */
  const found = [];
  for (const { pfn, count } of dump.physical?.runs() ?? []) {
    for (let page = pfn; page < pfn + count; page++) {
      const read = dump.physical?.read(page * 0x1000, 0x1000);
      asked.push(`p ${(page * 0x1000).toString(16)}`);
      found.push(read === undefined || read.holes.length > 0 ? "-" : hashOf(read.bytes));
    }
  }
  for (const { base, size } of dump.modules.items) {
    for (let at = base; at < base + BigInt(size); at = dump.address(at + 0x1000n)) {
      const read = dump.space.tryRead(at, 0x1000);
      asked.push(`v ${at.toString(16)}`);
      found.push(read === undefined ? "-" : hashOf(read));
    }
  }
  return { asked, found };
}

/** @param {string} what @param {string} peer @param {{ asked: string[], found: string[] }} ours @param {readonly string[]} command @returns {Row} */
function against(what, peer, { asked, found }, [program = "", ...args]) {
  const run = spawnSync(program, args, {
    input: `${asked.join("\n")}\n`,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: { ...process.env, PYTHONPATH: VOLATILITY },
  });
  if (run.status !== 0)
    return { what, peer, absent: `does not open it: ${run.stderr.trim().split("\n").at(-1)}` };
  // kdmp-parser has more to say among them
  const theirs = run.stdout.split("\n").filter((line) => /^(?:-|[0-9a-f]{16})$/.test(line));
  const differ = asked.flatMap((one, i) =>
    theirs[i] === found[i] ? [] : [`${one}: ${found[i]} / ${theirs[i]}`],
  );
  return { what, peer, same: asked.length - differ.length, differ };
}

/** CONTEXT in a 64-bit dump's header, and its MxCsr: in the registers, and among what FXSAVE wrote. */
const CONTEXT = 0x348;
const MXCSR = [0x34, 0x118];

/** Processors save MxCsr in two places, and kdmp-parser opens no dump where they differ: our writer leaves the second 0. @param {string} path */
export function withSavedMxCsr(path) {
  const bytes = readFileSync(path);
  const [from = 0, to = 0] = MXCSR.map((at) => CONTEXT + at);
  bytes.copyWithin(to, from, from + 4);
  writeFileSync(path, bytes);
}

/** @param {string} folder @returns {string | undefined} the program, where it can be built */
export function buildKdmp(folder) {
  const program = join(folder, "pages_kdmp");
  // what its own build would write
  const version = ["MAJOR", "MINOR", "PATCH"].map((part) => `#define KDMPPARSER_VERSION_${part} 0\n`);
  writeFileSync(
    join(folder, "kdmp-parser-version.h"),
    `${version.join("")}#define KDMPPARSER_VERSION_RELEASE "0"\n`,
  );
  const args = [
    "-std=c++20",
    "-O2",
    `-I${folder}`,
    `-I${KDMP}/src/lib`,
    here("pages_kdmp.cc"),
    "-o",
    program,
  ];
  return KDMP !== "" && spawnSync("g++", args).status === 0 ? program : undefined;
}

/** @param {string} folder @param {"x64" | "x86"} arch @param {string | undefined} kdmp @returns {Row[]} */
function compareMachine(folder, arch, kdmp) {
  const made = containerMachine(arch);
  /** @type {Row[]} */
  const rows = [];
  for (const [name, write] of Object.entries(CONTAINERS)) {
    const form = name === "crash dump, full" ? `crash${arch === "x64" ? 64 : 32}` : FORMS[name];
    const isDump = arch === "x64" && /^crash dump/.test(name);
    if (form === undefined && !isDump) continue;
    const own = join(folder, `${arch} ${name}`);
    mkdirSync(own);
    const files = Object.entries(write(made)).map(([file, bytes]) => {
      writeFileSync(join(own, file), bytes);
      return join(own, file);
    });
    const [first = ""] = files;
    const dump = openDump(first);
    const pages = pagesOf(dump);
    dump.close();
    const what = `pages of ${arch}: ${name}`;
    const root = made.system.machine.directoryTableBase.toString(16);
    if (form !== undefined && VOLATILITY !== "")
      rows.push(
        against(what, "volatility3", pages, [
          "python3",
          here("pages_volatility.py"),
          form,
          arch === "x64" ? "x64" : "pae",
          root,
          ...files,
        ]),
      );
    if (isDump && kdmp !== undefined) {
      withSavedMxCsr(first);
      rows.push(against(what, "kdmp-parser", pages, [kdmp, first]));
    }
  }
  return rows;
}

/** Compares the pages that are read of made machines, physical ones and those of the modules. @returns {readonly Row[]} */
export function comparePages() {
  const folder = mkdtempSync(join(tmpdir(), "pooltrail-differential-"));
  try {
    const kdmp = buildKdmp(folder);
    const rows = /** @type {const} */ (["x64", "x86"]).flatMap((arch) => compareMachine(folder, arch, kdmp));
    if (!existsSync(VOLATILITY) || VOLATILITY === "")
      rows.push({ what: "pages", peer: "volatility3", absent: "VOLATILITY3 names no checkout" });
    if (kdmp === undefined)
      rows.push({
        what: "pages",
        peer: "kdmp-parser",
        absent: "KDMP_PARSER names no checkout, or g++ is not here",
      });
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
