import { alignUp, tagKey, utf16 } from "../samples/writer/bytes.mjs";
import { putExports, putImports } from "../samples/writer/directories.mjs";
import { CODE, DATA, Image, INIT_CODE, PAGED_CODE, RDATA, RSRC } from "../samples/writer/pe.mjs";
import { putVersion } from "../samples/writer/version.mjs";
import { writeCode } from "./code.mjs";

/** @typedef {import("./code.mjs").Random} Random */
/** @typedef {{ name: string, path: string, company: string, image: Image, exports: Map<string, bigint>, tagSites: number[] }} Made */
/**
 * @typedef {{
 *   name: string, path?: string, company?: string, base: bigint, size: number, exports?: readonly string[], tags?: readonly string[],
 *   imports?: readonly { dll: string, exports: ReadonlyMap<string, bigint> }[], random: Random,
 * }} Wish exports: names for as many functions. imports: all of them are imported. tags: those it allocates with
 */

const PAGE = 0x1000;
const pages = (/** @type {number} */ bytes) => alignUp(bytes, PAGE);

/**
 * Random words between zeros, and text: what indexOf meets in data.
 * @param {Uint8Array} bytes @param {Random} random
 */
function fillData(bytes, random) {
  const text = utf16("\\Registry\\Machine\\System\\CurrentControlSet\\Services\\");
  for (let at = 0; at + 128 < bytes.length; at += 16) {
    const kind = random(8);
    if (kind < 3) for (let i = 0; i < 8; i++) bytes[at + i] = random(256);
    else if (kind === 3) bytes[at] = random(256);
    else if (kind === 4 && random(8) === 0) {
      bytes.set(text, at);
      at += alignUp(text.length, 16);
    }
  }
}

/**
 * The function table, and one unwind record that serves all.
 * @param {Image} image @param {number} rva @param {readonly import("./code.mjs").Extent[]} functions
 * @param {number} unwind
 */
function putUnwind(image, rva, functions, unwind) {
  image.memory.u32(unwind, 1);
  functions.forEach(({ start, end }, i) => {
    image.memory
      .u32(rva + i * 12, start)
      .u32(rva + i * 12 + 4, end)
      .u32(rva + i * 12 + 8, unwind);
  });
  image.directories.set(3, [rva, functions.length * 12]);
}

/**
 * One x64 image in its memory layout: .text, .rdata, PAGE, INIT, .data, .pdata, .rsrc.
 * @param {Wish} wish @returns {Made}
 */
export function makeImage({
  name,
  path,
  company,
  base,
  size,
  exports = [],
  tags = [],
  imports = [],
  random,
}) {
  const slotNames = imports.flatMap(({ exports: names }) => [...names.keys()]);
  const textSize = pages(size * 0.42);
  const iatSize = (slotNames.length + imports.length) * 8;
  const exportSize = exports.length === 0 ? 0 : 256 + exports.reduce((n, e) => n + e.length + 11, 0);
  const rdataRva = PAGE + textSize;
  const exportRva = rdataRva + alignUp(iatSize, 16);
  const rdataSize = pages(iatSize + 16 + exportSize + size * 0.08);
  const pagedRva = rdataRva + rdataSize;
  const pagedSize = pages(size * 0.25);

  const code = new Uint8Array(pagedRva + pagedSize);
  const slots = new Map();
  let slot = rdataRva;
  for (const { exports: names } of imports) {
    for (const [key, va] of names) {
      slots.set(key, { slot, target: Number(va - base) });
      slot += 8;
    }
    slot += 8;
  }
  const outside = {
    slots: [...slots.values()],
    tags: tags.map(tagKey),
    allocator: slots.get("ExAllocatePoolWithTag") ?? { slot: rdataRva, target: PAGE },
    data: { rva: exportRva, size: pagedRva - exportRva },
  };
  const text = writeCode(code.subarray(PAGE, rdataRva), PAGE, random, outside, []);
  const paged = writeCode(code.subarray(pagedRva), pagedRva, random, outside, text.functions);
  const functions = [...text.functions, ...paged.functions];

  const initRva = pagedRva + pagedSize;
  const initSize = pages(1024 + imports.length * 64 + slotNames.reduce((n, s) => n + s.length + 13, 0));
  const pdataSize = functions.length * 12;
  const dataRva = initRva + initSize;
  const dataSize = Math.max(PAGE, size - dataRva - pages(pdataSize) - PAGE);
  const pdataRva = dataRva + dataSize;
  const rsrcRva = pdataRva + pages(pdataSize);

  const image = new Image({
    is64: true,
    base,
    size: rsrcRva + PAGE,
    preferredBase: 0x1c0000000n,
    entry: PAGE,
    timestamp: random(0x7fffffff),
    checksum: random(0x1000000),
    linker: [14, 20],
    osVersion: [10, 0],
    imageVersion: [10, 0],
    subsystemVersion: [10, 0],
    sections: [
      { name: ".text", rva: PAGE, size: textSize, characteristics: CODE },
      { name: ".rdata", rva: rdataRva, size: rdataSize, characteristics: RDATA },
      { name: "PAGE", rva: pagedRva, size: pagedSize, characteristics: PAGED_CODE },
      { name: "INIT", rva: initRva, size: initSize, characteristics: INIT_CODE },
      { name: ".data", rva: dataRva, size: dataSize, characteristics: DATA },
      { name: ".pdata", rva: pdataRva, size: pdataSize, characteristics: RDATA },
      { name: ".rsrc", rva: rsrcRva, size: PAGE, characteristics: RSRC },
    ],
  });
  image.put(0, code);
  fillData(image.memory.bytes.subarray(exportRva + exportSize + 16, pagedRva), random);
  fillData(image.memory.bytes.subarray(dataRva, pdataRva), random);
  const step = Math.max(1, Math.floor(text.functions.length / Math.max(1, exports.length)));
  const starts = exports.map((e, i) => ({
    name: e,
    rva: (text.functions[i * step] ?? text.functions[0])?.start ?? PAGE,
  }));
  if (exports.length > 0) putExports(image, exportRva, { dll: name, exports: starts });
  if (imports.length > 0) {
    const dlls = imports.map((i) => ({
      dll: i.dll,
      imports: [...i.exports.keys()].map((key) => ({ name: key })),
    }));
    const addresses = new Map(
      imports.flatMap((i) =>
        [...i.exports].map(([key, va]) => /** @type {const} */ ([`${i.dll}!${key}`, va])),
      ),
    );
    const resolve = (
      /** @type {string} */ dll,
      /** @type {import("../samples/writer/directories.mjs").ImportSpec} */ entry,
    ) => addresses.get(`${dll}!${"name" in entry ? entry.name : ""}`) ?? 0n;
    putImports(image, initRva, { dlls, iat: rdataRva, resolve, room: initSize });
  }
  putUnwind(image, pdataRva, functions, exportRva + exportSize);
  const made = company ?? "Microsoft Corporation";
  putVersion(image, rsrcRva, {
    version: [10, 0, 19041, 1],
    strings: { CompanyName: made, FileDescription: name, OriginalFilename: name },
  });
  image.finish();
  return {
    name,
    path: path ?? `\\SystemRoot\\system32\\drivers\\${name}`,
    company: made,
    image,
    exports: new Map(starts.map((e) => [e.name, base + BigInt(e.rva)])),
    tagSites: [...text.tagSites],
  };
}
