import { type Decoder, Flow } from "../isa/instruction.ts";

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
