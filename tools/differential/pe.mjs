import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { openImageFile } from "../../dist/index.js";

/** @typedef {import("./main.mjs").Row} Row */

const SCRIPT = fileURLToPath(new URL("pe_pefile.py", import.meta.url));
const MACHINES = { 332: "x86", 34404: "x64", 43620: "arm64" };

/** What we read, in the shape of what pefile_pe.py prints. @param {string} path */
function ours(path) {
  const file = openImageFile(path);
  const { image } = file;
  const { headers } = image;
  const { rvas, types } = image.relocations;
  return {
    headers: {
      machine: image.machine,
      timestamp: headers.timestamp,
      checksum: headers.checksum,
      entry: headers.entryPoint,
      base: `0x${image.preferredBase.toString(16)}`,
      size: image.size,
      subsystem: headers.subsystem,
    },
    directories: headers.directories.map(({ rva, size }) => [rva, size]),
    sections: image.sections.map((one) => [one.name, one.rva, one.virtualSize, one.fileOffset, one.fileSize]),
    imports: image.imports.slots
      .map(({ kind, rva, declared }) => ({
        kind,
        dll: declared?.dll ?? null,
        name: declared?.name ?? null,
        ordinal: declared?.ordinal ?? null,
        rva,
      }))
      .sort((a, b) => a.rva - b.rva),
    exports: image.exports.items.map(({ ordinal, rva, name, forwarder }) => ({
      ordinal,
      rva,
      name: name ?? null,
      forwarder: forwarder ?? null,
    })),
    relocations: [...rvas].map((rva, i) => [rva, types[i]]),
    pdb: image.pdb.state === "present" ? image.pdb.value.path : null,
    company: image.version.state === "present" ? image.version.value.company : null,
  };
}

/** @param {readonly any[]} list */
const sorted = (list) => [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

/**
 * Compares each table of each file.
 *
 * @param {readonly string[]} paths @returns {readonly Row[]}
 */
export function comparePe(paths) {
  const peer = spawnSync("/usr/bin/python3", [SCRIPT, ...paths], { encoding: "utf8", maxBuffer: 1 << 30 });
  if (peer.status !== 0)
    return [{ what: "PE tables", peer: "pefile", absent: peer.stderr.trim().split("\n").at(-1) ?? "" }];
  const lines = peer.stdout.trim().split("\n");
  /** @type {Map<string, { same: number, differ: string[] }>} */
  const tables = new Map();
  paths.forEach((path, i) => {
    const theirs = JSON.parse(lines[i] ?? "{}");
    theirs.headers.machine =
      MACHINES[/** @type {keyof typeof MACHINES} */ (theirs.headers.machine)] ?? theirs.headers.machine;
    theirs.imports.sort((/** @type {any} */ a, /** @type {any} */ b) => a.rva - b.rva);
    const mine = /** @type {Record<string, any>} */ (ours(path));
    for (const [table, value] of Object.entries(theirs)) {
      const counted = tables.get(table) ?? { same: 0, differ: [] };
      tables.set(table, counted);
      const isList = Array.isArray(value);
      const [a, b] = isList ? [sorted(mine[table]), sorted(value)] : [mine[table], value];
      if (JSON.stringify(a) === JSON.stringify(b)) counted.same += isList ? a.length : 1;
      else {
        const at = isList
          ? a.findIndex(
              (/** @type {any} */ one, /** @type {number} */ k) =>
                JSON.stringify(one) !== JSON.stringify(b[k]),
            )
          : 0;
        const [one, other] = isList ? [a[at], b[at]] : [a, b];
        counted.differ.push(
          `${path.split("/").slice(-2).join("/")}: ${JSON.stringify(one)} / ${JSON.stringify(other)}`,
        );
      }
    }
  });
  return [...tables].map(([table, { same, differ }]) => ({
    what: `${table} of ${paths.length} PE files`,
    peer: "pefile",
    same,
    differ,
  }));
}
