/**
 * The leak benchmark: machines of which it is known who leaks. `npm run leakbench`.
 *
 * The baseline is the article's recipe alone: the nearest export of each place where the tag stands, and
 * the drivers of third parties whose import tables hold one of those, in the order of the module list.
 */
import { SCENARIOS } from "../samples/leakbench/scenarios.mjs";

const TOP = 3;
/** Who can be to blame; `nobody`: nobody can be told. */
const KINDS = /** @type {const} */ (["driver", "process", "windows", "none-visible", "nobody"]);

/**
 * @param {typeof import("../src/index.ts").openDump} openDump
 * @returns {{ rows: Row[], summary: Summary }}
 * @typedef {import("../samples/leakbench/scenarios.mjs").CulpritKind | "nobody"} Kind
 * @typedef {{ name: string, form: string, kind: Kind, culprit: string | null, saidKind: Kind, named: string | null, confidence: string, top: string[], baseline: string[] }} Row
 * @typedef {{ kind: Kind, machines: number, kindRight: number, top1: number, wrongWithHighConfidence: number }} OfKind
 * @typedef {{ kinds: readonly OfKind[], scenarios: number, withCulprit: number, top1: number, top3: number, withoutCulprit: number, cannotTell: number, wrongWithHighConfidence: number, baselineTop1: number, baselineTop3: number, baselineCannotTell: number }} Summary
 */
export function runLeakBench(openDump) {
  const rows = SCENARIOS.map((scenario) => judge(openDump, scenario));
  const blamed = rows.filter((row) => row.culprit !== null);
  const blameless = rows.filter((row) => row.culprit === null);
  const count = (/** @type {readonly Row[]} */ list, /** @type {(row: Row) => boolean} */ test) =>
    list.filter(test).length;
  return {
    rows,
    summary: {
      kinds: KINDS.map((kind) => {
        const own = rows.filter((row) => row.kind === kind);
        return {
          kind,
          machines: own.length,
          kindRight: count(own, (row) => row.saidKind === kind),
          top1: count(own, isRight),
          wrongWithHighConfidence: count(own, (row) => row.confidence === "high" && !isRight(row)),
        };
      }),
      scenarios: rows.length,
      withCulprit: blamed.length,
      top1: count(blamed, (row) => row.named === row.culprit),
      top3: count(blamed, (row) => row.culprit !== null && row.top.includes(row.culprit)),
      withoutCulprit: blameless.length,
      cannotTell: count(blameless, (row) => row.named === null),
      wrongWithHighConfidence: count(rows, (row) => row.confidence === "high" && row.named !== row.culprit),
      baselineTop1: count(blamed, (row) => row.baseline[0] === row.culprit),
      baselineTop3: count(
        blamed,
        (row) => row.culprit !== null && row.baseline.slice(0, TOP).includes(row.culprit),
      ),
      baselineCannotTell: count(blameless, (row) => row.baseline.length === 0),
    },
  };
}

/** Whether the kind is right, and who is named. @param {Row} row */
function isRight({ kind, saidKind, culprit, named }) {
  return kind === saidKind && culprit === named;
}

/** @param {typeof import("../src/index.ts").openDump} openDump @param {typeof SCENARIOS[number]} scenario @returns {Row} */
function judge(openDump, { name, form, tag, kind, culprit, build }) {
  const dump = openDump(build());
  try {
    const trail = dump.trace(tag);
    return {
      name,
      form,
      kind: kind ?? "nobody",
      saidKind: trail.conclusion.culprit?.kind ?? "nobody",
      culprit: culprit === null ? null : moduleName(culprit),
      named: namedIn(trail.conclusion),
      confidence: trail.conclusion.confidence,
      top: [processIn(trail.conclusion), ...trail.suspects.map((suspect) => suspect.module)]
        .flatMap((name) => name ?? [])
        .slice(0, TOP),
      baseline: recipe(dump, tag),
    };
  } finally {
    dump[Symbol.dispose]();
  }
}

/** The driver's module, or the process's image. @param {import("../src/index.ts").Conclusion} conclusion */
function namedIn(conclusion) {
  return processIn(conclusion) ?? conclusion.module;
}

/** @param {import("../src/index.ts").Conclusion} conclusion */
function processIn({ culprit }) {
  return culprit?.kind === "process" ? moduleName(culprit.name ?? "?") : undefined;
}

/** The article's steps 2 to 4, as written. @param {import("../src/index.ts").Dump} dump @param {string} tag */
function recipe(dump, tag) {
  const functions = new Set(
    dump.scan(tag).references.flatMap(({ nearest }) => (nearest === null ? [] : [nearest.address])),
  );
  const holders = new Set(
    [...functions]
      .flatMap((address) => dump.pointers(address).pointers)
      .flatMap(({ module, slot }) => (slot === null ? [] : [module])),
  );
  return dump.modules.items
    .filter((module) => holders.has(module.name) && module.publisher.thirdParty === true)
    .map((module) => module.name);
}

/** @param {string} file */
function moduleName(file) {
  return file.replace(/\.[^.]*$/, "");
}

/** @param {number} part @param {number} whole */
function share(part, whole) {
  return `${part} of ${whole} (${whole === 0 ? "-" : Math.round((100 * part) / whole)} %)`;
}

/** @param {ReturnType<typeof runLeakBench>} result */
function render({ rows, summary }) {
  const lines = rows.map((row) => {
    const named = row.named ?? (row.saidKind === "nobody" ? "cannot tell" : row.saidKind);
    const said = row.confidence === "none" ? named : `${named}, ${row.confidence}`;
    const baseline = row.baseline[0] === undefined ? "nobody" : row.baseline.slice(0, TOP).join(", ");
    const culprit = row.culprit ?? `(${row.kind})`;
    return [isRight(row) ? "ok" : "MISS", row.name, row.form, culprit, said, baseline];
  });
  const titles = ["", "scenario", "form", "culprit", "pooltrail says", "the recipe alone"];
  const widths = titles.map((title, i) =>
    Math.max(title.length, ...lines.map((line) => line[i]?.length ?? 0)),
  );
  const set = (/** @type {readonly string[]} */ line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  const s = summary;
  return [
    set(titles),
    ...lines.map(set),
    "",
    "                             pooltrail            the recipe alone",
    `culprit named first          ${share(s.top1, s.withCulprit).padEnd(21)}${share(s.baselineTop1, s.withCulprit)}`,
    `culprit among the first ${TOP}    ${share(s.top3, s.withCulprit).padEnd(21)}${share(s.baselineTop3, s.withCulprit)}`,
    `"cannot tell", rightly       ${share(s.cannotTell, s.withoutCulprit).padEnd(21)}${share(s.baselineCannotTell, s.withoutCulprit)}`,
    `wrong with high confidence   ${s.wrongWithHighConfidence}`,
    "",
    "by who is to blame     kind right            named first           high and wrong",
    ...s.kinds.map(
      ({ kind, machines, kindRight, top1, wrongWithHighConfidence: wrong }) =>
        `${kind.padEnd(23)}${share(kindRight, machines).padEnd(22)}${share(top1, machines).padEnd(22)}${wrong}`,
    ),
  ].join("\n");
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  /** @type {typeof import("../src/index.ts")} */
  const { openDump, openFolder } = await import(new URL("../dist/index.js", import.meta.url).href);
  process.stdout.write(`Machines, whole\n\n${render(runLeakBench(openDump))}\n`);
  const { renderRealCode, runRealCode } = await import("./realcode-report.mjs");
  process.stdout.write(`\n${renderRealCode(runRealCode(openFolder))}\n`);
}
