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
  const pending: { at: number; known: ReadonlySet<number>; depth: number }[] = [
    { at: start, known: new Set([abi.stackPointer, ...abi.argumentRegisters]), depth: 0 },
  ];
  const met = new Set<number>();
  let left = LOOK_AHEAD;
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    let { at, depth } = path;
    const known = new Set(path.known);
    let saving = at === start;
    while (!met.has(at) && left-- > 0) {
      met.add(at);
      const instruction = decoder.at(at);
      if (instruction === undefined) return false;
      const [first] = instruction.operands;
      if (instruction.mnemonic === "push") {
        depth++;
        // A register that is only saved need not have been set, nor one saved before anything else.
        if (first?.kind === "register" && (abi.preserved.has(first.register) || saving))
          known.add(first.register);
        else if (!readsOnly(instruction, known)) return false;
      } else if (instruction.mnemonic === "pop") {
        if (--depth < 0) return false;
        if (first?.kind === "register") known.add(first.register);
      } else if (instruction.mnemonic === "leave") {
        if (!known.has(abi.framePointer)) return false;
      } else {
        if (!readsOnly(instruction, known)) return false;
        for (const register of instruction.writes) known.add(register);
      }
      saving &&= instruction.mnemonic === "push";
      if (instruction.flow === Flow.Call || instruction.flow === Flow.CallIndirect) {
        known.add(abi.result);
        // How much the callee takes off the stack is not known.
        depth = Math.max(depth, 16);
      }
      if (
        instruction.flow === Flow.Return ||
        instruction.flow === Flow.Stop ||
        instruction.flow === Flow.JumpIndirect
      )
        break;
      const { target } = instruction;
      if (instruction.flow !== Flow.Call && target !== undefined) {
        if (within(target)) return false;
        if (instruction.flow === Flow.Jump) {
          at = target;
          continue;
        }
        pending.push({ at: target, known, depth });
      }
      at += instruction.length;
    }
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
