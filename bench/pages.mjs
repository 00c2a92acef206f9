/**
 * Reads the ranges of virtual memory that are named on stdin ("v ADDRESS PAGES") and counts the pages that there are, as the
 * peers of bench/peers.mjs do: `node bench/pages.mjs DUMP`.
 */
import { readFileSync } from "node:fs";
import { openDump, toVa } from "../dist/index.js";

/** What is read into, over and over. */
const chunk = new Uint8Array(0x4_0000);
const dump = openDump(process.argv[2] ?? "");
let read = 0;
for (const line of readFileSync(0, "utf8").split("\n")) {
  const [, address, pages] = line.split(" ");
  if (address === undefined) continue;
  const [start, length] = [toVa(address), Number(pages) * 0x1000];
  for (let done = 0; done < length; done += chunk.length) {
    const part = chunk.subarray(0, Math.min(chunk.length, length - done));
    let missing = 0;
    dump.space.readSparseInto(toVa(start + BigInt(done)), part, (_, size) => {
      missing += size;
    });
    read += (part.length - missing) / 0x1000;
  }
}
dump.close();
console.log(read);
