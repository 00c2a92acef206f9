import type { Decoder } from "./decoder.ts";
import { LENGTH_MASK, lengthAt } from "./lengths.ts";
import type { CodeRange, ModuleCode } from "./module-code.ts";

/** Where instructions start in a stretch of code that is entered at its start. Stops where none can be read. */
export function instructionStarts(code: ModuleCode, decoder: Decoder, range: CodeRange): number[] {
  const starts: number[] = [];
  for (let at: number = range.start; at < range.end; ) {
    const length = stepAt(code, decoder, at);
    if (length === 0) break;
    starts.push(at);
    at += length;
  }
  return starts;
}

/** The start of the instruction that holds the byte at `rva`, told by decoding from the start of its fragment. */
export function instructionHolding(
  code: ModuleCode,
  decoder: Decoder,
  range: CodeRange,
  rva: number,
): number | undefined {
  for (let at: number = range.start; at < range.end; ) {
    const length = stepAt(code, decoder, at);
    if (length === 0) return undefined;
    if (rva < at + length) return at;
    at += length;
  }
  return undefined;
}

function stepAt(code: ModuleCode, decoder: Decoder, at: number): number {
  const run = code.runAt(at);
  if (run === undefined) return 0;
  const length = lengthAt(run.bytes, at - run.start, run.bytes.length, code.wide) & LENGTH_MASK;
  return length === 0 ? decoder.lengthAt(at) : length;
}
