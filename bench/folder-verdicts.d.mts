import type { ImageFolder, openFolder } from "../src/index.ts";

export interface Question {
  readonly name: string;
  readonly tag: string;
  /** A module's name; null where nobody may be named. */
  readonly culprit: string | null;
  /** It is enough that it is the first suspect. */
  readonly first?: boolean;
  /** Those that may not be named; all but the culprit where left out. */
  readonly innocent?: readonly string[] | undefined;
  /** Paths of PE files. */
  readonly files: readonly string[];
}

export interface Verdict {
  readonly name: string;
  readonly tag: string;
  readonly culprit: string | null;
  readonly named: string | null;
  readonly confidence: string;
  readonly right: boolean;
  /** Somebody innocent is named, with medium or high confidence. */
  readonly wrong: boolean;
}

export declare function isStrong(confidence: string): boolean;
export declare function inFolder<T>(
  open: typeof openFolder,
  files: readonly string[],
  ask: (folder: ImageFolder) => T,
): T;
export declare function judgeFolder(open: typeof openFolder, question: Question): Verdict;
