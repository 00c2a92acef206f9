import type { Rva } from "../core/address.ts";
import { type ArmInstruction, decodeArm } from "../isa/arm64/instructions.ts";
import { armCallee, wordsOf } from "./arm64-line.ts";
import type { Callee } from "./callees.ts";
import type { DataFlow } from "./data-flow.ts";

/** A call that ARM64 code makes. */
export interface ArmCall {
  readonly at: Rva;
  readonly form: "call" | "jump" | "register" | "jump-slot";
  /** Offsets of the function, of a thunk in front of it, and of the pointer that leads there: those that there are. */
  readonly places: readonly number[];
  readonly callee: Callee;
}

const known = new WeakMap<DataFlow, readonly ArmCall[]>();

/**
 * The calls of an ARM64 image, near ones and those through a pointer whose address the code loads just before, told of
 * straight lines of code: what another way leads to the same place with is not seen.
 */
export function armCalls(flows: DataFlow): readonly ArmCall[] {
  const done = known.get(flows);
  if (done !== undefined) return done;
  const found: ArmCall[] = [];
  for (const run of flows.image.code.runs) {
    const words = wordsOf(run);
    const pointers = new Pointers();
    for (let at = words.first; at + 4 <= run.end; at += 4) {
      const instruction = decodeArm(words.at(at), at);
      const call = callAt(flows, at as Rva, instruction, pointers);
      if (call !== undefined) found.push(call);
      pointers.apply(instruction);
    }
  }
  known.set(flows, found);
  return found;
}

function callAt(
  flows: DataFlow,
  at: Rva,
  instruction: ArmInstruction,
  pointers: Pointers,
): ArmCall | undefined {
  if (instruction.kind === "call" || instruction.kind === "jump") {
    const { target, kind } = instruction;
    // Most jumps stay in their function.
    if (kind === "jump" && flows.image.functions.startingAt(target) === undefined) return undefined;
    const callee = armCallee(flows, target);
    return { at, form: kind, places: [target, ...(callee.slot === undefined ? [] : [callee.slot])], callee };
  }
  if (instruction.kind !== "call-register" && instruction.kind !== "jump-register") return undefined;
  const slot = pointers.slotIn(instruction.register);
  if (slot === undefined) return undefined;
  const form = instruction.kind === "call-register" ? "register" : "jump-slot";
  return { at, form, places: [slot], callee: flows.callees.throughSlot(slot) };
}

/** Which registers hold an address in the image, and which what stands at one; the rest hold -1. */
class Pointers {
  readonly #addresses = new Int32Array(32).fill(-1);
  readonly #slots = new Int32Array(32).fill(-1);

  slotIn(register: number): number | undefined {
    const slot = this.#slots[register] ?? -1;
    return slot < 0 ? undefined : slot;
  }

  apply(instruction: ArmInstruction): void {
    switch (instruction.kind) {
      case "address":
        this.#set(instruction.register, instruction.place, -1);
        return;
      case "add": {
        const { register, from, by } = instruction;
        const address = this.#addresses[from] ?? -1;
        this.#set(register, address < 0 ? -1 : address + by, by === 0 ? (this.#slots[from] ?? -1) : -1);
        return;
      }
      case "load": {
        const address = this.#addresses[instruction.base] ?? -1;
        const slot = address < 0 || instruction.size !== 8 ? -1 : address + instruction.offset;
        this.#set(instruction.register, -1, slot);
        return;
      }
      case "number":
      case "literal":
        this.#set(instruction.register, -1, -1);
        return;
      case "call":
      case "call-register":
        this.#addresses.fill(-1, 0, 18);
        this.#slots.fill(-1, 0, 18);
        return;
      case "jump":
      case "jump-register":
      case "end":
        this.#addresses.fill(-1);
        this.#slots.fill(-1);
        return;
      case "other":
        for (const register of instruction.writes) this.#set(register, -1, -1);
        return;
      default:
    }
  }

  #set(register: number, address: number, slot: number): void {
    this.#addresses[register] = address;
    this.#slots[register] = slot;
  }
}
