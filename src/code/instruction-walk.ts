import { MAX_INSTRUCTION } from "../isa/instruction.ts";
import type { InstructionSet, Padding } from "../isa/instruction-set.ts";
import type { SparseBytes } from "../memory/address-space.ts";

/** One piece of a stretch of code; all offsets are from the stretch's start. */
export interface WalkStep {
  /**
   * `hole`: bytes that cannot be read. `cut`: the readable part of an instruction that a hole cuts off, or that starts in
   * one. `bad`: a byte with which no instruction starts. `padding`: equal bytes between functions. `table`: what a jump
   * goes through.
   */
  readonly kind: "instruction" | "hole" | "cut" | "bad" | "padding" | "table";
  readonly at: number;
  /** In bytes. */
  readonly length: number;
}

/** Instructions behind a hole are in step with the code as good as always after so many bytes. */
const IN_STEP = 64;
/** Places that decoding starts from before a majority of them says anything. */
const LEAST_STARTS = 4;

/**
 * Goes over a stretch of code from its start, which must be an instruction's, to its end. Behind a hole it starts where
 * decodings from several bytes come together.
 *
 * @param from where to start
 * @param isTable which offsets are a table's; undefined between functions, where runs of fillers are padding
 */
export function walkInstructions(
  stretch: SparseBytes,
  set: InstructionSet,
  from: number,
  isTable: ((at: number) => boolean) | undefined,
): readonly WalkStep[] {
  const { bytes, holes } = stretch;
  const steps: WalkStep[] = [];
  let next = 0;
  for (let at = from; at < bytes.length; ) {
    while ((holes[next]?.offset ?? bytes.length) + (holes[next]?.length ?? 0) <= at && next < holes.length)
      next++;
    const hole = holes[next];
    const limit = hole?.offset ?? bytes.length;
    if (hole !== undefined && at >= hole.offset) {
      const end = hole.offset + hole.length;
      steps.push({ kind: "hole", at, length: end - at });
      const readable = holes[next + 1]?.offset ?? bytes.length;
      const start = inStepAfter(bytes, end, readable, set);
      if (start > end) steps.push({ kind: "cut", at: end, length: start - end });
      at = start;
      continue;
    }
    const other =
      isTable === undefined ? paddingLength(set.padding, bytes, at, limit) : tableLength(isTable, at, limit);
    if (other > 0) {
      steps.push({ kind: isTable === undefined ? "padding" : "table", at, length: other });
      at += other;
      continue;
    }
    const length = set.length(bytes, at, limit);
    if (length > 0) {
      steps.push({ kind: "instruction", at, length });
      at += length;
    } else if (hole !== undefined && limit - at < MAX_INSTRUCTION) {
      steps.push({ kind: "cut", at, length: limit - at });
      at = limit;
    } else {
      steps.push({ kind: "bad", at, length: 1 });
      at++;
    }
  }
  return steps;
}

/**
 * The lowest place from which decoding comes to `target`: a start for code of which no function is known.
 *
 * @param lowest no lower than this, and behind every hole before `target`
 */
export function startLeadingTo(
  stretch: SparseBytes,
  set: InstructionSet,
  target: number,
  lowest: number,
): number {
  const { bytes, holes } = stretch;
  let low = Math.max(0, lowest);
  for (const hole of holes) if (hole.offset < target) low = Math.max(low, hole.offset + hole.length);
  const leads = new Uint8Array(Math.max(0, target - low) + 1);
  leads[target - low] = 1;
  let best = target;
  for (let at = target - 1; at >= low; at--) {
    const length = set.length(bytes, at, target);
    if (length === 0 || leads[at + length - low] !== 1) continue;
    leads[at - low] = 1;
    best = at;
  }
  return best;
}

function tableLength(isTable: (at: number) => boolean, at: number, limit: number): number {
  let end = at;
  while (end < limit && isTable(end)) end++;
  return end - at;
}

/** Runs of one byte that compilers and linkers fill with; a lone one is an instruction. */
function paddingLength({ fillers }: Padding, bytes: Uint8Array, at: number, limit: number): number {
  const byte = bytes[at];
  if (byte === undefined || !fillers.includes(byte)) return 0;
  let end = at;
  while (end < limit && bytes[end] === byte) end++;
  return end - at >= (byte === 0 ? 4 : 2) ? end - at : 0;
}

/** The first instruction behind a hole: where most of the decodings that start in its first bytes meet. */
function inStepAfter(bytes: Uint8Array, from: number, limit: number, set: InstructionSet): number {
  const end = Math.min(limit, from + IN_STEP);
  const votes = new Uint8Array(Math.max(1, end - from));
  for (let first = from; first < Math.min(from + MAX_INSTRUCTION, end); first++) {
    for (let at = first; at < end; ) {
      votes[at - from] = (votes[at - from] ?? 0) + 1;
      const length = set.length(bytes, at, limit);
      if (length === 0) break;
      at += length;
    }
  }
  const meeting = votes.findIndex(
    (count, i) => i + 1 >= LEAST_STARTS && count * 2 > Math.min(i + 1, MAX_INSTRUCTION),
  );
  return meeting === -1 ? from : from + meeting;
}
