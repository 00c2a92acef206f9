/**
 * The process in which files are changed and read: one that hangs or takes all memory takes nobody else along. It is told
 * its part by a message, writes what it is at into a file before it starts on it, and sends a message after each round.
 */
import { openSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { Coverage } from "./coverage.mjs";
import { learnFields } from "./fields.mjs";
import { ALLOWED, measured } from "./meter.mjs";
import { mutate, withChanges } from "./mutations.mjs";
import { chosenQuestions, everyQuestion, FORMS, Opener, putQuestion, tryOpen } from "./questions.mjs";
import { randomOf } from "./random.mjs";
import { seeds } from "./seeds.mjs";

/**
 * @typedef {import("./mutations.mjs").Change} Change
 * @typedef {import("./questions.mjs").Form} Form
 * @typedef {import("./questions.mjs").Problem} Problem
 * @typedef {import("./questions.mjs").Question} Question
 * @typedef {import("./seeds.mjs").Seed} Seed
 * @typedef {{ seed: string, changes: readonly Change[], questions: readonly Question[] }} Case
 * @typedef {{ problem: Problem, of: Case }} Found
 * @typedef {{ do: "fuzz", seed: string, names: readonly string[], round: number, progress: string, scratch: string,
 *   covers: boolean, corpus: Readonly<Record<string, readonly (readonly Change[])[]>> }} FuzzOrder names: of the seeds that are this
 *   one's; covers: looks for new code, which makes all of it several times as slow
 * @typedef {{ do: "replay", of: Case, progress: string, scratch: string }} ReplayOrder
 * @typedef {{ round: number, name: string, kind: Seed["kind"], outcomes: Readonly<Record<string, number>>, inputs: number, found: readonly Found[],
 *   kept: readonly (readonly Change[])[], covered: number }} RoundDone outcomes: executions, by what came of them
 */

const CORPUS = 200;
const FILES_KEPT = 6;

/**
 * Inputs of one round, and the questions to each; batch: inputs between two looks at what was covered. A round takes some
 * seconds at most.
 *
 * @param {Seed} seed @param {boolean} covers
 */
function roundOf({ kind }, covers) {
  if (kind === "image") return { inputs: covers ? 48 : 6000, questions: 3, batch: 4 };
  if (kind === "tag-file") return { inputs: covers ? 24 : 2000, questions: 1, batch: 4 };
  if (kind === "words") return { inputs: covers ? 48 : 20_000, questions: 1, batch: 4 };
  return { inputs: covers ? 10 : 20, questions: 4, batch: 1 };
}

class Bench {
  /** @param {string} progress @param {string} scratch */
  constructor(progress, scratch) {
    this.all = new Map(seeds().map((seed) => [seed.name, seed]));
    this.progress = openSync(progress, "w");
    this.scratch = scratch;
    /** @type {Map<string, import("./fields.mjs").Files>} */
    this.files = new Map();
    /** @type {Map<string, import("./fields.mjs").Field[]>} */
    this.fields = new Map();
  }

  async load() {
    this.api = /** @type {import("./questions.mjs").Api} */ (
      await import(new URL("../dist/index.js", import.meta.url).href)
    );
    this.opener = new Opener(this.api, this.scratch);
    return this;
  }

  /** @param {string} name */
  seed(name) {
    const seed = this.all.get(name);
    if (seed === undefined) throw new RangeError(`there is nothing to start from that is called ${name}`);
    const files = this.files.get(name) ?? seed.files();
    this.files.delete(name);
    this.files.set(name, files);
    for (const old of this.files.keys()) {
      if (this.files.size <= FILES_KEPT) break;
      this.files.delete(old);
    }
    return { seed, files };
  }

  /** @param {string} name */
  fieldsOf(name) {
    const known = this.fields.get(name);
    if (known !== undefined) return known;
    const { seed, files } = this.seed(name);
    const found = learnFields(files, () => {
      this.#say({ seed: name, changes: [], questions: [] });
      const { opened } = tryOpen(this.#opener, seed.kind, files);
      if (opened === undefined) return;
      for (const question of everyQuestion(seed.kind, randomOf(name)))
        putQuestion(this.#api, opened, question);
      opened.close();
    });
    this.fields.set(name, found);
    return found;
  }

  /**
   * Runs one input. What it cost is looked at when all of it is done; where that is too much, it is run again step by step.
   *
   * @param {Case} one @param {readonly Form[]} [forms] of the answers; all, unless others are given
   * @returns {{ outcomes: string[], found: Found[] }}
   */
  run(one, forms) {
    const { value, cpu, memory } = measured(() =>
      this.#steps(one, forms, (run) => ({ value: run(), cpu: 0, memory: 0 })),
    );
    return costly(cpu, memory, "") === undefined ? value : this.#steps(one, forms, measured);
  }

  /** @param {Case} one @param {readonly Form[] | undefined} forms @param {typeof measured} measure */
  #steps(one, forms, measure) {
    const { seed, files } = this.seed(one.seed);
    /** @type {string[]} */
    const outcomes = [];
    /** @type {Found[]} */
    const found = [];
    const add = (/** @type {Problem} */ problem, /** @type {readonly Question[]} */ questions) =>
      found.push({ problem, of: { ...one, questions } });
    withChanges(files, one.changes, (changed) => {
      this.#say({ ...one, questions: [] });
      const { value, cpu, memory } = measure(() => tryOpen(this.#opener, seed.kind, changed));
      outcomes.push(value.outcome);
      for (const problem of [value.problem, costly(cpu, memory, "open")])
        if (problem !== undefined) add(problem, []);
      if (value.opened === undefined) return;
      const { opened } = value;
      for (const question of one.questions) {
        this.#say({ ...one, questions: [question] });
        const asked = measure(() => putQuestion(this.#api, opened, question, forms));
        outcomes.push(asked.value.outcome);
        for (const problem of [
          asked.value.problem,
          costly(asked.cpu, asked.memory, JSON.stringify(question)),
        ])
          if (problem !== undefined) add(problem, [question]);
      }
      opened.close();
    });
    return { outcomes, found };
  }

  get #api() {
    if (this.api === undefined) throw new TypeError("not loaded");
    return this.api;
  }

  get #opener() {
    if (this.opener === undefined) throw new TypeError("not loaded");
    return this.opener;
  }

  /** What is done next, for whoever has to end this process. @param {Case} one */
  #say(one) {
    writeSync(this.progress, `${JSON.stringify(one)}\n`, 0);
  }
}

/** @param {number} cpu @param {number} memory @param {string} question @returns {Problem | undefined} */
function costly(cpu, memory, question) {
  if (cpu > ALLOWED.cpu) return { kind: "slow", message: `${cpu.toFixed(1)} s of CPU`, question };
  if (memory <= ALLOWED.memory) return undefined;
  return { kind: "memory", message: `${Math.round(memory / 0x100000)} MB over what there was`, question };
}

/** @param {FuzzOrder} order */
async function fuzz(order) {
  const bench = await new Bench(order.progress, order.scratch).load();
  const coverage = order.covers ? new Coverage() : undefined;
  /** @type {Map<string, (readonly Change[])[]>} */
  const corpora = new Map(Object.entries(order.corpus).map(([name, kept]) => [name, [...kept]]));
  for (let round = order.round; ; round++) {
    const name = order.names[round % order.names.length] ?? "";
    const fields = bench.fieldsOf(name);
    const { seed, files } = bench.seed(name);
    const corpus = corpora.get(name) ?? [];
    corpora.set(name, corpus);
    coverage?.fresh();
    const { inputs, questions, batch } = roundOf(seed, order.covers);
    /** @type {Record<string, number>} */
    const outcomes = {};
    /** @type {Found[]} */
    const found = [];
    /** @type {(readonly Change[])[]} */
    const kept = [];
    for (let at = 0; at < inputs; at += batch) {
      const tried = [];
      for (let i = at; i < at + batch; i++) {
        const random = randomOf(`${order.seed}/${name}/${round}/${i}`);
        const parent = corpus.length > 0 && random.chance(0.6) ? random.of(corpus) : [];
        const changes = mutate(files, fields, parent, `${order.seed}/${name}/${round}/${i}/changes`);
        const one = { seed: name, changes, questions: chosenQuestions(seed.kind, random, questions) };
        const done = bench.run(one, random.chance(0.05) ? FORMS : [random.of(FORMS)]);
        for (const outcome of done.outcomes) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        found.push(...done.found);
        if (done.found.length === 0) tried.push(changes);
      }
      if (coverage === undefined || coverage.fresh() === 0) continue;
      kept.push(...tried);
      for (const one of tried) {
        if (corpus.length < CORPUS) corpus.push(one);
        else corpus[randomOf(`${order.seed}/${name}/${round}/${at}/place`).below(CORPUS)] = one;
      }
    }
    /** @type {RoundDone} */
    const report = {
      round,
      name,
      kind: seed.kind,
      outcomes,
      inputs,
      found,
      kept,
      covered: coverage?.size ?? 0,
    };
    process.send?.(report);
    await setImmediate();
  }
}

process.on("message", async (/** @type {FuzzOrder | ReplayOrder} */ order) => {
  if (order.do === "fuzz") return fuzz(order);
  const bench = await new Bench(order.progress, order.scratch).load();
  bench.seed(order.of.seed);
  const { found } = bench.run(order.of);
  process.send?.(found, () => process.exit(0));
});
// it is of no use without whoever started it
process.on("disconnect", () => process.exit(0));
