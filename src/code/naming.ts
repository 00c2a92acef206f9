import type { Instruction } from "../isa/instruction.ts";
import { COMPUTED, computedAt, type MachineState, UNKNOWN, type Value } from "./abstract-value.ts";
import type { Facts } from "./facts.ts";
import type { Transfer } from "./transfer.ts";

// On one way through a function what nobody knows has names, so that it can be told whether it is the same thing.

/** What is read from the stack and not known is the same thing when it is read again. */
export function nameRead(
  transfer: Transfer,
  state: MachineState,
  { start, mnemonic, operands }: Instruction,
): void {
  if (mnemonic === "lea") return;
  for (const operand of operands) {
    const offset = operand.kind === "memory" ? transfer.stackOffsetOf(state, operand) : undefined;
    if (offset === undefined || offset > 0) continue;
    const [only, ...others] = state.stackAt(offset);
    if (only?.kind === "unknown" && only.computed === undefined && others.length === 0)
      state.put(offset, computedAt(only, start, `s${offset}`));
  }
}

/** What an instruction computes and nobody knows is told apart from other such things; facts about what it computed before hold no longer. */
export function nameComputed(
  { registers }: MachineState,
  facts: Facts,
  { start, writes }: Instruction,
): Facts {
  let known = facts;
  for (const register of writes) {
    const [only, ...others] = registers[register] ?? UNKNOWN;
    if (only?.kind !== "unknown" || only.computed !== undefined || others.length > 0) continue;
    const value = computedAt(only, start, `${register}`);
    registers[register] = value;
    if (known.text.includes(COMPUTED)) known = known.without(value[0]?.key ?? "");
  }
  return known;
}

/** The computed values that the function still has, by their keys; of what calls take away only what is one of a few numbers. */
export function liveIn(state: MachineState, preserved: ReadonlySet<number>): ReadonlySet<string> {
  const live = new Set<string>();
  const add = ([only]: Value, isKept = true): void => {
    const whole = only?.kind === "part" ? only.of : only;
    if (whole?.kind !== "unknown" || whole.computed === undefined) return;
    if (isKept || whole.oneOf !== undefined) live.add(whole.computed.key);
  };
  state.registers.forEach((value, register) => {
    add(value, preserved.has(register));
  });
  for (const [offset, value] of state.stack) if (offset >= state.sp) add(value);
  return live;
}
