import { arm64 } from "./arm64/set.ts";
import type { InstructionSet } from "./instruction-set.ts";
import { unread } from "./unread.ts";
import { x64, x86 } from "./x86/sets.ts";

const SETS: ReadonlyMap<string, InstructionSet> = new Map([x86, x64, arm64].map((set) => [set.machine, set]));

/** The instruction set of a machine; `unread` for one whose code is not looked at. */
export function instructionSetOf(machine: string): InstructionSet {
  return SETS.get(machine) ?? unread;
}
