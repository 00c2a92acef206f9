import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/**
 * @typedef {{ name: string, tag: string, culprit: string | null, first?: boolean, innocent?: readonly string[] | undefined, files: readonly string[] }} Question
 *   culprit: a module's name, null where nobody may be named. first: it is enough that it is the first suspect. innocent: those that may not, all others where left out
 * @typedef {{ name: string, tag: string, culprit: string | null, named: string | null, confidence: string, right: boolean, wrong: boolean }} Verdict
 *   wrong: somebody innocent is named, with medium or high confidence
 */

/** @param {string} confidence */
export const isStrong = (confidence) => confidence === "medium" || confidence === "high";

/**
 * Opens PE files as one folder.
 *
 * @template T
 * @param {typeof import("../src/index.ts").openFolder} openFolder
 * @param {readonly string[]} files later ones stand for earlier ones of the same name
 * @param {(folder: import("../src/index.ts").ImageFolder) => T} ask
 * @returns {T}
 */
export function inFolder(openFolder, files, ask) {
  const path = mkdtempSync(join(tmpdir(), "leakbench-"));
  try {
    for (const file of files) copyFileSync(file, join(path, basename(file).toLowerCase()));
    const folder = openFolder(path);
    try {
      return ask(folder);
    } finally {
      folder[Symbol.dispose]();
    }
  } finally {
    rmSync(path, { recursive: true });
  }
}

/**
 * @param {typeof import("../src/index.ts").openFolder} openFolder
 * @param {Question} question
 * @returns {Verdict}
 */
export function judgeFolder(openFolder, { name, tag, culprit, first = false, innocent, files }) {
  return inFolder(openFolder, files, (folder) => {
    const { conclusion, suspects } = folder.trace(tag);
    const { module, confidence } = conclusion;
    const right = module === culprit || (first && module === null && suspects[0]?.module === culprit);
    const accused = module !== null && !right && (innocent === undefined || innocent.includes(module));
    return {
      name,
      tag,
      culprit,
      named: module,
      confidence,
      right,
      wrong: accused && isStrong(confidence),
    };
  });
}
