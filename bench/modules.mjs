import { alignUp, tagKey } from "../samples/writer/bytes.mjs";
import { makeImage } from "./images.mjs";

/** @typedef {import("./code.mjs").Random} Random */
/** @typedef {import("./images.mjs").Made} Made */
/** @typedef {import("../samples/writer/machine.mjs").Machine} Machine */

const PAGE = 0x1000;
export const NT_BASE = 0xfffff8042a000000n;
const NT_SIZE = 0x1000000;
/** Room between nt and the drivers, which are in reach of a direct call. */
const NT_ROOM = 0x4000000n;

/** The tag that is searched for, and how often it stands in the images. */
export const TAG = "Bnch";
export const REFERENCES = 20;

const KNOWN_EXPORTS =
  "ExAllocatePoolWithTag ExFreePoolWithTag ExFreePool ObReferenceObjectByHandle ObfDereferenceObject SeQueryInformationToken IoAllocateIrp MmGetSystemRoutineAddress".split(
    " ",
  );

/** Tags, of which the first is `TAG`. @param {number} count @param {Random} random @returns {string[]} */
export function makeTags(count, random) {
  const letters = "abcdefghijklmnopqrstuvwxyz";
  const tags = new Set([TAG]);
  const letter = () => letters[random(26)] ?? "a";
  while (tags.size < count) tags.add(letter().toUpperCase() + letter() + letter() + letter());
  return [...tags];
}

const names = (/** @type {string} */ prefix, /** @type {number} */ count) =>
  Array.from(
    { length: count },
    (_, i) => `${prefix}${["Query", "Set", "Create", "Delete", "Insert", "Remove"][i % 6]}Entry${i}`,
  );

/**
 * Sizes of a few large and many small images.
 * @param {number} count @param {number} total bytes @param {Random} random
 */
function makeSizes(count, total, random) {
  const weights = Array.from({ length: count }, () =>
    Math.exp(((random(1000) + random(1000) + random(1000)) / 3000) * 7),
  );
  const sum = weights.reduce((n, w) => n + w, 0);
  return weights.map((w) => alignUp(Math.max(0xc000, (w / sum) * total), PAGE));
}

/**
 * nt, hal, fltmgr and drivers that import from them.
 * @param {number} modules @param {number} bytes in all @param {readonly string[]} tags
 * @param {Random} random @returns {Made[]}
 */
export function makeModules(modules, bytes, tags, random) {
  const some = (/** @type {number} */ n) =>
    Array.from({ length: n }, () => /** @type {string} */ (tags[1 + random(tags.length - 1)]));
  const nt = makeImage({
    name: "ntoskrnl.exe",
    path: "\\SystemRoot\\system32\\ntoskrnl.exe",
    base: NT_BASE,
    size: NT_SIZE,
    random,
    exports: [...KNOWN_EXPORTS, ...names("Ke", 2800)],
    tags: some(900),
  });
  const made = [nt];
  let base = NT_BASE + NT_ROOM;
  makeSizes(modules - 1, bytes - NT_SIZE, random).forEach((size, i) => {
    const name = ["hal.dll", "fltmgr.sys"][i] ?? `driver${String(i).padStart(3, "0")}.sys`;
    const wanted = new Map(
      [...nt.exports].filter(([key]) => KNOWN_EXPORTS.includes(key) || random(60) === 0),
    );
    const driver = makeImage({
      name,
      base,
      size,
      random,
      company: i % 4 === 3 ? `Example ${i} Ltd.` : "Microsoft Corporation",
      exports: i < 2 ? names(i === 0 ? "Hal" : "Flt", 300) : i % 10 === 0 ? names(`Drv${i}`, 20) : [],
      tags: some(4 + random(20)),
      imports: [
        { dll: "ntoskrnl.exe", exports: wanted },
        ...(i > 1 && i % 3 === 0
          ? [
              {
                dll: "FLTMGR.SYS",
                exports: new Map([...(made[2]?.exports ?? [])].filter(() => random(20) === 0)),
              },
            ]
          : []),
      ],
    });
    made.push(driver);
    base = alignBig(base + BigInt(driver.image.size + PAGE), 0x10000n);
  });
  return made;
}

const alignBig = (/** @type {bigint} */ value, /** @type {bigint} */ unit) =>
  ((value + unit - 1n) / unit) * unit;

/**
 * Puts the tag into a few modules, once over the end of a run of pages and once with the protected bit.
 * @param {Machine} machine @param {readonly Made[]} made @param {Random} random
 */
export function plant(machine, made, random) {
  const sites = (/** @type {readonly Made[]} */ from) =>
    from.flatMap(({ image, tagSites }) => tagSites.map((rva) => image.va(rva)));
  const nt = sites(made.slice(0, 1));
  const drivers = sites(made.filter(({ tagSites }, i) => i > 0 && tagSites.length > 8).slice(0, 12));
  const places = new Set([overRunEnd(machine, made)]);
  while (places.size < REFERENCES) {
    const from = places.size < 6 ? nt : drivers;
    places.add(/** @type {bigint} */ (from[random(from.length)]));
  }
  [...places].forEach((va, i) => {
    machine.u32(va, (tagKey(TAG) | (i === 1 ? 0x80000000 : 0)) >>> 0);
  });
}

/**
 * An address in a driver's data from which four bytes reach into a page that lies elsewhere.
 * @param {Machine} machine @param {readonly Made[]} made
 */
function overRunEnd(machine, made) {
  for (const { image } of made.slice(1)) {
    const rdata = image.sections.find((s) => s.name === ".rdata") ?? { rva: 0, size: 0 };
    for (let rva = rdata.rva + PAGE; rva < rdata.rva + rdata.size; rva += PAGE) {
      const before = machine.physicalAddress(image.va(rva - 1)) ?? 0n;
      if (machine.physicalAddress(image.va(rva)) !== before + 1n) return image.va(rva - 2);
    }
  }
  throw new RangeError("no run of pages ends in a driver's data");
}

/**
 * Maps the images: nt on large pages, the others in physical runs; some paged code is not in memory.
 * @param {Machine} machine @param {readonly Made[]} made @param {Random} random
 */
export function load(machine, made, random) {
  for (const [i, { image }] of made.entries()) {
    if (i === 0) machine.map(image.base, image.size, { large: true });
    else {
      const init = image.sections.find((s) => s.name === "INIT");
      const paged = image.sections.find((s) => s.name === "PAGE");
      const inside = (
        /** @type {{ rva: number, size: number } | undefined} */ s,
        /** @type {number} */ rva,
      ) => s !== undefined && rva >= s.rva && rva < s.rva + s.size;
      for (let rva = 0; rva < image.size; ) {
        if (inside(init, rva)) {
          rva += alignUp(init?.size ?? PAGE, PAGE);
          continue;
        }
        const limit = init !== undefined && rva < init.rva ? init.rva : image.size;
        const out = inside(paged, rva) && random(12) === 0;
        const length = Math.min(limit - rva, PAGE * (1 + random(out ? 4 : 64)));
        machine.map(image.va(rva), length, out ? { state: "paged-out" } : { scatter: false });
        rva += length;
      }
    }
    for (let rva = 0; rva < image.size; rva += PAGE) {
      if (machine.isMapped(image.va(rva)))
        machine.write(image.va(rva), image.memory.bytes.subarray(rva, rva + PAGE));
    }
  }
}
