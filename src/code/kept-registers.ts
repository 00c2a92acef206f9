import { addAll } from "../core/search.ts";
import { type Decoder, Flow } from "../isa/instruction.ts";
import type { JumpTables } from "./jump-tables.ts";
import type { ModuleCode } from "./module-code.ts";

/** Instructions that are looked at: what leaves the result alone is a check, or puts registers back. */
const MOST = 32;

/**
 * Whether a function leaves the register alone that results come in: on one of its ways it returns, and has not written
 * to it. What returns something writes it on each of them. So does the check of a stack's cookie, which every function with
 * an array on its stack ends with.
 */
export function keepsResult(decoder: Decoder, entry: number, result: number): boolean {
  const pending = [entry];
  const seen = new Set<number>();
  for (let start = pending.pop(); start !== undefined; start = pending.pop()) {
    for (let at = start; !seen.has(at); ) {
      if (seen.size >= MOST) return false;
      seen.add(at);
      const instruction = decoder.at(at);
      if (instruction === undefined || instruction.writes.includes(result)) break;
      const { flow, length, target } = instruction;
      if (flow === Flow.Return) return true;
      if (flow === Flow.Branch && target !== undefined) pending.push(target);
      else if (flow !== Flow.Next) break;
      at += length;
    }
  }
  return false;
}

/** Instructions that are looked at of a function and of what it calls: compilers know of small ones what they leave alone. */
const MOST_WRITING = 256;

/** … and of all functions of an image with `bytes` of code: those that overlap have the same bytes again and again. */
export function writingAtMost(bytes: number): number {
  return 0x4000 + (bytes >>> 4);
}

/** What a function may change, with those that it calls. */
export interface Writing {
  /** `undefined` where it may be any: where it calls what stands in no code of the image, or is larger. */
  readonly registers: ReadonlySet<number> | undefined;
  /** Instructions that were looked at. */
  readonly steps: number;
}

/**
 * The registers that a function may change. Callers in the same image keep things in the others, as GCC has it
 * (`-fipa-ra`), whatever the calling convention says.
 *
 * @param left instructions that may still be looked at in the image
 */
export function writtenBy(
  code: ModuleCode,
  decoder: Decoder,
  tables: JumpTables,
  entry: number,
  left: number,
): Writing {
  const written = new Set<number>();
  const most = Math.min(MOST_WRITING, left);
  const pending = [entry];
  const seen = new Set<number>();
  for (let start = pending.pop(); start !== undefined; start = pending.pop()) {
    for (let at = start; !seen.has(at); ) {
      const run = code.runAt(at);
      const instruction = run === undefined || seen.size >= most ? undefined : decoder.at(at);
      if (run === undefined || instruction === undefined) return { registers: undefined, steps: seen.size };
      seen.add(at);
      for (const register of instruction.writes) written.add(register);
      const { flow, length, target } = instruction;
      if (flow === Flow.CallIndirect) return { registers: undefined, steps: seen.size };
      if (flow === Flow.Call || flow === Flow.Jump || flow === Flow.Branch) {
        if (target === undefined || !code.isCode(target)) return { registers: undefined, steps: seen.size };
        pending.push(target);
      } else if (flow === Flow.JumpIndirect) {
        const labels = tables.labels(decoder, run, at, length, start);
        if (labels === undefined) return { registers: undefined, steps: seen.size };
        addAll(pending, labels);
      }
      if (flow !== Flow.Next && flow !== Flow.Call && flow !== Flow.Branch) break;
      at += length;
    }
  }
  return { registers: written, steps: seen.size };
}
