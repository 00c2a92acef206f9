import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openImageFile } from "../../dist/index.js";

/** @typedef {import("./main.mjs").Row} Row */

const MACHINES = { x64: "i386:x86-64", x86: "i386" };
/** Between two pieces, so that what goes wrong in one does not go on in the next. */
const NOPS = 32;

/** Where instructions start in pieces of code that stand one behind the other, with NOPs between them. @param {Buffer} bytes @param {"x64" | "x86"} machine @param {string} folder */
function objdumpStarts(bytes, machine, folder) {
  const file = join(folder, "code.bin");
  writeFileSync(file, bytes);
  const { status, stdout, error } = spawnSync(
    "objdump",
    ["-D", "-w", "-z", "-b", "binary", "-m", MACHINES[machine], file],
    { encoding: "utf8", maxBuffer: 1 << 30 },
  );
  if (error !== undefined || status !== 0) return undefined;
  return new Set([...stdout.matchAll(/^ *([0-9a-f]+):\t/gm)].map(([, at = ""]) => Number.parseInt(at, 16)));
}

/**
 * Instructions that stand one behind the other. What is no instruction, as data among code, ends a piece.
 *
 * @param {import("../../dist/index.js").CodeDocument} document
 */
function* piecesOf(document) {
  for (const { lines } of document.pieces) {
    /** @type {typeof lines[number][]} */
    let run = [];
    let next = -1n;
    for (const line of lines) {
      if (line.address !== next && run[0] !== undefined) {
        yield { start: run[0].address, instructions: run };
        run = [];
      }
      if (line.text === null || /\?/.test(line.bytes)) continue;
      run.push(line);
      next = line.address + BigInt(line.length);
    }
    if (run[0] !== undefined) yield { start: run[0].address, instructions: run };
  }
}

/** Every function of an image, as it is listed: its pieces, and where their instructions start. @param {string} path */
function listed(path) {
  const file = openImageFile(path);
  const { image } = file;
  if (image.machine !== "x64" && image.machine !== "x86") return undefined;
  /** @type {Map<bigint, { bytes: Buffer, starts: number[] }>} */
  const pieces = new Map();
  for (const { entry } of file.functions().functions) {
    for (const { start, instructions } of piecesOf(file.code(entry, { view: "function" }))) {
      if (pieces.has(start)) continue;
      const bytes = Buffer.from(
        instructions.map(({ bytes: digits }) => digits.replaceAll(" ", "")).join(""),
        "hex",
      );
      let at = 0;
      const starts = instructions.map(({ length }) => {
        at += length;
        return at - length;
      });
      pieces.set(start, { bytes, starts });
    }
  }
  file.close();
  return { machine: /** @type {"x64" | "x86"} */ (image.machine), pieces: [...pieces.values()] };
}

/**
 * Compares where instructions start, in every piece of every function.
 *
 * @param {readonly string[]} paths @returns {readonly Row[]}
 */
export function compareCode(paths) {
  const folder = mkdtempSync(join(tmpdir(), "pooltrail-differential-"));
  try {
    let same = 0;
    /** @type {string[]} */
    const differ = [];
    let images = 0;
    for (const path of paths) {
      const code = listed(path);
      if (code === undefined) continue;
      images++;
      const joined = Buffer.concat(code.pieces.flatMap(({ bytes }) => [bytes, Buffer.alloc(NOPS, 0x90)]));
      const theirs = objdumpStarts(joined, code.machine, folder);
      if (theirs === undefined)
        return [{ what: "instructions", peer: "objdump", absent: "objdump is not here" }];
      let from = 0;
      for (const { bytes, starts } of code.pieces) {
        for (const at of starts) {
          if (theirs.has(from + at)) same++;
          else differ.push(`${path.split("/").pop()}: ${bytes.subarray(at, at + 15).toString("hex")}`);
        }
        from += bytes.length + NOPS;
      }
    }
    return [{ what: `instructions of ${images} images`, peer: "objdump", same, differ }];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
