import { judgeAmongReal, judgeCases, judgeInnocents, judgeKinds, realImages } from "./realcode.mjs";

/** @typedef {import("./folder-verdicts.mjs").Verdict} Verdict */

/** @param {typeof import("../src/index.ts").openFolder} openFolder @param {{ fetch: boolean }} [options] */
export function runRealCode(openFolder, options = { fetch: true }) {
  const real = realImages(options);
  const cases = judgeCases(openFolder);
  return {
    groups: [
      { title: "Kinds of leak, each in a folder", verdicts: judgeKinds(openFolder) },
      { title: "Among real images", verdicts: judgeAmongReal(openFolder, real) },
      { title: "Cases", verdicts: cases.verdicts },
    ],
    innocents: judgeInnocents(openFolder, real),
    skipped: [...real.skipped, ...cases.skipped],
  };
}

/** @param {ReturnType<typeof runRealCode>} result @returns {string} */
export function renderRealCode({ groups, innocents, skipped }) {
  const all = groups.flatMap(({ verdicts }) => verdicts);
  const lines = groups
    .filter(({ verdicts }) => verdicts.length > 0)
    .flatMap(({ title, verdicts }) => [title, "", ...table(verdicts), "", ...totals(verdicts), ""]);
  return [
    ...lines,
    "All folders together",
    "",
    ...totals(all),
    "",
    `Innocents: ${innocents.traced} traces, named with medium or high confidence ${innocents.named.length}`,
    ...innocents.named.map((line) => `  ${line}`),
    ...skipped,
  ].join("\n");
}

/** @param {readonly Verdict[]} verdicts */
function table(verdicts) {
  const rows = [
    ["", "folder", "tag", "culprit", "pooltrail says", "innocent named"],
    ...verdicts.map(({ name, tag, culprit, named, confidence, right }) => [
      right ? "ok" : "MISS",
      name,
      tag.padEnd(4),
      culprit ?? "(nobody)",
      named === null ? "cannot tell" : `${named}, ${confidence}`,
      right || named === null ? "" : named,
    ]),
  ];
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** @param {readonly Verdict[]} verdicts */
function totals(verdicts) {
  const count = (/** @type {(verdict: Verdict) => boolean} */ test) => verdicts.filter(test).length;
  const share = (/** @type {number} */ part, /** @type {number} */ whole) =>
    `${part} of ${whole} (${whole === 0 ? "-" : Math.round((100 * part) / whole)} %)`;
  const blamed = count(({ culprit }) => culprit !== null);
  return [
    `culprit named first          ${share(
      count(({ culprit, right }) => culprit !== null && right),
      blamed,
    )}`,
    `"cannot tell", rightly       ${share(
      count(({ culprit, right }) => culprit === null && right),
      verdicts.length - blamed,
    )}`,
    `wrong with medium or high    ${count(({ wrong }) => wrong)}`,
  ];
}
