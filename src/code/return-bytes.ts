import { FLOW_SHIFT, Flow, LENGTH_MASK } from "../isa/instruction.ts";
import type { InstructionSet } from "../isa/instruction-set.ts";
import { instructionSetOf } from "../isa/machines.ts";
import type { Image } from "../pe/image.ts";
import type { ImageCode } from "./functions.ts";

/** Bytes of a function in which its return is looked for. */
const REACH = 0x800;
/** Jumps followed from a function's start to where its code is. */
const MAX_JUMPS = 3;

/**
 * The bytes of arguments that a function takes off the stack: those of the first such return behind its start, by which
 * all its returns go. `undefined` where none is seen.
 */
export function returnBytes(image: Image, entry: number): number | undefined {
  const set = instructionSetOf(image.machine);
  let at = entry;
  for (let jumps = 0; jumps <= MAX_JUMPS; jumps++) {
    const { bytes, holes } = image.readSparse(at, REACH);
    const end = holes[0]?.offset ?? bytes.length;
    const packed = set.step(bytes, 0, end);
    if (packed >> FLOW_SHIFT !== Flow.Jump) return firstReturn(set, bytes, end);
    at += set.target(bytes, 0, packed & LENGTH_MASK);
  }
  return undefined;
}

function firstReturn(set: InstructionSet, bytes: Uint8Array, end: number): number | undefined {
  for (let at = 0; at < end; ) {
    const packed = set.step(bytes, at, end);
    const flow = packed >> FLOW_SHIFT;
    if (flow === Flow.Return) return set.popped(bytes, at);
    if (packed === 0 || flow === Flow.Stop) return undefined;
    at += packed & LENGTH_MASK;
  }
  return undefined;
}

/** As `returnBytes`, of a function whose extent is known. */
export function popsOf({ code, functions }: ImageCode, entry: number): number | undefined {
  const found = functions.startingAt(entry);
  for (const { start, end } of found?.fragments ?? []) {
    const run = code.runAt(start);
    if (run === undefined) continue;
    for (let at: number = start; at < Math.min(end, run.end); ) {
      const packed = code.step(run, at);
      const length = packed === 0 ? code.lengthAt(at) : packed & LENGTH_MASK;
      if (length === 0) break;
      if (packed >> FLOW_SHIFT === Flow.Return) {
        const popped = code.set.popped(run.bytes, at - run.start);
        if (popped !== undefined) return popped;
      }
      at += length;
    }
  }
  return undefined;
}
