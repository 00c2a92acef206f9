import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CallGraph } from "../src/code/call-graph.ts";
import { DataFlow } from "../src/code/data-flow.ts";
import { analyzeImage, type ImageCode } from "../src/code/functions.ts";
import { TagUses } from "../src/code/uses.ts";
import type { Rva } from "../src/core/address.ts";
import { Image } from "../src/pe/image.ts";
import { BytesSource } from "../src/source/bytes-source.ts";
import type { ImageTruth } from "../test/fixtures/sample-images.ts";

const root = fileURLToPath(new URL("../samples/images/", import.meta.url));

/** How well something is found: what there is, what was found of it, and what was found beside it. */
export interface Score {
  there: number;
  right: number;
  wrong: number;
  /** Some of what was missed (-) and found beside (+), to look at. */
  readonly examples: string[];
}

/** All scores of one set of images. */
export interface Scores {
  readonly functions: Score;
  readonly calls: Score;
  readonly importCalls: Score;
  readonly uses: Score;
  falseAllocations: number;
  images: number;
}

/** Measures all compiled images that have their truth beside them, by machine and compiler setting. */
export function measureAccuracy(): Map<string, Scores> {
  const sets = new Map<string, Scores>();
  for (const { set, path, truth } of compiledImages()) {
    const scores = sets.get(set) ?? newScores();
    sets.set(set, scores);
    measure(path, truth, scores);
  }
  return sets;
}

/** One line a set. */
export function renderAccuracy(sets: ReadonlyMap<string, Scores>): string {
  const head = ["images", "function starts", "calls", "import calls", "tag uses", "false allocations"];
  const rows = [...sets].map(([set, scores]) => [
    set,
    String(scores.images),
    ...[scores.functions, scores.calls, scores.importCalls, scores.uses].map(renderScore),
    String(scores.falseAllocations),
  ]);
  const table = [["", ...head], ...rows];
  const widths =
    table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return ["recall / precision, in percent, of how many", ...lines].join("\n");
}

export const recall = ({ there, right }: Score): number => (there === 0 ? 1 : right / there);
export const precision = ({ right, wrong }: Score): number =>
  right + wrong === 0 ? 1 : right / (right + wrong);

function renderScore(score: Score): string {
  const percent = (part: number): string => (100 * part).toFixed(2);
  return `${percent(recall(score))} / ${percent(precision(score))} of ${score.there}`;
}

function newScores(): Scores {
  const score = (): Score => ({ there: 0, right: 0, wrong: 0, examples: [] });
  return {
    functions: score(),
    calls: score(),
    importCalls: score(),
    uses: score(),
    falseAllocations: 0,
    images: 0,
  };
}

function* compiledImages(): Iterable<{ set: string; path: string; truth: ImageTruth }> {
  const read = (path: string): ImageTruth => JSON.parse(readFileSync(path, "utf8"));
  for (const file of list(`${root}truth`)) {
    const truth = read(`${root}truth/${file}`);
    yield { set: `${truth.arch} samples`, path: `${root}${truth.arch}/${truth.image}`, truth };
  }
  for (const set of list(`${root}accuracy`)) {
    for (const file of list(`${root}accuracy/${set}`).filter((name) => name.endsWith(".json"))) {
      const truth = read(`${root}accuracy/${set}/${file}`);
      yield { set: set.replaceAll("-", " "), path: `${root}accuracy/${set}/${truth.image}`, truth };
    }
  }
}

function list(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

function measure(path: string, truth: ImageTruth, scores: Scores): void {
  if (!existsSync(path)) return;
  scores.images++;
  const image = analyzeImage(Image.fromFile(new BytesSource(readFileSync(path), truth.image)));
  const flows = new DataFlow(image);
  const calls = new CallGraph(flows);
  const label = (what: string): string => `${path.slice(root.length)} ${what}`;
  const text = (value: number): string => `0x${value.toString(16)}`;

  compare(
    scores.functions,
    truth.functions.map(({ entry }) => entry),
    Array.from(image.functions.entries, text),
    label,
  );
  const near = calls.callersOf(image.functions.entries).map(({ at }) => text(at));
  compare(
    scores.calls,
    truth.calls.map(({ at }) => at),
    near,
    label,
  );
  const slots = image.image.imports.slots.map(({ rva }) => rva);
  const imported = calls.callersOf(slots).map(({ at, callee }) => `${text(at)} ${text(callee.slot ?? 0)}`);
  compare(
    scores.importCalls,
    truth.importCalls.map(({ at, slot }) => `${at} ${slot}`),
    imported,
    label,
  );
  measureUses(flows, path, truth, scores, label);
}

function measureUses(
  flows: DataFlow,
  path: string,
  truth: ImageTruth,
  scores: Scores,
  label: (what: string) => string,
): void {
  const uses = new TagUses(flows, ({ module, name }) => exportBeside(path, module, name));
  for (const { tag, rva, use } of truth.tags) {
    const found = uses.at(Number(rva) as Rva);
    // What optimisation made of a reference the truth cannot always tell.
    if (use === "unknown") continue;
    scores.uses.there++;
    if (found.use === use) scores.uses.right++;
    else {
      if (found.use !== "unknown") scores.uses.wrong++;
      if (found.use === "allocate") scores.falseAllocations++;
      note(
        scores.uses,
        label(`'${tag}' at ${rva}: ${use}, found ${found.use}: ${JSON.stringify(found.seen)}`),
      );
    }
  }
}

const opened = new Map<string, ImageCode>();

/** The exported function of an image in the same folder. */
function exportBeside(path: string, module: string | undefined, name: string | undefined) {
  const file = `${path.slice(0, path.lastIndexOf("/") + 1)}${module?.toLowerCase()}`;
  if (module === undefined || name === undefined || !existsSync(file)) return undefined;
  const code = opened.get(file) ?? analyzeImage(Image.fromFile(new BytesSource(readFileSync(file), module)));
  opened.set(file, code);
  const found = code.image.exports.items.find((item) => item.name === name);
  return found === undefined ? undefined : { flows: new DataFlow(code), entry: found.rva };
}

function compare(
  score: Score,
  truth: readonly string[],
  found: readonly string[],
  label: (what: string) => string,
): void {
  const wanted = new Set(truth);
  const got = new Set(found);
  score.there += wanted.size;
  for (const item of wanted) {
    if (got.has(item)) score.right++;
    else note(score, label(`-${item}`));
  }
  for (const item of got) {
    if (wanted.has(item)) continue;
    score.wrong++;
    note(score, label(`+${item}`));
  }
}

function note(score: Score, example: string): void {
  if (score.examples.length < 20) score.examples.push(example);
}
