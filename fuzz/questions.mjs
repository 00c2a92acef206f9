import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Every question, put to what was opened, and its answer in every form; and what of that breaks the promise.
 *
 * @typedef {typeof import("../src/index.ts")} Api
 * @typedef {import("../src/index.ts").Opened} Opened
 * @typedef {import("../src/index.ts").Question} Question
 * @typedef {import("./fields.mjs").Files} Files
 * @typedef {import("./random.mjs").Random} Random
 * @typedef {import("./seeds.mjs").Kind} Kind
 * @typedef {{ kind: string, message: string, question: string }} Problem kind: `error`, `text`, `json`, `slow`, `memory` or `hang`
 */

const ADDRESSES = [
  "nt",
  "nt!SeQueryInformationToken",
  "nt+1000",
  "ctstor+1020",
  "0",
  "ffffffffffffffff",
  "fffff80000001000",
  "80801000",
  "100a",
];
const TAGS = ["Se", "Even", "Ev*", "A", "\\xff\\xfe"];
const MODULES = ["nt", "hal", "ctstor", "fltmgr", "nt+10"];

/** @type {readonly ((random: Random) => Question)[]} */
const OF_IMAGES = [
  ({ of }) => ({ command: "headers", module: of(MODULES) }),
  ({ of }) => ({ command: "imports", module: of(MODULES) }),
  ({ of }) => ({ command: "exports", module: of(MODULES) }),
  ({ of }) => ({ command: "functions", module: of(MODULES) }),
  ({ of }) => ({ command: "calls", module: of(MODULES), function: of(ADDRESSES) }),
  ({ of }) => ({
    command: "code",
    address: of(ADDRESSES),
    view: of([undefined, "from", "before", "function"]),
  }),
];

/** @type {readonly ((random: Random) => Question)[]} */
const OF_SEVERAL = [
  ({ of }) => ({ command: "trace", tags: [of(["Se", "Even", "Abcd"])] }),
  () => ({ command: "modules" }),
  ({ of }) => ({ command: "scan", tag: of(["Se", "Even", "\0\0\0\0"]) }),
  ({ of }) => ({ command: "near", addresses: [of(ADDRESSES), of(ADDRESSES)] }),
  ({ of }) => ({ command: "pointers", address: of(ADDRESSES) }),
  ({ of }) => ({ command: "read", address: of(ADDRESSES), length: of([1, 128, 0x1000, 0x4000]) }),
  ({ of }) => ({ command: "imports", module: of(ADDRESSES), length: of([1, 16, 256]) }),
];

/** @type {readonly ((random: Random) => Question)[]} */
const OF_DUMPS = [
  () => ({ command: "info" }),
  () => ({ command: "memory" }),
  ({ of }) => ({
    command: "tags",
    pattern: of([undefined, ...TAGS]),
    sort: of([undefined, "paged", "nonpaged", "tag"]),
  }),
  ({ of }) => ({ command: "pool", address: of(ADDRESSES) }),
  () => ({ command: "processes" }),
  ({ of }) => ({ command: "handles", of: of([undefined, "4", "System", "Even"]) }),
  () => ({ command: "trace", tags: [] }),
];

/** Their operands are what the file says. @type {readonly Question[]} */
const ABOUT_WORDS = [
  { command: "near", addresses: [] },
  { command: "modules" },
  { command: "read", address: "0" },
];

/** What each question is put to, and more often those that look at much. @param {Kind} kind @param {Random} random @param {number} count @returns {Question[]} */
export function chosenQuestions(kind, random, count) {
  if (kind === "tag-file") return [{ command: "tags" }];
  if (kind === "words") return [random.of(ABOUT_WORDS)];
  const dump = kind !== "image" && kind !== "folder";
  const all = [...OF_IMAGES, ...(kind === "image" ? [] : OF_SEVERAL), ...(dump ? OF_DUMPS : [])];
  const chosen = Array.from({ length: count }, () => random.of(all)(random));
  if (kind === "hive" || kind === "images") chosen.push({ command: "trace", tags: ["Se"] });
  return chosen;
}

/** For once: what is read where nothing is changed. @param {Kind} kind @param {Random} random @returns {Question[]} */
export function everyQuestion(kind, random) {
  if (kind === "tag-file") return [{ command: "tags" }];
  if (kind === "words") return [...ABOUT_WORDS];
  const dump = kind !== "image" && kind !== "folder";
  const all = [...OF_IMAGES, ...(kind === "image" ? [] : OF_SEVERAL), ...(dump ? OF_DUMPS : [])];
  return all.map((question) => question(random));
}

const SAMPLE = new URL("../samples/leak-x64.dmp", import.meta.url);

/** Opens files as their kind is. The older dump stays as it is. */
export class Opener {
  /** @param {Api} api @param {string} folder for what has to be a folder */
  constructor(api, folder) {
    this.api = api;
    this.folder = folder;
    /** @type {Uint8Array | undefined} */
    this.sample = undefined;
    /** @type {ReturnType<Api["openDump"]> | undefined} */
    this.unchanged = undefined;
  }

  get #sample() {
    this.sample ??= new Uint8Array(readFileSync(SAMPLE));
    return this.sample;
  }

  /** @param {Kind} kind @param {Files} files @returns {{ opened: Opened, ask: (question: Question) => object, close: () => void }} */
  open(kind, files) {
    const { api } = this;
    const sources = Object.entries(files).map(([name, bytes]) => new api.BytesSource(bytes, name));
    const [first] = sources;
    if (first === undefined) throw new TypeError("no files");
    const plain = (/** @type {Opened} */ opened) => ({
      opened,
      ask: (/** @type {Question} */ question) => api.ask(opened, question),
      close: () => opened.close(),
    });
    switch (kind) {
      case "dump":
        return plain(api.openDump(sources));
      case "image":
        return plain(api.openImageFile(first));
      case "hive":
        return plain(api.openDump(this.#sample, { systemHive: first }));
      case "images":
        return plain(api.openDump(this.#sample, { images: sources }));
      case "folder":
        rmSync(this.folder, { recursive: true, force: true });
        mkdirSync(this.folder);
        for (const [name, bytes] of Object.entries(files)) writeFileSync(join(this.folder, name), bytes);
        return plain(api.openFolder(this.folder));
      case "tag-file": {
        const descriptions = api.readTagFile(first);
        this.unchanged ??= api.openDump(this.#sample);
        const opened = this.unchanged;
        return { opened, ask: () => api.ask(opened, { command: "tags", descriptions }), close: () => {} };
      }
      case "words": {
        this.unchanged ??= api.openDump(this.#sample);
        const opened = this.unchanged;
        const text = Buffer.from(Object.values(files)[0] ?? []).toString("utf8");
        /** @param {Question} question */
        const ask = (question) => {
          if (question.command === "near") return api.ask(opened, { ...question, addresses: [text] });
          if (question.command === "modules") return api.ask(opened, { ...question, pattern: text });
          return api.ask(opened, { command: "read", address: text, length: text });
        };
        return { opened, ask, close: () => {} };
      }
      case "growth": {
        const older = api.openDump(this.#sample);
        const opened = api.openDump(sources);
        return {
          ...plain(opened),
          ask: (question) =>
            api.ask(
              opened,
              question.command === "tags" ? { command: "growth", older, force: true } : question,
            ),
        };
      }
    }
  }
}

/** What an error means: undefined where it is one that is promised. @param {Api} api @param {unknown} error @returns {string | undefined} */
function brokenBy(api, error) {
  if (!(error instanceof Error)) return `${error}`;
  const promised = [api.FormatError, api.MemoryError, api.FileError, api.QuestionError];
  if (promised.some((kind) => error instanceof kind)) return undefined;
  const [where = ""] = (error.stack ?? "").split("\n").filter((line) => line.includes("/dist/"));
  return `${error.name}: ${error.message} ${where.trim().replace(/\(?file:.*\/dist\//, "")}`;
}

/** The characters that drive a terminal or turn text around, but for the ends of lines; escapes that colours need are not in plain text. */
const DRIVING = /(?![\r\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** @typedef {"text" | "colored text" | "narrow text" | "JSON" | "HTML" | "Markdown" | "CSV"} Form */

/** @type {readonly Form[]} */
export const FORMS = ["text", "colored text", "narrow text", "JSON", "HTML", "Markdown", "CSV"];

/** @param {Api} api @param {Form} form @param {any} command @param {any} document @param {4 | 8} pointerSize @returns {string} */
function rendered(api, form, command, document, pointerSize) {
  const view = { pointerSize };
  switch (form) {
    case "text":
      return api.renderText(command, document, { ...view, style: api.PLAIN });
    case "colored text":
      return api.renderText(command, document, { ...view, style: api.COLOR });
    case "narrow text":
      return api.renderText(command, document, { ...view, style: api.PLAIN, width: 80 });
    case "JSON":
      return api.renderJson(document);
    case "HTML":
      return api.renderHtml(command, document, { ...view, title: "a dump", command: `pooltrail ${command}` });
    case "Markdown":
      return api.renderMarkdown(command, document, view);
    case "CSV":
      return api.renderCsv(command, document, view);
  }
}

/**
 * Puts one question, and takes the answer in some forms.
 *
 * @param {Api} api @param {{ opened: Opened, ask: (question: Question) => object }} from @param {Question} question
 * @param {readonly Form[]} [forms] all, unless others are given
 * @returns {{ outcome: string, problem?: Problem }} outcome: `answered`, or the error's name
 */
export function putQuestion(api, { opened, ask }, question, forms = FORMS) {
  const text = JSON.stringify(question);
  const size = "pointerSize" in opened ? opened.pointerSize : opened.image.pointerSize;
  try {
    const document = /** @type {any} */ (ask(question));
    const command = "sameStart" in document ? "growth" : question.command;
    for (const form of forms) {
      const written = rendered(api, form, command, document, size);
      if (form === "JSON") JSON.parse(written);
      const found = form === "colored text" ? null : DRIVING.exec(written);
      if (found === null) continue;
      const around = JSON.stringify(written.slice(Math.max(0, found.index - 30), found.index + 10));
      const message = `a character that drives in ${form}: ${around}`;
      return { outcome: "answered", problem: { kind: "text", message, question: text } };
    }
    return { outcome: "answered" };
  } catch (error) {
    const message = brokenBy(api, error);
    const outcome = error instanceof Error ? error.constructor.name : typeof error;
    return {
      outcome,
      ...(message === undefined ? {} : { problem: { kind: "error", message, question: text } }),
    };
  }
}

/**
 * Opens, or says what the error was.
 *
 * @param {Opener} opener @param {Kind} kind @param {Files} files
 * @returns {{ outcome: string, opened?: ReturnType<Opener["open"]>, problem?: Problem }}
 */
export function tryOpen(opener, kind, files) {
  try {
    return { outcome: "opened", opened: opener.open(kind, files) };
  } catch (error) {
    const message = brokenBy(opener.api, error);
    const outcome = error instanceof Error ? error.constructor.name : typeof error;
    return {
      outcome,
      ...(message === undefined ? {} : { problem: { kind: "error", message, question: "open" } }),
    };
  }
}
