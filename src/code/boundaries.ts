import type { CodeRange } from "../isa/instruction.ts";
import type { ModuleCode } from "./module-code.ts";

/** Where instructions start in a stretch of code that is entered at its start. Stops where none can be read. */
export function instructionStarts(code: ModuleCode, range: CodeRange): number[] {
  const starts: number[] = [];
  for (let at: number = range.start; at < range.end; ) {
    const length = code.lengthAt(at);
    if (length === 0) break;
    starts.push(at);
    at += length;
  }
  return starts;
}

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
