import { FLOW_SHIFT, Flow, LENGTH_MASK } from "../isa/instruction.ts";
import { lengthAt, nearTarget } from "../isa/x86/lengths.ts";
import type { Image } from "../pe/image.ts";

/** Bytes of a function in which its return is looked for. */
const REACH = 0x800;
/** Jumps followed from a function's start to where its code is. */
const MAX_JUMPS = 3;

/**
 * The bytes of arguments that a 32-bit function takes off the stack: the n of the first `ret n` behind its start, by which
 * all its returns go. `undefined` where none is seen.
 */
export function returnBytes(image: Image, entry: number): number | undefined {
  let at = entry;
  for (let jumps = 0; jumps <= MAX_JUMPS; jumps++) {
    const { bytes, holes } = image.readSparse(at, REACH);
    const end = holes[0]?.offset ?? bytes.length;
    const packed = lengthAt(bytes, 0, end, false);
    if (packed >> FLOW_SHIFT !== Flow.Jump) return firstReturn(bytes, end);
    at += nearTarget(bytes, 0, packed & LENGTH_MASK);
  }
  return undefined;
}

function firstReturn(bytes: Uint8Array, end: number): number | undefined {
  for (let at = 0; at < end; ) {
    const packed = lengthAt(bytes, at, end, false);
    const length = packed & LENGTH_MASK;
    if (length === 0) return undefined;
    if (packed >> FLOW_SHIFT === Flow.Return) {
      if (bytes[at] === 0xc3) return 0;
      return bytes[at] === 0xc2 ? (bytes[at + 1] ?? 0) | ((bytes[at + 2] ?? 0) << 8) : undefined;
    }
    if (packed >> FLOW_SHIFT === Flow.Stop) return undefined;
    at += length;
  }
  return undefined;
}
