import type { Rva } from "../core/address.ts";
import type { Abi } from "../isa/abi.ts";
import type { SimpleInstruction } from "../isa/instruction.ts";
import { exportNames } from "../symbols/exports.ts";
import type { Callee } from "./callees.ts";
import type { DataFlow } from "./data-flow.ts";

/** What a register holds: the tag that is followed, a number, an address in the image, or what stands at one. */
type Held =
  | { readonly kind: "tag" }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "address" | "slot"; readonly rva: number };

/** What ends a straight line. */
export const ENDS_LINE: ReadonlySet<SimpleInstruction["kind"]> = new Set([
  "return",
  "stop",
  "jump",
  "jump-register",
]);

/** What registers hold along one line of code, branches not taken. */
export class StraightRegisters {
  readonly #volatile: readonly number[];
  readonly #held: (Held | undefined)[] = [];

  constructor({ volatile }: Abi) {
    this.#volatile = volatile;
  }

  at(register: number): Held | undefined {
    return this.#held[register];
  }

  /** Puts the tag into a register. */
  setTag(register: number): void {
    this.#held[register] = { kind: "tag" };
  }

  get holdTag(): boolean {
    return this.#held.some((held) => held?.kind === "tag");
  }

  clear(): void {
    this.#held.length = 0;
  }

  apply(instruction: SimpleInstruction): void {
    const held = this.#held;
    switch (instruction.kind) {
      case "number": {
        const before = held[instruction.register];
        // The second half of the tag itself
        if (instruction.keep && before?.kind === "tag") return;
        const { value, shift, register } = instruction;
        const rest = instruction.keep ? (before?.kind === "number" ? before.value : undefined) : 0;
        if (rest === undefined || shift > 16) held[register] = undefined;
        else
          held[register] = {
            kind: "number",
            value: ((rest & ~(0xffff << shift)) | (value << shift)) >>> 0,
          };
        return;
      }
      case "address":
        held[instruction.register] = { kind: "address", rva: instruction.place };
        return;
      case "add": {
        const from = held[instruction.from];
        const { by, register } = instruction;
        if (from === undefined || (by !== 0 && from.kind !== "address")) held[register] = undefined;
        else held[register] = from.kind === "address" ? { kind: "address", rva: from.rva + by } : from;
        return;
      }
      case "load": {
        const base = held[instruction.base];
        if (base?.kind === "address" && instruction.size === 8)
          held[instruction.register] = { kind: "slot", rva: base.rva + instruction.offset };
        else held[instruction.register] = undefined;
        return;
      }
      case "literal":
        held[instruction.register] = undefined;
        return;
      case "call":
      case "call-register":
        for (const register of this.#volatile) held[register] = undefined;
        return;
      case "other":
        for (const register of instruction.writes) held[register] = undefined;
        return;
      default:
    }
  }
}

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
    const registers = new StraightRegisters(code.set.abi);
    code.set.simple?.each(run, (at, instruction) => {
      const call = callAt(flows, at as Rva, instruction, registers);
      if (call !== undefined) found.push(call);
      registers.apply(instruction);
      if (ENDS_LINE.has(instruction.kind)) registers.clear();
    });
  }
  known.set(flows, found);
  return found;
}

function callAt(
  flows: DataFlow,
  at: Rva,
  instruction: SimpleInstruction,
  registers: StraightRegisters,
): StraightCall | undefined {
  if (instruction.kind === "call" || instruction.kind === "jump") {
    const { target, kind } = instruction;
    // Most jumps stay in their function.
    if (kind === "jump" && flows.image.functions.startingAt(target) === undefined) return undefined;
    const callee = straightCallee(flows, target);
    return { at, form: kind, places: [target, ...(callee.slot === undefined ? [] : [callee.slot])], callee };
  }
  if (instruction.kind !== "call-register" && instruction.kind !== "jump-register") return undefined;
  const held = registers.at(instruction.register);
  if (held?.kind !== "slot" || held.rva < 0) return undefined;
  const form = instruction.kind === "call-register" ? "register" : "jump-slot";
  return { at, form, places: [held.rva], callee: flows.callees.throughSlot(held.rva) };
}

/** What a near call leads to: an export of the image, an import through a thunk, or a function that nothing names. */
export function straightCallee({ image, callees }: DataFlow, target: number): Callee {
  const slot = image.code.set.thunks.jumpAt(image.code, target)?.slot;
  if (slot !== undefined) return { ...callees.throughSlot(slot), thunk: target };
  const name = exportNames(image.image).at(target)[0]?.name;
  return { target: image.code.vaOf(target), offset: target, ...(name === undefined ? {} : { name }) };
}
