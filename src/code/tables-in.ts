import { type CodeRange, FLOW_SHIFT, Flow, LENGTH_MASK } from "../isa/instruction.ts";
import { withDecoder } from "../isa/x86/decoder.ts";
import { lengthAt } from "../isa/x86/lengths.ts";
import { JumpTables } from "./jump-tables.ts";
import type { ModuleCode } from "./module-code.ts";

/** How far back what an indirect jump goes through is made. */
const LOOK_BACK = 256;

/**
 * Tells which bytes of a piece of 64-bit code are tables that its own indirect jumps go through: unwind data counts them
 * to the function. In 32-bit code a piece has only what is run.
 */
export function tablesIn(code: ModuleCode, range: CodeRange): (rva: number) => boolean {
  return withDecoder(code, (decoder) => {
    const tables = new JumpTables(code, decoder, undefined);
    const starts: number[] = [];
    let oldest = 0;
    for (let at: number = range.start; at < range.end; ) {
      const run = code.runAt(at);
      if (run === undefined || tables.holds(at)) {
        at++;
        continue;
      }
      const packed = lengthAt(run.bytes, at - run.start, run.bytes.length, code.wide);
      const length = packed === 0 ? decoder.lengthAt(at) : packed & LENGTH_MASK;
      while ((starts[oldest] ?? at) < at - LOOK_BACK) oldest++;
      starts.push(at);
      if (packed >> FLOW_SHIFT === Flow.JumpIndirect) tables.labels(run, at, length, starts[oldest] ?? at);
      at += Math.max(1, length);
    }
    return (rva) => tables.holds(rva);
  });
}
