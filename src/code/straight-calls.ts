import type { Rva } from "../core/address.ts";
import type { Abi } from "../isa/abi.ts";
import type { SimpleInstruction } from "../isa/instruction.ts";
import type { Callee } from "./callees.ts";
import type { DataFlow } from "./data-flow.ts";
import { straightCallee } from "./straight-line.ts";

/** A call that code makes of which straight lines are all that is read. */
export interface StraightCall {
  readonly at: Rva;
  readonly form: "call" | "jump" | "register" | "jump-slot";
  /** Offsets of the function, of a thunk in front of it, and of the pointer that leads there: those that there are. */
  readonly places: readonly number[];
  readonly callee: Callee;
}

const known = new WeakMap<DataFlow, readonly StraightCall[]>();

/**
 * The calls of an image, near ones and those through a pointer whose address the code loads just before, told of
 * straight lines of code: what another way leads to the same place with is not seen.
 */
export function straightCalls(flows: DataFlow): readonly StraightCall[] {
  const done = known.get(flows);
  if (done !== undefined) return done;
  const found: StraightCall[] = [];
  const { code } = flows.image;
  for (const run of code.runs) {
    const pointers = new Pointers(code.set.abi);
    code.set.simple?.each(run, (at, instruction) => {
      const call = callAt(flows, at as Rva, instruction, pointers);
      if (call !== undefined) found.push(call);
      pointers.apply(instruction);
    });
  }
  known.set(flows, found);
  return found;
}

function callAt(
  flows: DataFlow,
  at: Rva,
  instruction: SimpleInstruction,
  pointers: Pointers,
): StraightCall | undefined {
  if (instruction.kind === "call" || instruction.kind === "jump") {
    const { target, kind } = instruction;
    // Most jumps stay in their function.
    if (kind === "jump" && flows.image.functions.startingAt(target) === undefined) return undefined;
    const callee = straightCallee(flows, target);
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
  readonly #volatile: readonly number[];

  constructor({ volatile }: Abi) {
    this.#volatile = volatile;
  }

  slotIn(register: number): number | undefined {
    const slot = this.#slots[register] ?? -1;
    return slot < 0 ? undefined : slot;
  }

  apply(instruction: SimpleInstruction): void {
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
        for (const register of this.#volatile) this.#set(register, -1, -1);
        return;
      case "jump":
      case "jump-register":
      case "return":
      case "stop":
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
