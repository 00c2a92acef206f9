import type { CodeRange, CodeRun } from "../isa/instruction.ts";
import type { ModuleCode } from "./module-code.ts";

/**
 * Tells which instruction holds a byte, by decoding from the start of its fragment. Questions in order of address go on
 * where the last one ended, and all together take at most `budget` steps.
 */
export class Boundaries {
  readonly #code: ModuleCode;
  /** Where the last question ended, by the fragment's start. */
  readonly #reached = new Map<number, number>();
  #budget: number;

  constructor(code: ModuleCode, budget: number = code.readable * 2 + 0x1_0000) {
    this.#code = code;
    this.#budget = budget;
  }

  /** No question is answered any more. */
  get exhausted(): boolean {
    return this.#budget <= 0;
  }

  /** The start of the instruction that holds the byte at `rva`; `undefined` where it cannot be told. */
  holding(range: CodeRange, rva: number): number | undefined {
    const reached = this.#reached.get(range.start) ?? range.start;
    for (let at: number = reached <= rva ? reached : range.start; at < range.end; ) {
      const length = this.#budget-- <= 0 ? 0 : this.#code.lengthAt(at);
      if (length === 0) return undefined;
      if (rva < at + length) {
        this.#reached.set(range.start, at);
        return at;
      }
      at += length;
    }
    return undefined;
  }
}

/** Bytes before the place from where decoding falls into step with the code, as good as always. */
const STEPS_BACK = 64;

/**
 * Where the instruction at `place` starts, when the function's start cannot be read: decoding from a few neighbouring
 * bytes falls into step, and most of them agree.
 */
export function instructionBehindHole(
  code: ModuleCode,
  run: CodeRun | undefined,
  place: number,
): number | undefined {
  if (run === undefined) return undefined;
  const votes = new Map<number, number>();
  const first = Math.max(run.start, place - STEPS_BACK);
  for (let from = first; from < Math.min(first + 8, place); from++) {
    let at = from;
    for (let next = from; next <= place; ) {
      at = next;
      next += code.lengthAt(next) || 1;
    }
    votes.set(at, (votes.get(at) ?? 0) + 1);
  }
  const [best] = [...votes].sort((a, b) => b[1] - a[1]);
  return best !== undefined && best[1] >= 4 ? best[0] : undefined;
}
