/**
 * Reads what the blocks of a tag hold: `node bench/blocks.mjs DUMP [TAG | largest]`. Without a tag it only opens
 * the dump and reads what a search starts from. `largest`: the tag with the most allocations by the tables.
 */

/** @type {typeof import("../src/index.ts")} */
const { openDump } = await import(new URL("../dist/index.js", import.meta.url).href);
const [path, wanted] = process.argv.slice(2);
const dump = openDump(path ?? "");
const [largest] = dump.tags().byCount();
const tag = wanted === "largest" ? largest?.tag : wanted;
const found = tag === undefined ? undefined : dump.blockContents(tag);
const answer = { modules: dump.modules.items.length, blocks: found?.blocks, searched: found?.searched };
process.stdout.write(`${JSON.stringify(answer)}\n`);
dump[Symbol.dispose]();
