import type { Abi } from "../isa/abi.ts";
import { type Decoder, Flow, type Instruction } from "../isa/instruction.ts";

/** Instructions looked at; a block that is part of another function betrays itself early. */
const LOOK_AHEAD = 24;

/**
 * Whether code at `start` can be a function of its own: it uses no register and no stack that whoever jumps to
 * it would have to prepare, but for the registers that carry arguments.
 *
 * @param within where the function that jumps to it is known to be: code that returns there is part of it
 */
export function isSelfContained(
  decoder: Decoder,
  abi: Abi,
  start: number,
  within: (at: number) => boolean,
): boolean {
  const known = new Set([abi.stackPointer, ...abi.argumentRegisters]);
  const pending: Way[] = [{ at: start, known, depth: 0, saving: true }];
  const met = new Set<number>();
  let left = LOOK_AHEAD;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const way = { ...next, known: new Set(next.known) };
    while (!met.has(way.at) && left-- > 0) {
      met.add(way.at);
      const instruction = decoder.at(way.at);
      if (instruction === undefined || !goes(way, instruction, abi)) return false;
      const { flow, target } = instruction;
      if (flow === Flow.Return || flow === Flow.Stop || flow === Flow.JumpIndirect) break;
      way.at += instruction.length;
      if (flow === Flow.Call || target === undefined) continue;
      if (within(target)) return false;
      if (flow === Flow.Jump) way.at = target;
      else pending.push({ at: target, known: way.known, depth: way.depth, saving: false });
    }
  }
  return true;
}

/** One way through the code, as far as it has been gone; of a branch, what its other way has made known, too. */
interface Way {
  at: number;
  /** Registers whose values are known to be the function's own, or its arguments. */
  readonly known: Set<number>;
  /** What it has pushed, in pointers. */
  depth: number;
  /** Nothing but pushes so far. */
  saving: boolean;
}

/** Whether the instruction uses only what is the function's own; then what it changes is, too. */
function goes(way: Way, instruction: Instruction, abi: Abi): boolean {
  const { known } = way;
  const [first] = instruction.operands;
  const { mnemonic, flow } = instruction;
  if (mnemonic === "push") {
    way.depth++;
    // A register that is only saved need not have been set, nor one saved before anything else.
    if (first?.kind === "register" && (abi.preserved.has(first.register) || way.saving))
      known.add(first.register);
    else if (!readsOnly(instruction, known)) return false;
  } else if (mnemonic === "pop") {
    if (--way.depth < 0) return false;
    if (first?.kind === "register") known.add(first.register);
  } else if (mnemonic === "leave") {
    if (!known.has(abi.framePointer)) return false;
  } else {
    if (!readsOnly(instruction, known)) return false;
    for (const register of instruction.writes) known.add(register);
  }
  way.saving &&= mnemonic === "push";
  if (flow === Flow.Call || flow === Flow.CallIndirect) {
    known.add(abi.result);
    // How much the callee takes off the stack is not known.
    way.depth = Math.max(way.depth, 16);
  }
  return true;
}

function readsOnly(instruction: Instruction, known: ReadonlySet<number>): boolean {
  const [first, second] = instruction.operands;
  // xor eax, eax; sub ecx, ecx; or eax, -1; and eax, 0: they read nothing that matters.
  const clears =
    first?.kind === "register" &&
    ((second?.kind === "register" &&
      second.register === first.register &&
      /^(xor|sub|sbb)$/.test(instruction.mnemonic)) ||
      (second?.kind === "immediate" && /^(or|and)$/.test(instruction.mnemonic)));
  if (clears) return true;
  // mov edi, edi
  if (
    instruction.mnemonic === "mov" &&
    first?.kind === "register" &&
    second?.kind === "register" &&
    first.register === second.register
  ) {
    return true;
  }
  // lea esi, [esi+0]: padding
  if (
    instruction.mnemonic === "lea" &&
    first?.kind === "register" &&
    second?.kind === "memory" &&
    second.base === first.register &&
    second.index === undefined &&
    second.displacement === 0
  ) {
    return true;
  }
  for (const [index, operand] of instruction.operands.entries()) {
    if (operand.kind === "memory") {
      if (operand.base !== undefined && !known.has(operand.base)) return false;
      if (operand.index !== undefined && !known.has(operand.index)) return false;
    } else if (operand.kind === "register") {
      const onlyWritten = index === 0 && WRITES_ONLY.has(instruction.mnemonic);
      if (!onlyWritten && !known.has(operand.register)) return false;
    }
  }
  return true;
}

const WRITES_ONLY: ReadonlySet<string> = new Set("mov lea movzx movsx movsxd imul pop".split(" "));
