/**
 * The least that a search for one tag costs: reads the modules' bytes with large reads, and looks for the
 * tag with `Buffer.indexOf`. `node bench/floor.mjs PLAN` prints what it found.
 */
import { Buffer } from "node:buffer";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

const CHUNK = 0x40000;
/** @type {import("./dumps.mjs").Plan} */
const { path, tag, extents } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
const needle = Buffer.from(tag, "latin1");
const chunk = Buffer.allocUnsafe(CHUNK);
const file = openSync(path, "r");
let bytes = 0;
let hits = 0;
for (const [start, length] of extents) {
  for (let done = 0; done < length; done += CHUNK) {
    const part = chunk.subarray(0, readSync(file, chunk, 0, Math.min(CHUNK, length - done), start + done));
    bytes += part.length;
    for (let at = part.indexOf(needle); at >= 0; at = part.indexOf(needle, at + 1)) hits++;
  }
}
closeSync(file);
process.stdout.write(`${JSON.stringify({ bytes, hits })}\n`);
